"""Processes that stand for election on one local cluster, in simulated time, and what each of them does while it leads."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from adapters.cluster import Cluster, Done, Kind, Object, Read, Unavailable, Written
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import LEASE
from reconciler.driver import Clock
from reconciler.election import Candidacy, Election, LeadershipLost
from reconciler.fence import Fence, FenceShut
from tests.scenarios.counting import CountingCluster
from tests.simulated_loop import wall_time

NAMESPACE, NAME = "default", "infisical-reconciler"
BEAT = 0.25  # seconds between two pieces of a leader's work


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


class Worked(NamedTuple):
    """A piece of work that arrived where it was sent: when, whose, and in which of its times as a leader."""

    at: float
    process: str
    term: int


class Way:
    """A way to the API server. What was sent arrives, even where the sender waits no more."""

    def __init__(self, chance: random.Random, slowness: float) -> None:
        self._chance = chance
        self.slowness = slowness  # seconds that sending takes at most, and the answer too
        self.refuses = False
        self.hangs = False
        self.loses_answers = False

    async def carry(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Send, and bring the answer; Unavailable where there is none."""
        if self.hangs:
            await asyncio.get_running_loop().create_future()
        if self.refuses:
            return Unavailable()
        delay = self._chance.uniform(0.0, self.slowness)

        async def arrive() -> Any:
            await asyncio.sleep(delay)
            return await work()

        answer = await asyncio.shield(asyncio.ensure_future(arrive()))
        await asyncio.sleep(self._chance.uniform(0.0, self.slowness))
        if self.hangs:
            await asyncio.get_running_loop().create_future()
        return Unavailable() if self.refuses or self.loses_answers else answer


class OnTheWay(CountingCluster):
    """The cluster at the end of a way."""

    def __init__(self, cluster: Cluster, way: Way) -> None:
        super().__init__(cluster)
        self._inner = cluster
        self._way = way

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        answer: Read = await self._way.carry(lambda: self._inner.get(kind, namespace, name))
        return answer

    async def create(self, object: Object, manager: str) -> Written:
        answer: Written = await self._way.carry(lambda: self._inner.create(object, manager))
        return answer

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        answer: Written = await self._way.carry(
            lambda: self._inner.patch(kind, namespace, name, operations, manager)
        )
        return answer


class Process:
    """One candidate, which works while it leads, as fast as it may."""

    def __init__(self, place: "Place", name: str, skew: float) -> None:
        self.name = name
        self.skew = skew  # seconds that its clock is wrong by
        self.stands_at: float | None = None  # where its clock stands still
        self.way = Way(place.chance, place.slowness)
        self.lost: LeadershipLost | None = None
        self.term = 0
        self._place = place
        self._fence = Fence()
        clock = Clock(lambda: (wall_time() if self.stands_at is None else self.stands_at) + self.skew)
        candidacy = Candidacy(NAMESPACE, NAME, name)
        cluster = OnTheWay(place.cluster, self.way)
        self.election = Election(cluster, candidacy, clock, place.chance.random, self._fence)
        self._standing = asyncio.create_task(self._stand())
        self._working = asyncio.create_task(self._work())

    async def _stand(self) -> None:
        try:
            await self.election.run()
        except LeadershipLost as lost:
            self.lost = lost  # its work goes on, as far as its fence lets it: nothing else must be needed

    async def _work(self) -> None:
        await self.election.elected.wait()
        self.term = self._place.terms = self._place.terms + 1
        while True:
            with contextlib.suppress(FenceShut):
                await self._fence.passed(lambda: self.way.carry(self._arrive))
            await asyncio.sleep(BEAT)

    async def _arrive(self) -> None:
        self._place.work.append(Worked(now(), self.name, self.term))

    @property
    def leads(self) -> bool:
        """Whether it leads, and is there."""
        return self.election.leads and not self.is_over

    @property
    def is_over(self) -> bool:
        """Whether it stands no more."""
        return self._standing.done()

    async def kill(self) -> None:
        """It is gone, without a word."""
        self._standing.cancel()
        self._working.cancel()
        await asyncio.wait([self._standing, self._working])

    async def stop(self) -> None:
        """It ends in order."""
        await self.kill()
        await self.election.release()


class Place:
    """A cluster, and the processes on it."""

    def __init__(self, slowness: float = 0.01, seed: int = 1) -> None:
        self.cluster = LocalCluster(lambda: datetime.fromtimestamp(wall_time(), UTC))
        self.chance = random.Random(seed)
        self.slowness = slowness
        self.work: list[Worked] = []
        self.terms = 0
        self.processes: list[Process] = []

    def start(self, skew: float = 0.0) -> Process:
        """Another process."""
        process = Process(self, f"process-{len(self.processes) + 1}", skew)
        self.processes.append(process)
        return process

    async def until(self, holds: Callable[[], object], patience: float = 60.0) -> float:
        """Wait until something holds; the time."""
        async with asyncio.timeout(patience):
            while True:
                if holds():
                    return now()
                await asyncio.sleep(0.01)

    async def lease(self) -> Object:
        """The Lease as it is."""
        read = await self.cluster.get(LEASE, NAMESPACE, NAME)
        assert isinstance(read, Done)
        assert read.object is not None
        return read.object

    async def end(self) -> None:
        """Everybody is gone."""
        for process in self.processes:
            await process.kill()
        await asyncio.sleep(60.0)  # what is on its way arrives

    def no_two_at_once(self) -> None:
        """Nobody's work comes between that of another, nor after it."""
        terms = [one.term for one in self.work]
        assert terms == sorted(terms), self.work
