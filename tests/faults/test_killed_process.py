"""A sample of the matrix in earnest: the program as a process on a real API server, killed with SIGKILL at chosen moments."""

import asyncio
import base64
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from adapters.cluster import Change, ChangeType, Cluster, Done, Listed, Object, Selection
from adapters.kubernetes.connect import connect
from adapters.resources.kinds import EXTERNAL_SECRET, SECRET, SECRET_STORE
from reconciler.conditions import ready_of
from reconciler.demonstration import example_project
from reconciler.effects.observe_external_secret import wanted_version
from reconciler.standin import ADMIN, Kind, Meanwhile, StandIn
from reconciler.standin.server import Server
from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient
from tests.faults.play import fields
from tests.scenarios.manifests import CREDENTIALS, example, key
from tests.soak.victim import Victim

pytestmark = pytest.mark.apiserver
PATIENCE = 30.0  # seconds
KEYS = [key("API_KEY", "api"), key("DB_PASSWORD", "db")]
FIRST = {"api": "example-api-key-1", "db": "example-database-password"}
CHANGED = {"api": "changed", "db": "changed too"}


class Stage:
    """A namespace, an Infisical server on loopback, and processes of the program one after the other."""

    def __init__(
        self, access: Access, cluster: Cluster, namespace: str, standin: StandIn, url: str, directory: Path
    ) -> None:
        self.standin = standin
        self.project = example_project(standin)
        self.held: list[dict[str, str] | None] = []  # what the Secret held, one after the other
        self._credentials = standin.add_machine("stage", {self.project: ADMIN})
        self._access = access
        self._cluster = cluster
        self._namespace = namespace
        self._url = url
        self._directory = directory
        self._number = 0
        self._kills = 0
        self.victim: Victim | None = None
        self._reflexes: list[Callable[[Object], bool]] = []

    async def start(self) -> Victim:
        """A new process."""
        self._number += 1
        self.victim = await Victim.start(
            self._access.kubeconfig,
            self._namespace,
            self._directory,
            f"{self._namespace}-{self._number}",
            *("--linger", "200ms"),
        )
        return self.victim

    def strike(self) -> None:
        """Kill it, now."""
        assert self.victim is not None
        self.victim.strike()

    async def plant(self) -> None:
        """Credentials, a store and a resource."""
        store = example("store-universal-auth", "SecretStore")
        store["spec"]["provider"]["infisical"]["hostAPI"] = self._url
        login = {"clientId": self._credentials.client_id, "clientSecret": self._credentials.client_secret}
        secret: Object = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": CREDENTIALS},
            "data": {name: base64.b64encode(text.encode()).decode() for name, text in login.items()},
        }
        wanted: Object = {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {"name": "wanted"},
            "spec": {"secretStoreRef": {"name": "infisical", "kind": "SecretStore"}, "data": KEYS},
        }
        for manifest in (secret, store, wanted):
            manifest["metadata"]["namespace"] = self._namespace
            assert isinstance(await self._cluster.apply(manifest, "author"), Done)

    async def change(self) -> None:
        """Other values, and a refresh asked for."""
        self.project.set_secret("dev", "/", "API_KEY", CHANGED["api"])
        self.project.set_secret("dev", "/", "DB_PASSWORD", CHANGED["db"])
        asked = {"external-secrets.io/force-sync": "now"}
        operation = {"op": "add", "path": "/metadata/annotations", "value": asked}
        answer = await self._cluster.patch(EXTERNAL_SECRET, self._namespace, "wanted", [operation], "user")
        assert isinstance(answer, Done)

    def expect(self, moment: "Moment") -> None:
        """Kill the process at this moment."""
        if moment.seen is not None:
            self._reflexes.append(moment.seen)
        elif moment.request is not None:
            self.standin.faults.plan(moment.request, Meanwhile(self.strike))

    async def look_on(self, kind: Any) -> None:
        """Follow all changes of a kind."""
        selection = Selection(kind, self._namespace)
        listed = await self._cluster.list(selection)
        assert isinstance(listed, Listed)
        version = listed.version
        while True:
            async for event in self._cluster.watch(selection, version, 60.0):
                assert isinstance(event, Change)
                version = event.object["metadata"]["resourceVersion"]
                if event.type is not ChangeType.BOOKMARK:
                    self._seen(event)

    def _seen(self, change: Change) -> None:
        for reflex in [one for one in self._reflexes if one(change.object)]:
            self._reflexes.remove(reflex)
            self.strike()
        if change.object["metadata"]["name"] == "wanted" and change.object["kind"] == SECRET.name:
            gone = change.type is ChangeType.DELETED
            self.held.append(None if gone else data_of(change.object))

    async def died(self) -> None:
        """Wait until the process was killed, and clear it away."""
        assert self.victim is not None
        await self.victim.over()
        self._kills += 1

    async def rests(self, data: dict[str, str]) -> None:
        """Wait until the Secret holds this, the resource says so, and this process holds no token any more."""
        assert self.victim is not None
        await self.victim.begun()
        async with asyncio.timeout(PATIENCE):
            while True:
                if self._is_given_back() and await self._is_synced(data):
                    return
                await asyncio.sleep(0.05)

    def _is_given_back(self) -> bool:
        return len(self.standin.tokens_alive) <= self._kills

    async def _is_synced(self, data: dict[str, str]) -> bool:
        secret = await self._cluster.get(SECRET, self._namespace, "wanted")
        wanted = await self._cluster.get(EXTERNAL_SECRET, self._namespace, "wanted")
        if not isinstance(secret, Done) or not isinstance(wanted, Done):
            return False
        if wanted.object is None or secret.object is None or data_of(secret.object) != data:
            return False
        status = wanted.object.get("status") or {}
        ready = (ready_of(wanted.object) or {}).get("status") == "True"
        return ready and status.get("syncedResourceVersion") == wanted_version(wanted.object)

    async def stop(self) -> None:
        """SIGTERM; the process ends well."""
        assert self.victim is not None
        assert await self.victim.stop() == 0, self.victim.said()

    async def picture(self) -> dict[tuple[str, ...], Any]:
        """All fields of what there is."""
        found: dict[tuple[str, ...], Any] = {}
        for kind in (SECRET, EXTERNAL_SECRET, SECRET_STORE):
            listed = await self._cluster.list(Selection(kind, self._namespace))
            assert isinstance(listed, Listed)
            for item in listed.items:
                found |= dict(fields((kind.name, item["metadata"]["name"]), item))
        return found


def data_of(secret: Object) -> dict[str, str]:
    """The decoded data of a Secret."""
    return {name: base64.b64decode(text).decode() for name, text in (secret.get("data") or {}).items()}


class Moment(NamedTuple):
    """When the process dies: as a request of a kind comes, or as an object is seen; in the first sync, or a refresh."""

    name: str
    refresh: bool = False
    request: Kind | None = None
    seen: Callable[[Object], bool] | None = None


def _secret_holds(data: dict[str, str]) -> Callable[[Object], bool]:
    return lambda object: object["kind"] == "Secret" and data_of(object) == data


def _says(kind: str) -> Callable[[Object], bool]:
    return lambda object: object["kind"] == kind and (ready_of(object) or {}).get("status") == "True"


MOMENTS = (
    Moment("login", request=Kind.LOGIN),
    Moment("resolution", request=Kind.RESOLUTION),
    Moment("validation", request=Kind.SINGLE),
    Moment("store reported", seen=_says("SecretStore")),
    Moment("listing", request=Kind.LISTING),
    Moment("Secret made", seen=_secret_holds(FIRST)),
    Moment("reported", seen=_says("ExternalSecret")),
    Moment("login to refresh", refresh=True, request=Kind.LOGIN),
    Moment("listing to refresh", refresh=True, request=Kind.LISTING),
    Moment("Secret refreshed", refresh=True, seen=_secret_holds(CHANGED)),
    Moment("revocation", refresh=True, request=Kind.REVOCATION),
)


@asynccontextmanager
async def staged(access: Access, api: ApiClient, name: str, directory: Path) -> AsyncIterator[Stage]:
    """A stage in a namespace of its own, looked at all along."""
    await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    cluster = await connect({"KUBECONFIG": str(access.kubeconfig)})
    standin = StandIn(time.time)
    async with Server(standin) as served:
        stage = Stage(access, cluster, name, standin, served.url, directory)
        eyes = [asyncio.create_task(stage.look_on(kind)) for kind in (SECRET, EXTERNAL_SECRET, SECRET_STORE)]
        try:
            yield stage
        finally:
            if stage.victim is not None:
                await stage.victim.kill()
            for eye in eyes:
                eye.cancel()
            for outcome in await asyncio.gather(*eyes, return_exceptions=True):
                assert isinstance(outcome, asyncio.CancelledError), outcome
            await cluster.close()
            await api.delete("v1/namespaces", name)


async def perform(stage: Stage, moment: Moment | None) -> None:
    """A first sync, and a refresh after it; the process dies in one of them, and another one takes over."""
    await stage.start()
    for refresh, move, data in ((False, stage.plant, FIRST), (True, stage.change, CHANGED)):
        deadly = moment is not None and moment.refresh is refresh
        if deadly and moment is not None:
            stage.expect(moment)
        await move()
        if deadly:
            await stage.died()
            await stage.start()
        await stage.rests(data)
    await stage.stop()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where processes keep their journals."""
    return tmp_path


_calm: dict[tuple[str, ...], Any] = {}
_masked: set[tuple[str, ...]] = set()


async def learn(access: Access, api: ApiClient, directory: Path) -> None:
    """Perform it calmly twice; what differs is masked."""
    if _calm:
        return
    pictures = []
    for number in range(2):
        async with staged(access, api, f"calm-{uuid.uuid4().hex[:8]}", directory) as stage:
            await perform(stage, None)
            assert stage.held == [FIRST, CHANGED]
            assert not stage.standin.tokens_alive
            pictures.append(await stage.picture())
        if number == 0:
            await asyncio.sleep(1.1)  # times are written in whole seconds
    first, second = pictures
    assert first.keys() == second.keys()
    _masked.update(path for path in first if first[path] != second[path])
    _calm.update(first)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.name)
async def test_killed_process_is_taken_over(
    moment: Moment, apiserver: Access, api: ApiClient, directory: Path
) -> None:
    """The end is that of a calm play, with the same writes; one token is left, at most."""
    await learn(apiserver, api, directory)
    async with staged(apiserver, api, f"killed-{uuid.uuid4().hex[:8]}", directory) as stage:
        await perform(stage, moment)
        assert stage.held == [FIRST, CHANGED]
        assert len(stage.standin.tokens_alive) <= 1
        assert all(token.revocations <= 1 for token in stage.standin.tokens)
        picture = await stage.picture()
    assert picture.keys() == _calm.keys()
    assert {path: value for path, value in picture.items() if path not in _masked} == {
        path: value for path, value in _calm.items() if path not in _masked
    }
