"""First things first, on the simulated clock: what is new on a healthy store does not wait for what is slow or old."""

import asyncio
import base64
import random
from datetime import UTC, datetime

import pytest

from adapters.cluster import Done, Kind, Object
from adapters.infisical.address import Address
from adapters.infisical.transport import Answer, Request
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import EXTERNAL_SECRET, SECRET_STORE
from reconciler.assembly import Options
from reconciler.conditions import ready_of
from reconciler.controller import Controller
from reconciler.driver import Clock
from reconciler.metrics import Metrics
from reconciler.standin import ADMIN, InProcess, StandIn
from tests.scenarios.collected import Collected
from tests.simulated_loop import simulated, wall_time

WAITING = 2000
SLOW, WELL = "slow.example", "well.example"


class _Wire:
    """A transport with a latency that can be changed."""

    def __init__(self, server: StandIn) -> None:
        self.seconds = 0.02
        self._inner = InProcess(server)

    async def send(self, request: Request) -> Answer:
        """Answer the request once, late."""
        answer = await self._inner.send(request)
        await asyncio.sleep(self.seconds)
        return answer


class _Scene:
    """Two servers, a store for each, a controller."""

    def __init__(self) -> None:
        self.cluster = LocalCluster(lambda: datetime.fromtimestamp(wall_time(), UTC))
        self.servers = {name: StandIn(wall_time) for name in (SLOW, WELL)}
        self.wires = {name: _Wire(server) for name, server in self.servers.items()}
        self.controller = Controller(
            self.cluster, self._connect, Collected(), Clock(wall_time), random.Random(1), Options(), Metrics()
        )
        self._task = asyncio.create_task(self.controller.run())

    def _connect(self, address: Address, certificates: bytes) -> _Wire:
        return self.wires[str(address.host).removeprefix("https://")]

    async def begin(self) -> None:
        """A store for each server, ready; each resource has a folder of its own there."""
        for name, server in self.servers.items():
            project = server.add_project("app", environments=["dev"])
            for number in range(WAITING + 1):
                project.set_secret("dev", f"/{number}", "KEY", f"value {number}")
                project.set_secret("dev", f"/{number}", "OTHER", f"other {number}")
            credentials = server.add_machine("reader", {project: ADMIN})
            await self._apply(_login(name, credentials.client_id, credentials.client_secret), _store(name))
        for name in self.servers:
            await self.until(SECRET_STORE, name)

    async def _apply(self, *objects: Object) -> None:
        for object in objects:
            assert isinstance(await self.cluster.apply(object, "author"), Done)

    async def create(self, store: str, number: int) -> str:
        """A resource of a store; its name."""
        name = f"{store.partition('.')[0]}-{number}"
        await self._apply(_resource(name, store, number))
        return name

    async def until(self, kind: Kind, name: str) -> None:
        """Wait until it is ready."""
        while True:
            found = await self.cluster.get(kind, "default", name)
            assert isinstance(found, Done)
            assert found.object is not None
            if (ready_of(found.object) or {}).get("status") == "True":
                return
            await asyncio.sleep(0.01)

    async def seconds_to_sync(self, store: str) -> float:
        """How long a new resource takes from its creation until it is ready."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self.until(EXTERNAL_SECRET, await self.create(store, WAITING))
        return loop.time() - began

    async def stop(self) -> None:
        """Stop the controller."""
        for wire in self.wires.values():
            wire.seconds = 0.0
        await self.controller.stop()
        await asyncio.wait([self._task])

    @property
    def running(self) -> int:
        """How many runs are under way."""
        return len(self.controller._runner.running)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_new_resource_does_not_wait_for_refreshes_of_a_slow_store(share: float) -> None:
    """Two thousand are due at once, all or half of them on a store that needs ten seconds for each answer."""

    @simulated
    async def course() -> float:
        scene = _Scene()
        await scene.begin()
        for number in range(WAITING):
            await scene.create(SLOW if number < share * WAITING else WELL, number)
        await asyncio.sleep(600.0)  # all are synced
        scene.wires[SLOW].seconds = 10.0
        await asyncio.sleep(3000.0 + 45.0)
        assert scene.running >= 48, "they run because their interval has passed"
        seconds = await scene.seconds_to_sync(WELL)
        await scene.stop()
        return seconds

    assert course() < 1.0


@simulated
async def test_new_resource_does_not_wait_for_new_ones_of_a_slow_store() -> None:
    """Two thousand that are new as well have taken all the places that one store can have."""
    scene = _Scene()
    await scene.begin()
    scene.wires[SLOW].seconds = 10.0
    for number in range(WAITING):
        await scene.create(SLOW, number)
    await asyncio.sleep(25.0)
    assert scene.running > 100
    assert await scene.seconds_to_sync(WELL) < 1.0
    await scene.stop()


def _login(store: str, client_id: str, client_secret: str) -> Object:
    data = {"clientId": client_id, "clientSecret": client_secret}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"{store}-login", "namespace": "default"},
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
    }


def _store(name: str) -> Object:
    credentials = {field: {"name": f"{name}-login", "key": field} for field in ("clientId", "clientSecret")}
    infisical = {
        "hostAPI": f"https://{name}",
        "auth": {"universalAuthCredentials": credentials},
        "secretsScope": {"projectSlug": "app", "environmentSlug": "dev"},
    }
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "SecretStore",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"provider": {"infisical": infisical}, "refreshInterval": 100_000},
    }


def _resource(name: str, store: str, number: int) -> Object:
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"name": store},
            "data": [
                {"secretKey": key.lower(), "remoteRef": {"key": f"/{number}/{key}"}}
                for key in ("KEY", "OTHER")
            ],
        },
    }
