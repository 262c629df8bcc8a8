"""Stores: whose they are, whom they serve, whom they trust, and how they come and go."""

import time
from collections import Counter
from typing import Any

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import EXTERNAL_SECRET, SECRET_STORE
from reconciler.standin import ADMIN, StandIn, read_below
from reconciler.standin.server import Server
from tests.scenarios.scene import API_KEY, LOGIN, Scene, key

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


@pytest.mark.statement("S79", "S81")
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


@pytest.mark.statement("S88", "S89")
async def test_only_universal_auth_is_checked_by_the_cluster_and_the_others_at_the_first_login(
    scene: Scene,
) -> None:
    """A selector without its key: refused for Universal Auth, told in the condition for any other method."""
    incomplete = scene.store("early")
    del incomplete["spec"]["provider"]["infisical"]["auth"]["universalAuthCredentials"]["clientSecret"]["key"]
    assert "universalAuthCredentials" in (await scene.refused(incomplete)).field
    accepted = scene.store("late")
    accepted["spec"]["provider"]["infisical"]["auth"] = {
        "jwtAuthCredentials": {"identityId": {"name": "login", "key": "identityId"}, "jwt": {"name": "login"}}
    }
    await scene.start()
    await scene.apply(accepted)
    await scene.store_ready("late", status="False", said="jwtAuthCredentials.jwt needs both name and key")
    assert not scene.requests()


async def test_stores_that_differ_in_nothing_that_is_tried_share_one_login_and_one_probe(
    scene: Scene,
) -> None:
    """Whatever they are called; one with another folder is tried by itself."""
    stores = [scene.store(f"same-{number}") for number in range(5)]
    other = scene.store("other", secretsPath="/my-app")
    await scene.apply(scene.credentials_secret(), *stores, other)
    async with scene.costs(LOGIN + Counter(single=2), status_SecretStore=6):
        for store in (*stores, other):
            await scene.store_ready(store["metadata"]["name"])


async def test_namespace_of_a_selector_in_a_namespaced_store_is_warned_about(scene: Scene) -> None:
    """It cannot make the store read elsewhere; Universal Auth's is refused by the cluster."""
    store = scene.store("token")
    identity = scene.server.add_identity("robot", {scene.project: ADMIN})
    store["spec"]["provider"]["infisical"]["auth"] = {
        "tokenAuthCredentials": {"accessToken": {"name": "token", "key": "t", "namespace": "kube-system"}}
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "token"},
        "stringData": {"t": scene.server.add_token(identity)},
    }
    await scene.start()
    await scene.apply(secret, store)
    await scene.store_ready("token")
    told = dict(await scene.events("token"))
    assert "accessToken.namespace has no effect" in told["Ignored"]
