"""A simulated day of a cluster: a controller, its servers, and a world that changes and fails as a seed says."""

import asyncio
import hashlib
import heapq
import itertools
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from adapters.infisical.address import Address
from adapters.infisical.transport import Transport
from adapters.journal import Subject, Transition
from adapters.local.cluster import LocalCluster
from machines.outcomes import Invalid
from reconciler.assembly import Options
from reconciler.controller import Controller
from reconciler.driver import Clock
from reconciler.metrics import Metrics
from tests.simulated_loop import wall_time
from tests.simulation.invariants import DEFECT, REVOKED, Invariants
from tests.simulation.life import Life, MortalJournal
from tests.simulation.population import Population
from tests.simulation.remote import Remote, Wire
from tests.simulation.troubles import Troubles
from tests.simulation.weather import Weather, WeatheredCluster

CLUSTER = ("cluster",)
Move = Callable[[], Awaitable[None]]


class _Noticing(Metrics):
    """Metrics that tell the checks of defects."""

    def __init__(self, checks: Invariants) -> None:
        super().__init__()
        self._checks = checks

    def defect(self, subject: Subject) -> None:
        """A run ended by a defect of the program."""
        super().defect(subject)
        self._checks.broken(DEFECT, str(subject))


class Day:
    """Everything that takes part in one simulated day."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.troubles = Troubles(wall_time)
        self.cluster = LocalCluster(
            lambda: datetime.fromtimestamp(wall_time(), UTC), identify=_numbered(random.Random(seed + 1))
        )
        self.weather = Weather()
        self.remote = Remote(self.chance, wall_time)
        self.population = Population(self.cluster, self.remote, self.troubles, self.chance, wall_time)
        self.checks = Invariants(self.cluster, self.population, self.troubles, self.remote.hosts)
        self.controller: Controller | None = None
        self.lives = 0
        self.digest = hashlib.blake2b(digest_size=16)
        self._life = Life()
        self._task: asyncio.Task[None] | None = None
        self._agenda: list[tuple[float, int, Move]] = []
        self._count = itertools.count()

    # --- what the controller is told to tell ---------------------------------------------------------------

    def record(self, transition: Transition) -> None:
        """One line of the journal: into the digest, and to the checks."""
        self._look()
        line = (
            f"{transition.run} {transition.step} {transition.at:.6f} {transition.subject} {transition.state}"
            f" {type(transition.outcome).__name__} {transition.to}\n"
        )
        self.digest.update(line.encode())
        self.checks.record(transition)

    def _look(self) -> None:
        self.checks.now = wall_time()
        self.checks.loop_time = asyncio.get_running_loop().time()
        self.checks.tick()

    # --- lives of the controller ---------------------------------------------------------------------------

    async def begin(self) -> None:
        """Start a controller, and wait until it has seen the cluster."""
        self.lives += 1
        life = self._life = Life()
        chance = random.Random(self.chance.random())
        wires: dict[str, Wire] = {}

        def connect(address: Address, certificates: bytes) -> Transport | Invalid:
            host = next(host for host in self.remote.hosts.values() if host.url == address.url)
            return wires.setdefault(host.name, Wire(host, life, chance, self._listener))

        controller = self.controller = Controller(
            WeatheredCluster(self.cluster, self.weather, life, chance, self._listener),
            connect,
            MortalJournal(life, self),
            Clock(wall_time),
            chance,
            Options(),
            _Noticing(self.checks),
        )
        self.checks.leases_alive = lambda: controller.surroundings.leases.alive
        self._task = asyncio.create_task(controller.run())

    @property
    def _listener(self) -> "_Looking":
        return _Looking(self)

    async def stop(self) -> None:
        """Stop the controller as one does."""
        assert self.controller is not None
        assert self._task is not None
        unrevoked = await self.controller.stop()
        await asyncio.wait([self._task])
        self._life.alive = False
        excused = self.checks.stray_tokens + len(unrevoked)
        self.checks.killed()
        if self.checks.stray_tokens > excused:
            self.checks.broken(REVOKED, f"{self.checks.stray_tokens}, and {excused} are excused")

    async def crash(self) -> None:
        """The controller's process dies in the middle of whatever it does."""
        self._life.alive = False
        self.checks.killed()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    # --- time ----------------------------------------------------------------------------------------------

    def later(self, delay: float, move: Move) -> None:
        """Let something happen after so many seconds."""
        at = asyncio.get_running_loop().time() + delay
        heapq.heappush(self._agenda, (at, next(self._count), move))

    async def pass_until(self, time: float) -> None:
        """Let it become this time on the loop's clock, with all that is to happen until then, and look once a minute.

        Raises Violation.
        """
        loop = asyncio.get_running_loop()
        while (now := loop.time()) < time:
            until = min(time, now + 60.0, self._agenda[0][0] if self._agenda else time)
            await asyncio.sleep(until - now)
            while self._agenda and self._agenda[0][0] <= loop.time():
                _, _, move = heapq.heappop(self._agenda)
                self._look()
                await move()
            self.look()

    @property
    def loop_time(self) -> float:
        """The loop's clock, in seconds."""
        return asyncio.get_running_loop().time()

    @property
    def next_on_agenda(self) -> float | None:
        """When the next thing is to happen, on the loop's clock; None: nothing is."""
        return self._agenda[0][0] if self._agenda else None

    def look(self) -> None:
        """Raises Violation, and what the controller raised."""
        self._look()
        self.checks.raise_first()
        if self._task is not None and self._task.done() and self._life.alive:
            self._task.result()


class _Looking:
    """Tells the checks of what happens, after they looked at the clock."""

    def __init__(self, day: Day) -> None:
        self._day = day

    def __getattr__(self, name: str) -> Callable[..., None]:
        self._day._look()
        told: Callable[..., None] = getattr(self._day.checks, name)
        return told


def _numbered(chance: random.Random) -> Callable[[], str]:
    def identify() -> str:
        text = f"{chance.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    return identify
