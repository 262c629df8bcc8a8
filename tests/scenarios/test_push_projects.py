"""The project behind a slug: asked for once, asked for again when it was made anew, and told when there is none."""

from collections import Counter

import pytest

from adapters.resources.kinds import PUSH_SECRET
from reconciler.standin import Kind, Meanwhile
from tests.scenarios.pushed import (
    FOLDER,
    PUSH_FINALIZER,
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
GONE = "my-project"
LOOKS = Counter(single=2, resolution=1)
COSTS = {
    Kind.CREATION: LOOKS + Counter(creation=2),
    Kind.UPDATE: LOOKS + Counter(update=1, creation=1),
    Kind.DELETION: LOOKS + Counter(deletion=1),
}
"""With the request that failed."""


def made_again(scene: Scene) -> None:
    """Delete the project and make it again under its slug, with the folder."""
    scene.project = scene.server.remake_project(GONE)
    scene.project.add_folder("dev", FOLDER)


@pytest.mark.statement("S70")
@pytest.mark.statement("S71")
@pytest.mark.statement("S72")
async def test_slug_is_resolved_once_for_all_that_is_pushed(scene: Scene) -> None:
    scene.project.add_folder("dev", FOLDER)
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store(secretsPath=FOLDER))
    await scene.store_ready()
    await scene.apply(source(one="1"), push_secret(ONE), push_secret(entry("one", "TWO"), name="second"))
    await scene.ready("pushed", PUSH_SECRET)
    await scene.ready("second", PUSH_SECRET)
    assert stored(scene) == {"ONE": "1", "TWO": "1"}
    assert scene.requests()["resolution"] == 1
    await settle(scene)
    async with scene.runs("pushed"):
        await scene.apply(push_secret(entry("one", "THREE")))
    assert scene.requests()["resolution"] == 0


@pytest.mark.statement("S73")
async def test_project_made_again_under_its_slug_costs_one_more_resolution(scene: Scene) -> None:
    await begin_pushed(scene, push_secret(ONE), one="1")
    made_again(scene)
    async with scene.runs("pushed"):
        await scene.apply(source(one="2"))
    assert stored(scene) == {"ONE": "2"}
    assert scene.requests()["resolution"] == 1
    assert scene.requests()["creation"] == 1


@pytest.mark.statement("S73")
@pytest.mark.parametrize("on", [Kind.CREATION, Kind.UPDATE, Kind.DELETION], ids=lambda on: str(on.value))
async def test_project_made_again_just_before_the_write(scene: Scene, on: Kind) -> None:
    """One more resolution, one more look, and then what the new project needs; never a write into the old one."""
    pushed = push_secret(ONE, deletionPolicy="Delete")
    if on is Kind.CREATION:
        await begin_empty(scene)
        await scene.apply(source(one="1"))
        await settle(scene)
    else:
        await begin_pushed(scene, pushed, one="1")
    plan = scene.server.faults.plan(on, Meanwhile(lambda: made_again(scene)))
    match on:
        case Kind.CREATION:
            await scene.apply(pushed)
            await scene.ready("pushed", PUSH_SECRET)
            assert stored(scene) == {"ONE": "1"}
        case Kind.UPDATE:
            async with scene.runs("pushed"):
                await scene.apply(source(one="2"))
            assert stored(scene) == {"ONE": "2"}
        case _:
            await scene.delete(PUSH_SECRET, "pushed")
            await is_gone(scene)
            assert stored(scene) == {}
    assert plan.met == 1
    assert scene.requests() == COSTS[on]


@pytest.mark.statement("S74")
async def test_project_that_is_gone_is_told_by_its_slug(scene: Scene) -> None:
    await begin_pushed(scene, push_secret(ONE), one="1")
    scene.server.delete_project(GONE)
    await scene.apply(source(one="2"))
    condition = await scene.ready("pushed", PUSH_SECRET, status="False", said=GONE)
    assert condition["reason"] == "Errored"
    assert await record(scene) == {"SecretStore/infisical": ["ONE"]}
    assert scene.requests()["creation"] == scene.requests()["update"] == 0


@pytest.mark.statement("S74")
async def test_wanted_elsewhere_is_not_held_up_by_a_project_that_is_gone(scene: Scene) -> None:
    """What a store of another project gets, it gets."""
    other = scene.server.add_project("other-project")
    other.add_folder("dev", FOLDER)
    for identity in scene.project.members:
        other.members[identity] = scene.project.members[identity]
    await begin_empty(scene)
    await scene.apply(scene.store("other", secretsPath=FOLDER, projectSlug="other-project"))
    await scene.store_ready("other")
    scene.server.delete_project(GONE)
    two = [{"name": "infisical", "kind": "SecretStore"}, {"name": "other", "kind": "SecretStore"}]
    await scene.apply(source(one="1"), push_secret(ONE, secretStoreRefs=two))
    await scene.ready("pushed", PUSH_SECRET, status="False", said=GONE)
    assert other.values("dev", FOLDER) == {"ONE": "1"}


@pytest.mark.statement("S74")
@pytest.mark.parametrize("known", [True, False], ids=["cached", "after-a-restart"])
async def test_on_deletion_a_project_that_is_gone_counts_as_deleted(scene: Scene, known: bool) -> None:
    await begin_pushed(scene, push_secret(ONE, deletionPolicy="Delete"), one="1")
    assert await finalizers(scene) == [PUSH_FINALIZER]
    if not known:
        await scene.stop()
    scene.server.delete_project(GONE)
    await scene.delete(PUSH_SECRET, "pushed")
    if not known:
        await scene.start()
    await is_gone(scene)
    await unguarded(scene)
    assert scene.requests()["deletion"] == 0


async def test_entry_removed_after_its_project_went_is_forgotten_with_it(scene: Scene) -> None:
    """What is wanted is told as failed; what is owed there is owed no more once nothing is wanted there."""
    await begin_pushed(scene, push_secret(ONE, deletionPolicy="Delete"), one="1")
    scene.server.delete_project(GONE)
    async with scene.runs("pushed"):
        await scene.apply(push_secret(deletionPolicy="Delete"))
    assert await record(scene) == {}
    assert scene.requests() == Counter(single=1, resolution=1)
