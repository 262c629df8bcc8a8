"""Stores that come later or are not as they should be, and controllers that come later."""

from collections import Counter

import pytest

from adapters.resources.kinds import PUSH_SECRET
from tests.scenarios.pushing import begin_counting, entry, push_again, push_secret, source, stored
from tests.scenarios.scene import LISTING, LOGIN, SINGLE, Scene

pytestmark = pytest.mark.asyncio

HERE = {"name": "infisical", "kind": "SecretStore"}


async def test_store_that_is_absent_is_told_and_used_when_it_appears(scene: Scene) -> None:
    """Another one that is there gets what is for it all the same."""
    await begin_counting(scene)
    stores = [HERE, {"name": "later", "kind": "SecretStore"}]
    await scene.apply(source(one="1"), push_secret(entry("one", "ONE"), secretStoreRefs=stores))
    condition = await scene.ready(
        "pushed", PUSH_SECRET, status="False", said="SecretStore later does not exist: create it, or mend"
    )
    assert condition["reason"] == "Errored"
    assert stored(scene)["ONE"] == "1"
    assert scene.requests() == SINGLE + Counter(creation=1)
    await scene.apply(scene.store("later", environmentSlug="prod"))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("prod", "/") == {"ONE": "1"}


@pytest.mark.statement("S74")
async def test_project_that_is_absent_is_told_apart_from_a_folder(scene: Scene) -> None:
    """The store is not ready for the same reason; where it does not hold back, the PushSecret says it itself."""
    await scene.start(hold_back=False)
    await scene.apply(scene.credentials_secret(), scene.store(projectSlug="another"))
    await scene.store_ready(status="False", said='has no project "another"')
    await scene.apply(source(one="1"), push_secret(entry("one", "ONE")))
    await scene.ready(
        "pushed", PUSH_SECRET, status="False", said='has no project "another": check projectSlug'
    )


@pytest.mark.statement("S66")
async def test_controller_that_comes_after_another_compares_and_writes_nothing(scene: Scene) -> None:
    data = {f"key-{number}": "1" for number in range(20)}
    await begin_counting(scene)
    await scene.apply(source(**data), push_secret(*(entry(name, name) for name in data)))
    await scene.ready("pushed", PUSH_SECRET)
    await scene.stop()
    await scene.start()
    await scene.store_ready()
    await push_again(scene)
    assert scene.requests() - LOGIN == LISTING
    assert {scene.project.version("dev", "/", name) for name in data} == {1}
