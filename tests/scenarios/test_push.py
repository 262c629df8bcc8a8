"""PushSecret: what the cluster holds comes to be at Infisical, as often as needed and no more."""

from collections import Counter

import pytest

from adapters.resources.kinds import PUSH_SECRET
from reconciler.standin.access import VIEWER
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene, example

pytestmark = pytest.mark.asyncio

NEW = Counter({"listing": 1, "batch creation": 1})
MANY = {f"KEY_{number:02}": f"value {number}" for number in range(20)}


@pytest.mark.statement("S2")
@pytest.mark.statement("S60")
@pytest.mark.statement("S62")
@pytest.mark.statement("S65")
async def test_values_of_the_cluster_come_to_infisical(scene: Scene) -> None:
    await scene.begin_with_store()
    scene.server.record.clear()
    await scene.apply(source(one="1", two="2"), push_secret(entry("one", "ONE"), entry("two", "TWO")))
    condition = await scene.ready("pushed", PUSH_SECRET)
    assert (condition["reason"], condition["message"]) == ("Synced", "PushSecret synced successfully")
    assert scene.requests() == NEW
    values = scene.project.values("dev", "/")
    assert (values["ONE"], values["TWO"]) == ("1", "2")


@pytest.mark.statement("S65")
@pytest.mark.statement("S66")
async def test_a_lone_entry_is_created_then_updated_then_left(scene: Scene) -> None:
    """One read each time, and one write only where there is something to write."""
    await scene.begin_with_store()
    pushed = push_secret(entry("one", "ONE"))
    scene.server.record.clear()
    await scene.apply(source(one="1"), pushed)
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.requests() == Counter(single=1, creation=1)
    scene.server.record.clear()
    async with scene.runs("pushed"):
        await scene.apply(source(one="changed"))
    assert scene.requests() == Counter(single=1, update=1)
    assert scene.project.values("dev", "/")["ONE"] == "changed"
    scene.server.record.clear()
    async with scene.runs("pushed"):
        await scene.annotate(PUSH_SECRET, "pushed", {"external-secrets.io/force-sync": "now"})
    assert scene.requests() == Counter(single=1)
    assert scene.project.version("dev", "/", "ONE") == 2


@pytest.mark.statement("S66")
async def test_twenty_entries_cost_a_listing_and_a_batch_and_then_a_listing(scene: Scene) -> None:
    await scene.begin_with_store()
    scene.server.record.clear()
    await scene.apply(source(**MANY), push_secret(*(entry(name, name) for name in MANY)))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.requests() == NEW
    scene.server.record.clear()
    async with scene.runs("pushed"):
        await scene.annotate(PUSH_SECRET, "pushed", {"external-secrets.io/force-sync": "now"})
    assert scene.requests() == Counter(listing=1)
    assert {scene.project.version("dev", "/", name) for name in MANY} == {1}


@pytest.mark.statement("S61")
async def test_remote_keys_resolve_as_on_reads(scene: Scene) -> None:
    """Below secretsPath, absolute, and relative with a folder: each folder by its own read and write."""
    scene.project.add_folder("dev", "/my-app/below")
    await scene.begin_with_store(secretsPath="/my-app")
    scene.server.record.clear()
    entries = [entry("one", "PLAIN"), entry("one", "/ABSOLUTE"), entry("one", "below/RELATIVE")]
    await scene.apply(source(one="1"), push_secret(*entries))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/my-app")["PLAIN"] == "1"
    assert scene.project.values("dev", "/")["ABSOLUTE"] == "1"
    assert scene.project.values("dev", "/my-app/below") == {"RELATIVE": "1"}
    assert scene.requests() == Counter(single=3, creation=3)


@pytest.mark.statement("S59")
async def test_an_identity_that_may_only_read_is_told(scene: Scene) -> None:
    scene.credentials = scene.server.add_machine("reader", {scene.project: VIEWER})
    await scene.begin_with_store()
    before = scene.project.values("dev", "/")
    await scene.apply(source(one="1", two="2"), push_secret(entry("one", "ONE"), entry("two", "TWO")))
    condition = await scene.ready("pushed", PUSH_SECRET, status="False", said="may not write")
    assert condition["reason"] == "Errored"
    assert scene.project.values("dev", "/") == before


async def test_a_source_that_comes_later_is_pushed_at_once(scene: Scene) -> None:
    await scene.begin_with_store()
    await scene.apply(push_secret(entry("one", "ONE"), refreshInterval="0"))
    condition = await scene.ready("pushed", PUSH_SECRET, status="False", said="source")
    assert condition["reason"] == "Errored"
    await scene.apply(source(one="1"))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/")["ONE"] == "1"


async def test_the_documented_example_pushes(scene: Scene) -> None:
    await scene.begin_with_store()
    await scene.apply(example("push-secret", "Secret"), example("push-secret", "PushSecret"))
    await scene.ready("checkout-push", PUSH_SECRET)
    root = scene.project.values("dev", "/")
    assert root["API_KEY"] == "change-me"
    assert root["JSON_BLOB"] == '{"key": "value","apiKey":"change-me"}'
    assert scene.project.values("dev", "/my-app")["SERVICE_PASSWORD"] == "change-me-too"


async def test_a_store_that_is_not_ready_holds_back_and_releases(scene: Scene) -> None:
    await scene.start()
    await scene.apply(source(one="1"), push_secret(entry("one", "ONE")))
    await scene.ready("pushed", PUSH_SECRET, status="False", said="infisical")
    await scene.apply(scene.store())
    await scene.store_ready(status="False")
    await scene.ready("pushed", PUSH_SECRET, status="False", said="not ready")
    assert "ONE" not in scene.project.values("dev", "/")
    await scene.apply(scene.credentials_secret())
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/")["ONE"] == "1"
