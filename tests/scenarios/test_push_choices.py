"""What a PushSecret chooses: stores by label, sources by selector, many keys at once, and whether what is there is kept."""

from collections import Counter
from typing import Any

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import PUSH_SECRET
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = pytest.mark.asyncio

STORE = {"storeRef": {"name": "infisical"}}


async def record(scene: Scene, store: str = "infisical") -> list[str]:
    """What is recorded as ours at a store."""
    found = await scene.object(PUSH_SECRET, "pushed")
    assert found is not None
    return sorted((found["status"].get("syncedPushSecrets") or {}).get(f"SecretStore/{store}", {}))


def labelled(store: Object, **labels: str) -> Object:
    """A store with these labels."""
    store["metadata"]["labels"] = labels
    return store


async def test_a_store_that_gets_the_label_later_and_loses_it(scene: Scene) -> None:
    """It is pushed to at once; when it has lost the label, what went there is deleted, as the policy says."""
    scene.project.add_folder("dev", "/second")
    await scene.begin_with_store()
    await scene.apply(
        labelled(scene.store(), push="yes"),
        scene.store("second", secretsPath="/second"),
        source(one="1"),
        push_secret(
            entry("one", "ONE"),
            secretStoreRefs=[{"labelSelector": {"matchLabels": {"push": "yes"}}, "kind": "SecretStore"}],
            deletionPolicy="Delete",
        ),
    )
    await scene.store_ready("second")
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/")["ONE"] == "1"
    assert scene.project.values("dev", "/second") == {}
    await scene.apply(labelled(scene.store("second", secretsPath="/second"), push="yes"))
    await scene.until(lambda: scene.project.values("dev", "/second") == {"ONE": "1"})
    await scene.apply(labelled(scene.store("second", secretsPath="/second"), push="no"))
    await scene.until(lambda: scene.project.values("dev", "/second") == {})
    assert scene.project.values("dev", "/")["ONE"] == "1"


async def test_a_selector_that_matches_no_store_is_told(scene: Scene) -> None:
    await scene.begin_with_store()
    stores = [{"labelSelector": {"matchLabels": {"push": "never"}}, "kind": "SecretStore"}]
    await scene.apply(source(one="1"), push_secret(entry("one", "ONE"), secretStoreRefs=stores))
    await scene.ready("pushed", PUSH_SECRET, status="False", said="store")
    assert "ONE" not in scene.project.values("dev", "/")


@pytest.mark.parametrize(
    ("data_to", "expected"),
    [
        ({}, {"API_ONE": "1", "API_TWO": "2", "DB_U0023_": "3"}),
        ({"match": {"regexp": "^API_"}}, {"API_ONE": "1", "API_TWO": "2"}),
        (
            {
                "match": {"regexp": "^API_"},
                "rewrite": [{"regexp": {"source": "^API_(.*)$", "target": "NEW_$1"}}],
            },
            {"NEW_ONE": "1", "NEW_TWO": "2"},
        ),
        (
            {"match": {"regexp": "^DB"}, "conversionStrategy": "ReverseUnicode"},
            {"DB#": "3"},
        ),
        ({"remoteKey": "BUNDLE", "match": {"regexp": "^API"}}, {"BUNDLE": '{"API_ONE":"1","API_TWO":"2"}'}),
    ],
    ids=["all", "matched", "rewritten", "converted", "bundle"],
)
async def test_data_to_pushes_many_keys(
    scene: Scene, data_to: dict[str, Any], expected: dict[str, str]
) -> None:
    scene.project.add_folder("dev", "/empty")
    await scene.begin_with_store(secretsPath="/empty")
    await scene.apply(source(API_ONE="1", API_TWO="2", DB_U0023_="3"), push_secret(dataTo=[STORE | data_to]))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/empty") == expected


async def test_an_explicit_entry_wins_over_data_to(scene: Scene) -> None:
    """For the key that it names: that goes there, and nowhere else."""
    scene.project.add_folder("dev", "/empty")
    await scene.begin_with_store(secretsPath="/empty")
    await scene.apply(source(one="1", two="2"), push_secret(entry("one", "RENAMED"), dataTo=[STORE]))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/empty") == {"RENAMED": "1", "two": "2"}


@pytest.mark.statement("S66")
async def test_what_is_there_is_kept_and_is_not_ours(scene: Scene) -> None:
    """IfNotExists: it is neither written, nor recorded, nor deleted later; the condition says so."""
    await scene.begin_with_store()
    scene.project.set_secret("dev", "/", "OBJECT", '{"user": "theirs"}')
    before = scene.project.values("dev", "/")
    scene.server.record.clear()
    await scene.apply(
        source(one="1"),
        push_secret(
            entry("one", "API_KEY"),
            entry("one", "OBJECT", property="user"),
            entry("one", "MADE"),
            updatePolicy="IfNotExists",
            deletionPolicy="Delete",
        ),
    )
    condition = await scene.ready("pushed", PUSH_SECRET)
    assert condition["message"] == (
        "PushSecret synced successfully. Existing secrets in providers unchanged."
    )
    assert scene.project.values("dev", "/") == before | {"MADE": "1"}
    assert scene.requests() == Counter(listing=1, creation=1)
    assert await record(scene) == ["MADE"]
    await scene.delete(PUSH_SECRET, "pushed")
    await scene.until(lambda: scene.project.values("dev", "/") == before)


async def test_every_secret_that_a_selector_matches_is_pushed(scene: Scene) -> None:
    """Also one that comes later, at once."""
    scene.project.add_folder("dev", "/empty")
    await scene.begin_with_store(secretsPath="/empty")
    first, second = source("first", one="1"), source("second", two="2")
    for secret in (first, second):
        secret["metadata"]["labels"] = {"push": "yes"}
    selector = {"secret": {"selector": {"matchLabels": {"push": "yes"}}}}
    await scene.apply(first, push_secret(dataTo=[STORE], selector=selector))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.project.values("dev", "/empty") == {"one": "1"}
    await scene.apply(second)
    await scene.until(lambda: scene.project.values("dev", "/empty") == {"one": "1", "two": "2"})


async def test_what_another_controller_left_is_taken_over_without_a_write(scene: Scene) -> None:
    """Its record, its finalizer and its status: unchanged data costs a reading."""
    await scene.begin_with_store()
    scene.project.set_secret("dev", "/", "ONE", "1")
    pushed = push_secret(entry("one", "ONE"), deletionPolicy="Delete")
    pushed["metadata"]["finalizers"] = ["pushsecret.externalsecrets.io/finalizer"]
    await scene.stop()
    await scene.apply(source(one="1"), pushed)
    match = {"match": {"secretKey": "one", "remoteRef": {"remoteKey": "ONE"}}}
    answer = await scene.cluster.patch_status(
        PUSH_SECRET,
        scene.namespace,
        "pushed",
        {
            "status": {
                "refreshTime": "2020-01-01T00:00:00Z",
                "syncedResourceVersion": "1-74a974446e359fb3e6baff9bd0058950e6edd0f040888d9989b0a11b",
                "syncedPushSecrets": {"SecretStore/infisical": {"ONE": match}},
                "conditions": [
                    {
                        "type": "Ready",
                        "status": "True",
                        "reason": "Synced",
                        "message": "PushSecret synced successfully",
                        "lastTransitionTime": "2020-01-01T00:00:00Z",
                    }
                ],
            }
        },
        "another",
    )
    assert type(answer).__name__ == "Done", answer
    await scene.start()
    await scene.until(lambda: "ready" in scene.journal.ends("pushed"))
    assert scene.project.version("dev", "/", "ONE") == 1
    assert await record(scene) == ["ONE"]
    assert scene.requests()["update"] == scene.requests()["creation"] == 0
    await scene.delete(PUSH_SECRET, "pushed")
    await scene.until(lambda: "ONE" not in scene.project.values("dev", "/"))
