"""What was pushed and is wanted no more is deleted where that is the policy: all of it, nothing else, and not forgotten before."""

from collections import Counter
from typing import Any

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import PUSH_SECRET, SECRET, SECRET_STORE
from reconciler.standin import Kind, Status
from tests.scenarios.pushed import (
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

STORE = "SecretStore/infisical"
READ = Counter(single=1)
DELETE = Counter(deletion=1)
BOTH = (entry("one", "ONE"), entry("two", "TWO"))


def deleting(*entries: dict[str, Any], **spec: Any) -> Object:
    """A PushSecret of policy Delete."""
    return push_secret(*entries, deletionPolicy="Delete", **spec)


@pytest.mark.statement("S67")
async def test_deleted_push_secret_takes_all_that_it_pushed(scene: Scene) -> None:
    scene.project.set_secret("dev", FOLDER, "THEIRS", "kept")
    await begin_pushed(scene, deleting(*BOTH), one="1", two="2")
    assert stored(scene) == {"ONE": "1", "TWO": "2", "THEIRS": "kept"}
    assert await finalizers(scene) == [PUSH_FINALIZER]
    assert await finalizers(scene, SECRET_STORE, "infisical") == [STORE_FINALIZER]
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert stored(scene) == {"THEIRS": "kept"}
    assert scene.requests() == Counter({"listing": 1, "batch deletion": 1})
    await unguarded(scene)
    await settle(scene)
    assert not scene.requests()


@pytest.mark.statement("S67")
async def test_policy_none_deletes_nothing(scene: Scene) -> None:
    await begin_pushed(scene, push_secret(*BOTH), one="1", two="2")
    assert await finalizers(scene) == []
    assert await finalizers(scene, SECRET_STORE, "infisical") == []
    async with scene.runs("pushed"):
        await scene.apply(push_secret(BOTH[0]))
    assert await record(scene) == {STORE: ["ONE"]}
    async with scene.runs("pushed", end="bereft"):
        await scene.delete(SECRET, "source")
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    await settle(scene)
    assert stored(scene) == {"ONE": "1", "TWO": "2"}


@pytest.mark.statement("S67")
async def test_entry_that_left_the_spec_is_deleted(scene: Scene) -> None:
    await begin_pushed(scene, deleting(*BOTH), one="1", two="2")
    async with scene.runs("pushed"):
        await scene.apply(deleting(BOTH[0]))
    assert stored(scene) == {"ONE": "1"}
    assert await record(scene) == {STORE: ["ONE"]}
    assert scene.requests() == Counter(listing=1, deletion=1)


@pytest.mark.statement("S67")
async def test_last_entry_that_left_the_spec_is_deleted_and_nothing_is_held(scene: Scene) -> None:
    """An empty list of data is a wish too."""
    await begin_pushed(scene, deleting(BOTH[0]), one="1")
    async with scene.runs("pushed"):
        await scene.apply(deleting())
    assert stored(scene) == {}
    assert await record(scene) == {}
    assert scene.requests() == READ + DELETE
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    await unguarded(scene)


@pytest.mark.statement("S67")
async def test_store_that_left_the_spec_is_cleaned(scene: Scene) -> None:
    scene.project.add_folder("dev", "/other")
    two = [{"name": "infisical", "kind": "SecretStore"}, {"name": "other", "kind": "SecretStore"}]
    await begin_empty(scene)
    await scene.apply(scene.store("other", secretsPath="/other"))
    await scene.store_ready("other")
    await scene.apply(source(one="1"), deleting(BOTH[0], secretStoreRefs=two))
    await scene.ready("pushed", PUSH_SECRET)
    await settle(scene)
    assert await record(scene) == {STORE: ["ONE"], "SecretStore/other": ["ONE"]}
    assert await finalizers(scene, SECRET_STORE, "other") == [STORE_FINALIZER]
    async with scene.runs("pushed"):
        await scene.apply(deleting(BOTH[0], secretStoreRefs=two[:1]))
    assert stored(scene) == {"ONE": "1"}
    assert stored(scene, "/other") == {}
    assert await record(scene) == {STORE: ["ONE"]}
    assert scene.requests() == READ + READ + DELETE
    await unguarded(scene, SECRET_STORE, "other")
    assert await finalizers(scene, SECRET_STORE, "infisical") == [STORE_FINALIZER]


@pytest.mark.statement("S67")
async def test_source_that_is_gone_takes_along_what_was_pushed_of_it(scene: Scene) -> None:
    await begin_pushed(scene, deleting(*BOTH), one="1", two="2")
    async with scene.runs("pushed", end="bereft"):
        await scene.delete(SECRET, "source")
    condition = await scene.ready("pushed", PUSH_SECRET, status="False")
    assert condition["reason"] == "SourceDeleted"
    assert stored(scene) == {}
    assert await record(scene) == {}
    assert scene.requests() == Counter({"listing": 1, "batch deletion": 1})
    await scene.apply(source(one="again", two="2"))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene) == {"ONE": "again", "TWO": "2"}


@pytest.mark.statement("S68")
async def test_property_by_property_and_the_secret_with_the_last(scene: Scene) -> None:
    scene.project.set_secret("dev", FOLDER, "MERGED", '{"theirs":"x"}')
    first, second = entry("one", "MERGED", property="a"), entry("two", "MERGED", property="b")
    await begin_pushed(scene, deleting(first, second), one="1", two="2")
    assert stored(scene) == {"MERGED": '{"theirs":"x","a":"1","b":"2"}'}
    async with scene.runs("pushed"):
        await scene.apply(deleting(second))
    assert stored(scene) == {"MERGED": '{"theirs":"x","b":"2"}'}
    assert await record(scene) == {STORE: ["MERGED/b"]}
    assert scene.requests() == Counter(single=1, update=1)
    scene.project.set_secret("dev", FOLDER, "MERGED", '{"b":"2"}')
    await settle(scene)
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert stored(scene) == {}
    assert scene.requests() == READ + DELETE


@pytest.mark.statement("S69")
@pytest.mark.parametrize("path", ["", "part"], ids=["whole", "property"])
async def test_what_is_gone_already_is_no_trouble(scene: Scene, path: str) -> None:
    remote = {"property": path} if path else {}
    await begin_pushed(scene, deleting(entry("one", "ONE", **remote)), one="1")
    scene.project.remove_secret("dev", FOLDER, "ONE")
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert scene.requests() == READ
    await unguarded(scene)


@pytest.mark.statement("S69")
async def test_folder_that_is_gone_took_along_what_was_in_it(scene: Scene) -> None:
    scene.project.add_folder("dev", "/sub")
    await begin_pushed(scene, deleting(entry("one", "/sub/ONE"), entry("one", "HERE")), one="1")
    assert stored(scene, "/sub") == {"ONE": "1"}
    scene.project.remove_folder("dev", "/sub")
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert stored(scene) == {}
    assert scene.requests()["deletion"] == 1
    assert scene.requests()["resolution"] == 0


@pytest.mark.statement("S67")
@pytest.mark.parametrize("status", [403, 500])
async def test_deletion_that_fails_is_remembered_and_tried_again(scene: Scene, status: int) -> None:
    await begin_pushed(scene, deleting(BOTH[0]), one="1")
    failing = scene.server.faults.plan(Kind.DELETION, Status(status), times=None)
    await scene.delete(PUSH_SECRET, "pushed")
    condition = await scene.ready("pushed", PUSH_SECRET, status="False")
    assert condition["reason"] == "Errored"
    assert failing.met
    assert await record(scene) == {STORE: ["ONE"]}
    assert await finalizers(scene) == [PUSH_FINALIZER]
    assert await finalizers(scene, SECRET_STORE, "infisical") == [STORE_FINALIZER]
    scene.server.faults.clear()
    await is_gone(scene)  # by itself, at the next attempt
    assert stored(scene) == {}


@pytest.mark.statement("S67")
async def test_entry_whose_deletion_fails_stays_recorded_beside_those_that_are_synced(scene: Scene) -> None:
    await begin_pushed(scene, deleting(*BOTH), one="1", two="2")
    scene.server.faults.plan(Kind.DELETION, Status(403), times=None)
    await scene.apply(deleting(BOTH[1]), source(one="1", two="changed"))
    await scene.ready("pushed", PUSH_SECRET, status="False")
    await scene.until(lambda: stored(scene) == {"ONE": "1", "TWO": "changed"})
    assert await record(scene) == {STORE: ["ONE", "TWO"]}
    scene.server.faults.clear()
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene) == {"TWO": "changed"}
    assert await record(scene) == {STORE: ["TWO"]}


async def test_delete_changed_to_none_lets_go_and_deletes_nothing(scene: Scene) -> None:
    await begin_pushed(scene, deleting(BOTH[0]), one="1")
    await scene.apply(push_secret(BOTH[0]))

    async def free() -> bool:
        return await finalizers(scene) == []

    await scene.until(free)
    await unguarded(scene)
    await scene.ready("pushed", PUSH_SECRET)
    await settle(scene)
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert stored(scene) == {"ONE": "1"}
    assert not scene.requests()


async def test_delete_changed_to_none_while_a_deletion_fails(scene: Scene) -> None:
    """The way out for what cannot be deleted: its author wants it deleted no more."""
    await begin_pushed(scene, deleting(BOTH[0]), one="1")
    scene.server.faults.plan(Kind.DELETION, Status(403), times=None)
    await scene.delete(PUSH_SECRET, "pushed")
    await scene.ready("pushed", PUSH_SECRET, status="False")
    await scene.apply(push_secret(BOTH[0]))
    await is_gone(scene)
    await unguarded(scene)
    assert stored(scene) == {"ONE": "1"}


async def test_none_changed_to_delete_owes_from_then_on(scene: Scene) -> None:
    await begin_pushed(scene, push_secret(*BOTH), one="1", two="2")
    async with scene.runs("pushed"):
        await scene.apply(deleting(*BOTH))
    assert await finalizers(scene) == [PUSH_FINALIZER]
    assert await finalizers(scene, SECRET_STORE, "infisical") == [STORE_FINALIZER]
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert stored(scene) == {}


async def test_entry_removed_together_with_the_change_to_delete(scene: Scene) -> None:
    """It was recorded under None, and is ours."""
    await begin_pushed(scene, push_secret(*BOTH), one="1", two="2")
    async with scene.runs("pushed"):
        await scene.apply(deleting(BOTH[1]))
    assert stored(scene) == {"TWO": "2"}


async def test_another_key_deletes_the_old_secret_once_the_new_one_is_there(scene: Scene) -> None:
    await begin_pushed(scene, deleting(entry("one", "OLD")), one="1")
    async with scene.runs("pushed"):
        await scene.apply(deleting(entry("one", "NEW")))
    assert stored(scene) == {"NEW": "1"}
    assert await record(scene) == {STORE: ["NEW"]}
    assert [one.kind for one in scene.server.requests if one.method != "GET"] == [
        Kind.CREATION,
        Kind.DELETION,
    ]


async def test_failed_creation_does_not_delete_the_old_secret(scene: Scene) -> None:
    """A key that is renamed is never at neither place."""
    await begin_pushed(scene, deleting(entry("one", "OLD")), one="1")
    scene.server.faults.plan(Kind.CREATION, Status(500), times=None)
    await scene.apply(deleting(entry("one", "NEW")))
    await scene.ready("pushed", PUSH_SECRET, status="False")
    assert stored(scene) == {"OLD": "1"}
    assert await record(scene) == {STORE: ["NEW", "OLD"]}
    scene.server.faults.clear()
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene) == {"NEW": "1"}
