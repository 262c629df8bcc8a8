"""Events: what `kubectl describe` shows of what happened, and how little is written for it."""

import asyncio
import contextlib
import datetime
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.cluster import (
    Absent,
    Cluster,
    Denied,
    Listed,
    Object,
    Refused,
    Selection,
    Unavailable,
    Written,
)
from adapters.kubernetes.connect import connect
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import CLUSTER_SECRET_STORE, EVENT
from reconciler.events import EventRecorder
from tests.apiserver.access import Access
from tests.reconciler.objects import external_secret, store
from tests.scenarios.counting import CountingCluster
from tests.simulated_loop import simulated, wall_time


class Refusing(CountingCluster):
    """A cluster that answers writes of events as it is told; `answer` None: as it should."""

    answer: Written | None = None

    async def create(self, object: Object, manager: str) -> Written:
        """Make an object, or not."""
        made = await super().create(object, manager)
        return made if self.answer is None else self.answer


class Recording:
    """A recorder at work on a local cluster, on simulated time."""

    def __init__(self) -> None:
        local = LocalCluster(lambda: datetime.datetime.fromtimestamp(wall_time(), datetime.UTC))
        local.ensure_namespace("team")
        self.cluster = Refusing(local)
        self.complaints: list[str] = []
        self.busy = False
        self.recorder = EventRecorder(self.cluster, wall_time, self.complaints.append, lambda: self.busy)

    @property
    def written(self) -> int:
        """How many requests were made."""
        return self.cluster.events

    async def events(self) -> list[Object]:
        """All events, in the order of their names."""
        await self.recorder.flush()
        listed = await self.cluster.list(Selection(EVENT))
        assert isinstance(listed, Listed)
        return listed.items


@contextlib.asynccontextmanager
async def recording() -> AsyncIterator[Recording]:
    """A recorder at work."""
    it = Recording()
    task = asyncio.create_task(it.recorder.run())
    try:
        yield it
    finally:
        task.cancel()
        await asyncio.wait([task])


ABOUT = external_secret()


@simulated
async def test_event_says_what_happened_to_which_object() -> None:
    """Everything that `kubectl describe` finds and shows it by."""
    async with recording() as it:
        it.recorder.emit(ABOUT, "UpdateFailed", "no such key", warning=True)
        [event] = await it.events()
    assert (event["type"], event["reason"], event["note"]) == ("Warning", "UpdateFailed", "no such key")
    assert event["metadata"]["namespace"] == "team"
    assert event["regarding"] == {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "namespace": "team",
        "name": "wanted",
        "uid": "uid-wanted",
        "resourceVersion": "1",
    }
    assert event["eventTime"].startswith("2025-10-09T")


@simulated
async def test_event_about_a_cluster_wide_object_is_in_the_namespace_default() -> None:
    """Where an API server wants it."""
    async with recording() as it:
        it.recorder.emit(store("shared", CLUSTER_SECRET_STORE), "Valid", "store validated")
        [event] = await it.events()
    assert event["metadata"]["namespace"] == "default"
    assert "namespace" not in event["regarding"]
    assert event["type"] == "Normal"


@simulated
async def test_same_event_again_is_counted_on_the_first() -> None:
    """One event, with a count and the time of the last."""
    async with recording() as it:
        for _ in range(3):
            it.recorder.emit(ABOUT, "UpdateFailed", "no such key", warning=True)
            await asyncio.sleep(100.0)
        [event] = await it.events()
    assert event["series"]["count"] == 3
    assert event["series"]["lastObservedTime"] > event["eventTime"]


@simulated
async def test_repeated_event_is_written_once_a_minute_at_most() -> None:
    """However often it happens."""
    async with recording() as it:
        for _ in range(1_200):  # ten minutes
            it.recorder.emit(ABOUT, "UpdateFailed", "no such key", warning=True)
            await asyncio.sleep(0.5)
        [event] = await it.events()
    assert it.written <= 11
    assert event["series"]["count"] > 1_000


@simulated
async def test_what_happens_again_after_ten_quiet_minutes_is_a_new_event() -> None:
    """The first tells of another time."""
    async with recording() as it:
        it.recorder.emit(ABOUT, "Created", "created Secret")
        await asyncio.sleep(601.0)
        it.recorder.emit(ABOUT, "Created", "created Secret")
        events = await it.events()
    assert len(events) == 2
    assert not any("series" in event for event in events)


@simulated
async def test_events_that_differ_are_told_apart() -> None:
    """By object, type, reason and message; at the same moment too."""
    async with recording() as it:
        for about in (ABOUT, external_secret("another"), external_secret(uid="made-anew")):
            for reason, message, warning in (
                ("A", "a", False),
                ("A", "b", False),
                ("B", "a", False),
                ("A", "a", True),
            ):
                it.recorder.emit(about, reason, message, warning=warning)
        assert len(await it.events()) == 12


@simulated
async def test_names_do_not_meet_although_old_ones_are_forgotten() -> None:
    """At one and the same moment, more events than are remembered."""
    async with recording() as it:
        for number in range(10_002):
            it.recorder.emit(ABOUT, "A", str(number))
            if number % 5_000 == 0:
                await it.recorder.flush()
        assert len(await it.events()) == 10_002
    assert it.complaints == []


@simulated
async def test_what_waits_is_bounded() -> None:
    """While the API server is slow, memory does not grow; that some are lost is told once."""
    it = Recording()  # nobody writes yet
    for number in range(25_000):
        it.recorder.emit(ABOUT, "A", str(number))
    assert len(it.complaints) == 1
    task = asyncio.create_task(it.recorder.run())
    await it.recorder.flush()
    task.cancel()
    await asyncio.wait([task])
    assert it.written == 10_000


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Denied("create", "events"), "may not create events; check its ClusterRole"),
        (Refused("note"), "refuses"),
        (Unavailable(503), "some are lost"),
    ],
)
def test_failure_to_write_is_complained_about_once(answer: Written, said: str) -> None:
    """And says what to do, where there is something to do; nothing else suffers."""

    @simulated
    async def test() -> None:
        async with recording() as it:
            it.cluster.answer = answer
            for number in range(5):
                it.recorder.emit(ABOUT, "A", str(number))
            await it.recorder.flush()
            [complaint] = it.complaints
            assert said in complaint

    test()


@simulated
async def test_event_that_could_not_be_written_is_told_anew_when_it_happens_again() -> None:
    """It does not count up an event that is not there."""
    async with recording() as it:
        it.cluster.answer = Unavailable(503)
        it.recorder.emit(ABOUT, "A", "a")
        await it.recorder.flush()
        it.cluster.answer = None
        before = it.written
        it.recorder.emit(ABOUT, "A", "a")
        await it.recorder.flush()
        assert it.written == before + 1
        assert {event["reason"] for event in await it.events()} == {"A"}


@simulated
async def test_event_outlives_an_outage_of_half_a_minute() -> None:
    """It is tried again less and less often, and nobody complains."""
    async with recording() as it:
        it.cluster.answer = Unavailable(503)
        it.recorder.emit(ABOUT, "A", "a")
        await asyncio.sleep(20.0)
        it.cluster.answer = None
        await it.recorder.flush()
        assert it.complaints == []
        assert it.written == 6
        assert len(await it.events()) == 1


@simulated
async def test_events_of_a_namespace_that_is_going_are_lost_without_a_word() -> None:
    """There is nobody to read them, and nothing to mend."""
    async with recording() as it:
        it.cluster.answer = Absent()
        it.recorder.emit(ABOUT, "A", "a")
        await it.recorder.flush()
        assert it.complaints == []


@simulated
async def test_long_message_is_cut_where_the_api_server_would_refuse_it() -> None:
    """At 1024 bytes, not in the middle of a character."""
    async with recording() as it:
        for message in ("x" * 3_000, "ä" * 3_000, "x" + "ä" * 3_000, "x" * 1_024):
            it.recorder.emit(ABOUT, "A", message)
        notes = [event["note"] for event in await it.events()]
    assert all(1_021 <= len(note.encode()) <= 1_024 for note in notes)
    assert sorted(note.endswith("…") for note in notes) == [False, True, True, True]


# --- on a real API server ---------------------------------------------------------------------------------------


@simulated
async def test_events_of_a_burst_are_written_slowly_until_it_is_over() -> None:
    """They do not take the API server's time from what they tell of."""
    async with recording() as it:
        it.busy = True
        for number in range(100):
            it.recorder.emit(ABOUT, "Created", f"Secret {number} created")
        await asyncio.sleep(1.0)
        assert 15 <= it.written <= 25
        it.busy = False
        await asyncio.sleep(0.2)
        assert it.written == 100


def awkward_objects(namespace: str) -> list[Object]:
    """Objects whose names and messages are as long and as odd as they can be."""
    names = ("wanted", "a" * 253, "b" * 199 + "-" + "c" * 50, ".".join(["d" * 49] * 5))
    abouts = [external_secret(name, namespace=namespace) for name in names]
    return [*abouts, store("cluster-" + namespace, CLUSTER_SECRET_STORE)]


@pytest.mark.apiserver
async def test_real_api_server_takes_every_event(apiserver: Access, namespace: str) -> None:
    """Long names, long messages, cluster-wide objects, and counts."""
    cluster = await connect({"KUBECONFIG": str(apiserver.kubeconfig)})
    complaints: list[str] = []
    clock = time.time()
    recorder = EventRecorder(cluster, lambda: clock, complaints.append, lambda: False)
    task = asyncio.create_task(recorder.run())
    messages = ("secret synced", "x" * 3_000, "ä" * 2_000)
    for _ in range(2):
        for about in awkward_objects(namespace):
            for message in messages:
                recorder.emit(about, "UpdateFailed", message, warning=True)
        await recorder.flush()
        clock += 61.0
    task.cancel()
    await asyncio.wait([task])
    assert complaints == []
    events = [*await listed(cluster, namespace), *await listed(cluster, "default")]
    ours = [
        one for one in events if namespace in (one["metadata"]["namespace"], one["regarding"]["name"][8:])
    ]
    assert len(ours) == 15
    assert {one["series"]["count"] for one in ours} == {2}
    await cluster.close()


async def listed(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    """The events of a namespace."""
    answer = await cluster.list(Selection(EVENT, namespace=namespace))
    assert isinstance(answer, Listed)
    return answer.items
