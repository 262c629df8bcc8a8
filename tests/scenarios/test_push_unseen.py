"""What a PushSecret owes to delete and may not see any more stays owed: a listing leaves it out without a word."""

import pytest

from adapters.resources.kinds import PUSH_SECRET
from reconciler.standin.access import ADMIN, NO_ACCESS, Access
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = pytest.mark.asyncio


def allow(scene: Scene, access: Access) -> None:
    """Give every member of the project these rights."""
    for identity in scene.project.members:
        scene.project.members[identity] = access


async def test_what_is_not_seen_is_not_forgotten(scene: Scene) -> None:
    await scene.begin_with_store()
    pushed = push_secret(entry("one", "ONE"), entry("two", "TWO"), deletionPolicy="Delete")
    await scene.apply(source(one="1", two="2"), pushed)
    await scene.ready("pushed", PUSH_SECRET)
    allow(scene, NO_ACCESS)
    await scene.delete(PUSH_SECRET, "pushed")
    await scene.ready("pushed", PUSH_SECRET, status="False")
    left = await scene.object(PUSH_SECRET, "pushed")
    assert left is not None
    (owed,) = left["status"]["syncedPushSecrets"].values()
    assert set(owed) == {"ONE", "TWO"}
    assert scene.project.values("dev", "/").keys() >= {"ONE", "TWO"}
    allow(scene, ADMIN)
    await scene.annotate(PUSH_SECRET, "pushed", {"again": "now"})
    await scene.until(lambda: scene.project.values("dev", "/").keys().isdisjoint({"ONE", "TWO"}))
