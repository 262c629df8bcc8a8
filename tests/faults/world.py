"""The world of a play: a cluster and an Infisical server that outlive the controller's processes, and a user's moves."""

import asyncio
import base64
import copy
import datetime
import random
from collections import Counter
from typing import Any, NamedTuple

from adapters.cluster import Done, Kind, Object
from adapters.infisical.transport import Transport
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import EVENT, EXTERNAL_SECRET
from reconciler.assembly import Options
from reconciler.controller import Controller
from reconciler.demonstration import example_project
from reconciler.driver import Clock
from reconciler.standin import ADMIN, InProcess, StandIn
from tests.faults.changes import NOISE, Changes
from tests.faults.injection import Fault, Injection
from tests.faults.process import Defects, FaultyPerformer, Life, Moves, Reach, Wire
from tests.faults.remote import RemoteChanges
from tests.scenarios.collected import Collected
from tests.scenarios.manifests import CREDENTIALS, example, kind_named

REST = 400.0  # seconds in which everything comes to rest, the longest back-off included
_STORE = example("store-universal-auth", "SecretStore")
HOST = "http://infisical.example:8080"


class Variation(NamedTuple):
    """What may differ between two plays of the same: the time, chance, and how much happened before."""

    epoch: float = 1_760_000_000.0
    seed: int = 1
    noise: int = 0


class World:
    """A cluster with the namespace `default`, and a server with the documented project."""

    def __init__(self, injection: Injection, variation: Variation, history: int) -> None:
        self.injection = injection
        self._variation = variation
        self.cluster = LocalCluster(
            lambda: datetime.datetime.fromtimestamp(self.now(), datetime.UTC), history=history
        )
        self.recording = False  # whether changes and requests are compared
        self.changes = Changes(self.cluster.store, lambda: self.recording)
        self.server = StandIn(self.now)
        self.project = example_project(self.server)
        self.remote = RemoteChanges(
            self.project, self.cluster.store, lambda: self.recording, self.changes.wrongs
        )
        self.changes.push_secret = self.remote.look_at
        self.identity = self.server.add_identity("world", {self.project: ADMIN})
        self.credentials = self.server.add_universal_auth(self.identity)
        self.moves = Moves()
        self.journal = Collected()
        self.left: list[str] = []  # tokens that processes held when they died
        self.starts = 0
        self._noise = 0
        self.controller: Controller | None = None
        self._life: Life | None = None
        self._task: asyncio.Task[None] | None = None
        self._noticed = asyncio.Event()
        self._recovered = False

    def now(self) -> float:
        """Epoch seconds."""
        return self._variation.epoch + asyncio.get_running_loop().time()

    # --- the process ---------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """What is there before everything."""
        self.cluster.ensure_namespace(NOISE)
        await self.make_noise(self._variation.noise)

    async def make_noise(self, changes: int) -> None:
        """Something of nobody's concern changes so many times."""
        noise = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "noise", "namespace": NOISE}}
        for _ in range(changes):
            self._noise += 1
            await self.cluster.apply({**noise, "data": {"number": str(self._noise)}}, "somebody")

    async def start(self) -> None:
        """A new process."""
        self._noticed.clear()
        life = self._life = Life(self.injection, self._noticed)

        def connect(address: object, pem: bytes) -> Transport:
            del address, pem
            return Wire(InProcess(self.server), life)

        self.controller = Controller(
            Reach(self.cluster, life, self.changes),
            connect,
            self.journal,
            Clock(self.now),
            random.Random(self._variation.seed),
            Options(store_interval=1e6, drain=0.0),
            Defects(life, self.changes.wrongs),
        )
        self.controller._performer = FaultyPerformer(self.controller._performer, life, self.moves)
        self.starts += 1
        self._task = asyncio.create_task(self.controller.run())

    async def stop(self) -> None:
        """Tell the process to stop, and wait until it has."""
        controller, task = self.controller, self._task
        if controller is None or task is None:
            return
        self.controller = None
        stopping = asyncio.create_task(controller.stop())
        dead = asyncio.create_task(self._is_dead())
        await asyncio.wait([stopping, dead], return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            await self._bury(stopping)
            return
        dead.cancel()
        await asyncio.gather(task, dead, return_exceptions=True)
        if self._life is not None:
            self._life.alive = False
        self._end(task)
        await self._clear()

    async def _is_dead(self) -> None:
        life = self._life
        while life is not None and life.alive:
            self._noticed.clear()
            await self._noticed.wait()

    async def _bury(self, *more: asyncio.Task[Any]) -> None:
        """Clear away what is left of a process that died. What it still does reaches nobody."""
        self.left += [token.id for token in self.server.tokens_alive]
        task, self.controller = self._task, None
        await self._clear()
        for one in (task, *more):
            if one is not None:
                await asyncio.gather(one, return_exceptions=True)

    async def _clear(self) -> None:
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=1.0)

    def _end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    async def rest(self, seconds: float = REST) -> None:
        """Let everything come to rest; start a new process where the one that ran has ended."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._noticed.wait()
            except TimeoutError:
                if self._must_be_started_anew():
                    await self.stop()
                    await self.start()
                    end = loop.time() + REST
                continue
            self._noticed.clear()
            life = self._life
            assert life is not None
            if not life.alive:
                await self._bury()
            elif life.told_to_stop:
                await self.stop()
            await self.start()
            end = max(end, loop.time() + REST)
        assert self._task is not None
        if self._task.done():
            self._end(self._task)

    def _must_be_started_anew(self) -> bool:
        """What an event that was lost would have told is found out at the next start."""
        if self._recovered or self.injection.struck is None or self.injection.fault is not Fault.EVENT_LOST:
            return False
        self._recovered = True
        return True

    # --- the user's moves ----------------------------------------------------------------------------------

    async def apply(self, *objects: Object) -> None:
        """Apply manifests, as their author."""
        for object in objects:
            manifest = copy.deepcopy(object)
            if kind_named(manifest["kind"]).namespaced:
                manifest["metadata"].setdefault("namespace", "default")
            answer = await self.cluster.apply(manifest, "author")
            assert isinstance(answer, Done), f"{manifest['kind']} {manifest['metadata']['name']}: {answer}"

    async def refresh(self, name: str = "wanted", how: str = "now") -> None:
        """Ask for a refresh, by the annotation that does so."""
        await self.patch(
            EXTERNAL_SECRET, name, "add", "/metadata/annotations", {"external-secrets.io/force-sync": how}
        )

    async def patch(self, kind: Kind, name: str, verb: str, path: str, value: Any) -> None:
        """Change one field."""
        answer = await self.cluster.patch(
            kind, "default", name, [{"op": verb, "path": path, "value": value}], "user"
        )
        assert isinstance(answer, Done), answer

    async def delete(self, kind: Kind, name: str) -> None:
        """Delete an object."""
        self.changes.by_user = True
        assert isinstance(await self.cluster.delete(kind, "default", name), Done)
        self.changes.by_user = False

    def set(self, key: str, value: str, folder: str = "/") -> None:
        """Change a secret at Infisical."""
        self.remote.by_user = True
        self.project.set_secret("dev", folder, key, value)
        self.remote.by_user = False

    def store(self, name: str = "infisical", credentials: str = CREDENTIALS, **scope: Any) -> Object:
        """The documented SecretStore, pointed at the server; `scope` changes its secretsScope."""
        store = copy.deepcopy(_STORE)
        store["metadata"] = {"name": name}
        infisical = store["spec"]["provider"]["infisical"]
        infisical["hostAPI"] = HOST
        infisical["secretsScope"] |= scope
        for reference in infisical["auth"]["universalAuthCredentials"].values():
            reference["name"] = credentials
        return store

    def credentials_secret(self, name: str = CREDENTIALS, client_secret: str = "") -> Object:
        """A Secret of credentials."""
        texts = {
            "clientId": self.credentials.client_id,
            "clientSecret": client_secret or self.credentials.client_secret,
        }
        return secret(name, texts)

    def external_secret(self, name: str = "wanted", **spec: Any) -> Object:
        """An ExternalSecret of the store `infisical`."""
        return {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {"name": name},
            "spec": {
                "secretStoreRef": {"name": "infisical", "kind": "SecretStore"},
                "refreshInterval": "24h",
                **copy.deepcopy(spec),
            },
        }

    async def ready(self, *objects: Object) -> None:
        """A process, a store and these resources, all at rest."""
        await self.apply(self.credentials_secret(), self.store())
        await self.start()
        await self.rest(60.0)
        await self.apply(*objects)
        await self.rest(60.0)

    # --- what came of it -----------------------------------------------------------------------------------

    def picture(self) -> dict[str, Object]:
        """All objects but events and noise."""
        return {
            f"{key.kind.name} {key.name}": object
            for key, object in self.cluster.store.everything()
            if key.kind != EVENT and key.namespace != NOISE
        }

    def record(self) -> None:
        """From now on, what happens is compared."""
        self.recording = True
        self.server.record.clear()

    def requests(self) -> Counter[str]:
        """What was asked of Infisical since then, by kind."""
        return Counter({kind.value: number for kind, number in self.server.counts().items()})


def secret(name: str, texts: dict[str, str], **fields: Any) -> Object:
    """A Secret as somebody else makes it."""
    data = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "Opaque",
        "data": data,
        **fields,
    }
