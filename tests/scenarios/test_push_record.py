"""The record of what is ours at the stores: it names a secret before the first write of it, until its deletion succeeded."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from adapters.cluster import Done, Kind, Object, Written
from adapters.resources.kinds import PUSH_SECRET, SECRET_STORE
from adapters.resources.times import time_text
from reconciler.standin import Dropped, StandIn, Status
from reconciler.standin import Kind as RequestKind
from tests.scenarios.counting import CountingCluster
from tests.scenarios.pushed import (
    FOLDER,
    PUSH_FINALIZER,
    STORE_FINALIZER,
    begin_empty,
    begin_pushed,
    finalizers,
    is_gone,
    record,
    settle,
    stored,
    unguarded,
)
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene

pytestmark = pytest.mark.asyncio

ONE, TWO = entry("one", "ONE"), entry("two", "TWO")
STORE = "SecretStore/infisical"
UNREAD = ("listing", "single", "resolution", "login", "revocation")


class Ordered(CountingCluster):
    """Tells in which order PushSecrets and stores were written, and Infisical. Once, somebody else may be faster."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.cluster)
        self._server: StandIn = scene.server
        self._told: list[str] = []
        self._asked = 0
        self.meddles = False

    def order(self) -> list[str]:
        """What was written so far, each write where it was completed."""
        self._note()
        return self._told

    def anew(self) -> None:
        """Tell only what comes from now on."""
        self._asked = len(self._server.requests)
        self._told.clear()

    def _note(self, *written: str) -> None:
        asked = self._server.requests[self._asked :]
        self._asked += len(asked)
        self._told += [one.kind.value for one in asked if one.kind.value not in UNREAD]
        self._told += written

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        answer = await super().patch(kind, namespace, name, operations, manager)
        self._note(f"finalizers of {kind.name}")
        return answer

    async def patch_status(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        status: Mapping[str, Any],
        manager: str,
        *,
        version: str | None = None,
    ) -> Written:
        if self.meddles and kind == PUSH_SECRET:
            self.meddles = False
            note = [{"op": "add", "path": "/metadata/annotations", "value": {"note": "meanwhile"}}]
            assert isinstance(await self._cluster.patch(kind, namespace, name, note, "user"), Done)
        answer = await super().patch_status(kind, namespace, name, status, manager, version=version)
        if kind == PUSH_SECRET:
            self._note("record" if "syncedPushSecrets" in status else "condition")
        return answer


@pytest.fixture
def ordered(scene: Scene) -> Ordered:
    """The scene's cluster, seen through by one that tells the order of writes."""
    ordered = Ordered(scene)
    scene.counting = ordered
    return ordered


def deleting(*entries: dict[str, Any], **spec: Any) -> Object:
    """A PushSecret of policy Delete."""
    return push_secret(*entries, deletionPolicy="Delete", **spec)


@pytest.mark.parametrize(
    ("policy", "before"),
    [("Delete", ["finalizers of PushSecret", "finalizers of SecretStore"]), ("None", [])],
)
async def test_finalizers_and_the_record_stand_before_the_first_write(
    scene: Scene, ordered: Ordered, policy: str, before: list[str]
) -> None:
    await begin_empty(scene)
    ordered.anew()
    await scene.apply(source(one="1", two="2"), push_secret(ONE, TWO, deletionPolicy=policy))
    await scene.ready("pushed", PUSH_SECRET)
    await settle(scene)
    assert ordered.order() == [*before, "record", "batch creation", "condition"]
    assert await record(scene) == {STORE: ["ONE", "TWO"]}


async def test_record_grows_before_the_write_of_what_is_new_alone(scene: Scene, ordered: Ordered) -> None:
    await begin_pushed(scene, deleting(ONE), one="1", two="2")
    ordered.anew()
    async with scene.runs("pushed"):
        await scene.apply(deleting(ONE, TWO))
    assert ordered.order() == ["record", "creation", "condition"]
    ordered.anew()
    async with scene.runs("pushed"):
        await scene.apply(source(one="changed", two="2"))
    assert ordered.order()[0] == "update"
    assert "record" not in ordered.order()


async def test_record_shrinks_after_the_deletion(scene: Scene, ordered: Ordered) -> None:
    await begin_pushed(scene, deleting(ONE, TWO), one="1", two="2")
    ordered.anew()
    async with scene.runs("pushed"):
        await scene.apply(deleting(ONE))
    assert ordered.order() == ["deletion", "record"]
    ordered.anew()
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    await unguarded(scene)
    await settle(scene)
    assert ordered.order() == ["deletion", "finalizers of PushSecret", "finalizers of SecretStore"]


async def test_record_that_came_too_late_begins_the_run_again(scene: Scene, ordered: Ordered) -> None:
    """Nothing is written of a view that somebody else has changed meanwhile."""
    await begin_empty(scene)
    ordered.anew()
    ordered.meddles = True
    await scene.apply(source(one="1"), push_secret(ONE))
    await scene.ready("pushed", PUSH_SECRET)
    await settle(scene)
    assert scene.journal.ends("pushed")[:2] == ["overtaken", "ready"]
    assert ordered.order() == ["record", "record", "creation", "condition"]
    assert stored(scene) == {"ONE": "1"}
    assert await record(scene) == {STORE: ["ONE"]}


async def test_what_is_found_as_wanted_is_ours(scene: Scene, ordered: Ordered) -> None:
    """Without a write of it: it is deleted with the PushSecret all the same."""
    scene.project.set_secret("dev", FOLDER, "ONE", "1")
    await begin_empty(scene)
    scene.server.record.clear()
    await scene.apply(source(one="1"), deleting(ONE))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.requests() == Counter(single=1)
    assert scene.project.version("dev", FOLDER, "ONE") == 1
    assert await record(scene) == {STORE: ["ONE"]}
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert stored(scene) == {}


@pytest.mark.parametrize("value", ["1", "theirs"], ids=["equal", "other"])
async def test_what_is_kept_since_it_was_there_is_not_ours(scene: Scene, value: str) -> None:
    scene.project.set_secret("dev", FOLDER, "ONE", value)
    await begin_pushed(scene, deleting(ONE, TWO, updatePolicy="IfNotExists"), one="1", two="2")
    assert await record(scene) == {STORE: ["TWO"]}
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    assert stored(scene) == {"ONE": value}


@pytest.mark.parametrize("carried_out", [False, True], ids=["not-written", "answer-lost"])
async def test_controller_that_stops_between_record_and_push_loses_nothing(
    scene: Scene, carried_out: bool
) -> None:
    """What its author took out meanwhile is deleted, if it was written; what is still wanted is pushed."""
    await begin_empty(scene)
    scene.server.faults.plan(RequestKind.BATCH_CREATION, Dropped(carried_out=carried_out), times=None)
    scene.server.faults.plan(RequestKind.CREATION, Status(500), times=None)
    scene.server.faults.plan(RequestKind.LISTING, Status(500), times=None, after=1)  # what became of it
    scene.server.faults.plan(RequestKind.SINGLE, Status(500), times=None)
    await scene.apply(source(one="1", two="2"), deleting(ONE, TWO))
    await scene.ready("pushed", PUSH_SECRET, status="False")
    assert stored(scene) == ({"ONE": "1", "TWO": "2"} if carried_out else {})
    assert await record(scene) == {STORE: ["ONE", "TWO"]}
    assert await finalizers(scene) == [PUSH_FINALIZER]
    assert await finalizers(scene, SECRET_STORE, "infisical") == [STORE_FINALIZER]
    await scene.stop()
    scene.server.faults.clear()
    await scene.apply(deleting(TWO))
    await scene.start()
    await scene.ready("pushed", PUSH_SECRET)
    await scene.until(lambda: stored(scene) == {"TWO": "2"})
    await settle(scene)
    assert await record(scene) == {STORE: ["TWO"]}


async def test_failed_entry_is_remembered_beside_those_that_are_there(scene: Scene) -> None:
    """One folder refuses: what is recorded for it stays, and is pushed when it may be."""
    scene.project.add_folder("dev", "/sub")
    await begin_empty(scene)
    failing = scene.server.faults.plan(RequestKind.CREATION, Status(403), times=1)
    await scene.apply(source(one="1", two="2"), deleting(entry("one", "ONE"), entry("two", "/sub/TWO")))
    await scene.ready("pushed", PUSH_SECRET)
    assert failing.met == 1
    assert "error" in scene.journal.ends("pushed")
    assert (stored(scene), stored(scene, "/sub")) == ({"ONE": "1"}, {"TWO": "2"})
    assert await record(scene) == {STORE: ["/sub/TWO", "ONE"]}


# --- taken over from External Secrets Operator -----------------------------------------------------------------


async def left_by_the_other(scene: Scene, policy: str, *, later: bool) -> None:
    """What External Secrets Operator leaves: its finalizers, its status, and the secret that it pushed; `later`: in a
    later second than that in which the source changed last."""
    refreshed = time.time()
    await scene.apply(scene.credentials_secret(), source(one="1"))
    store = scene.store(secretsPath=FOLDER)
    pushed = push_secret(ONE, deletionPolicy=policy)
    pushed["metadata"] |= {"annotations": {"a": "1", "b": "2"}, "labels": {"x": "y"}}
    if policy == "Delete":
        store["metadata"]["finalizers"] = [STORE_FINALIZER]
        pushed["metadata"]["finalizers"] = [PUSH_FINALIZER]
    await scene.apply(store, pushed)
    if later:
        applied = int(time.time())
        await scene.until(lambda: int(time.time()) > applied)
        refreshed = time.time()
    synced = {
        "refreshTime": time_text(refreshed),
        "syncedResourceVersion": "1-6ee08b1e6308371322db46ffd6e44d85577c0ba431e835c152bee5bc",
        "syncedPushSecrets": {STORE: {"ONE": {**ONE, "conversionStrategy": "None"}}},
        "conditions": [ready("Synced", "PushSecret synced successfully")],
    }
    valid = {"capabilities": "ReadWrite", "conditions": [ready("Valid", "store validated")]}
    for kind, name, status in ((SECRET_STORE, "infisical", valid), (PUSH_SECRET, "pushed", synced)):
        answer = await scene.cluster.patch_status(kind, scene.namespace, name, status, "operator")
        assert isinstance(answer, Done)


def ready(reason: str, message: str) -> dict[str, str]:
    """The condition of what is as it should be."""
    told = {"reason": reason, "message": message, "lastTransitionTime": time_text(time.time())}
    return {"type": "Ready", "status": "True", **told}


@pytest.mark.parametrize(
    ("policy", "later"),
    [("Delete", True), ("None", True), ("Delete", False)],
    ids=["Delete", "None", "source changed since"],
)
async def test_what_another_controller_pushed_is_taken_over_without_a_write(
    scene: Scene, policy: str, later: bool
) -> None:
    """Without a look at it, unless the source may have changed since; and it is ours from then on, to change and to
    delete."""
    scene.project.set_secret("dev", FOLDER, "ONE", "1")
    await left_by_the_other(scene, policy, later=later)
    await scene.start()
    await scene.store_ready()
    await scene.until(lambda: bool(scene.journal.ends("pushed")))
    await scene.ready("pushed", PUSH_SECRET)
    assert scene.controller is not None
    await scene.controller.idle()
    asked = scene.requests()
    validation = Counter(single=1, login=1, resolution=1)
    assert asked - Counter(revocation=1) == (validation if later else validation + Counter(single=1))
    assert scene.journal.ends("pushed") == (["idle"] if later else ["ready"])
    assert scene.project.version("dev", FOLDER, "ONE") == 1
    assert scene.counting.writes["patch PushSecret"] == scene.counting.writes["patch SecretStore"] == 0
    assert await record(scene) == {STORE: ["ONE"]}
    async with scene.runs("pushed"):
        await scene.apply(source(one="2"))
    assert stored(scene) == {"ONE": "2"}
    await scene.delete(PUSH_SECRET, "pushed")
    await is_gone(scene)
    await unguarded(scene)
    assert stored(scene) == ({} if policy == "Delete" else {"ONE": "2"})
