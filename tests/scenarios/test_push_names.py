"""A secret that was pushed under one name and is now pushed under another name of the same place is still ours."""

from collections import Counter

import pytest

from adapters.resources.kinds import PUSH_SECRET
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = pytest.mark.asyncio


async def record(scene: Scene) -> list[str]:
    """The names of what is ours at the store."""
    found = await scene.object(PUSH_SECRET, "pushed")
    recorded = ((found or {}).get("status") or {}).get("syncedPushSecrets") or {}
    return sorted(recorded.get("SecretStore/infisical", {}))


@pytest.mark.statement("S67")
async def test_another_name_of_the_same_secret_passes_on_whose_it_is(scene: Scene) -> None:
    await scene.begin_with_store(secretsPath="/")
    policies = {"deletionPolicy": "Delete", "updatePolicy": "IfNotExists"}
    await scene.apply(source(one="1"), push_secret(entry("one", "PUSHED"), **policies))
    await scene.ready("pushed", PUSH_SECRET)
    assert await record(scene) == ["PUSHED"]
    scene.server.record.clear()
    async with scene.runs("pushed"):
        await scene.apply(push_secret(entry("one", "/PUSHED"), **policies))
    assert await record(scene) == ["/PUSHED"]
    assert scene.requests() == Counter(single=1)
    await scene.delete(PUSH_SECRET, "pushed")
    await scene.until(lambda: any("delet" in kind for kind in scene.requests()), lambda: str(scene.requests()))
