"""What one store leads to, another one may lead to as well: nothing is deleted that is wanted through the other."""

import pytest

from adapters.resources.kinds import PUSH_SECRET
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("path", ["", "part"], ids=["whole", "property"])
async def test_a_store_that_replaces_another_of_the_same_project(scene: Scene, path: str) -> None:
    await scene.begin_with_store()
    await scene.apply(scene.store("other"))
    await scene.store_ready("other")
    await scene.apply(
        source(one='{"more": "kept"}'), push_secret(entry("one", "MOVED"), deletionPolicy="Delete")
    )
    await scene.ready("pushed", PUSH_SECRET)
    remote = {"property": path} if path else {}
    moved = push_secret(
        entry("one", "MOVED", **remote),
        deletionPolicy="Delete",
        secretStoreRefs=[{"name": "other", "kind": "SecretStore"}],
    )
    async with scene.runs("pushed"):
        await scene.apply(moved)
    await scene.ready("pushed", PUSH_SECRET)
    pushed = await scene.object(PUSH_SECRET, "pushed")
    assert pushed is not None
    assert list(pushed["status"]["syncedPushSecrets"]) == ["SecretStore/other"]
    assert "MOVED" in scene.project.values("dev", "/")
