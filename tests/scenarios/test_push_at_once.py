"""A change of the source is at Infisical at once: after 0.3 s of quiet, 0.8 s at most; on a clock that jumps."""

import asyncio
import base64
import datetime
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.cluster import Done, Object
from adapters.infisical.transport import Transport
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import SECRET
from reconciler.assembly import Options
from reconciler.controller import Controller
from reconciler.demonstration import example_project
from reconciler.driver import Clock
from reconciler.metrics import Metrics
from reconciler.settling import LONGEST, QUIET
from reconciler.standin import ADMIN, InProcess, Kind, StandIn
from tests.scenarios.collected import Collected
from tests.scenarios.manifests import CREDENTIALS, example
from tests.scenarios.pushing import entry, push_secret
from tests.simulated_loop import simulated, wall_time

MOMENT = 0.05  # seconds that everything but waiting for quiet may take: in the process it is nothing
FOLDER = "/pushed"


class Player:
    """A cluster and a server in one process, and how the server's value of ONE changed."""

    def __init__(self) -> None:
        self.cluster = LocalCluster(lambda: datetime.datetime.fromtimestamp(wall_time(), datetime.UTC))
        self.server = StandIn(wall_time)
        self.project = example_project(self.server)
        self.project.add_folder("dev", FOLDER)
        self.credentials = self.server.add_machine("player", {self.project: ADMIN})

    async def apply(self, object: Object) -> None:
        object["metadata"].setdefault("namespace", "default")
        assert isinstance(await self.cluster.apply(object, "author"), Done)

    async def secret(self, name: str, **data: str) -> None:
        """Apply a Secret."""
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
        await self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": encoded})

    def value(self) -> str | None:
        """What the server has."""
        values: dict[str, str] = self.project.values("dev", FOLDER)
        return values.get("ONE")

    def writes(self) -> list[float]:
        """When it was written, on the loop's clock."""
        begin = wall_time() - asyncio.get_running_loop().time()
        kinds = (Kind.CREATION, Kind.UPDATE)
        return [asked.at - begin for asked in self.server.requests if asked.kind in kinds]

    async def comes(self, value: str) -> float:
        """Wait until the server has a value; the time."""
        async with asyncio.timeout(60):
            while True:
                if self.value() == value:
                    break
                await asyncio.sleep(0.001)
        return asyncio.get_running_loop().time()


@asynccontextmanager
async def pushed() -> AsyncIterator[Player]:
    """A controller that has pushed the source's value `0`; nothing is counted of that."""
    player = Player()
    await player.secret(
        CREDENTIALS, clientId=player.credentials.client_id, clientSecret=player.credentials.client_secret
    )
    store = example("store-universal-auth", "SecretStore")
    store["metadata"] = {"name": "infisical"}
    infisical = store["spec"]["provider"]["infisical"]
    infisical["hostAPI"] = "http://infisical.example:8080"
    infisical["secretsScope"] |= {"secretsPath": FOLDER}
    await player.apply(store)
    await player.secret("source", one="0")
    await player.apply(push_secret(entry("one", "ONE")))

    def connect(address: object, pem: bytes) -> Transport:
        del address, pem
        return InProcess(player.server)

    controller = Controller(
        player.cluster,
        connect,
        Collected(),
        Clock(wall_time),
        random.Random(1),
        Options(drain=0.0),
        Metrics(),
    )
    running = asyncio.create_task(controller.run())
    await player.comes("0")
    await asyncio.sleep(30.0)
    player.server.record.clear()
    yield player
    await controller.stop()
    await asyncio.gather(running, return_exceptions=True)


@simulated
async def test_one_change_is_there_after_a_short_quiet() -> None:
    async with pushed() as player:
        began = asyncio.get_running_loop().time()
        await player.secret("source", one="1")
        took = await player.comes("1") - began
        assert QUIET <= took <= QUIET + MOMENT


@simulated
async def test_ten_changes_make_one_write_of_the_last() -> None:
    async with pushed() as player:
        began = asyncio.get_running_loop().time()
        for number in range(1, 11):
            await player.secret("source", one=str(number))
            last = asyncio.get_running_loop().time()
            await asyncio.sleep(0.04)
        took = await player.comes("10") - last
        assert QUIET <= took <= QUIET + MOMENT
        await asyncio.sleep(60.0)
        assert len(player.writes()) == 1
        assert player.writes()[0] - began <= LONGEST
        assert player.server.counts()[Kind.SINGLE] == 1


@simulated
async def test_changes_that_do_not_end_are_written_all_the_same() -> None:
    """Each is there 0.8 s after it at the latest; not one write for each of them either."""
    async with pushed() as player:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number in range(1, 41):
            await player.secret("source", one=str(number))
            await asyncio.sleep(0.1)
        lasted = loop.time() - began
        await player.comes("40")
        times = [began, *player.writes()]
        gaps = [after - before for before, after in itertools.pairwise(times)]
        assert max(gaps) <= LONGEST + 0.1 + MOMENT  # a wait begins with the first change after a write
        assert len(gaps) <= lasted / LONGEST + 2


@simulated
async def test_source_that_appears_is_pushed_at_once_and_time_does_not_matter() -> None:
    """With a refresh interval of an hour, and of none."""
    async with pushed() as player:
        for interval in ("1h", "0"):
            await player.apply(push_secret(entry("one", "ONE"), refreshInterval=interval))
            await asyncio.sleep(5.0)
            assert isinstance(await player.cluster.delete(SECRET, "default", "source"), Done)
            await asyncio.sleep(5.0)
            began = asyncio.get_running_loop().time()
            await player.secret("source", one=interval)
            took = await player.comes(interval) - began
            assert took <= LONGEST


@simulated
async def test_one_s_own_writes_start_nothing() -> None:
    async with pushed() as player:
        await player.secret("source", one="1")
        await player.comes("1")
        await asyncio.sleep(60.0)
        assert player.server.counts()[Kind.SINGLE] == 1
        assert len(player.writes()) == 1
