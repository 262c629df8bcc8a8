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


def stored(scene: Scene) -> dict[str, str]:
    """What Infisical holds in the root folder."""
    values: dict[str, str] = scene.project.values("dev", "/")
    return values


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
    await scene.until(lambda: "PUSHED" not in stored(scene))


@pytest.mark.statement("S64")
@pytest.mark.statement("S68")
async def test_a_whole_value_becomes_properties_and_a_whole_value_again(scene: Scene) -> None:
    await scene.begin_with_store(secretsPath="/")
    await scene.apply(source(one="1"), push_secret(entry("one", "PUSHED"), deletionPolicy="Delete"))
    await scene.ready("pushed", PUSH_SECRET)
    others = dict(stored(scene))
    assert others.pop("PUSHED") == "1"
    for entries, value, names in (
        ([entry("one", "PUSHED", property="a.b")], '{"a":{"b":"1"}}', ["PUSHED/a.b"]),
        ([entry("one", "PUSHED", property="a")], '{"a":"1"}', ["PUSHED/a"]),
        ([entry(None, "PUSHED")], '{"one":"1"}', ["PUSHED"]),
    ):
        scene.server.record.clear()
        async with scene.runs("pushed"):
            await scene.apply(push_secret(*entries, deletionPolicy="Delete"))
        assert stored(scene) == others | {"PUSHED": value}
        assert await record(scene) == names
        assert scene.requests() == Counter(single=1, update=1)
    await scene.delete(PUSH_SECRET, "pushed")
    await scene.until(lambda: stored(scene) == others)


async def test_a_key_with_control_characters_is_told(scene: Scene) -> None:
    await scene.begin_with_store(secretsPath="/")
    everything = {"storeRef": {"name": "infisical"}, "conversionStrategy": "ReverseUnicode"}
    before = stored(scene)
    await scene.apply(source(a_U000a_b="1"), push_secret(dataTo=[everything]))
    await scene.ready("pushed", PUSH_SECRET, status="False", said="key")
    assert stored(scene) == before
