"""Mistakes and what they cost: it is told what to mend, mending is enough, and what is right is pushed."""

from collections import Counter
from typing import Any

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import PUSH_SECRET
from tests.scenarios.pushing import begin_counting, count_anew, entry, push_again, push_secret, source, stored
from tests.scenarios.scene import LISTING, SINGLE, Scene

pytestmark = pytest.mark.asyncio

HERE = {"name": "infisical", "kind": "SecretStore"}


async def refused(scene: Scene, said: str, *manifests: Object) -> dict[str, Any]:
    """Nothing of these comes to Infisical, and the condition says why."""
    before = stored(scene)
    await scene.apply(*manifests)
    condition = await scene.ready("pushed", PUSH_SECRET, status="False", said=said)
    assert condition["reason"] == "Errored"
    assert stored(scene) == before
    assert not scene.requests()
    return condition


async def test_key_that_the_source_lacks_holds_up_everything_until_it_is_there(scene: Scene) -> None:
    await begin_counting(scene)
    manifest = push_secret(entry("one", "ONE"), entry("missing", "MISSING"))
    await refused(scene, 'the source Secret has no key "missing": add it', source(one="1"), manifest)
    await scene.apply(source(one="1", missing="2"))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene).items() >= {("ONE", "1"), ("MISSING", "2")}
    assert scene.requests() == LISTING + Counter({"batch creation": 1})


@pytest.mark.parametrize("first", [{"property": "a"}, {}], ids=["property", "whole and property"])
async def test_two_entries_for_one_property_are_an_error(scene: Scene, first: dict[str, str]) -> None:
    await begin_counting(scene)
    both = [entry("one", "SAME", **first), entry("two", "SAME", property="a")]
    manifest = push_secret(entry("one", "ONE"), *both)
    await refused(scene, 'two entries go to "SAME"', source(one="1", two="2"), manifest)


async def test_two_sources_with_one_key_are_told(scene: Scene) -> None:
    """Which of the two should be pushed, nobody knows."""
    both = [source(name, one=name) for name in ("first", "second")]
    for one in both:
        one["metadata"]["labels"] = {"team": "a"}
    manifest = push_secret(
        selector={"secret": {"selector": {"matchLabels": {"team": "a"}}}}, dataTo=[{"storeRef": HERE}]
    )
    await begin_counting(scene)
    await refused(scene, 'two entries go to "one"', *both, manifest)


async def test_what_is_not_built_costs_one_status_and_works_when_it_is_taken_out(scene: Scene) -> None:
    """Also the part that could be done is not done before."""
    await begin_counting(scene)
    manifest = push_secret(entry("one", "ONE"), template={"data": {"made": "{{ .one }}"}})
    said = "not supported by this controller yet: spec.template; take it out"
    await refused(scene, said, source(one="1"), manifest)
    assert scene.counting.writes == Counter({"status PushSecret": 1})
    await scene.apply(push_secret(entry("one", "ONE")))
    await scene.ready("pushed", PUSH_SECRET)


@pytest.mark.parametrize("remote_key", ["..", "/a/../B", "folder/"])
async def test_remote_keys_that_lead_nowhere_are_told(scene: Scene, remote_key: str) -> None:
    await begin_counting(scene)
    manifest = push_secret(entry("one", "ONE"), entry("one", remote_key))
    condition = await refused(scene, "cannot be used", source(one="1"), manifest)
    assert f'"{remote_key}"' in condition["message"]


async def test_names_that_a_rewrite_leaves_empty_are_told(scene: Scene) -> None:
    await begin_counting(scene)
    nothing = {"storeRef": HERE, "rewrite": [{"regexp": {"source": ".*", "target": ""}}]}
    said = "cannot be used: it is empty"
    await refused(scene, said, source(one="1"), push_secret(dataTo=[nothing]))


@pytest.mark.statement("S65")
async def test_absent_folder_costs_a_look_at_each_run_until_somebody_makes_it(scene: Scene) -> None:
    """None is made, and no project is looked up again. When it is there, the next run finds it."""
    await begin_counting(scene)
    entries = [entry("one", "/nowhere/ONE"), entry("one", "GOOD")]
    await scene.apply(source(one="1"), push_secret(*entries))
    said = 'there is no folder /nowhere (project "my-project", environment "dev"): create it'
    await scene.ready("pushed", PUSH_SECRET, status="False", said=said)
    assert stored(scene)["GOOD"] == "1"
    assert scene.requests() == SINGLE + SINGLE + Counter(creation=1)
    await push_again(scene, end="error")
    assert scene.requests() == SINGLE + SINGLE
    assert scene.project.folder("dev", "/nowhere") is None
    scene.project.add_folder("dev", "/nowhere")
    await push_again(scene)
    assert stored(scene, "/nowhere") == {"ONE": "1"}


@pytest.mark.statement("S65")
async def test_folders_are_made_once_for_all_that_goes_there(scene: Scene) -> None:
    """With those above them, where the operator wants it."""
    await scene.start(create_folders=True)
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.store_ready()
    await count_anew(scene)
    entries = [entry("one", "/deep/down/ONE"), entry("two", "/deep/down/TWO")]
    await scene.apply(source(one="1", two="2"), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET)
    assert stored(scene, "/deep/down") == {"ONE": "1", "TWO": "2"}
    assert scene.requests() == LISTING + Counter({"batch creation": 2, "folder": 3})
    await push_again(scene)
    assert scene.requests() == LISTING
