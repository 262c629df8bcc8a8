"""Retries and pace: what may pass is tried again, within its limits; what a host asks for is respected by all."""

import asyncio
import random

import pytest

from adapters.infisical.client import Token
from adapters.infisical.exchange import Exchange, Retry
from adapters.infisical.host_state import HostState
from adapters.infisical.refusals import Asked, Refusal
from adapters.infisical.transport import Answer, Request
from machines.names import Host
from machines.outcomes import Service, Trouble, Unavailable
from reconciler.standin import (
    BrokenJson,
    Dropped,
    HalfSent,
    Kind,
    OtherJson,
    Page,
    Redirect,
    Slow,
    StandIn,
    Status,
)
from reconciler.standin.faults import Fault
from reconciler.standin.in_process import InProcess
from tests.adapters.infisical.access import Situation
from tests.simulated_loop import simulated, wall_time


def unavailable(why: Trouble, status: int = 0, after: float | None = None) -> Unavailable:
    return Unavailable(service=Service.INFISICAL, why=why, status=status, after=after)


def now() -> float:
    return asyncio.get_running_loop().time()


def host() -> HostState:
    """What is known of a host that nobody has asked yet."""
    return HostState(Host("https://infisical.test"), random.Random(1), lambda host, trouble: None)


async def ask(server: StandIn, retry: Retry, state: HostState) -> object:
    """One request, without much behind it."""
    exchange = Exchange(InProcess(server), state, random.Random(1))
    reply = await exchange.send(Request(method="GET", path="/api/anything"), Asked.SECRETS, retry)
    return reply.status if isinstance(reply, Answer | Refusal) else reply


@pytest.mark.parametrize(
    "fault", [Status(500), Status(503), Status(429), Dropped(), HalfSent(), Page(502)], ids=str
)
def test_what_may_pass_is_tried_again(fault: Fault) -> None:
    @simulated
    async def scenario() -> None:
        situation = Situation()
        situation.server.faults.plan(Kind.LOGIN, fault, times=2)
        assert isinstance(await situation.log_in(), Token)
        assert situation.counts()[Kind.LOGIN] == 3
        assert (
            now() <= 1.5 + 2 * 1.0
        )  # up to half a second, and up to a second; after a 429 up to one and two

    scenario()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Status(500), unavailable(Trouble.FAULT, 500)),
        (Page(503), unavailable(Trouble.FAULT, 503)),
        (Dropped(), unavailable(Trouble.BROKEN)),
        (Slow(3600), unavailable(Trouble.TIMED_OUT)),
    ],
    ids=str,
)
def test_what_does_not_pass_is_told_at_last(fault: Fault, expected: Unavailable) -> None:
    @simulated
    async def scenario() -> None:
        situation = Situation()
        situation.server.faults.plan(Kind.LOGIN, fault, times=None)
        assert await situation.log_in() == expected
        assert now() <= 45.0

    scenario()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Redirect("https://elsewhere.test/"), unavailable(Trouble.REDIRECTED, 302)),
        (Page(200), unavailable(Trouble.NOT_INFISICAL, 200)),
        (Page(403), unavailable(Trouble.NOT_INFISICAL, 403)),
        (BrokenJson(), unavailable(Trouble.NOT_INFISICAL, 200)),
        (OtherJson(), unavailable(Trouble.NOT_INFISICAL, 200)),
        (OtherJson("[]"), unavailable(Trouble.NOT_INFISICAL, 200)),
        (OtherJson("null"), unavailable(Trouble.NOT_INFISICAL, 200)),
        (OtherJson("[" * 100_000), unavailable(Trouble.NOT_INFISICAL, 200)),
        (OtherJson('{"accessToken": 5}'), unavailable(Trouble.NOT_INFISICAL, 200)),
        (OtherJson('{"accessToken": ""}'), unavailable(Trouble.NOT_INFISICAL, 200)),
    ],
    ids=str,
)
def test_what_no_infisical_server_answers_is_not_tried_again(fault: Fault, expected: Unavailable) -> None:
    @simulated
    async def scenario() -> None:
        situation = Situation()
        situation.server.faults.plan(Kind.LOGIN, fault, times=None)
        assert await situation.log_in() == expected
        assert situation.counts()[Kind.LOGIN] == 1

    scenario()


@simulated
async def test_a_store_says_how_often_and_how_soon() -> None:
    server = StandIn(wall_time)
    server.faults.plan("GET /api/anything", Status(503), times=None)
    assert await ask(server, Retry(attempts=1), host()) == unavailable(Trouble.FAULT, 503)
    assert server.counts()[Kind.NO_ROUTE] == 1
    await ask(server, Retry(attempts=5, first_delay=1.0), host())
    assert server.counts()[Kind.NO_ROUTE] == 6
    assert 1.0 < now() <= 15.0
    began = now()
    await ask(server, Retry(attempts=100, first_delay=1.0, deadline=20.0), host())
    assert now() - began <= 20.0


@simulated
async def test_retry_after_is_waited_for_by_everybody() -> None:
    server, state = StandIn(wall_time), host()
    server.faults.plan("GET /api/anything", Status(429, retry_after=20))
    first = asyncio.ensure_future(ask(server, Retry(), state))
    await asyncio.sleep(1)
    others = [asyncio.ensure_future(ask(server, Retry(), state)) for _ in range(10)]
    await asyncio.gather(first, *others)
    times = [asked.at - server.requests[0].at for asked in server.requests]
    assert times[0] == 0
    assert all(time >= 20 for time in times[1:])
    assert len(times) == 12


@simulated
async def test_a_long_pause_is_told_and_nothing_is_sent_meanwhile() -> None:
    server, state = StandIn(wall_time), host()
    server.faults.plan("GET /api/anything", Status(429, retry_after=300))
    assert await ask(server, Retry(), state) == unavailable(Trouble.LIMITED, 429, after=300.0)
    assert now() == 0
    await asyncio.sleep(100)
    assert await ask(server, Retry(), state) == unavailable(Trouble.LIMITED, 429, after=200.0)
    assert len(server.requests) == 1
    await asyncio.sleep(200)
    await ask(server, Retry(), state)
    assert len(server.requests) == 2


@simulated
async def test_a_pause_of_a_minute_is_waited_out() -> None:
    """Limits are by the minute: what reached one has not failed, whatever an effect's own limit."""
    server, state = StandIn(wall_time), host()
    server.faults.plan("GET /api/anything", Status(429, retry_after=60))
    assert await ask(server, Retry(deadline=5.0), state) == 404
    assert now() == 60.0


@simulated
async def test_an_endless_retry_after_does_not_shut_a_host_out_for_ever() -> None:
    server, state = StandIn(wall_time), host()
    server.faults.plan("GET /api/anything", Status(429, retry_after=999_999_999))
    await ask(server, Retry(), state)
    assert state.pace.remaining() <= 600


@simulated
async def test_cancelling_stops_at_once() -> None:
    server = StandIn(wall_time)
    server.faults.plan("GET /api/anything", Status(503), times=None)
    task = asyncio.ensure_future(ask(server, Retry(attempts=100), host()))
    await asyncio.sleep(5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    asked = len(server.requests)
    await asyncio.sleep(100)
    assert len(server.requests) == asked
