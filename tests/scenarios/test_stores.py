"""Stores: whose they are, whom they serve, whom they trust, and how they come and go."""

import base64
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import CLUSTER_SECRET_STORE, EXTERNAL_SECRET, SECRET_STORE
from reconciler.standin import ADMIN, StandIn, read_below
from reconciler.standin.server import Server
from tests.apiserver.certificates import ServingCertificate, make_serving_certificate
from tests.scenarios.scene import API_KEY, LOGIN, SINGLE, VALIDATION, Scene, key

VAULT = {
    "vault": {"server": "https://vault.example.com", "auth": {"tokenSecretRef": {"name": "x", "key": "y"}}}
}


def other_store(name: str = "vault") -> Object:
    """A store of another provider."""
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "SecretStore",
        "metadata": {"name": name},
        "spec": {"provider": VAULT},
    }


async def test_store_of_another_provider_is_left_alone_with_all_who_use_it(scene: Scene) -> None:
    """It is another controller's: no status, no event, no request."""
    wanted = scene.external_secret(data=[key("API_KEY")])
    wanted["spec"]["secretStoreRef"]["name"] = "vault"
    await scene.start()
    await scene.apply(other_store(), wanted)
    await scene.until(lambda: scene.journal.ends("wanted")[-1:] == ["passed_over"])
    await scene.until(lambda: scene.journal.ends("vault") == ["passed_over"])
    assert await scene.condition(EXTERNAL_SECRET, "wanted") == {}
    assert await scene.condition(SECRET_STORE, "vault") == {}
    assert await scene.events("wanted") == []
    assert not scene.requests()
    assert not scene.counting.writes


async def test_store_of_another_provider_cannot_be_mixed_in(scene: Scene) -> None:
    """Half of a Secret is not written; the condition says which store is in the way."""
    await scene.begin_with_store()
    source = {"storeRef": {"name": "vault", "kind": "SecretStore"}}
    await scene.apply(
        other_store(),
        scene.external_secret(data=[key("API_KEY", "ours"), {**key("any", "theirs"), "sourceRef": source}]),
    )
    await scene.ready(status="False", said="SecretStore vault is of another provider than infisical")
    assert await scene.secret() is None


async def test_store_that_becomes_ours_is_taken_up_with_all_who_use_it(scene: Scene) -> None:
    """Without a restart, and without touching what uses it."""
    store = scene.store()
    store["spec"]["controller"] = "somebody-else"
    await scene.start()
    await scene.apply(scene.credentials_secret(), store, scene.external_secret(data=[key("API_KEY")]))
    await scene.until(lambda: scene.journal.ends("wanted")[-1:] == ["passed_over"])
    await scene.apply(scene.store() | {"spec": {**store["spec"], "controller": "default"}})
    await scene.store_ready()
    await scene.ready()


async def test_store_that_is_deleted_is_missed_at_the_next_refresh(scene: Scene) -> None:
    """The Secret stays; when the store is made again, what missed it runs at once."""
    await scene.begin()
    before = await scene.version()
    await scene.delete(SECRET_STORE, "infisical")
    await scene.refresh()
    await scene.ready(
        status="False", said="SecretStore infisical does not exist: create it, or mend secretStoreRef"
    )
    assert await scene.version() == before
    await scene.apply(scene.store())
    await scene.ready()


async def test_store_tells_an_event_once_a_change_and_not_at_each_validation(scene: Scene) -> None:
    """Validated three times, told once."""
    store = scene.store()
    store["spec"]["refreshInterval"] = 1
    await scene.start()
    await scene.apply(scene.credentials_secret(), store)
    await scene.until(lambda: scene.journal.ends("infisical").count("valid") >= 3)
    assert await scene.events("infisical") == [("Valid", "store validated")]
    assert scene.counting.writes == Counter({"status SecretStore": 1})
    assert scene.requests() == Counter(login=1, resolution=1, single=scene.requests()["single"])


async def test_several_login_methods_are_warned_about_and_the_first_is_used(scene: Scene) -> None:
    """The event names it."""
    store = scene.store()
    store["spec"]["provider"]["infisical"]["auth"]["tokenAuthCredentials"] = {
        "accessToken": {"name": "none", "key": "none"}
    }
    await scene.start()
    await scene.apply(scene.credentials_secret(), store)
    await scene.store_ready()
    notes = [note for reason, note in await scene.events("infisical") if reason == "SeveralAuthMethods"]
    assert len(notes) == 1
    assert "niversal" in notes[0]


async def test_store_whose_identity_may_not_read_the_folder_is_usable_and_says_what_it_does_not_know(
    scene: Scene,
) -> None:
    """Rights may hang on names: a resource that is refused says so itself."""
    identity = scene.server.add_identity("narrow", {scene.project: read_below("dev", "/my-app")})
    scene.credentials = scene.server.add_universal_auth(identity)
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store())
    condition = await scene.store_ready(said="the login works, but whether secrets can be read is not known")
    assert condition["reason"] == "ValidationUnknown"
    await scene.apply(
        scene.external_secret("allowed", data=[key("/my-app/ADMIN_PASSWORD")]),
        scene.external_secret("refused", data=[key("API_KEY")]),
    )
    await scene.ready("allowed")
    await scene.ready("refused", status="False", said="the identity may not read")


# --- cluster-wide stores -------------------------------------------------------------------------------------


@pytest.fixture
async def wide(scene: Scene) -> AsyncIterator[Object]:
    """A ClusterSecretStore of this scene's own class, whose credentials are read where it is used."""
    scene.controller_class = scene.namespace
    store = scene.store(f"wide-{scene.namespace}") | {"kind": "ClusterSecretStore"}
    store["spec"]["controller"] = scene.controller_class
    yield store
    await scene.cluster.delete(CLUSTER_SECRET_STORE, "", store["metadata"]["name"])


def user_of(store: Object, scene: Scene) -> Object:
    """A resource that uses a cluster-wide store."""
    wanted = scene.external_secret(data=[key("API_KEY")])
    wanted["spec"]["secretStoreRef"] = {"name": store["metadata"]["name"], "kind": "ClusterSecretStore"}
    return wanted


async def test_cluster_store_without_a_namespace_is_unknown_by_itself_and_works(
    scene: Scene, wide: Object
) -> None:
    """Its own validation asks nothing of anybody; each user logs in with the credentials of its own namespace."""
    async with scene.costs(
        LOGIN + SINGLE, status_ClusterSecretStore=1, status_ExternalSecret=1, apply_Secret=1
    ):
        await scene.apply(wide)
        condition = await scene.ready(
            wide["metadata"]["name"],
            CLUSTER_SECRET_STORE,
            said="the credentials are read in the namespace of each resource that uses this store",
        )
        assert condition["reason"] == "ValidationUnknown"
        await scene.apply(scene.credentials_secret(), user_of(wide, scene))
        await scene.ready()
    assert await scene.secret() == {"key": API_KEY}


async def test_user_of_a_cluster_store_is_told_that_its_namespace_lacks_the_credentials(
    scene: Scene, wide: Object
) -> None:
    """With the name of the Secret that it needs; when it appears, the next attempt finds it."""
    await scene.start()
    await scene.apply(wide, user_of(wide, scene))
    await scene.ready(
        status="False",
        said=f"the Secret {scene.namespace}/universal-auth-credentials with the credentials does not exist",
    )
    assert not scene.requests()
    await scene.apply(scene.credentials_secret())
    await scene.ready()


async def test_cluster_store_with_a_namespace_is_validated_with_the_credentials_there(
    scene: Scene, wide: Object
) -> None:
    """And validated again as soon as these change."""
    for selector in wide["spec"]["provider"]["infisical"]["auth"]["universalAuthCredentials"].values():
        selector["namespace"] = scene.namespace
    name = wide["metadata"]["name"]
    await scene.start()
    await scene.apply(wide)
    await scene.ready(name, CLUSTER_SECRET_STORE, status="False", said=f"{scene.namespace}/universal-auth")
    assert not scene.requests()
    await scene.apply(scene.credentials_secret())
    condition = await scene.ready(name, CLUSTER_SECRET_STORE)
    assert condition["reason"] == "Valid"
    await scene.stop()
    assert scene.requests() == LOGIN + VALIDATION


@pytest.mark.parametrize("form", ["namespaces", "namespaceRegexes", "namespaceSelector"])
async def test_cluster_store_admits_namespaces_by_name_by_pattern_and_by_label(
    scene: Scene, wide: Object, form: str
) -> None:
    """Who is not admitted is told to look at the conditions; who comes to be admitted is served at once."""
    selector = {"matchLabels": {"team": "ours"}}
    shut: Any = {"namespaces": ["other"], "namespaceRegexes": ["^other"], "namespaceSelector": selector}[form]
    wide["spec"]["conditions"] = [{form: shut}]
    name = wide["metadata"]["name"]
    await scene.start()
    await scene.apply(scene.credentials_secret(), wide, user_of(wide, scene))
    await scene.ready(
        status="False",
        said=f"ClusterSecretStore {name} does not admit this namespace: see its spec.conditions",
    )
    assert not scene.requests()
    if form == "namespaceSelector":
        labels = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": scene.namespace}}
        labels["metadata"]["labels"] = {"team": "ours"}  # type: ignore[index]
        await scene.apply(labels)
    else:
        opened = {"namespaces": [scene.namespace], "namespaceRegexes": [scene.namespace[1:-1]]}[form]
        wide["spec"]["conditions"].append({form: opened})
        await scene.apply(wide)
    await scene.ready()


# --- certificates --------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"caBundle": "AAAA", "caProvider": {"type": "Secret", "name": "a", "key": "b"}}, "infisical"),
        ({"caProvider": {"type": "Secret", "name": "a", "key": "b", "namespace": "c"}}, "caProvider"),
        ({"hostAPI": "ftp://infisical.example.com"}, "hostAPI"),
        ({"hostAPI": "infisical.example.com"}, "hostAPI"),
    ],
    ids=["both authorities", "namespace of an authority", "ftp", "no scheme"],
)
async def test_store_that_cannot_be_right_is_refused(
    scene: Scene, change: dict[str, Any], field: str
) -> None:
    """By the cluster, with the field."""
    store = scene.store()
    store["spec"]["provider"]["infisical"] |= change
    assert field in (await scene.refused(store)).field


async def test_password_in_the_address_is_refused_and_not_repeated(scene: Scene) -> None:
    """The condition says which form an address has, and shows nothing of this one."""
    store = scene.store()
    store["spec"]["provider"]["infisical"]["hostAPI"] = "https://user:pass-word@infisical.example.com"
    await scene.start()
    await scene.apply(scene.credentials_secret(), store)
    condition = await scene.store_ready(status="False", said="hostAPI must be an http or https address")
    assert condition["reason"] == "InvalidStoreConfiguration"
    assert "pass-word" not in condition["message"]


async def test_stores_at_two_servers_have_nothing_to_do_with_each_other(scene: Scene) -> None:
    """The same credentials and slug at two addresses: two logins, two resolutions, two values."""
    other = StandIn(time.time)
    project = other.add_project("my-project")
    project.set_secret("dev", "/", "API_KEY", "of-the-other-server")
    identity = other.add_identity("scene", {project: ADMIN})
    async with Server(other) as served:
        second = scene.store("second")
        second["spec"]["provider"]["infisical"]["hostAPI"] = served.url
        block = second["spec"]["provider"]["infisical"]["auth"]["universalAuthCredentials"]
        for selector in block.values():
            selector["name"] = "second-credentials"
        given = other.add_universal_auth(identity)
        secret = scene.credentials_secret("second-credentials")
        secret["stringData"] = {"clientId": given.client_id, "clientSecret": given.client_secret}
        await scene.begin_with_store()
        await scene.apply(secret, second)
        await scene.store_ready("second")
        source = {"storeRef": {"name": "second", "kind": "SecretStore"}}
        await scene.apply(
            scene.external_secret(
                data=[key("API_KEY", "one"), {**key("API_KEY", "two"), "sourceRef": source}]
            )
        )
        await scene.ready()
        assert await scene.secret() == {"one": API_KEY, "two": "of-the-other-server"}
        await scene.stop()
        assert not other.tokens_alive
