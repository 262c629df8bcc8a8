"""`explain` of PushSecrets on both clusters: each planted mistake is the first thing that is called wrong."""

from adapters.cluster import Done, Object
from adapters.resources.kinds import PUSH_SECRET, SECRET_STORE
from reconciler.explaining import Mark
from tests.scenarios.explained import (
    UNIVERSAL,
    auth_of,
    explained,
    first_wrong,
    plant,
)
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

PUSHED = "pushed"


async def plant_push(scene: Scene, push: Object, *objects: Object) -> None:
    """A PushSecret with its source, its store and the credentials."""
    await plant(scene, source(API_KEY="value"), push, *objects)


async def test_push_that_is_well_is_explained_to_its_end(scene: Scene) -> None:
    await scene.begin_with_store()
    await scene.apply(source(API_KEY="value"), push_secret(entry("API_KEY", "PUSHED")))
    await scene.ready(PUSHED, PUSH_SECRET)
    await scene.stop()
    explanation = await explained(scene, PUSH_SECRET, PUSHED)
    assert explanation.first_wrong is None
    assert {link.mark for link in explanation.links} == {Mark.FINE}
    told = {link.about: link.says for link in explanation.links}
    assert told["source Secret source"] == "is there, with all keys that are pushed"
    assert told["SecretStore infisical, record"] == "1 entry there is owned by this resource"
    # times in a cluster are of whole seconds, and the source was made in the one of the push, or just before it
    assert explanation.next_run[0].startswith(
        ("It comes next at ", "It is due now, since its source may have")
    )


async def test_push_that_waits_for_a_person_is_not_wrong(scene: Scene) -> None:
    scene.project.add_change_policy("dev")
    await scene.begin_with_store()
    await scene.apply(source(API_KEY="value"), push_secret(entry("API_KEY", "PUSHED")))
    await scene.ready(PUSHED, PUSH_SECRET, status="False")
    await scene.stop()
    explanation = await explained(scene, PUSH_SECRET, PUSHED)
    assert explanation.first_wrong is None
    assert explanation.links[-1].mark is Mark.NOTE
    assert explanation.links[-1].says.startswith("PendingApproval: ")
    assert explanation.next_run[0].startswith("It waits for a person to approve its change")


async def test_source_that_is_missing_is_found(scene: Scene) -> None:
    push = push_secret(entry("API_KEY", "PUSHED"), selector={"secret": {"name": "sauce"}})
    await plant_push(scene, push)
    said = await first_wrong(scene, PUSH_SECRET, PUSHED)
    assert said.startswith(f"source Secret sauce: does not exist in the namespace {scene.namespace}")
    assert 'is "source" meant?' in said


async def test_labels_that_choose_no_source_are_found(scene: Scene) -> None:
    selector = {"secret": {"selector": {"matchLabels": {"app": "shop"}}}}
    await plant_push(scene, push_secret(entry("API_KEY", "PUSHED"), selector=selector))
    assert "choose no Secret of this namespace" in await first_wrong(scene, PUSH_SECRET, PUSHED)


async def test_key_of_the_source_that_is_missing_is_found(scene: Scene) -> None:
    await plant_push(scene, push_secret(entry("API_KEYS", "PUSHED")))
    said = await first_wrong(scene, PUSH_SECRET, PUSHED)
    assert said.startswith("source Secret source: ")
    assert '"API_KEYS"' in said
    assert 'is "API_KEY" meant?' in said


async def test_store_of_a_push_that_is_mistyped_is_found(scene: Scene) -> None:
    push = push_secret(entry("API_KEY", "PUSHED"), secretStoreRefs=[{"name": "infiscal"}])
    await plant_push(scene, push)
    said = await first_wrong(scene, PUSH_SECRET, PUSHED)
    assert said.startswith("SecretStore infiscal: does not exist")
    assert 'is "infisical" meant?' in said


async def test_labels_that_choose_no_store_are_found(scene: Scene) -> None:
    reference = {"labelSelector": {"matchLabels": {"app": "shop"}}}
    await plant_push(scene, push_secret(entry("API_KEY", "PUSHED"), secretStoreRefs=[reference]))
    assert "spec.secretStoreRefs[0]" in await first_wrong(scene, PUSH_SECRET, PUSHED)


async def test_credentials_of_a_push_that_are_missing_are_found(scene: Scene) -> None:
    store = scene.store()
    auth_of(store)[UNIVERSAL]["clientId"]["name"] = "nowhere"
    await plant_push(scene, push_secret(entry("API_KEY", "PUSHED")), store)
    assert "nowhere with the credentials does not exist" in await first_wrong(scene, PUSH_SECRET, PUSHED)


async def test_finalizer_that_is_stuck_is_found_with_the_way_out(scene: Scene) -> None:
    """The store is gone for good, and what was pushed there can never be deleted."""
    push = push_secret(entry("API_KEY", "PUSHED"), deletionPolicy="Delete")
    push["spec"]["secretStoreRefs"] = [{"name": "gone", "kind": "SecretStore"}]
    push["metadata"]["finalizers"] = ["pushsecret.externalsecrets.io/finalizer"]
    await plant_push(scene, push)
    recorded = {"SecretStore/gone": {"PUSHED": entry("API_KEY", "PUSHED")}}
    written = await scene.cluster.patch_status(
        PUSH_SECRET, scene.namespace, PUSHED, {"syncedPushSecrets": recorded}, "test"
    )
    assert isinstance(written, Done)
    await scene.delete(PUSH_SECRET, PUSHED)
    said = await first_wrong(scene, PUSH_SECRET, PUSHED)
    assert said.startswith(
        "SecretStore gone, record: 1 entry pushed there is to be deleted, and the store is gone"
    )
    assert 'reconcile.external-secrets.io/abandon-remote: "true"' in said
    explanation = await explained(scene, PUSH_SECRET, PUSHED)
    assert any(link.about == "deletion" for link in explanation.links)


async def test_store_that_cannot_go_names_who_needs_it(scene: Scene) -> None:
    """It stays until the PushSecrets that pushed to it are gone, or have cleaned up."""
    await scene.begin_with_store()
    await scene.apply(
        source(API_KEY="value"), push_secret(entry("API_KEY", "PUSHED"), deletionPolicy="Delete")
    )
    await scene.ready(PUSHED, PUSH_SECRET)
    await scene.stop()
    await scene.delete(SECRET_STORE, "infisical")
    explanation = await explained(scene, SECRET_STORE, "infisical")
    told = [link.says for link in explanation.links if link.about == "deletion"]
    assert "secretstore.externalsecrets.io/finalizer" in told[0]
    assert told[1] == f"the PushSecrets that need it to clean up: {scene.namespace}/{PUSHED}"
