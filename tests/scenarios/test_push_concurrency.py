"""Many who push at once: nothing of anybody's is lost, nothing is there twice, and it costs little."""

import asyncio

import pytest

from adapters.resources.kinds import PUSH_SECRET
from tests.scenarios.pushed import FOLDER, begin_empty, is_gone, settle, stored
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = pytest.mark.asyncio

ROUNDS = 10
MANY = 100


@pytest.mark.statement("S64")
async def test_two_who_write_properties_of_one_secret_lose_nothing(scene: Scene) -> None:
    await begin_empty(scene)
    parts = ("a", "b")
    for part in parts:
        await scene.apply(
            source(f"of-{part}", value="0"),
            push_secret(
                entry("value", "SHARED", property=part),
                name=part,
                selector={"secret": {"name": f"of-{part}"}},
            ),
        )
    for part in parts:
        await scene.ready(part, PUSH_SECRET)
    for number in range(1, ROUNDS + 1):
        async with scene.runs(*parts):
            await asyncio.gather(*(scene.apply(source(f"of-{part}", value=str(number))) for part in parts))
        assert stored(scene) in (
            {"SHARED": f'{{"a":"{number}","b":"{number}"}}'},
            {"SHARED": f'{{"b":"{number}","a":"{number}"}}'},
        )
    assert (scene.project.version("dev", FOLDER, "SHARED") or 0) <= 2 * (ROUNDS + 1)


async def test_many_who_push_into_one_folder(scene: Scene) -> None:
    """No name twice, and few requests for all of them together: they share the login, the listings and the batches."""
    await begin_empty(scene)
    await scene.apply(source(one="1"))
    await scene.stop()
    names = [f"pushed-{number}" for number in range(MANY)]
    for number, name in enumerate(names):
        await scene.apply(push_secret(entry("one", f"KEY_{number}"), name=name))
    scene.server.record.clear()
    await scene.start()
    for name in names:
        await scene.ready(name, PUSH_SECRET)
    assert stored(scene) == {f"KEY_{number}": "1" for number in range(MANY)}
    folder = scene.project.folder("dev", FOLDER)
    assert folder is not None
    assert len(folder.secrets) == MANY
    await costs_little(scene)
    scene.server.record.clear()
    async with scene.runs(*names):
        await scene.apply(source(one="2"))
    assert set(stored(scene).values()) == {"2"}
    await costs_little(scene)


async def costs_little(scene: Scene) -> None:
    """Once all is at rest: what is read is shared by all, and what is written by those who come to it together. How
    many those are depends on the cluster, which takes every record by itself before."""
    assert scene.controller is not None
    await scene.controller.idle()
    asked = scene.requests()
    written = sum(number for kind, number in asked.items() if "creation" in kind or "update" in kind)
    assert asked["listing"] + asked["single"] <= 6, asked
    assert written <= MANY / 2, asked


async def test_many_who_push_the_same_key_make_it_once(scene: Scene) -> None:
    await begin_empty(scene)
    await scene.apply(source(one="1"))
    await scene.stop()
    names = [f"pushed-{number}" for number in range(20)]
    for name in names:
        await scene.apply(push_secret(entry("one", "SAME"), name=name))
    scene.server.record.clear()
    await scene.start()
    for name in names:
        await scene.ready(name, PUSH_SECRET)
    folder = scene.project.folder("dev", FOLDER)
    assert folder is not None
    assert [secret.content.key for secret in folder.secrets] == ["SAME"]
    assert scene.project.version("dev", FOLDER, "SAME") == 1
    assert scene.requests()["creation"] + scene.requests()["batch creation"] == 1


async def test_push_and_deletion_of_one_key(scene: Scene) -> None:
    """One resource goes and takes its property along while another one changes its own, many times."""
    await begin_empty(scene)
    await scene.apply(source(value="0"), source("other", value="gone"))
    stays = push_secret(entry("value", "SHARED", property="stays"), name="stays")
    goes = push_secret(
        entry("value", "SHARED", property="goes"),
        name="goes",
        deletionPolicy="Delete",
        selector={"secret": {"name": "other"}},
    )
    await scene.apply(stays)
    await scene.ready("stays", PUSH_SECRET)
    for number in range(1, ROUNDS + 1):
        await scene.apply(goes)
        await scene.ready("goes", PUSH_SECRET)
        await asyncio.gather(scene.apply(source(value=str(number))), scene.delete(PUSH_SECRET, "goes"))
        await is_gone(scene, PUSH_SECRET, "goes")
        last = {"SHARED": f'{{"stays":"{number}"}}'}
        await scene.until(lambda last=last: stored(scene) == last, lambda: str(stored(scene)))  # type: ignore[misc]


async def test_runs_of_one_resource_never_overlap(scene: Scene) -> None:
    """Whatever happens while one runs: the next begins after its end."""
    await begin_empty(scene)
    await scene.apply(source(one="0"), push_secret(entry("one", "ONE")))
    await scene.ready("pushed", PUSH_SECRET)
    await settle(scene)
    for number in range(1, ROUNDS + 1):
        await scene.apply(
            source(one=str(number)), push_secret(entry("one", "ONE"), refreshInterval=f"{number}h")
        )
        await scene.annotate(PUSH_SECRET, "pushed", {"number": str(number)})
    await scene.until(lambda: stored(scene) == {"ONE": str(ROUNDS)})
    await settle(scene)
    steps = [one for one in scene.journal.transitions if one.subject.name == "pushed"]
    running = None
    for step in steps:
        assert running in (None, step.run), "another run began before this one had ended"
        running = None if step.end else step.run
