"""A server behind TLS with an authority of its own: told, and trusted where a store says so."""

import base64
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.cluster import Object
from reconciler.standin.server import Server
from tests.apiserver.certificates import ServingCertificate, make_serving_certificate
from tests.scenarios.scene import Scene, key


class Secured:
    """A stand-in behind TLS, with an authority of its own."""

    def __init__(self, url: str, certificate: ServingCertificate) -> None:
        self.url = url
        self.authority = certificate.authority


@pytest.fixture
async def secured(scene: Scene, tmp_path: Path) -> AsyncIterator[Secured]:
    """The scene's Infisical server, behind TLS as well."""
    certificate = make_serving_certificate()
    file = tmp_path / "server.pem"
    file.write_bytes(certificate.certificate + certificate.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    async with Server(scene.server, tls=context) as served:
        yield Secured(served.url, certificate)


def trusting(scene: Scene, secured: Secured, **authority: Any) -> Object:
    """The documented store at the address behind TLS."""
    store = scene.store()
    store["spec"]["provider"]["infisical"] |= {"hostAPI": secured.url, **authority}
    return store


async def test_private_authority_is_told_and_trusted_from_a_bundle(scene: Scene, secured: Secured) -> None:
    """Inline, as base64 of PEM."""
    await scene.start()
    await scene.apply(scene.credentials_secret(), trusting(scene, secured))
    await scene.store_ready(
        status="False", said="shows a TLS certificate that is not trusted: set caBundle or caProvider"
    )
    bundle = base64.b64encode(secured.authority).decode()
    await scene.apply(trusting(scene, secured, caBundle=bundle), scene.external_secret(data=[key("API_KEY")]))
    await scene.store_ready()
    await scene.ready()


@pytest.mark.parametrize("kind", ["Secret", "ConfigMap"])
async def test_private_authority_is_trusted_from_an_object(scene: Scene, secured: Secured, kind: str) -> None:
    """A Secret or a ConfigMap that is missing is named, and picked up when it appears."""
    provider = {"type": kind, "name": "authority", "key": "ca.crt"}
    await scene.start()
    await scene.apply(scene.credentials_secret(), trusting(scene, secured, caProvider=provider))
    await scene.store_ready(
        status="False",
        said=f'the certificates of caProvider are not there: {scene.namespace}/authority, key "ca.crt"',
    )
    assert not scene.requests()
    field = "stringData" if kind == "Secret" else "data"
    await scene.apply(
        {
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {"name": "authority"},
            field: {"ca.crt": secured.authority.decode()},
        }
    )
    await scene.store_ready()
