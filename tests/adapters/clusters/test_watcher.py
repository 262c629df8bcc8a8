"""A watcher loses no change, lists no more than it must, and says how it is."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.cluster import (
    Absent,
    Change,
    ChangeType,
    Cluster,
    Denied,
    Expired,
    Listed,
    ListResult,
    Object,
    Selection,
    Unavailable,
    WatchEvent,
)
from adapters.kubernetes.connect import connect
from adapters.resources.kinds import SECRET
from adapters.watcher import IDLE_SECONDS, MAX_DELAY, Problem, Silent, Watcher
from tests.adapters.clusters.flaky import FlakyCluster
from tests.adapters.clusters.samples import MANAGER, plain, secret
from tests.apiserver.client import eventually
from tests.apiserver.server import ApiServer
from tests.simulated_loop import run_simulated, simulated

SECRETS = Selection(SECRET, "default")


class Mirror:
    """A sink that keeps what it was told."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, str]] = {}
        self.replacements = 0
        self.changes: list[tuple[ChangeType, str]] = []
        self.told = asyncio.Event()
        self.problems: list[Problem | None] = []

    def told_of(self, selection: Selection, problem: Problem | None) -> None:
        self.problems.append(problem)

    def replaced(self, objects: Sequence[Object], version: str) -> None:
        self.objects = {each["metadata"]["name"]: plain(each) for each in objects}
        self.replacements += 1
        self.told.set()

    def changed(self, change: Change) -> None:
        name = change.object["metadata"]["name"]
        self.changes.append((change.type, name))
        if change.type is ChangeType.DELETED:
            del self.objects[name]
        else:
            self.objects[name] = plain(change.object)
        self.told.set()

    async def until(self, objects: dict[str, dict[str, str]]) -> None:
        async with asyncio.timeout(60):
            while self.objects != objects:
                self.told.clear()
                await self.told.wait()


@asynccontextmanager
async def watching(
    cluster: Cluster, mirror: Mirror, selection: Selection = SECRETS
) -> AsyncIterator[Watcher]:
    watcher = Watcher(cluster, selection, mirror, lambda: 0.5, mirror.told_of)
    task = asyncio.create_task(watcher.run())
    yield watcher
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@simulated
async def test_a_list_and_then_changes_reach_the_sink() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    await cluster.apply(secret("default", "one", a="1"), MANAGER)
    async with watching(cluster, mirror) as watcher:
        assert not watcher.health.synced
        await watcher.synced()
        assert watcher.health.synced
        assert mirror.objects == {"one": {"a": "1"}}
        await cluster.apply(secret("default", "two", a="2"), MANAGER)
        await cluster.delete(SECRET, "default", "one")
        await mirror.until({"two": {"a": "2"}})
    assert mirror.changes == [(ChangeType.ADDED, "two"), (ChangeType.DELETED, "one")]
    assert cluster.lists == 1


@simulated
async def test_a_watch_that_ends_is_resumed_without_a_list() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    cluster.watch_faults = [(2, None), (2, Unavailable()), (1, Denied("watch", "secrets"))]
    async with watching(cluster, mirror) as watcher:
        await watcher.synced()
        for number in range(6):
            await cluster.apply(secret("default", f"s{number}", a="1"), MANAGER)
        await mirror.until({f"s{number}": {"a": "1"} for number in range(6)})
        assert watcher.health.problem is None
    assert [name for _, name in mirror.changes] == [f"s{number}" for number in range(6)]
    assert cluster.lists == 1


@simulated
async def test_an_expired_version_is_listed_anew_and_what_vanished_meanwhile_is_told() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    await cluster.apply(secret("default", "goes", a="1"), MANAGER)
    cluster.watch_faults = [(1, Expired())]
    async with watching(cluster, mirror) as watcher:
        await watcher.synced()
        await cluster.delete(SECRET, "default", "goes")
        await cluster.apply(secret("default", "comes", a="1"), MANAGER)
        await mirror.until({"comes": {"a": "1"}})
        await cluster.apply(secret("default", "later", a="1"), MANAGER)
        await mirror.until({"comes": {"a": "1"}, "later": {"a": "1"}})
    assert (cluster.lists, mirror.replacements) == (2, 2)


@simulated
async def test_the_first_expiry_is_not_waited_for_but_repeated_ones_are() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    cluster.watch_faults = [(1, Expired())] * 4
    await cluster.apply(secret("default", "one", a="1"), MANAGER)
    async with watching(cluster, mirror) as watcher:
        await watcher.synced()
        await asyncio.sleep(0.1)
        assert cluster.lists == 2
        await asyncio.sleep(60)
        assert cluster.lists == 5


@simulated
async def test_bookmarks_keep_a_quiet_selection_from_expiring() -> None:
    cluster, mirror = FlakyCluster(history=10), Mirror()
    async with watching(cluster, mirror) as watcher:
        await watcher.synced()
        for _ in range(20):
            for number in range(4):
                await cluster.apply(secret("default", "busy", a=str(number)), MANAGER)
            await asyncio.sleep(61)
        cluster.watch_faults = [(0, None)]
        await asyncio.sleep(200)
    assert cluster.lists == 1


@simulated
async def test_a_kind_that_is_not_installed_is_waited_for_and_told() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    cluster.list_faults = [Absent()] * 6
    async with watching(cluster, mirror) as watcher:
        await asyncio.sleep(1)
        assert watcher.health.problem == Absent()
        assert not watcher.health.synced
        await watcher.synced()
        assert watcher.health.problem is None
    assert cluster.lists == 7


@simulated
async def test_a_cluster_that_is_down_is_asked_less_and_less_often() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    cluster.list_faults = [Unavailable()] * 100
    async with watching(cluster, mirror) as watcher:
        await asyncio.sleep(10 * MAX_DELAY)
        assert 10 <= cluster.lists <= 25
        assert watcher.health.problem == Unavailable()


@simulated
async def test_a_server_that_says_when_to_come_again_is_obeyed() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    cluster.list_faults = [Unavailable(429, after=20.0)]
    async with watching(cluster, mirror) as watcher:
        await watcher.synced()
    assert asyncio.get_running_loop().time() == 21  # a little later: others were told the same


@simulated
async def test_watches_that_end_at_once_do_not_make_a_hot_loop() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    cluster.watch_faults = [(1, None)] * 1000
    async with watching(cluster, mirror) as watcher:
        await watcher.synced()
        await asyncio.sleep(60)
    assert len(cluster.watches) < 20


@simulated
async def test_what_a_sink_raises_is_not_swallowed() -> None:
    class Broken(Mirror):
        def replaced(self, objects: Sequence[Object], version: str) -> None:
            raise LookupError("a defect")

    with pytest.raises(LookupError):
        await Watcher(FlakyCluster(), SECRETS, Broken(), lambda: 0.5, lambda selection, problem: None).run()


@simulated
async def test_the_last_contact_is_told() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    async with watching(cluster, mirror) as watcher:
        await watcher.synced()
        await asyncio.sleep(45)
        assert watcher.health.contact == 0
        await asyncio.sleep(45)
        assert watcher.health.contact == 60  # a bookmark


@simulated
async def test_a_problem_is_told_once_and_its_end_too() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    cluster.list_faults = [*[Unavailable(500)] * 3, Denied("list", "secrets")]
    async with watching(cluster, mirror) as watcher:
        await watcher.synced()
        await asyncio.sleep(100)
    assert mirror.problems == [Unavailable(500), Denied("list", "secrets"), None]


@simulated
async def test_a_silent_watch_is_opened_anew_from_where_it_was_and_told() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    cluster.silences = 1
    async with watching(cluster, mirror) as watcher:
        await watcher.synced()
        await cluster.apply(secret("default", "one", a="1"), MANAGER)
        await asyncio.sleep(IDLE_SECONDS - 1)
        assert not mirror.objects
        await mirror.until({"one": {"a": "1"}})
    assert mirror.problems == [Silent(IDLE_SECONDS), None]
    assert cluster.lists == 1


@simulated
async def test_watches_that_end_after_each_change_are_not_opened_as_often_as_there_are_changes() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    cluster.watch_faults = [(2, None)] * 1000
    async with watching(cluster, mirror) as watcher:
        await watcher.synced()
        for number in range(500):
            await cluster.apply(secret("default", "busy", a=str(number)), MANAGER)
            await asyncio.sleep(0.02)
        assert len(cluster.watches) < 35
        cluster.watch_faults = []
        await mirror.until({"busy": {"a": "499"}})
    assert cluster.lists == 1


@simulated
async def test_an_expiry_after_an_outage_is_not_waited_for() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    cluster.watch_faults = [(0, Unavailable())] * 8 + [(0, Expired())]
    async with watching(cluster, mirror) as watcher:
        await watcher.synced()
        while Expired() not in mirror.problems:  # noqa: ASYNC110  # on the simulated clock
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.1)
        assert cluster.lists == 2


@simulated
async def test_who_waits_because_nobody_answered_goes_on_when_somebody_is_heard() -> None:
    cluster, mirror = FlakyCluster(), Mirror()
    cluster.list_faults = [*[Unavailable()] * 10, Unavailable(429, after=20.0)]
    async with watching(cluster, mirror) as watcher:
        await asyncio.sleep(1)
        while cluster.lists < 10:
            watcher.hurry()
            await asyncio.sleep(0.01)
        assert asyncio.get_running_loop().time() < 2
        watcher.hurry()
        await asyncio.sleep(0.01)
        watcher.hurry()  # a pause that was asked for is kept
        await watcher.synced()
        assert asyncio.get_running_loop().time() > 20


LIST_FAULTS = st.sampled_from([Unavailable(), Expired(), Denied("list", "secrets"), Absent()])
WATCH_FAULTS = st.tuples(
    st.integers(0, 4),
    st.sampled_from([None, Unavailable(), Expired(), Denied("watch", "secrets"), Absent()]),
)
MOVES = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["write", "delete", "wait"])), max_size=30)


@settings(deadline=None, max_examples=200)
@given(st.lists(LIST_FAULTS, max_size=4), st.lists(WATCH_FAULTS, max_size=8), MOVES, st.integers(3, 12))
def test_whatever_fails_the_sink_ends_with_what_the_cluster_has(
    list_faults: list[ListResult],
    watch_faults: list[tuple[int, WatchEvent | None]],
    moves: list[tuple[str, str]],
    history: int,
) -> None:
    async def play() -> None:
        cluster, mirror = FlakyCluster(history=history), Mirror()
        cluster.list_faults, cluster.watch_faults = list_faults, watch_faults
        async with watching(cluster, mirror):
            for number, (name, move) in enumerate(moves):
                match move:
                    case "write":
                        await cluster.apply(secret("default", name, a=str(number)), MANAGER)
                    case "delete":
                        await cluster.delete(SECRET, "default", name)
                    case "wait":
                        await asyncio.sleep(3)
            cluster.list_faults, cluster.watch_faults = [], []
            listed = await cluster.list(SECRETS)
            assert isinstance(listed, Listed)
            await mirror.until({each["metadata"]["name"]: plain(each) for each in listed.items})

    run_simulated(play())


@pytest.mark.apiserver
async def test_a_watcher_outlives_a_restart_of_the_server(own_apiserver: ApiServer) -> None:
    cluster = await connect({"KUBECONFIG": str(own_apiserver.access.kubeconfig)})
    mirror = Mirror()
    await cluster.apply(secret("default", "one", a="1"), MANAGER)
    async with watching(cluster, mirror) as watcher:
        await watcher.synced()
        await asyncio.to_thread(own_apiserver.halt)
        await eventually(lambda: asyncio.sleep(0, watcher.health.problem is not None))
        assert mirror.objects == {"one": {"a": "1"}}
        await asyncio.to_thread(own_apiserver.resume)
        await cluster.apply(secret("default", "two", a="2"), MANAGER)
        await mirror.until({"one": {"a": "1"}, "two": {"a": "2"}})
        assert watcher.health.problem is None
    await cluster.close()
