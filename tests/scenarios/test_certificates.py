"""A server behind TLS with an authority of its own: told, and trusted where a store says so."""

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import CLUSTER_SECRET_STORE
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
    async with secured_by(scene, tmp_path, make_serving_certificate()) as secured:
        yield secured


@asynccontextmanager
async def secured_by(
    scene: Scene, directory: Path, certificate: ServingCertificate
) -> AsyncIterator[Secured]:
    """The scene's Infisical server with this certificate."""
    file = directory / "server.pem"
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


@pytest.mark.statement("S75", "S77")
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


@pytest.mark.statement("S78", "S81")
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


async def test_bundle_that_was_encoded_twice_is_understood(scene: Scene, secured: Secured) -> None:
    """As those do who put what `kubectl get secret` shows into a manifest that is encoded again."""
    bundle = base64.b64encode(base64.b64encode(secured.authority)).decode()
    await scene.start()
    await scene.apply(scene.credentials_secret(), trusting(scene, secured, caBundle=bundle))
    await scene.store_ready()


async def test_authority_is_trusted_in_addition_to_those_of_the_system_and_only_for_its_store(
    scene: Scene, secured: Secured
) -> None:
    """Another store at the same address that does not name it is refused all the same."""
    bundle = base64.b64encode(secured.authority).decode()
    careless = trusting(scene, secured)
    careless["metadata"]["name"] = "careless"
    await scene.start()
    await scene.apply(scene.credentials_secret(), trusting(scene, secured, caBundle=bundle), careless)
    await scene.store_ready()
    await scene.store_ready("careless", status="False", said="is not trusted")


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        ({"loopback": False}, "shows a TLS certificate for another host name: check hostAPI"),
        ({"expired": True}, "shows a TLS certificate that has expired: renew it"),
    ],
    ids=["another host", "expired"],
)
async def test_certificate_that_is_not_good_is_told_apart(
    scene: Scene, tmp_path: Path, certificate: dict[str, bool], said: str
) -> None:
    """The authority is trusted; nothing that is secret was sent."""
    async with secured_by(scene, tmp_path, make_serving_certificate(**certificate)) as secured:
        bundle = base64.b64encode(secured.authority).decode()
        await scene.start()
        await scene.apply(scene.credentials_secret(), trusting(scene, secured, caBundle=bundle))
        await scene.store_ready(status="False", said=said)
        assert not scene.requests()
        await scene.stop()


async def test_authority_of_somebody_else_is_not_trusted(scene: Scene, secured: Secured) -> None:
    bundle = base64.b64encode(make_serving_certificate().authority).decode()
    await scene.start()
    await scene.apply(scene.credentials_secret(), trusting(scene, secured, caBundle=bundle))
    await scene.store_ready(status="False", said="is not trusted")


@pytest.mark.statement("S80")
async def test_cluster_store_reads_its_authority_in_the_namespace_that_it_names(
    scene: Scene, secured: Secured
) -> None:
    """And must name it: the cluster refuses it otherwise."""
    scene.controller_class = scene.namespace
    name = f"wide-{scene.namespace}"
    provider = {"type": "ConfigMap", "name": "authority", "key": "ca.crt"}
    store = trusting(scene, secured, caProvider=provider) | {"kind": "ClusterSecretStore"}
    store["metadata"] = {"name": name}
    store["spec"]["controller"] = scene.controller_class
    for selector in store["spec"]["provider"]["infisical"]["auth"]["universalAuthCredentials"].values():
        selector["namespace"] = scene.namespace
    assert "caProvider" in (await scene.refused(store)).field
    provider["namespace"] = scene.namespace
    authority = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "authority"},
        "data": {"ca.crt": secured.authority.decode()},
    }
    await scene.start()
    await scene.apply(scene.credentials_secret(), authority, store)
    try:
        await scene.ready(name, CLUSTER_SECRET_STORE)
    finally:
        await scene.cluster.delete(CLUSTER_SECRET_STORE, "", name)
