"""Servers of three ages are pushed to in the same way: merging, cleaning up, and what they refuse."""

from collections import Counter

import pytest

from adapters.resources.kinds import PUSH_SECRET
from reconciler.standin import Age
from tests.scenarios.pushed import FOLDER, begin_empty, begin_pushed, is_gone, record, settle, stored
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = [pytest.mark.asyncio, pytest.mark.parametrize("age", list(Age))]

WRITES = ("creation", "update", "deletion", "batch creation", "batch update", "batch deletion")


def writes(scene: Scene) -> Counter[str]:
    """What was written, by kind of request."""
    return Counter({kind: number for kind, number in scene.requests().items() if kind in WRITES})


async def test_what_is_merged_and_what_is_taken_off(scene: Scene) -> None:
    """Properties are set among somebody else's and leave them; what was the only property goes with its secret."""
    await begin_empty(scene)
    scene.project.set_secret("dev", FOLDER, "SHARED", '{"theirs": 1.50}')
    entries = [entry("one", "SHARED", property="mine"), entry("two", "NEW", property="mine")]
    await scene.apply(source(one="1", two="2"), push_secret(*entries, deletionPolicy="Delete"))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene) == {"SHARED": '{"theirs": 1.50,"mine":"1"}', "NEW": '{"mine":"2"}'}
    await settle(scene)
    async with scene.runs("pushed"):
        await scene.apply(source(one="changed", two="2"))
    assert stored(scene) == {"SHARED": '{"theirs": 1.50,"mine":"changed"}', "NEW": '{"mine":"2"}'}
    assert writes(scene) == {"update": 1}
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert stored(scene) == {"SHARED": '{"theirs": 1.50}'}


async def test_several_that_go_at_once(scene: Scene) -> None:
    """Entries that left the spec, then all the others with the resource; a neighbour stays."""
    names = [f"NAME_{number}" for number in range(4)]
    entries = [entry("one", name) for name in names]
    await begin_pushed(scene, push_secret(*entries, deletionPolicy="Delete"), one="1")
    scene.project.set_secret("dev", FOLDER, "NEIGHBOUR", "theirs")
    async with scene.runs("pushed"):
        await scene.apply(push_secret(*entries[2:], deletionPolicy="Delete"))
    assert stored(scene) == {"NAME_2": "1", "NAME_3": "1", "NEIGHBOUR": "theirs"}
    assert await record(scene) == {"SecretStore/infisical": names[2:]}
    assert writes(scene) == {"batch deletion": 1}
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert stored(scene) == {"NEIGHBOUR": "theirs"}


async def test_what_somebody_deleted_is_made_again_or_is_gone_already(scene: Scene) -> None:
    """A server that says of an absent secret that it may not be deleted is not believed."""
    entries = [entry("one", "ONE"), entry("one", "TWO")]
    await begin_pushed(scene, push_secret(*entries, deletionPolicy="Delete"), one="1")
    scene.project.remove_secret("dev", FOLDER, "ONE")
    async with scene.runs("pushed"):
        await scene.annotate(PUSH_SECRET, "pushed", {"external-secrets.io/force-sync": "now"})
    assert stored(scene) == {"ONE": "1", "TWO": "1"}
    scene.project.remove_secret("dev", FOLDER, "TWO")
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert stored(scene) == {}


async def test_a_reference_without_a_target_is_told_where_the_server_looks(scene: Scene, age: Age) -> None:
    """Servers of 2025 refuse it, and what else is pushed is pushed; the others store it as it is."""
    await begin_empty(scene)
    await scene.apply(
        source(one="${NOWHERE}", two="2"), push_secret(entry("one", "ONE"), entry("two", "TWO"))
    )
    if age is Age.YEAR_2025:
        await scene.ready("pushed", PUSH_SECRET, status="False", said="ONE")
        assert stored(scene) == {"TWO": "2"}
    else:
        await scene.ready("pushed", PUSH_SECRET)
        assert stored(scene) == {"ONE": "${NOWHERE}", "TWO": "2"}
