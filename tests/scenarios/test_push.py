"""PushSecret: what the cluster holds comes to be at Infisical, as often as needed and no more."""

from collections import Counter

import pytest

from adapters.resources.kinds import PUSH_SECRET
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = pytest.mark.asyncio


@pytest.mark.statement("S2")
async def test_values_of_the_cluster_come_to_infisical(scene: Scene) -> None:
    await scene.begin_with_store()
    scene.server.record.clear()
    await scene.apply(source(one="1", two="2"), push_secret(entry("one", "ONE"), entry("two", "TWO")))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.requests() == Counter(listing=1, **{"batch creation": 1})
