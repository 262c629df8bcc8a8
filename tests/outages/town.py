"""Very many resources of a few servers, a controller that looks after them, and outages; on simulated time."""

import asyncio
import base64
import datetime
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from adapters.cluster import Done, Object
from adapters.infisical.address import Address
from adapters.infisical.transport import Answer, Request, TransportError, Unreachable
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import EXTERNAL_SECRET, SECRET, SECRET_STORE
from reconciler.assembly import Options
from reconciler.controller import Controller
from reconciler.driver import Clock
from reconciler.metrics import Metrics
from reconciler.standin import ADMIN, Credentials, InProcess, Kind, Limits, Slow, StandIn
from tests.scenarios.collected import Collected
from tests.scenarios.counting import CountingCluster
from tests.simulated_loop import wall_time

LATENCY = 0.02  # seconds in which a server answers


class Server:
    """One Infisical server, reachable or not. `most` is how many requests were under way at once."""

    def __init__(self, name: str) -> None:
        self.url = f"https://{name}.com"
        self.standin = StandIn(wall_time)
        self.project = self.standin.add_project("my-project")
        self.credentials: Credentials = self.standin.add_machine("reader", {self.project: ADMIN})
        self.standin.faults.plan("*", Slow(LATENCY), times=None)
        self._way = InProcess(self.standin)
        self.down: Unreachable | None = None
        self.hangs = False
        self.attempts: list[tuple[float, str]] = []
        self.under_way = 0
        self.most = 0

    async def send(self, request: Request) -> Answer:
        """Answers, hangs, or is not to be reached. Raises TransportError."""
        self.attempts.append((now(), request.path))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if self.hangs:
                await asyncio.sleep(30)
                raise TransportError(Unreachable.TIMED_OUT)
            if self.down is not None:
                raise TransportError(self.down)
            return await self._way.send(request)
        finally:
            self.under_way -= 1

    @property
    def probes(self) -> int:
        """How often it was asked for its status."""
        return sum(path == "/api/status" for _, path in self.attempts)

    def refusals(self) -> int:
        """How often it answered that there were too many requests."""
        return sum(asked.status == 429 for asked in self.standin.requests)

    def limit(self, limits: Limits) -> None:
        """From now on it has these limits."""
        self.standin.limit(limits)

    def counts(self) -> Counter[Kind]:
        """What it was asked, by kind."""
        return self.standin.counts()


class Town:
    """A cluster with a store for each server, and the moves of its users."""

    def __init__(self, *names: str) -> None:
        self.servers = {name: Server(name) for name in names}
        self.cluster = CountingCluster(
            LocalCluster(lambda: datetime.datetime.fromtimestamp(wall_time(), datetime.UTC))
        )
        self.journal = Collected()
        self.metrics = Metrics()
        self.controller = self._controller()

    def _controller(self) -> Controller:
        options = Options(store_interval=300.0)
        return Controller(
            self.cluster,
            self._connect,
            self.journal,
            Clock(wall_time),
            random.Random(1),
            options,
            self.metrics,
        )

    def _connect(self, address: Address, certificates: bytes) -> Server:
        del certificates
        return self.servers[address.host.removeprefix("https://").removesuffix(".com")]

    async def restarted(self) -> None:
        """From now on there is another controller, which knows nothing; to be used between two `runs`."""
        self.controller = self._controller()

    @asynccontextmanager
    async def runs(self) -> AsyncIterator[None]:
        """The controller runs while the block lasts. What it raised is raised at the end."""
        task = asyncio.ensure_future(self.controller.run())
        try:
            yield
        finally:
            await self.controller.stop()
            await asyncio.gather(task, return_exceptions=True)
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    # --- manifests -----------------------------------------------------------------------------------------

    async def store(self, name: str) -> None:
        """Credentials and a SecretStore for a server."""
        server = self.servers[name]
        login = {
            "clientId": server.credentials.client_id,
            "clientSecret": server.credentials.client_secret,
        }
        await self.apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": f"{name}-login", "namespace": "default"},
                "stringData": login,
            }
        )
        auth = {key: {"name": f"{name}-login", "key": key} for key in login}
        infisical = {
            "hostAPI": server.url,
            "auth": {"universalAuthCredentials": auth},
            "secretsScope": {"projectSlug": "my-project", "environmentSlug": "dev"},
        }
        await self.apply(
            {
                "apiVersion": "external-secrets.io/v1",
                "kind": "SecretStore",
                "metadata": {"name": name, "namespace": "default"},
                "spec": {"provider": {"infisical": infisical}},
            }
        )

    async def external_secrets(
        self, store: str, number: int, interval: str, *, apart: bool = False, prefix: str = "wanted"
    ) -> list[str]:
        """So many of three keys each, of one folder or (`apart`) of a folder each; their names."""
        project = self.servers[store].project
        names = [f"{prefix}-{index}" for index in range(number)]
        for index, name in enumerate(names):
            folder = f"/{name}" if apart else "/"
            if apart:
                project.add_folder("dev", folder)
            keys = [f"KEY_{index if not apart else 0}_{part}" for part in range(3)]
            for key in keys:
                project.set_secret("dev", folder, key, f"value of {key}")
            data = [{"secretKey": key, "remoteRef": {"key": f"{folder.rstrip('/')}/{key}"}} for key in keys]
            await self.apply(
                {
                    "apiVersion": "external-secrets.io/v1",
                    "kind": "ExternalSecret",
                    "metadata": {"name": name, "namespace": "default"},
                    "spec": {
                        "refreshInterval": interval,
                        "secretStoreRef": {"name": store, "kind": "SecretStore"},
                        "data": data,
                    },
                }
            )
        return names

    async def apply(self, manifest: Object) -> None:
        """Apply a manifest, as its author."""
        if "stringData" in manifest:
            texts = manifest.pop("stringData")
            manifest["data"] = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        assert isinstance(await self.cluster._cluster.apply(manifest, "author"), Done)

    async def delete(self, names: list[str]) -> None:
        """Delete ExternalSecrets."""
        for name in names:
            assert isinstance(await self.cluster._cluster.delete(EXTERNAL_SECRET, "default", name), Done)

    async def delete_store(self, name: str) -> None:
        """Delete a SecretStore."""
        assert isinstance(await self.cluster._cluster.delete(SECRET_STORE, "default", name), Done)

    async def annotate(self, name: str, value: str) -> None:
        """Ask for a refresh."""
        operations = [
            {"op": "add", "path": "/metadata/annotations", "value": {"external-secrets.io/force-sync": value}}
        ]
        answer = await self.cluster._cluster.patch(EXTERNAL_SECRET, "default", name, operations, "user")
        assert isinstance(answer, Done)

    # --- what a user sees ----------------------------------------------------------------------------------

    async def condition(self, name: str) -> Mapping[str, Any]:
        """The Ready condition of an ExternalSecret; empty where there is none."""
        answer = await self.cluster._cluster.get(EXTERNAL_SECRET, "default", name)
        assert isinstance(answer, Done)
        assert answer.object is not None
        conditions = (answer.object.get("status") or {}).get("conditions") or [{}]
        return dict(conditions[0])

    async def conditions(self, names: list[str]) -> list[Mapping[str, Any]]:
        """The Ready conditions of several."""
        return [await self.condition(name) for name in names]

    async def ready(self, names: list[str]) -> int:
        """How many of these are ready."""
        return sum(one.get("status") == "True" for one in await self.conditions(names))

    async def has_secret(self, name: str) -> bool:
        """Whether a Secret is there."""
        return isinstance(await self.cluster._cluster.get(SECRET, "default", name), Done)

    async def until_ready(self, names: list[str], patience: float) -> float:
        """Wait until all of these are ready; the seconds that it took."""
        began, left = now(), list(names)
        while left or await self.ready(names) < len(names):
            assert now() - began < patience, (
                f"after {patience} s {len(left)} are not ready, such as {left[-1:]}"
            )
            while left and (await self.condition(left[-1])).get("status") == "True":
                left.pop()  # asking for all at every look would take longer than all else
            if left:
                await asyncio.sleep(0.1)
        return now() - began

    async def until(self, figure: Callable[[], Any], wanted: int, patience: float) -> float:
        """Look ten times a second until an async figure is as wanted; the seconds that it took."""
        began = now()
        while (found := await figure()) != wanted:
            assert now() - began < patience, f"after {patience} s: {found} of {wanted}"
            await asyncio.sleep(0.1)
        return now() - began


def now() -> float:
    """The loop's clock, in seconds."""
    return asyncio.get_running_loop().time()
