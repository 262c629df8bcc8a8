"""The whole way over real HTTP on loopback: the same client, the same server, a socket between them."""

import random
import time

import pytest

from adapters.auth.login import LoginRequest
from adapters.infisical.answers import Listing, RemoteSecret
from adapters.infisical.client import Client, NoSuchSecret, Readable, Revoked, Token
from adapters.infisical.exchange import Retry
from adapters.infisical.hosts import Hosts
from adapters.infisical.http import Network
from adapters.infisical.places import Place, Project, View
from adapters.infisical.secret_text import SecretText
from machines.names import FolderPath
from machines.outcomes import LeaseRefused, Missing, Service, Thing, Trouble, Unavailable
from reconciler.standin import ADMIN, Age, HalfSent, Kind, Options, Redirect, Server, StandIn

RETRY = Retry(attempts=2, first_delay=0.01)
VIEW = View()


def the_client(network: Network, url: str) -> Client:
    client = Hosts(network.transport, random.Random(1)).client(url)
    assert isinstance(client, Client)
    return client


def the_login(server: StandIn) -> LoginRequest:
    credentials = server.add_machine("reader", dict.fromkeys(server.projects.values(), ADMIN))
    fields = {
        "clientId": SecretText(credentials.client_id),
        "clientSecret": SecretText(credentials.client_secret),
    }
    return LoginRequest("/v1/auth/universal-auth/login", fields)


@pytest.mark.parametrize("pages", [False, True], ids=["bare", "with-web-pages"])
@pytest.mark.parametrize("age", Age)
async def test_everything_that_is_asked_of_a_server(age: Age, pages: bool) -> None:
    server = StandIn(time.time, age, options=Options(web_pages=pages))
    remote = server.add_project("my-project")
    remote.add_folder("dev", "/app")
    value = "line one\nzwei ü 🔑 & + % \u2028 end"
    remote.set_secret("dev", "/app", "A b+c&d", value)
    login = the_login(server)
    async with Server(server) as served, Network() as network:
        client = the_client(network, f"{served.url}/api/")
        token = await client.login(login, None, RETRY)
        assert isinstance(token, Token)
        project = await client.project(token.value, "my-project", RETRY)
        assert isinstance(project, Project)
        assert await client.project(token.value, "no-project", RETRY) == Missing(what=Thing.PROJECT)
        place = Place(project, "dev", FolderPath("/app"))
        listing = await client.list(token.value, place, VIEW, RETRY)
        assert isinstance(listing, Listing)
        assert [secret.value for secret in listing.own] == [SecretText(value)]
        secret = await client.read(token.value, place, VIEW, "A b+c&d", RETRY)
        assert isinstance(secret, RemoteSecret)
        assert secret.value == SecretText(value)
        assert await client.read(token.value, place, VIEW, "NOPE", RETRY) == NoSuchSecret()
        assert await client.probe(token.value, place, VIEW, RETRY) == Readable()
        assert await client.revoke(token.value, RETRY) == Revoked()
        assert await client.read(token.value, place, VIEW, "NOPE", RETRY) == LeaseRefused()
        assert await client.revoke(token.value, RETRY) == Revoked()


async def test_broken_answers_on_the_wire() -> None:
    server = StandIn(time.time)
    server.add_project("my-project")
    login = the_login(server)
    async with Server(server) as served, Network() as network:
        client = the_client(network, served.url)
        server.faults.plan(Kind.LOGIN, HalfSent())
        assert isinstance(await client.login(login, None, RETRY), Token)
        server.faults.plan(Kind.LOGIN, Redirect("http://127.0.0.1:1/"))
        redirected = Unavailable(service=Service.INFISICAL, why=Trouble.REDIRECTED)
        assert await client.login(login, None, RETRY) == redirected
    down = Unavailable(service=Service.INFISICAL, why=Trouble.REFUSED)
    async with Network() as network:
        assert await the_client(network, served.url).login(login, None, RETRY) == down


async def test_what_is_no_infisical_server_at_all() -> None:
    """A web server in its place answers pages, whatever is asked."""
    server = StandIn(time.time, options=Options(web_pages=True))
    login = LoginRequest("/v1/no-such-route", the_login(server).fields)
    async with Server(server) as served, Network() as network:
        client = the_client(network, served.url)
        assert await client.login(login, None, RETRY) == Missing(what=Thing.ROUTE)
