"""Two processes of the program on a real API server, of which one leads: handed over, killed, frozen, and taken away."""

import asyncio
import base64
import os
import signal
import socket
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from adapters.cluster import Cluster, Done, Listed, Object, Selection
from adapters.kubernetes.connect import connect
from adapters.resources.kinds import EXTERNAL_SECRET, LEASE, SECRET, SECRET_STORE
from reconciler.demonstration import example_project
from reconciler.election import LEASE_SECONDS, RENEW_DEADLINE, RETRY_PERIOD
from reconciler.standin import ADMIN, Kind, StandIn
from reconciler.standin.server import Server
from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient
from tests.scenarios.manifests import CREDENTIALS, example, key
from tests.soak.victim import Victim
from tests.troubles.proxy import Proxy

pytestmark = pytest.mark.apiserver
PATIENCE = 30.0  # seconds
OFTEN = "1s"  # so that whoever leads always has something to do
NAME = "infisical-reconciler"


class Process:
    """One of them."""

    def __init__(self, victim: Victim, journal: Path, address: str) -> None:
        self.victim = victim
        self._journal = journal
        self._address = address

    async def asked(self, path: str) -> str:
        """What an endpoint answers; "" while there is none."""
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://{self._address}{path}") as answer,
            ):
                return await answer.text()
        except aiohttp.ClientError:
            return ""

    async def stands_by(self) -> None:
        """Wait until it is ready; it has not run anything."""
        await until(lambda: self.asked("/readyz"), "ok\n")
        assert f'leader_election_master_status{{name="{NAME}"}} 0.0' in await self.asked("/metrics")
        assert not self.victim.has_begun

    async def leads(self) -> None:
        """Wait until it runs something."""
        await self.victim.begun()
        assert f'leader_election_master_status{{name="{NAME}"}} 1.0' in await self.asked("/metrics")

    def transitions(self) -> list[dict[str, Any]]:
        """All that it did."""
        lines = self._journal.read_bytes().split(b"\n")[:-1]
        return [msgspec.json.decode(line) for line in lines]

    def signalled(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.victim.pid, number)


async def until(question: Any, wanted: str) -> None:
    """Ask again and again until the answer is this."""
    answer = None
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await question()
            if answer == wanted:
                return
            await asyncio.sleep(0.05)


class Ground:
    """A namespace with a store and a resource in it, and the processes that stand for election there."""

    def __init__(self, access: Access, cluster: Cluster, namespace: str, directory: Path) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.standin = StandIn(time.time)
        self.processes: list[Process] = []
        self.access = access
        self._directory = directory

    async def start(self, kubeconfig: Path | None = None) -> Process:
        """Another process; with `kubeconfig` it takes another way to the API server."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        name = f"{self.namespace}-{len(self.processes) + 1}"
        victim = await Victim.start(
            kubeconfig or self.access.kubeconfig,
            self.namespace,
            self._directory,
            name,
            *("--listen", address, "--leader-election", "--leader-election-namespace", self.namespace),
        )
        process = Process(victim, self._directory / f"{name}.jsonl", address)
        self.processes.append(process)
        return process

    async def plant(self, url: str) -> None:
        """Credentials, a store and a resource that is refreshed all the time."""
        identity = self.standin.add_machine("ground", {example_project(self.standin): ADMIN})
        store = example("store-universal-auth", "SecretStore")
        store["spec"]["provider"]["infisical"]["hostAPI"] = url
        login = {"clientId": identity.client_id, "clientSecret": identity.client_secret}
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
            "spec": {
                "refreshInterval": OFTEN,
                "secretStoreRef": {"name": "infisical", "kind": "SecretStore"},
                "data": [key("API_KEY", "api")],
            },
        }
        for manifest in (secret, store, wanted):
            manifest["metadata"]["namespace"] = self.namespace
            assert isinstance(await self.cluster.apply(manifest, "author"), Done)

    async def versions(self) -> list[str]:
        """Of all that a controller writes here."""
        found = []
        for kind in (SECRET, EXTERNAL_SECRET, SECRET_STORE):
            listed = await self.cluster.list(Selection(kind, self.namespace))
            assert isinstance(listed, Listed)
            found += [str(item["metadata"]["resourceVersion"]) for item in listed.items]
        return found

    def between(self, former: Process, latter: Process) -> float:
        """Seconds from the last that one did to the first that the other did."""
        return float(latter.transitions()[0]["at"]) - float(former.transitions()[-1]["at"])


@asynccontextmanager
async def ground(access: Access, api: ApiClient, directory: Path) -> AsyncIterator[Ground]:
    """A namespace of its own; its processes are gone afterwards."""
    name = f"two-{uuid.uuid4().hex[:8]}"
    await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    cluster = await connect({"KUBECONFIG": str(access.kubeconfig)})
    one = Ground(access, cluster, name, directory)
    async with Server(one.standin) as served:
        try:
            await one.plant(served.url)
            yield one
        finally:
            for process in one.processes:
                await process.victim.kill()
            await cluster.close()
            await api.delete("v1/namespaces", name)


async def _handed_over(place: Ground) -> None:
    """A process that is told to stop ends its work, and gives the Lease back."""
    first = await place.start()
    await first.leads()
    second = await place.start()
    await second.stands_by()
    assert await first.victim.stop() == 0, first.victim.said()
    stopped = time.time()
    assert not place.standin.tokens_alive
    await second.leads()
    assert float(second.transitions()[0]["at"]) - stopped < 2 * RETRY_PERIOD
    assert place.between(first, second) > 0
    assert await second.victim.stop() == 0, second.victim.said()
    assert not place.standin.tokens_alive


async def _killed(place: Ground) -> None:
    """A process that is killed is followed when its Lease has run out, and not before."""
    first = await place.start()
    await first.leads()
    second = await place.start()
    await second.stands_by()
    first.victim.strike()
    killed = time.time()
    await second.leads()
    begun = float(second.transitions()[0]["at"])
    assert LEASE_SECONDS - RETRY_PERIOD - 1.0 <= begun - killed <= LEASE_SECONDS + 2 * RETRY_PERIOD
    assert place.between(first, second) > 0
    assert await second.victim.stop() == 0, second.victim.said()
    assert len(place.standin.tokens_alive) <= 1  # that of the killed one


async def _frozen(place: Ground) -> None:
    """A process that stood still for longer than its Lease lasts does nothing any more, though nobody leads now."""
    first = await place.start()
    await first.leads()
    second = await place.start()
    await second.stands_by()
    first.signalled(signal.SIGSTOP)
    await second.leads()
    assert await second.victim.stop() == 0, second.victim.said()
    versions, requests = await place.versions(), len(place.standin.requests)
    first.signalled(signal.SIGCONT)
    assert await first.victim.over() == 1
    assert "leads no more" in first.victim.said()
    assert {asked.kind for asked in place.standin.requests[requests:]} <= {Kind.REVOCATION}
    assert await place.versions() == versions  # though its run had begun, or answers waited for it
    assert "is down" not in first.victim.said()  # what was cut says nothing about the server


async def _cut_off(place: Ground) -> None:
    """A process that reaches the API server no more ends before another one begins."""
    async with Proxy(place.access) as proxy:
        first = await place.start(proxy.kubeconfig(place.namespace))
        await first.leads()
        second = await place.start()
        await second.stands_by()
        await proxy.goes_down()
        cut = time.time()
        assert await asyncio.wait_for(first.victim.over(), PATIENCE) == 1
        assert time.time() - cut < RENEW_DEADLINE + 1.0
        assert "could not be renewed for 10 s" in first.victim.said()
        assert len(place.standin.tokens_alive) <= 1  # that of a login which was cut
        assert not second.victim.has_begun
        await second.leads()
        assert place.between(first, second) > LEASE_SECONDS - RENEW_DEADLINE - 1.0
        assert await second.victim.stop() == 0, second.victim.said()


async def _taken_away(place: Ground) -> None:
    """The Lease names somebody else all at once."""
    first = await place.start()
    await first.leads()
    operation = {"op": "replace", "path": "/spec/holderIdentity", "value": "somebody"}
    answer = await place.cluster.patch(LEASE, place.namespace, NAME, [operation], "kubectl")
    assert isinstance(answer, Done)
    assert await asyncio.wait_for(first.victim.over(), RENEW_DEADLINE) == 1
    assert "held by somebody" in first.victim.said()
    assert len(place.standin.tokens_alive) <= 1  # that of a login which was cut


async def test_one_of_them_leads_whatever_happens(apiserver: Access, api: ApiClient, tmp_path: Path) -> None:
    """Five plays at once, since most of each is waiting for a Lease to run out."""

    async def played(play: Any) -> None:
        async with ground(apiserver, api, tmp_path) as place:
            await play(place)

    async with asyncio.TaskGroup() as plays:
        for play in (_handed_over, _killed, _frozen, _cut_off, _taken_away):
            plays.create_task(played(play))
