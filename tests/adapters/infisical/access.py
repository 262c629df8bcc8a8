"""The whole access to Infisical against a stand-in in the same process, on simulated time."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping

from adapters.auth.login import LoginRequest, MethodName
from adapters.infisical.address import Address
from adapters.infisical.client import Client, Revoked, Token
from adapters.infisical.exchange import Retry
from adapters.infisical.hosts import Hosts
from adapters.infisical.lease_terms import CredentialVersion, LeaseKey, LoginFailed, Unrevoked
from adapters.infisical.leases import Lease, Leases
from adapters.infisical.places import Place, View
from adapters.infisical.projects import Projects, ResolvedProject
from adapters.infisical.readings import FolderReading, Found, KeyReading, Listed, Reader, Readings
from adapters.infisical.secret_text import SecretText
from machines.names import FolderPath, RemoteName
from reconciler.standin import ADMIN, Age, Credentials, InProcess, Kind, StandIn
from reconciler.standin import Access as Rights
from reconciler.standin.project import Project as StandInProject
from tests.simulated_loop import wall_time

HOST = "https://infisical.test"
SLUG = "my-project"
RETRY = Retry()
AS_STORED = View(expand=False)
EXPANDED = View()


class Situation:
    """A server with one project, and everything that reads from it. Made inside a running loop."""

    def __init__(self, age: Age = Age.CURRENT, *, linger: float = 2.0) -> None:
        self.server = StandIn(wall_time, age)
        self.remote: StandInProject = self.server.add_project(SLUG)
        self.hosts = Hosts(self._connect, random.Random(1))
        client = self.hosts.client(HOST)
        assert isinstance(client, Client)
        self.client = client
        self.unrevoked: list[Unrevoked] = []
        self.leases = Leases(linger, self.unrevoked.append)
        self.projects = Projects()
        self.readings = Readings()
        self.credentials = self.server.add_machine("reader", {self.remote: ADMIN})

    def _connect(self, address: Address, certificates: bytes) -> InProcess:
        del address, certificates
        return InProcess(self.server)

    def machine(self, rights: Rights) -> Credentials:
        """Another identity."""
        return self.server.add_machine(f"machine {len(self.server.requests)}", {self.remote: rights})

    def counts(self) -> Counter[Kind]:
        """Requests so far, by kind."""
        return self.server.counts()

    async def log_in(self, credentials: Credentials | None = None) -> Token | LoginFailed:
        """A login by universal auth."""
        known = credentials or self.credentials
        fields = {
            "clientId": SecretText(known.client_id),
            "clientSecret": SecretText(known.client_secret),
        }
        return await self.client.login(LoginRequest("/v1/auth/universal-auth/login", fields), None, RETRY)

    async def revoke(self, token: SecretText) -> Revoked | LoginFailed:
        """End a token."""
        return await self.client.revoke(token, RETRY)

    def key(self, version: str = "1") -> LeaseKey:
        """The key under which these credentials are shared."""
        return LeaseKey(HOST, None, MethodName.UNIVERSAL, (CredentialVersion("clientId", "u", version, "k"),))

    async def acquire(self, version: str = "1", credentials: Credentials | None = None) -> Lease:
        """A lease that must be had."""
        lease = await self.leases.acquire(self.key(version), lambda: self.log_in(credentials), self.revoke)
        assert isinstance(lease, Lease), lease
        return lease

    async def reader(self, version: str = "1", credentials: Credentials | None = None) -> Reader:
        """Somebody with a lease."""
        return Reader(self.client, await self.acquire(version, credentials), RETRY)

    async def place(self, reader: Reader, folder: str = "/", environment: str = "dev") -> Place:
        """A folder of the project."""
        resolved = await self.projects.resolve(self.client, reader.lease, SLUG, RETRY)
        assert isinstance(resolved, ResolvedProject), resolved
        return Place(resolved.project, environment, FolderPath(folder))

    async def read(
        self, reader: Reader, place: Place, *names: str, view: View = EXPANDED, since: float | None = None
    ) -> list[KeyReading]:
        """Several keys at once."""
        moment = asyncio.get_running_loop().time() if since is None else since
        told = await asyncio.gather(
            *(self.readings.secret(reader, place, view, RemoteName(name), since=moment) for name in names)
        )
        return [one.result for one in told]

    async def list(
        self, reader: Reader, place: Place, *, view: View = EXPANDED, recursive: bool = False
    ) -> FolderReading:
        """A folder."""
        since = asyncio.get_running_loop().time()
        return (await self.readings.folder(reader, place, view, since=since, recursive=recursive)).result


def shown(results: list[KeyReading]) -> list[object]:
    """Values revealed, failures as they are."""
    return [result.value.reveal() if isinstance(result, Found) else result for result in results]


def entries(result: FolderReading) -> Mapping[str, str | None]:
    """Names and values of a listing."""
    assert isinstance(result, Listed), result
    return {e.name: e.value.reveal() if e.value else None for e in result.view.entries}
