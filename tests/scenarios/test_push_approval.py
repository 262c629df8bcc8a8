"""A change policy: what a person has to approve is asked for once, waited for, and synced when it was approved."""

from collections import Counter
from typing import Any

import pytest

from adapters.resources.kinds import PUSH_SECRET, SECRET
from tests.scenarios.pushed import (
    FOLDER,
    begin_empty,
    begin_pushed,
    is_gone,
    record,
    settle,
    stored,
    unguarded,
)
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = pytest.mark.asyncio

ONE, TWO = entry("one", "ONE"), entry("two", "TWO")
STORE = "SecretStore/infisical"


async def pending(scene: Scene) -> dict[str, Any]:
    """Wait until it waits for a person; the condition."""
    condition: dict[str, Any] = {}

    async def waits() -> bool:
        nonlocal condition
        condition = await scene.condition(PUSH_SECRET, "pushed")
        return condition.get("reason") == "PendingApproval"

    await scene.until(waits, lambda: f"it has {condition}")
    return condition


async def begin_pending(scene: Scene, **spec: Any) -> None:
    """A PushSecret whose first creation waits for a person. Nothing is counted of that."""
    await begin_empty(scene)
    scene.project.add_change_policy("dev", FOLDER)
    await scene.apply(source(one="1", two="2"), push_secret(ONE, **spec))
    await pending(scene)
    await settle(scene)
    assert len(scene.project.approvals) == 1


def approve_all(scene: Scene) -> None:
    """A person approves all that waits."""
    for approval in scene.project.approvals:
        scene.project.approve(approval)


async def look_again(scene: Scene, end: str) -> None:
    """Let it run once more, as at a refresh."""
    async with scene.runs("pushed", end=end):
        await scene.annotate(PUSH_SECRET, "pushed", {"look": str(len(scene.journal.transitions))})


async def test_change_that_waits_is_told_and_recorded(scene: Scene) -> None:
    await begin_pending(scene)
    condition = await pending(scene)
    assert condition["status"] == "False"
    assert "approv" in condition["message"]
    assert "1" not in stored(scene).values()
    assert await record(scene) == {STORE: ["ONE"]}
    reasons = [reason for reason, _ in await scene.events("pushed")]
    assert reasons.count("PendingApproval") == 1
    found = await scene.object(PUSH_SECRET, "pushed")
    assert found is not None
    held = found["status"]["syncedPushSecrets"][STORE]["ONE"]["metadata"]["awaitsApproval"]
    secret = await scene.version(name="source")
    assert held["resourceVersion"] == secret
    assert set(held) == {"uid", "resourceVersion", "generation"}


async def test_change_that_waits_is_not_filed_again(scene: Scene) -> None:
    """Neither at a refresh nor by another process."""
    await begin_pending(scene)
    await look_again(scene, "pending")
    assert len(scene.project.approvals) == 1
    assert scene.requests() == Counter(single=1)
    await scene.stop()
    await scene.start()
    await look_again(scene, "pending")
    await settle(scene)
    assert len(scene.project.approvals) == 1


async def test_change_is_filed_again_when_the_source_changes(scene: Scene) -> None:
    await begin_pending(scene)
    async with scene.runs("pushed", end="pending"):
        await scene.apply(source(one="changed", two="2"))
    assert len(scene.project.approvals) == 2
    assert scene.requests() == Counter(single=1, creation=1)
    scene.project.approve(scene.project.approvals[1])
    await look_again(scene, "ready")
    assert stored(scene) == {"ONE": "changed"}


async def test_what_was_approved_is_synced(scene: Scene) -> None:
    await begin_pending(scene)
    approve_all(scene)
    await look_again(scene, "ready")
    condition = await scene.ready("pushed", PUSH_SECRET)
    assert condition["reason"] == "Synced"
    assert stored(scene) == {"ONE": "1"}
    assert scene.requests() == Counter(single=1)
    found = await scene.object(PUSH_SECRET, "pushed")
    assert found is not None
    assert "metadata" not in found["status"]["syncedPushSecrets"][STORE]["ONE"]


async def test_update_that_waits(scene: Scene) -> None:
    """Until it is approved, the old value stays."""
    await begin_pushed(scene, push_secret(ONE), one="1")
    scene.project.add_change_policy("dev", FOLDER)
    await scene.apply(source(one="2"))
    await pending(scene)
    assert stored(scene) == {"ONE": "1"}
    await look_again(scene, "pending")
    assert scene.requests() == Counter(single=2, update=1)
    approve_all(scene)
    await look_again(scene, "ready")
    assert stored(scene) == {"ONE": "2"}


async def test_wish_that_goes_back_waits_for_nobody(scene: Scene) -> None:
    """What is there already needs no approval, whatever was filed before."""
    await begin_pushed(scene, push_secret(ONE), one="1")
    scene.project.add_change_policy("dev", FOLDER)
    await scene.apply(source(one="2"))
    await pending(scene)
    await scene.apply(source(one="1"))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.requests() == Counter(single=2, update=1)


async def test_deletion_that_waits_is_owed_until_it_is_approved(scene: Scene) -> None:
    await begin_pushed(scene, push_secret(ONE, deletionPolicy="Delete"), one="1")
    scene.project.add_change_policy("dev", FOLDER)
    await scene.delete(PUSH_SECRET, "pushed")
    await pending(scene)
    assert await record(scene) == {STORE: ["ONE"]}
    await look_again(scene, "pending")
    assert scene.requests() == Counter(single=2, deletion=1)
    assert stored(scene) == {"ONE": "1"}
    approve_all(scene)
    await scene.annotate(PUSH_SECRET, "pushed", {"look": "approved"})
    await is_gone(scene)
    await unguarded(scene)
    assert stored(scene) == {}


async def test_entry_that_left_the_spec_waits_for_its_deletion(scene: Scene) -> None:
    await begin_pushed(scene, push_secret(ONE, TWO, deletionPolicy="Delete"), one="1", two="2")
    scene.project.add_change_policy("dev", FOLDER)
    await scene.apply(push_secret(ONE, deletionPolicy="Delete"))
    await pending(scene)
    assert await record(scene) == {STORE: ["ONE", "TWO"]}
    await look_again(scene, "pending")
    assert len(scene.project.approvals) == 1
    approve_all(scene)
    await look_again(scene, "ready")
    assert stored(scene) == {"ONE": "1"}
    assert await record(scene) == {STORE: ["ONE"]}


async def test_folder_without_a_policy_is_not_held_up(scene: Scene) -> None:
    scene.project.add_folder("dev", "/free")
    scene.project.add_change_policy("dev", FOLDER)
    await begin_empty(scene)
    await scene.apply(source(one="1", two="2"), push_secret(ONE, entry("two", "/free/TWO")))
    await pending(scene)
    assert stored(scene, "/free") == {"TWO": "2"}
    assert stored(scene) == {}
    approve_all(scene)
    await look_again(scene, "ready")
    assert stored(scene) == {"ONE": "1"}


async def test_several_entries_of_one_folder_are_filed_together(scene: Scene) -> None:
    """One change for a person to approve, not one for each secret."""
    scene.project.add_change_policy("dev", FOLDER)
    await begin_empty(scene)
    await scene.apply(source(one="1", two="2"), push_secret(ONE, TWO))
    await pending(scene)
    assert len(scene.project.approvals) == 1
    await look_again(scene, "pending")
    assert len(scene.project.approvals) == 1
    approve_all(scene)
    await look_again(scene, "ready")
    assert stored(scene) == {"ONE": "1", "TWO": "2"}


@pytest.mark.statement("S68")
async def test_property_whose_removal_waits_is_owed_until_it_is_approved(scene: Scene) -> None:
    first, second = entry("one", "MERGED", property="a"), entry("two", "MERGED", property="b")
    await begin_pushed(scene, push_secret(first, second, deletionPolicy="Delete"), one="1", two="2")
    scene.project.add_change_policy("dev", FOLDER)
    await scene.apply(push_secret(second, deletionPolicy="Delete"))
    await pending(scene)
    assert stored(scene) == {"MERGED": '{"a":"1","b":"2"}'}
    assert await record(scene) == {STORE: ["MERGED/a", "MERGED/b"]}
    await look_again(scene, "pending")
    await scene.stop()
    await scene.start()
    await look_again(scene, "pending")
    assert len(scene.project.approvals) == 1
    approve_all(scene)
    await look_again(scene, "ready")
    assert stored(scene) == {"MERGED": '{"b":"2"}'}
    assert await record(scene) == {STORE: ["MERGED/b"]}
    found = await scene.object(PUSH_SECRET, "pushed")
    assert found is not None
    assert "metadata" not in found["status"]["syncedPushSecrets"][STORE]["MERGED/b"]


async def test_neighbour_that_changes_is_filed_without_what_waits_already(scene: Scene) -> None:
    """Two sources of change in one folder: what was filed before is not filed with the other again."""
    await begin_pushed(scene, push_secret(ONE, TWO, deletionPolicy="Delete"), one="1", two="2")
    scene.project.add_change_policy("dev", FOLDER)
    await scene.apply(push_secret(TWO, deletionPolicy="Delete"))
    await pending(scene)
    await settle(scene)
    async with scene.runs("pushed", end="pending"):
        await scene.apply(source(one="1", two="changed"))
    assert scene.requests() == Counter(listing=1, update=1)
    assert [approval.keys for approval in scene.project.approvals] == [("ONE",), ("TWO",)]
    approve_all(scene)
    await look_again(scene, "ready")
    assert stored(scene) == {"TWO": "changed"}


async def test_source_that_is_gone_waits_for_the_deletion_of_what_was_pushed(scene: Scene) -> None:
    await begin_pushed(scene, push_secret(ONE, deletionPolicy="Delete"), one="1")
    scene.project.add_change_policy("dev", FOLDER)
    await scene.delete(SECRET, "source")
    await pending(scene)
    await look_again(scene, "pending")
    assert len(scene.project.approvals) == 1
    assert await record(scene) == {STORE: ["ONE"]}
    approve_all(scene)
    await look_again(scene, "bereft")
    condition = await scene.ready("pushed", PUSH_SECRET, status="False")
    assert condition["reason"] == "SourceDeleted"
    assert stored(scene) == {}
    assert await record(scene) == {}


async def test_creation_that_waits_and_is_wanted_no_more_is_owed_no_more(scene: Scene) -> None:
    """There is nothing to delete, and so nothing to wait for."""
    await begin_pending(scene, deletionPolicy="Delete")
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    await unguarded(scene)
    assert len(scene.project.approvals) == 1
