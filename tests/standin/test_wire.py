"""What happens on the wire: faults, limits, webhooks; in process and over real HTTP."""

import asyncio
import hashlib
import hmac
import json

import aiohttp
import pytest
from aiohttp import web

from adapters.infisical.transport import Request, TransportError, Unreachable
from reconciler.standin import (
    ADMIN,
    CLOUD_LIMITS,
    BrokenJson,
    Dropped,
    HalfSent,
    InProcess,
    Kind,
    Meanwhile,
    OtherJson,
    Page,
    Redirect,
    Server,
    Slow,
    StandIn,
    Status,
)
from tests.standin.user import Clock, User, a_server, body, trouble


class Bell(Clock):
    """A clock that tells when somebody looks at it: the server does at every request."""

    def __init__(self) -> None:
        super().__init__()
        self.rung = asyncio.Event()

    def __call__(self) -> float:
        self.rung.set()
        return self.now


async def fetch(url: str, user: User) -> tuple[int, bytes]:
    headers = {"authorization": f"Bearer {user.token}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v2/workspace/my-project", headers=headers, allow_redirects=False) as response,
    ):
        return response.status, await response.read()


def resolution(user: User) -> Request:
    headers = {"authorization": f"Bearer {user.token}"}
    return Request(method="GET", path="/api/v2/workspace/my-project", headers=headers)


def test_a_planned_fault_strikes_the_requests_that_it_names_as_often_as_it_says() -> None:
    server, project = a_server()
    user = User(server, project)
    plan = server.faults.plan(Kind.LISTING, Status(429, retry_after=7), times=2, after=1)
    answers = [user.read() for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers["retry-after"] == "7"
    assert user.ask("GET", "/v2/workspace/my-project").status == 200
    assert plan.met == 2


def test_a_fault_can_name_requests_by_a_pattern() -> None:
    server, project = a_server()
    user = User(server, project)
    server.faults.plan("GET /api/v4/secrets/A*", Status(503), times=None)
    assert [user.read(name).status for name in ("APP", "BAR", "A")] == [503, 404, 503]
    server.faults.clear()
    assert user.read("APP").status == 404


def test_answers_may_be_pages_or_other_json_or_broken_or_elsewhere() -> None:
    server, project = a_server()
    user = User(server, project)
    server.faults.plan(Kind.LISTING, Page(502))
    server.faults.plan(Kind.LISTING, OtherJson())
    server.faults.plan(Kind.LISTING, BrokenJson())
    server.faults.plan(Kind.LISTING, Redirect("https://elsewhere.test/"))
    page, other, broken, moved = (user.read() for _ in range(4))
    assert (page.status, page.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert body(other) == {"unexpected": True}
    with pytest.raises(json.JSONDecodeError):
        body(broken)
    assert (moved.status, moved.headers["location"]) == (302, "https://elsewhere.test/")


def test_something_may_happen_just_before_a_request_is_looked_at() -> None:
    server, project = a_server()
    user = User(server, project)
    server.faults.plan(Kind.LISTING, Meanwhile(lambda: server.delete_project("my-project")))
    assert trouble(user.read())[0] == 404


@pytest.mark.parametrize(
    ("fault", "carried_out"),
    [(Dropped(), False), (Dropped(carried_out=True), True), (HalfSent(), True)],
)
def test_a_connection_may_break_before_or_after_the_request_is_carried_out(
    fault: Dropped | HalfSent, carried_out: bool
) -> None:
    server, project = a_server()
    user = User(server, project)
    server.faults.plan(Kind.CREATION, fault)
    with pytest.raises(TransportError) as caught:
        user.write("POST", "KEY", secretValue="v")
    assert caught.value.why is Unreachable.BROKEN
    assert project.values("dev", "/") == ({"KEY": "v"} if carried_out else {})
    assert server.requests[-1].status is None


async def test_over_http_broken_connections_are_broken_and_other_faults_arrive_as_planned() -> None:
    server, project = a_server()
    user = User(server, project)
    async with Server(server) as served:
        for fault in (Dropped(), HalfSent()):
            # For ever: this client asks once more by itself where a connection broke before an answer.
            server.faults.plan(Kind.RESOLUTION, fault, times=None)
            with pytest.raises(aiohttp.ClientError):
                await fetch(served.url, user)
            server.faults.clear()
        server.faults.plan(Kind.RESOLUTION, Status(503))
        assert (await fetch(served.url, user))[0] == 503
        status, text = await fetch(served.url, user)
        assert (status, json.loads(text)["id"]) == (200, project.id)


async def test_a_server_with_a_slow_answer_under_way_stops_at_once() -> None:
    clock = Bell()
    server, project = a_server(clock=clock)
    user = User(server, project)
    server.faults.plan(Kind.RESOLUTION, Slow(3600), times=None)
    clock.rung.clear()
    async with Server(server) as served:
        waiting = asyncio.create_task(fetch(served.url, user))
        await clock.rung.wait()
    with pytest.raises(aiohttp.ClientError):
        await waiting


async def test_in_process_a_slow_answer_takes_its_time_and_a_dropped_one_says_why() -> None:
    server, project = a_server()
    user = User(server, project)
    transport = InProcess(server)
    server.faults.plan(Kind.RESOLUTION, Slow(3600))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await transport.send(resolution(user))
    server.faults.plan(Kind.RESOLUTION, Dropped(why=Unreachable.REFUSED))
    with pytest.raises(TransportError) as caught:
        await transport.send(resolution(user))
    assert caught.value.why is Unreachable.REFUSED
    assert (await transport.send(resolution(user))).status == 200


def test_the_clouds_limits_count_by_client_address_and_minute() -> None:
    clock = Clock()
    server, project = a_server(clock=clock)
    user = User(server, project)
    server.limit(CLOUD_LIMITS)
    assert {user.read().status for _ in range(120)} == {200}
    refused = user.read()
    assert refused.status == 429
    assert refused.headers["retry-after"] == "60"
    assert "60 seconds" in trouble(refused)[1]
    assert user.ask("GET", "/v2/workspace/my-project").status == 200
    place = {"projectId": project.id, "environment": "dev"}
    assert user.ask("GET", "/v4/secrets", client="10.0.0.2", **place).status == 200
    clock.pass_by(60)
    assert user.read().status == 200


def test_logins_and_revocations_count_as_writes() -> None:
    server, project = a_server()
    user = User(server, project)
    server.limit(CLOUD_LIMITS)
    statuses = [user.ask("POST", "/v1/auth/token/revoke", {"accessToken": "x"}).status for _ in range(91)]
    assert (statuses[89], statuses[90]) == (403, 429)


def test_requests_are_recorded_by_kind_without_query_or_body() -> None:
    server, project = a_server()
    project.set_secret("dev", "/", "KEY", "canary")
    user = User(server, project)
    user.read()
    user.read("KEY")
    user.ask("GET", "/v9/nothing")
    counts = server.counts()
    assert (counts[Kind.LISTING], counts[Kind.SINGLE], counts[Kind.NO_ROUTE]) == (1, 1, 1)
    assert server.record.counts(successful=True)[Kind.NO_ROUTE] == 0
    assert server.requests[1].path == "/api/v4/secrets/KEY"
    server.record.clear()
    assert server.requests == []


def test_no_repr_shows_a_value_or_a_credential() -> None:
    server, project = a_server()
    secret = project.set_secret("dev", "/", "KEY", "canary-value")
    project.add_webhook("dev", "*", "https://receiver.test", "canary-key")
    credentials = server.add_machine("machine", {project: ADMIN})
    identity = server.add_identity("other", {project: ADMIN})
    token = server.add_token(identity)
    project.add_change_policy("dev")
    User(server, project).write("PATCH", "KEY", secretValue="canary-value")
    shown = repr(
        [server, project, secret, project.folder("dev", "/"), credentials, server.tokens, server.deliveries]
        + [project.webhooks, project.approvals, server.requests, list(server.accounts.identities.values())]
    )
    for hidden in ("canary-value", "canary-key", credentials.client_secret, token):
        assert hidden not in shown


class Receiver:
    """Keeps what is announced to it."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.received.put_nowait((dict(request.headers), await request.read()))
        return web.Response()


async def test_a_change_is_announced_over_http_signed_and_for_each_folder_that_imports_it() -> None:
    server, project = a_server()
    receiver = Receiver()
    runner = web.ServerRunner(web.Server(receiver))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    project.add_folder("prod", "/shared")
    project.add_import("dev", "/app", source_environment="prod", source_path="/shared")
    for environment in ("dev", "prod"):
        project.add_webhook(environment, "*", f"http://127.0.0.1:{runner.addresses[0][1]}/hook", "key")
    async with Server(server):
        project.set_secret("prod", "/shared", "KEY", "v")
        async with asyncio.timeout(5):
            got = [await receiver.received.get() for _ in range(2)]
    await runner.cleanup()
    announced = []
    for headers, sent in got:
        event = json.loads(sent)
        digest = hmac.new(b"key", sent, hashlib.sha256).hexdigest()
        assert headers["x-infisical-signature"] == f"t={event['timestamp']};{digest}"
        assert event["event"] == "secrets.modified"
        assert event["project"]["projectId"] == event["project"]["workspaceId"] == project.id
        announced.append((event["project"]["environment"], event["project"]["secretPath"]))
    assert announced == [("prod", "/shared"), ("dev", "/app")]


def test_without_webhooks_nothing_is_kept_for_delivery() -> None:
    server, project = a_server()
    project.set_secret("dev", "/", "KEY", "v")
    assert server.deliveries == []
    assert isinstance(server, StandIn)
