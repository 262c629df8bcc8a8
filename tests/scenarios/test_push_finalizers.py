"""What keeps a store and a PushSecret from going away before the clean-up, what lets them go, and the way out."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from adapters.cluster import Done, Object
from adapters.cluster import Kind as ClusterKind
from adapters.resources.kinds import CLUSTER_SECRET_STORE, PUSH_SECRET, SECRET_STORE
from reconciler.standin import Kind, Status
from tests.scenarios.pushed import (
    ABANDON,
    FOLDER,
    PUSH_FINALIZER,
    STORE_FINALIZER,
    begin_empty,
    begin_pushed,
    finalizers,
    is_gone,
    record,
    settle,
    stored,
    unguarded,
)
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = pytest.mark.asyncio

ONE = entry("one", "ONE")
STORE = "SecretStore/infisical"
DELETING = push_secret(ONE, deletionPolicy="Delete")
OTHERS = "example.org/keep"


async def take_off_by_hand(scene: Scene, kind: ClusterKind, name: str) -> None:
    """Take all finalizers off an object, as somebody does who wants it gone."""
    operation = {"op": "add", "path": "/metadata/finalizers", "value": []}
    answer = await scene.cluster.patch(kind, scene.namespace, name, [operation], "user")
    assert isinstance(answer, Done)


async def is_leaving(scene: Scene, kind: ClusterKind, name: str) -> bool:
    """Whether an object is there still, and being deleted."""
    found = await scene.object(kind, name)
    return found is not None and "deletionTimestamp" in found["metadata"]


@pytest.fixture
async def wide(scene: Scene) -> AsyncIterator[Object]:
    """A ClusterSecretStore of this scene's own class, for the folder `/pushed`; its credentials are read where it is used."""
    scene.controller_class = scene.namespace
    store = scene.store(f"wide-{scene.namespace}", secretsPath=FOLDER) | {"kind": "ClusterSecretStore"}
    store["spec"]["controller"] = scene.controller_class
    yield store
    name = store["metadata"]["name"]
    if await scene.object(CLUSTER_SECRET_STORE, name) is not None:
        await take_off_by_hand(scene, CLUSTER_SECRET_STORE, name)
        await scene.cluster.delete(CLUSTER_SECRET_STORE, "", name)


@pytest.mark.statement("S67")
async def test_store_that_is_deleted_first_waits_for_the_clean_up(scene: Scene) -> None:
    await begin_pushed(scene, DELETING, one="1")
    await scene.delete(SECRET_STORE, "infisical")
    await settle(scene)
    assert await is_leaving(scene, SECRET_STORE, "infisical")
    assert stored(scene) == {"ONE": "1"}
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert stored(scene) == {}
    await is_gone(scene, SECRET_STORE, "infisical")


async def test_store_that_is_deleted_takes_nothing_new(scene: Scene) -> None:
    """It is passed over; what is there stays ours."""
    await begin_pushed(scene, DELETING, one="1")
    await scene.delete(SECRET_STORE, "infisical")
    await scene.apply(source(one="2"))
    async with scene.runs("pushed"):
        await scene.annotate(PUSH_SECRET, "pushed", {"look": "again"})
    assert stored(scene) == {"ONE": "1"}
    assert await record(scene) == {STORE: ["ONE"]}


async def test_store_leaves_when_the_last_of_two_needs_it_no_more(scene: Scene) -> None:
    await begin_pushed(scene, DELETING, one="1")
    await scene.apply(push_secret(entry("one", "TWO"), name="second", deletionPolicy="Delete"))
    await scene.ready("second", PUSH_SECRET)
    await scene.delete(SECRET_STORE, "infisical")
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    await settle(scene)
    assert stored(scene) == {"TWO": "1"}
    assert await is_leaving(scene, SECRET_STORE, "infisical")
    await scene.apply(push_secret(entry("one", "TWO"), name="second"))  # policy None
    await is_gone(scene, SECRET_STORE, "infisical")
    assert stored(scene) == {"TWO": "1"}


@pytest.mark.parametrize("users", [[], [push_secret(ONE)]], ids=["nobody", "policy None"])
async def test_finalizer_that_was_left_on_a_store_goes(scene: Scene, users: list[Object]) -> None:
    """Left by External Secrets Operator, where no PushSecret is that would take it off; others' stay."""
    scene.project.add_folder("dev", FOLDER)
    store = scene.store(secretsPath=FOLDER)
    store["metadata"]["finalizers"] = [STORE_FINALIZER, OTHERS]
    await scene.apply(scene.credentials_secret(), store, source(one="1"), *users)
    await scene.start()
    await unguarded(scene)
    assert await finalizers(scene, SECRET_STORE, "infisical") == [OTHERS]
    await settle(scene)
    assert not scene.counting.writes
    await take_off_by_hand(scene, SECRET_STORE, "infisical")


async def test_finalizer_that_was_left_on_a_store_that_is_being_deleted_goes(scene: Scene) -> None:
    store = scene.store()
    store["metadata"]["finalizers"] = [STORE_FINALIZER]
    await scene.apply(scene.credentials_secret(), store)
    await scene.delete(SECRET_STORE, "infisical")
    assert await is_leaving(scene, SECRET_STORE, "infisical")
    await scene.start()
    await is_gone(scene, SECRET_STORE, "infisical")


@pytest.mark.parametrize("policy", ["Delete", "None"])
async def test_finalizer_that_was_left_on_a_push_secret_lets_it_go(scene: Scene, policy: str) -> None:
    """Being deleted already, with nothing that it would have pushed."""
    pushed = push_secret(ONE, deletionPolicy=policy)
    pushed["metadata"]["finalizers"] = [PUSH_FINALIZER]
    await scene.apply(pushed)
    await scene.delete(PUSH_SECRET, "pushed")
    assert await is_leaving(scene, PUSH_SECRET, "pushed")
    await scene.start()
    await is_gone(scene)
    assert not scene.requests()


async def test_finalizers_of_others_are_left(scene: Scene) -> None:
    pushed = push_secret(ONE, deletionPolicy="Delete")
    pushed["metadata"]["finalizers"] = [OTHERS]
    await begin_pushed(scene, pushed, one="1")
    assert set(await finalizers(scene)) == {OTHERS, PUSH_FINALIZER}
    await scene.delete(PUSH_SECRET, "pushed")

    async def ours_is_off() -> bool:
        return await finalizers(scene) == [OTHERS]

    await scene.until(ours_is_off)
    await settle(scene)
    assert stored(scene) == {}
    await unguarded(scene)
    assert not scene.requests()
    await take_off_by_hand(scene, PUSH_SECRET, "pushed")
    await is_gone(scene)


async def test_cluster_store_waits_too(scene: Scene, wide: Object) -> None:
    name = wide["metadata"]["name"]
    references = [{"name": name, "kind": "ClusterSecretStore"}]
    scene.project.add_folder("dev", FOLDER)
    await scene.start()
    await scene.apply(wide, scene.credentials_secret(), source(one="1"))
    await scene.apply(push_secret(ONE, deletionPolicy="Delete", secretStoreRefs=references))
    await scene.ready("pushed", PUSH_SECRET)
    assert await record(scene) == {f"ClusterSecretStore/{name}": ["ONE"]}
    assert await finalizers(scene, CLUSTER_SECRET_STORE, name) == [STORE_FINALIZER]
    assert isinstance(await scene.cluster.delete(CLUSTER_SECRET_STORE, "", name), Done)
    await settle(scene)
    assert await is_leaving(scene, CLUSTER_SECRET_STORE, name)
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert stored(scene) == {}
    assert scene.requests() == Counter(single=1, deletion=1)
    await is_gone(scene, CLUSTER_SECRET_STORE, name)


# --- the way out ------------------------------------------------------------------------------------------------


async def lose_the_store(scene: Scene) -> None:
    """The store is gone for good: its finalizer was taken off by hand."""
    await scene.delete(SECRET_STORE, "infisical")
    await take_off_by_hand(scene, SECRET_STORE, "infisical")
    await is_gone(scene, SECRET_STORE, "infisical")


async def test_store_that_is_gone_for_good_keeps_the_push_secret_until_it_is_abandoned(scene: Scene) -> None:
    await begin_pushed(scene, DELETING, one="1")
    await lose_the_store(scene)
    await scene.delete(PUSH_SECRET, "pushed")
    condition = await scene.ready("pushed", PUSH_SECRET, status="False", said=f'{ABANDON}: "true"')
    assert condition["reason"] == "Errored"
    assert "infisical" in condition["message"]
    assert await record(scene) == {STORE: ["ONE"]}
    assert await finalizers(scene) == [PUSH_FINALIZER]
    await settle(scene)
    await scene.annotate(PUSH_SECRET, "pushed", {ABANDON: "true"})
    await is_gone(scene)
    assert stored(scene) == {"ONE": "1"}
    assert not scene.requests()


async def test_store_that_comes_back_is_cleaned(scene: Scene) -> None:
    await begin_pushed(scene, DELETING, one="1")
    await lose_the_store(scene)
    await scene.delete(PUSH_SECRET, "pushed")
    await scene.ready("pushed", PUSH_SECRET, status="False", said=ABANDON)
    await scene.apply(scene.store(secretsPath=FOLDER))
    await is_gone(scene)
    assert stored(scene) == {}
    await unguarded(scene)


async def test_store_that_left_the_spec_and_is_gone_is_told_until_it_is_abandoned(scene: Scene) -> None:
    """What is still wanted elsewhere is pushed meanwhile."""
    await begin_pushed(scene, DELETING, one="1")
    scene.project.add_folder("dev", "/other")
    await scene.apply(scene.store("other", secretsPath="/other"))
    await scene.store_ready("other")
    await lose_the_store(scene)
    elsewhere = push_secret(
        ONE, deletionPolicy="Delete", secretStoreRefs=[{"name": "other", "kind": "SecretStore"}]
    )
    await scene.apply(elsewhere)
    await scene.ready("pushed", PUSH_SECRET, status="False", said=ABANDON)
    assert stored(scene, "/other") == {"ONE": "1"}
    assert await record(scene) == {STORE: ["ONE"], "SecretStore/other": ["ONE"]}
    elsewhere["metadata"]["annotations"] = {ABANDON: "true"}
    await scene.apply(elsewhere)
    await scene.ready("pushed", PUSH_SECRET)
    assert await record(scene) == {"SecretStore/other": ["ONE"]}
    assert stored(scene) == {"ONE": "1"}


async def test_abandoning_helps_where_the_deletion_fails(scene: Scene) -> None:
    """Whatever keeps it from being deleted; any other value than "true" gives up nothing."""
    await begin_pushed(scene, DELETING, one="1")
    scene.server.faults.plan(Kind.DELETION, Status(403), times=None)
    await scene.delete(PUSH_SECRET, "pushed")
    await scene.ready("pushed", PUSH_SECRET, status="False")
    async with scene.runs("pushed", end="error"):
        await scene.annotate(PUSH_SECRET, "pushed", {ABANDON: "yes"})
    assert await finalizers(scene) == [PUSH_FINALIZER]
    await scene.annotate(PUSH_SECRET, "pushed", {ABANDON: "true"})
    await is_gone(scene)
    await unguarded(scene)
    assert stored(scene) == {"ONE": "1"}


async def test_nothing_is_kept_by_what_never_came_to_be(scene: Scene) -> None:
    """A PushSecret whose source never was there."""
    await begin_empty(scene)
    async with scene.runs("pushed", end="bereft"):
        await scene.apply(DELETING)
    assert await record(scene) == {}
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    await unguarded(scene)
