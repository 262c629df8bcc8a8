"""Writing over real HTTP on loopback: bodies of deletions, large ones, and connections that break."""

import asyncio
import random
import time

import pytest

from adapters.auth.login import LoginRequest, MethodName
from adapters.infisical.client import Client
from adapters.infisical.exchange import Retry
from adapters.infisical.hosts import Hosts
from adapters.infisical.http import Network
from adapters.infisical.lease_terms import LeaseKey
from adapters.infisical.leases import Lease, Leases
from adapters.infisical.places import Place, Project
from adapters.infisical.readings import Compared, Found, Reader, Readings
from adapters.infisical.secret_text import SecretText
from adapters.infisical.writes import Stored, Writes
from machines.names import FolderPath, RemoteName
from reconciler.standin import ADMIN, Age, HalfSent, Kind, Options, Server, StandIn
from tests.adapters.infisical.writing import create, delete, update

RETRY = Retry(attempts=3, first_delay=0.01)


@pytest.mark.parametrize("pages", [False, True], ids=["bare", "with-web-pages"])
@pytest.mark.parametrize("age", Age)
async def test_what_is_written_over_the_wire(age: Age, pages: bool) -> None:
    server = StandIn(time.time, age, options=Options(web_pages=pages))
    remote = server.add_project("my-project")
    remote.add_folder("dev", "/app")
    known = server.add_machine("writer", {remote: ADMIN})
    fields = {"clientId": SecretText(known.client_id), "clientSecret": SecretText(known.client_secret)}
    login = LoginRequest("/v1/auth/universal-auth/login", fields)
    async with Server(server) as served, Network() as network:
        client = Hosts(network.transport, random.Random(1)).client(f"{served.url}/api/")
        assert isinstance(client, Client)
        leases = Leases(0.0, lambda unrevoked: None)
        lease = await leases.acquire(
            LeaseKey(client.address.host, None, MethodName.UNIVERSAL, ()),
            lambda: client.login(login, None, RETRY),
            lambda token: client.revoke(token, RETRY),
        )
        assert isinstance(lease, Lease)
        project = await client.project(lease.token, "my-project", RETRY)
        assert isinstance(project, Project)
        reader, place = Reader(client, lease, RETRY), Place(project, "dev", FolderPath("/app"))
        readings = Readings()
        writes = Writes(readings, create_folders=True)
        value = "line one\nzwei ü 🔑 & + % \u2028 end"
        server.faults.plan(Kind.BATCH_CREATION, HalfSent())
        wanted = [create("A&B", value), create("C", ""), create("L" * 150, "x" * 400_000)]
        assert await writes.write(reader, place, wanted) == [Stored()] * 3
        assert await writes.write(reader, place, [update("A&B", f"{value}!"), delete("C")]) == [Stored()] * 2
        assert await writes.write(reader, place, [delete("A&B"), delete("L" * 150)]) == [Stored()] * 2
        assert remote.values("dev", "/app") == {}
        assert await writes.write(reader, place, [create("A&B", value)]) == [Stored()]
        since = asyncio.get_running_loop().time()
        compared = (await readings.compare(reader, place, [RemoteName("A&B")], since=since)).result
        assert isinstance(compared, Compared)
        assert compared.values == {"A&B": Found(SecretText(value))}
        below = Place(project, "dev", FolderPath("/app/new"))
        assert await writes.write(reader, below, [create("A"), create("B")]) == [Stored()] * 2
        assert server.counts()[Kind.BATCH_CREATION] == 3
        assert server.counts()[Kind.FOLDER] == 1
        await leases.close(1.0)
