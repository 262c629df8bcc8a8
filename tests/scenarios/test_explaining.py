"""`explain` on both clusters: each planted mistake is the first thing that is called wrong, and nothing is touched."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.auth.settings import AuthSettings
from adapters.cluster import Object
from adapters.resources.kinds import (
    CLUSTER_SECRET_STORE,
    CONFIG_MAP,
    EVENT,
    EXTERNAL_SECRET,
    NAMESPACE,
    PUSH_SECRET,
    SECRET,
    SECRET_STORE,
)
from reconciler.explaining import Mark, NoSuchResource
from reconciler.looking import CannotLook
from tests.scenarios.explained import (
    UNIVERSAL,
    auth_of,
    explained,
    first_wrong,
    plant,
    seen_by,
)
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import CREDENTIALS, Scene, key

# --- what is well ------------------------------------------------------------------------------------------------


async def test_resource_that_is_well_is_explained_to_its_end(scene: Scene) -> None:
    """Every link is found, the place at Infisical too, and the time of the next refresh with its reason."""
    await scene.begin(refreshInterval="1h")
    await scene.stop()
    scene.server.record.clear()
    explanation = await explained(scene)
    assert explanation.first_wrong is None
    marks = {link.about: link.mark for link in explanation.links}
    assert set(marks.values()) == {Mark.FINE}, explanation.links
    assert list(marks) == [
        "manifest",
        "SecretStore infisical",
        "SecretStore infisical, login",
        "SecretStore infisical, credential clientId",
        "SecretStore infisical, credential clientSecret",
        "SecretStore infisical, condition",
        "SecretStore infisical, place",
        "target Secret wanted",
        "condition",
    ]
    (comes,) = explanation.next_run
    assert comes.startswith("It comes next at ")
    assert "its interval of 1h0m0s" in comes
    assert any("Created: Secret wanted created" in event for event in explanation.events)
    assert not scene.requests()
    store = await explained(scene, SECRET_STORE, "infisical")
    assert store.first_wrong is None
    assert store.next_run[0].startswith("It is validated every 5m0s")


async def test_resource_that_is_not_there_is_told_as_such(scene: Scene) -> None:
    """An explanation of nothing would be a lie."""
    with pytest.raises(NoSuchResource, match=f"there is no ExternalSecret {scene.namespace}/wanted"):
        await explained(scene)


# --- mistakes in stores and credentials --------------------------------------------------------------------------


async def test_name_of_a_store_that_is_mistyped_is_found_with_the_one_meant(scene: Scene) -> None:
    await plant(scene, scene.external_secret(secretStoreRef={"name": "infiscal"}, data=[key("API_KEY")]))
    said = await first_wrong(scene)
    assert said.startswith("SecretStore infiscal: does not exist")
    assert 'is "infisical" meant?' in said
    assert (await explained(scene)).next_run[0].startswith("It waits for SecretStore infiscal to appear")


async def test_store_of_the_other_kind_is_found(scene: Scene) -> None:
    reference = {"name": "infisical", "kind": "ClusterSecretStore"}
    await plant(scene, scene.external_secret(secretStoreRef=reference, data=[key("API_KEY")]))
    assert "there is a SecretStore of this name" in await first_wrong(scene)


async def test_store_of_another_namespace_is_found(scene: Scene) -> None:
    """A SecretStore serves its own namespace only."""
    other = {**scene.store("elsewhere"), "metadata": {"name": "elsewhere", "namespace": "kube-system"}}
    if scene.namespace == "default":
        await scene.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}})
    await plant(
        scene, other, scene.external_secret(secretStoreRef={"name": "elsewhere"}, data=[key("API_KEY")])
    )
    try:
        assert "there is one in kube-system" in await first_wrong(scene)
    finally:
        await scene.cluster.delete(SECRET_STORE, "kube-system", "elsewhere")


@pytest.fixture
async def wide(scene: Scene) -> AsyncIterator[Object]:
    """A ClusterSecretStore that nobody serves."""
    store = scene.store(f"wide-{scene.namespace}") | {"kind": "ClusterSecretStore"}
    yield store
    await scene.cluster.delete(CLUSTER_SECRET_STORE, "", store["metadata"]["name"])


async def test_cluster_store_that_excludes_the_namespace_is_found(scene: Scene, wide: Object) -> None:
    wide["spec"]["conditions"] = [{"namespaces": ["another"]}]
    name = wide["metadata"]["name"]
    reference = {"name": name, "kind": "ClusterSecretStore"}
    await plant(scene, wide, scene.external_secret(secretStoreRef=reference, data=[key("API_KEY")]))
    said = await first_wrong(scene)
    assert said.startswith(f"ClusterSecretStore {name}: does not admit the namespace {scene.namespace}")
    explanation = await explained(scene, CLUSTER_SECRET_STORE, name)
    assert explanation.first_wrong is None
    assert any("whoever uses the store" in link.says for link in explanation.links)


async def test_credentials_secret_that_is_missing_is_found(scene: Scene) -> None:
    store = scene.store()
    auth_of(store)[UNIVERSAL]["clientId"]["name"] = "universal-auth-credential"
    await plant(scene, store)
    said = await first_wrong(scene)
    assert said.startswith("SecretStore infisical, credential clientId: ")
    assert f"{scene.namespace}/universal-auth-credential with the credentials does not exist" in said
    assert f'is "{CREDENTIALS}" meant?' in said
    assert await first_wrong(scene, SECRET_STORE, "infisical") == said


async def test_key_of_the_credentials_that_is_missing_is_found(scene: Scene) -> None:
    store = scene.store()
    auth_of(store)[UNIVERSAL]["clientSecret"]["key"] = "clientSecrets"
    await plant(scene, store)
    said = await first_wrong(scene)
    assert 'has no key "clientSecrets"' in said
    assert 'is "clientSecret" meant?' in said


async def test_credential_that_is_empty_is_found(scene: Scene) -> None:
    credentials = scene.credentials_secret()
    credentials["stringData"]["clientSecret"] = " \n"
    await plant(scene, credentials)
    assert 'the credential "clientSecret"' in (said := await first_wrong(scene))
    assert "is empty" in said


async def test_store_without_a_way_to_log_in_is_found(scene: Scene) -> None:
    store = scene.store()
    store["spec"]["provider"]["infisical"]["auth"] = {}
    await plant(scene, store)
    assert "has no block: give one way to log in" in await first_wrong(scene)


async def test_of_two_ways_to_log_in_the_one_used_is_named(scene: Scene) -> None:
    """Here it is the one that does not work."""
    store = scene.store()
    auth_of(store)["tokenAuthCredentials"] = {"accessToken": {"name": CREDENTIALS, "key": "clientId"}}
    auth_of(store)[UNIVERSAL]["clientId"]["name"] = "of-before"
    await plant(scene, store)
    explanation = await explained(scene)
    notes = [link.says for link in explanation.links if link.mark is Mark.NOTE]
    assert f"of several blocks, {UNIVERSAL} is used: take the others away" in notes
    assert "of-before with the credentials does not exist" in await first_wrong(scene)


async def test_credential_in_a_file_is_told_by_what_the_controller_may_read(scene: Scene) -> None:
    """The pod's own token always; another file by its flag, which is not known here unless it is given."""
    store, credentials = scene.store(), scene.credentials_secret()
    selectors = {"identityId": "clientId", "serviceAccountTokenPath": "path"}
    auth = {name: {"name": CREDENTIALS, "key": key} for name, key in selectors.items()}
    store["spec"]["provider"]["infisical"]["auth"] = {"kubernetesAuthCredentials": auth}
    about = "SecretStore infisical, credential serviceAccountTokenPath"
    given = AuthSettings(credential_directories=(Path("/mounted"),))
    for path, settings, mark in (
        ("/var/run/secrets/kubernetes.io/serviceaccount/token", AuthSettings(), Mark.FINE),
        ("/elsewhere/token", AuthSettings(), Mark.UNKNOWN),
        ("/elsewhere/token", given, Mark.WRONG),
        ("/mounted/../elsewhere/token", given, Mark.WRONG),
        ("/mounted/token", given, Mark.FINE),
    ):
        await plant(scene, store, {**credentials, "stringData": {**credentials["stringData"], "path": path}})
        links = {link.about: link for link in (await explained(scene, auth=settings)).links}
        assert links[about].mark is mark, (path, links[about])


async def test_certificates_that_are_missing_are_found(scene: Scene) -> None:
    store = scene.store()
    store["spec"]["provider"]["infisical"]["caProvider"] = {
        "type": "ConfigMap",
        "name": "ca",
        "key": "ca.crt",
    }
    await plant(scene, store)
    assert (await first_wrong(scene)).startswith("SecretStore infisical, certificates: ")


async def test_store_of_another_controller_is_found(scene: Scene) -> None:
    store = scene.store()
    store["spec"]["controller"] = "other"
    await plant(scene, store)
    said = await first_wrong(scene)
    assert 'is for controllers of the class "other", this one serves "default"' in said
    assert (await explained(scene, controller_class="other")).first_wrong is None


async def test_project_that_is_not_there_is_found_in_the_condition_of_the_store(scene: Scene) -> None:
    """What only Infisical knows, the store's condition tells."""
    await scene.start()
    await plant(scene, scene.store(projectSlug="another"))
    await scene.store_ready(status="False", said='has no project "another"')
    await scene.ready(status="False", said="is not ready")
    await scene.stop()
    said = await first_wrong(scene)
    assert said.startswith("SecretStore infisical, condition: not ready, InvalidProviderConfig")
    assert 'has no project "another": check projectSlug' in said
    explanation = await explained(scene)
    assert explanation.next_run[0].startswith("It waits for SecretStore infisical to be ready")
    assert "after a delay that doubles with each failure" in explanation.next_run[1]


async def test_key_that_is_not_there_is_found_in_the_condition(scene: Scene) -> None:
    await scene.begin_with_store()
    await scene.apply(scene.external_secret(data=[key("NOT_THERE")]))
    await scene.ready(status="False")
    await scene.stop()
    said = await first_wrong(scene)
    assert said.startswith("condition: SecretSyncedError: not found at Infisical: ")
    assert '"NOT_THERE" in folder /' in said


async def test_target_of_another_is_found(scene: Scene) -> None:
    await scene.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop"}, "data": {}})
    there = await scene.object(CONFIG_MAP, "shop")
    assert there is not None
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "shop", "controller": True}
    owner["uid"] = there["metadata"]["uid"]
    metadata = {"name": "wanted", "ownerReferences": [owner]}
    await plant(
        scene, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": {}}
    )
    said = await first_wrong(scene)
    assert said.startswith('target Secret wanted: the target Secret "wanted" belongs to ConfigMap shop')


async def test_field_that_is_not_built_is_found(scene: Scene) -> None:
    await plant(
        scene,
        scene.external_secret(
            data=[
                {
                    "secretKey": "key",
                    "sourceRef": {"generatorRef": {"kind": "Password", "name": "x"}},
                    "remoteRef": {"key": "A"},
                }
            ]
        ),
    )
    assert (await first_wrong(scene)).startswith("manifest: not supported by this controller yet")


# --- what one may not look at ---


async def test_who_may_not_look_at_secrets_is_told_the_rest_and_nothing_untrue(scene: Scene) -> None:
    """Neither that credentials, target or source are missing, nor that they are there."""
    await scene.begin()
    await scene.apply(source(API_KEY="value"), push_secret(entry("API_KEY", "PUSHED")))
    await scene.ready("pushed", PUSH_SECRET)
    await scene.stop()
    for kind, name in ((EXTERNAL_SECRET, "wanted"), (PUSH_SECRET, "pushed"), (SECRET_STORE, "infisical")):
        explanation = await seen_by(scene, kind, name, SECRET)
        assert explanation.first_wrong is None
        secrets = [
            link for link in explanation.links if "Secret " in link.about or "credential" in link.about
        ]
        assert {link.mark for link in secrets} == {Mark.UNKNOWN}
        assert any("condition" in link.about and link.mark is Mark.FINE for link in explanation.links)


async def test_who_may_look_at_one_namespace_only_is_told_nothing_untrue(scene: Scene, wide: Object) -> None:
    """Of cluster-wide stores and namespaces nothing is known then."""
    reference = {"name": wide["metadata"]["name"], "kind": "ClusterSecretStore"}
    await plant(scene, wide, scene.external_secret(secretStoreRef=reference, data=[key("API_KEY")]))
    explanation = await seen_by(scene, EXTERNAL_SECRET, "wanted", CLUSTER_SECRET_STORE, NAMESPACE, EVENT)
    assert explanation.first_wrong is None
    assert [link.says for link in explanation.links][:2] == [
        "you may not list clustersecretstores: what rests on them cannot be told",
        "you may not list namespaces: what rests on them cannot be told",
    ]
    assert explanation.events == ()


async def test_who_may_not_look_at_the_resource_itself_is_told_so(scene: Scene) -> None:
    await plant(scene)
    with pytest.raises(CannotLook, match="you may not list externalsecrets"):
        await seen_by(scene, EXTERNAL_SECRET, "wanted", EXTERNAL_SECRET)
