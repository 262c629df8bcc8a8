"""What becomes of a Secret that others have a part in, and of an ExternalSecret that changes, on both clusters."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.cluster import Done, Object
from adapters.resources.kinds import CONFIG_MAP, EXTERNAL_SECRET, SECRET
from reconciler.standin import Kind, Slow
from tests.scenarios.infisical import Infisical
from tests.scenarios.scene import API_KEY, LOGIN, SINGLE, VALIDATION, Scene, key

FINALIZER = "externalsecrets.external-secrets.io/externalsecret-cleanup"


def secret(name: str = "wanted", data: dict[str, str] | None = None, **fields: Any) -> Object:
    """A Secret as somebody else makes it."""
    content = data if data is not None else {"old": "value"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "Opaque",
        "data": {name: base64.b64encode(text.encode()).decode() for name, text in content.items()},
        **fields,
    }


async def metadata_of(scene: Scene, name: str = "wanted") -> dict[str, Any]:
    """The metadata of a Secret that is there."""
    found = await scene.object(SECRET, name)
    assert found is not None
    return dict(found["metadata"])


async def test_target_of_another_controller_is_left_alone(scene: Scene) -> None:
    """Its owner is named; nothing is asked of Infisical, and nothing written but the condition."""
    await scene.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop"}, "data": {}})
    there = await scene.object(
        CONFIG_MAP, "shop"
    )  # an owner that is not there would have its Secret collected
    assert there is not None
    uid = there["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "shop", "uid": uid, "controller": True}
    foreign = secret()
    foreign["metadata"]["ownerReferences"] = [owner]
    await scene.begin_with_store()
    await scene.apply(foreign)
    before = await scene.version()
    scene.server.record.clear()
    scene.counting.writes.clear()
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    condition = await scene.ready(status="False", said='the target Secret "wanted" belongs to ConfigMap shop')
    assert condition["reason"] == "SecretSyncedError"
    assert "choose another spec.target.name" in condition["message"]
    assert await scene.version() == before
    assert not scene.requests()
    assert scene.counting.writes == {"status ExternalSecret": 1}


async def test_renaming_to_a_foreign_name_keeps_the_old_target(scene: Scene) -> None:
    """The one that stood goes only when the new one stands."""
    await scene.begin()
    await scene.apply(scene.external_secret("second", data=[key("DB_PASSWORD")]))
    await scene.ready("second")
    await scene.apply(scene.external_secret(data=[key("API_KEY")], target={"name": "second"}))
    await scene.ready(status="False", said="belongs to ExternalSecret second")
    assert await scene.secret("wanted") == {"key": API_KEY}
    assert await scene.secret("second") == {"key": "example-database-password"}


async def test_renaming_while_infisical_is_down_keeps_the_old_target_until_the_new_one_stands(
    scene: Scene, infisical: Infisical
) -> None:
    """A pod that restarts meanwhile finds its Secret."""
    await scene.begin()
    store = scene.store()
    store["spec"]["retrySettings"] = {"maxRetries": 0}
    await scene.apply(store)
    await scene.until(lambda: len(scene.journal.ends("infisical")) >= 2)
    await infisical.goes_down()
    await scene.apply(scene.external_secret(data=[key("API_KEY")], target={"name": "renamed"}))
    await scene.ready(status="False", said="refuses connections")
    assert await scene.secret("wanted") == {"key": API_KEY}
    assert await scene.secret("renamed") is None
    await infisical.comes_back()
    await scene.holds(None)
    assert await scene.secret("renamed") == {"key": API_KEY}


async def test_key_that_left_the_spec_leaves_the_secret(scene: Scene) -> None:
    """Together with a new one that comes, in one write."""
    await scene.begin(data=[key("API_KEY", "stays"), key("DB_PASSWORD", "goes")])
    scene.counting.writes.clear()
    await scene.apply(
        scene.external_secret(data=[key("API_KEY", "stays"), key("/my-app/ADMIN_PASSWORD", "comes")])
    )
    await scene.holds({"stays": API_KEY, "comes": "example-admin-password"})
    assert scene.counting.writes["apply Secret"] == 1
    assert scene.counting.writes["patch Secret"] == 0


async def test_labels_and_annotations_follow_the_resource_and_those_of_others_stay(scene: Scene) -> None:
    """What the resource no longer has goes, what others put there does not."""
    wanted = scene.external_secret(data=[key("API_KEY")])
    wanted["metadata"] |= {"labels": {"ours": "1", "gone": "1"}, "annotations": {"note": "1", "past": "1"}}
    await scene.begin_with_store()
    await scene.apply(wanted)
    await scene.ready()
    theirs = [{"op": "add", "path": "/metadata/labels/theirs", "value": "1"}]
    theirs += [{"op": "add", "path": "/metadata/annotations/remark", "value": "1"}]
    assert isinstance(await scene.cluster.patch(SECRET, scene.namespace, "wanted", theirs, "somebody"), Done)
    wanted["metadata"] |= {"labels": {"ours": "2"}, "annotations": {"note": "2"}}
    async with scene.runs("wanted"):
        await scene.apply(wanted)
    metadata = await metadata_of(scene)
    prefix = "reconcile.external-secrets.io/"
    labels = {name: text for name, text in metadata["labels"].items() if not name.startswith(prefix)}
    annotations = {
        name: text for name, text in metadata["annotations"].items() if not name.startswith(prefix)
    }
    assert labels == {"ours": "2", "theirs": "1"}
    assert annotations == {"note": "2", "remark": "1"}


async def test_secret_of_another_type_is_told_and_left(scene: Scene) -> None:
    """The condition says that it is to be deleted, or another name chosen; it is not tried in a hot loop."""
    await scene.begin_with_store()
    await scene.apply(secret(type="example.com/theirs"))
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    condition = await scene.ready(status="False", said="has another type, which cannot be changed: delete it")
    assert condition["reason"] == "SecretSyncedError"
    assert await scene.secret() == {"old": "value"}
    assert scene.counting.writes["patch Secret"] == 0
    assert scene.counting.writes["apply Secret"] == 1


async def test_immutable_secret_of_that_name_is_told_and_keeps_its_data(scene: Scene) -> None:
    """Somebody meant it to stay."""
    await scene.begin_with_store()
    await scene.apply(secret(immutable=True))
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    condition = await scene.ready(
        status="False", said="is immutable, and its data cannot be changed: delete it"
    )
    assert condition["reason"] == "SecretSyncedError"
    assert await scene.secret() == {"old": "value"}
    await scene.delete(SECRET, "wanted")
    await scene.ready()
    assert await scene.secret() == {"key": API_KEY}


async def test_status_that_others_write_starts_nothing(scene: Scene) -> None:
    """Neither does an event, nor a foreign Secret: no request, no write."""
    await scene.begin()
    await asyncio.sleep(0)
    scene.server.record.clear()
    scene.counting.writes.clear()
    runs = len(scene.journal.ends("wanted"))
    binding = {"binding": {"name": "wanted"}, "conditions": []}
    await scene.cluster.patch_status(EXTERNAL_SECRET, scene.namespace, "wanted", binding, "somebody")
    await scene.apply(secret("unrelated"), secret("another"))
    await scene.apply(scene.external_secret("after", data=[key("DB_PASSWORD")]))
    await scene.ready("after")  # and so all that came before it has been seen
    assert len(scene.journal.ends("wanted")) == runs
    assert scene.requests() == SINGLE
    assert scene.counting.writes == {"apply Secret": 1, "status ExternalSecret": 1}


async def refreshed(scene: Scene, at: timedelta) -> None:
    """Let the status say that the resource was refreshed then, counted from now."""
    status = {"refreshTime": (datetime.now(UTC) + at).strftime("%Y-%m-%dT%H:%M:%SZ")}
    answer = await scene.cluster.patch_status(EXTERNAL_SECRET, scene.namespace, "wanted", status, "somebody")
    assert isinstance(answer, Done)


async def test_refresh_time_in_the_future_is_not_trusted(scene: Scene) -> None:
    """A clock was wrong: refreshed now, and not when that time comes."""
    await scene.begin()
    await scene.stop()
    scene.project.set_secret("dev", "/", "API_KEY", "changed")
    await refreshed(scene, timedelta(days=9))
    await scene.start()
    await scene.holds({"key": "changed"})


async def test_value_that_changed_while_the_controller_was_away_waits_for_its_turn(scene: Scene) -> None:
    """Nothing is due after a restart; an interval that has passed meanwhile is."""
    await scene.begin(refreshInterval="1h")
    await scene.stop()
    scene.project.set_secret("dev", "/", "API_KEY", "changed")
    async with scene.costs(LOGIN + VALIDATION):
        await scene.until(lambda: scene.journal.ends("wanted")[-1:] == ["idle"])
        await scene.until(lambda: scene.journal.ends("infisical")[-2:] == ["valid"] * 2)
    assert await scene.secret() == {"key": API_KEY}
    await refreshed(scene, timedelta(hours=-2))
    async with scene.costs(LOGIN + VALIDATION + SINGLE, apply_Secret=1, status_ExternalSecret=1):
        await scene.holds({"key": "changed"})
        await scene.until(lambda: scene.journal.ends("wanted")[-1:] == ["ready"])
        await scene.until(lambda: scene.journal.ends("infisical")[-3:] == ["valid"] * 3)


async def test_target_that_was_damaged_while_the_controller_was_away_is_mended_at_its_start(
    scene: Scene,
) -> None:
    """For the cost of one key, without waiting for the interval."""
    await scene.begin()
    await scene.stop()
    await refreshed(scene, timedelta(minutes=-10))
    damage = [{"op": "replace", "path": "/data/key", "value": "eA=="}]
    assert isinstance(await scene.cluster.patch(SECRET, scene.namespace, "wanted", damage, "somebody"), Done)
    async with scene.costs(LOGIN + VALIDATION + SINGLE, apply_Secret=1, status_ExternalSecret=1):
        await scene.holds({"key": API_KEY})
        await scene.until(lambda: scene.journal.ends("wanted")[-1:] == ["ready"])
        await scene.until(lambda: scene.journal.ends("infisical")[-2:] == ["valid"] * 2)


async def test_finalizer_of_another_controllers_days_does_not_hold_up_a_deletion(scene: Scene) -> None:
    """Found on a resource that was deleted while it was in use; finalizers of others are not touched."""
    wanted = await scene.begin()
    wanted["metadata"]["finalizers"] = [FINALIZER, "example.com/theirs"]
    await scene.apply(wanted)
    await scene.delete(EXTERNAL_SECRET, "wanted")

    async def is_off() -> bool:
        found = await scene.object(EXTERNAL_SECRET, "wanted")
        return found is not None and found["metadata"].get("finalizers") == ["example.com/theirs"]

    await scene.until(is_off)
    rest = [{"op": "remove", "path": "/metadata/finalizers"}]
    await scene.cluster.patch(EXTERNAL_SECRET, scene.namespace, "wanted", rest, "author")


async def test_resource_that_is_deleted_in_the_middle_of_its_reading_leaves_nothing(
    scene: Scene,
) -> None:
    """No Secret is made for it any more, and its token is given back."""
    await scene.begin_with_store()
    scene.server.faults.plan(Kind.SINGLE, Slow(0.5))
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    await scene.until(lambda: "fetch" in {one.to for one in scene.journal.transitions})
    await scene.delete(EXTERNAL_SECRET, "wanted")
    await scene.until(lambda: scene.journal.ends("wanted") != [])
    await scene.stop()
    assert not scene.tokens_alive()


async def test_stop_in_the_middle_of_a_reading_gives_the_token_back(scene: Scene) -> None:
    """What runs may finish; what takes too long is cancelled; no token is left alive."""
    await scene.start(drain=0.1)
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.store_ready()
    scene.server.faults.plan(Kind.SINGLE, Slow(5))
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    await scene.until(lambda: "fetch" in {one.to for one in scene.journal.transitions})
    await scene.stop()
    assert scene.journal.ends("wanted") == ["stopped"]
    assert not scene.tokens_alive()
    assert await scene.secret() is None
    assert await scene.condition(EXTERNAL_SECRET, "wanted") == {}
