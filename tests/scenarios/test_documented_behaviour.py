"""What the user documentation says of stores, logins and scopes, on both clusters."""

import pytest

from adapters.cluster import Object, Refused
from adapters.resources.kinds import CLUSTER_SECRET_STORE, SECRET
from reconciler.standin import ADMIN, Age
from tests.scenarios.scene import LISTING, LOGIN, RESOLUTION, SINGLE, VALIDATION, Scene, example, key


def token_store(scene: Scene) -> Object:
    """The documented store of Token Auth, pointed at the server."""
    store = example("store-token-auth", "SecretStore")
    store["spec"]["provider"]["infisical"]["hostAPI"] = scene.url
    return store


def token_secret(token: str) -> Object:
    """The documented Secret of Token Auth."""
    secret = example("store-token-auth", "Secret")
    secret["stringData"] = {"accessToken": token}
    return secret


@pytest.mark.statement("S3")
@pytest.mark.statement("S5")
@pytest.mark.statement("S6")
@pytest.mark.statement("S7")
@pytest.mark.statement("S9")
@pytest.mark.statement("S10")
async def test_identity_logs_in_before_anything_is_read(scene: Scene) -> None:
    """An Opaque Secret with clientId and clientSecret, named by the selectors, and a scope of project and
    environment are all that Universal Auth needs."""
    async with scene.costs(LOGIN + VALIDATION, status_SecretStore=1):
        await scene.apply(scene.credentials_secret(), scene.store())
        condition = await scene.store_ready()
    assert condition["reason"] == "Valid"
    assert condition["message"] == "store validated"
    assert [str(one.kind.value) for one in scene.server.requests][:1] == ["login"]


@pytest.mark.statement("S5")
async def test_keys_of_the_credentials_secret_are_named_by_the_selectors(scene: Scene) -> None:
    """Any names will do, in any Secrets of the namespace."""
    secret = scene.credentials_secret("elsewhere")
    secret["stringData"] = {"id": scene.credentials.client_id, "pass": scene.credentials.client_secret}
    store = scene.store()
    block = store["spec"]["provider"]["infisical"]["auth"]["universalAuthCredentials"]
    block["clientId"] = {"name": "elsewhere", "key": "id"}
    block["clientSecret"] = {"name": "elsewhere", "key": "pass"}
    await scene.start()
    await scene.apply(secret, store)
    await scene.store_ready()


@pytest.mark.statement("S8")
@pytest.mark.statement("S76")
@pytest.mark.parametrize("ending", ["", "/", "/api", "/api/"])
async def test_address_works_with_and_without_api(scene: Scene, ending: str) -> None:
    """`/api` is appended where it is missing, and never doubled."""
    store = scene.store()
    store["spec"]["provider"]["infisical"]["hostAPI"] = f"{scene.url}{ending}"
    await scene.start()
    await scene.apply(scene.credentials_secret(), store)
    await scene.store_ready()


@pytest.mark.statement("S11")
async def test_cluster_store_names_the_namespace_of_its_credentials(scene: Scene) -> None:
    """And serves resources of any namespace with them."""
    scene.controller_class = scene.namespace
    store = scene.store(f"wide-{scene.namespace}") | {"kind": "ClusterSecretStore"}
    store["spec"]["controller"] = scene.controller_class
    for selector in store["spec"]["provider"]["infisical"]["auth"]["universalAuthCredentials"].values():
        selector["namespace"] = scene.namespace
    wanted = scene.external_secret(data=[key("API_KEY")])
    wanted["spec"]["secretStoreRef"] = {"name": store["metadata"]["name"], "kind": "ClusterSecretStore"}
    await scene.start()
    await scene.apply(scene.credentials_secret(), store, wanted)
    await scene.ready(store["metadata"]["name"], CLUSTER_SECRET_STORE)
    await scene.ready()
    assert await scene.secret() == {"key": "example-api-key-1"}
    await scene.cluster.delete(CLUSTER_SECRET_STORE, "", store["metadata"]["name"])


@pytest.mark.statement("S12")
async def test_namespace_on_the_selectors_of_a_namespaced_store_is_refused(scene: Scene) -> None:
    """By the cluster itself, before the controller sees it."""
    store = scene.store()
    store["metadata"]["namespace"] = scene.namespace
    block = store["spec"]["provider"]["infisical"]["auth"]["universalAuthCredentials"]
    block["clientId"]["namespace"] = scene.namespace
    answer = await scene.cluster.apply(store, "author")
    assert isinstance(answer, Refused)
    assert "universalAuthCredentials" in answer.field


@pytest.mark.statement("S38")
@pytest.mark.statement("S39")
@pytest.mark.statement("S41")
async def test_given_token_is_used_as_it_is_and_stays(scene: Scene) -> None:
    """No login, no revocation: the token is alive when the controller has gone."""
    token = scene.server.add_token(scene.server.add_identity("robot", {scene.project: ADMIN}))
    async with scene.costs(
        VALIDATION + SINGLE + RESOLUTION,
        tokens=1,
        status_SecretStore=1,
        status_ExternalSecret=1,
        apply_Secret=1,
    ):
        await scene.apply(token_secret(token), token_store(scene))
        await scene.store_ready()
        await scene.apply(scene.external_secret(data=[key("API_KEY")]))
        await scene.ready()


@pytest.mark.statement("S40")
async def test_given_token_that_has_ended_needs_a_new_one_in_the_secret(scene: Scene) -> None:
    """It is not renewed: the store says that it is refused, and a new one in the Secret is picked up at once."""
    identity = scene.server.add_identity("robot", {scene.project: ADMIN})
    token = scene.server.add_token(identity)
    scene.server.end_tokens()
    await scene.start()
    await scene.apply(token_secret(token), token_store(scene))
    await scene.store_ready(status="False")
    await scene.apply(token_secret(scene.server.add_token(identity)))
    await scene.store_ready()


@pytest.mark.statement("S42")
async def test_token_of_a_login_is_revoked_after_the_burst_that_used_it(scene: Scene) -> None:
    """Once, after the last user and the linger."""
    await scene.start(linger=0.0)
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.store_ready()
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    await scene.ready()
    await scene.until(lambda: not scene.tokens_alive())
    assert all(token.revocations == 1 for token in scene.server.tokens)


@pytest.mark.statement("S47")
@pytest.mark.statement("S48")
async def test_imports_come_along_on_single_lookups_and_on_listings(scene: Scene) -> None:
    """There is nothing to turn on, and nothing to turn off."""
    scene.project.set_secret("staging", "/shared", "IMPORTED", "from-elsewhere")
    scene.project.add_import("dev", "/my-app", source_environment="staging", source_path="/shared")
    await scene.start()
    await scene.apply(
        scene.credentials_secret(),
        scene.store(secretsPath="/my-app"),
        scene.external_secret("single", data=[{"secretKey": "key", "remoteRef": {"key": "IMPORTED"}}]),
        scene.external_secret("all", dataFrom=[{"find": {"name": {"regexp": "^IMP"}}}]),
    )
    await scene.ready("single")
    await scene.ready("all")
    assert await scene.secret("single") == {"key": "from-elsewhere"}
    assert await scene.secret("all") == {"IMPORTED": "from-elsewhere"}


@pytest.mark.statement("S70")
@pytest.mark.statement("S71")
@pytest.mark.statement("S72")
async def test_project_is_found_by_its_slug_once(scene: Scene) -> None:
    """The store has a slug, the server wants an ID: it is resolved without being asked for, and remembered."""
    async with scene.costs(
        LOGIN + VALIDATION + LISTING + SINGLE,
        status_SecretStore=1,
        status_ExternalSecret=2,
        apply_Secret=2,
    ):
        await scene.apply(scene.credentials_secret(), scene.store())
        await scene.store_ready()
        await scene.apply(scene.external_secret("one", data=[key("API_KEY")]))
        await scene.ready("one")
        await scene.apply(scene.external_secret("two", dataFrom=[{"find": {"name": {"regexp": "."}}}]))
        await scene.ready("two")


@pytest.mark.statement("S82")
@pytest.mark.statement("S83")
@pytest.mark.parametrize("field", ["projectSlug", "environmentSlug"])
async def test_project_and_environment_are_required(scene: Scene, field: str) -> None:
    """A store without, or with an empty one, is refused by the cluster."""
    for scope in ({field: ""}, {field: None}):
        store = scene.store(**scope)
        store["metadata"]["namespace"] = scene.namespace
        kept = store["spec"]["provider"]["infisical"]["secretsScope"]
        store["spec"]["provider"]["infisical"]["secretsScope"] = {
            name: text for name, text in kept.items() if text is not None
        }
        answer = await scene.cluster.apply(store, "author")
        assert isinstance(answer, Refused)
        assert "secretsScope" in answer.field


@pytest.mark.statement("S86")
@pytest.mark.parametrize("age", list(Age))
@pytest.mark.parametrize(("expands", "value"), [(True, "<example-api-key-1>"), (False, "<${API_KEY}>")])
async def test_references_are_expanded_as_the_scope_says(scene: Scene, expands: bool, value: str) -> None:
    """By default they are; on servers of all ages, singly and listed."""
    scene.project.set_secret("dev", "/", "REFERRING", "<${API_KEY}>")
    store = scene.store() if expands else scene.store(expandSecretReferences=False)
    await scene.start()
    await scene.apply(
        scene.credentials_secret(),
        store,
        scene.external_secret("single", data=[{"secretKey": "key", "remoteRef": {"key": "REFERRING"}}]),
        scene.external_secret("all", dataFrom=[{"find": {"name": {"regexp": "REFER"}}}]),
    )
    await scene.ready("single")
    await scene.ready("all")
    assert await scene.secret("single") == {"key": value}
    assert await scene.secret("all") == {"REFERRING": value}


async def test_target_stays_when_a_key_goes_missing(scene: Scene) -> None:
    """The condition names key and folder, and what was read before is kept."""
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store(), scene.external_secret(data=[key("API_KEY")]))
    await scene.ready()
    before = await scene.object(SECRET, "wanted")
    scene.project.remove_secret("dev", "/", "API_KEY")
    await scene.refresh()
    condition = await scene.ready(status="False", said='"API_KEY" in folder /')
    assert condition["reason"] == "SecretSyncedError"
    after = await scene.object(SECRET, "wanted")
    assert before is not None
    assert after is not None
    assert before["data"] == after["data"]
