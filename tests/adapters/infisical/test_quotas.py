"""Limits that are kept: none of our requests is refused for being one too many, whatever the limits are known by."""

import asyncio
import random
from collections.abc import Mapping

import pytest

from adapters.infisical.exchange import Exchange, Retry
from adapters.infisical.host_state import HostState
from adapters.infisical.quotas import FREE_PLAN, NO_LIMITS, WINDOW, Quota, Telling, known_limits, telling_of
from adapters.infisical.refusals import Asked
from adapters.infisical.transport import Answer, Request
from machines.names import Host
from machines.outcomes import Trouble, Unavailable
from reconciler.standin import CLOUD_LIMITS, Kind, Limits, Slow, StandIn
from reconciler.standin.in_process import InProcess
from tests.simulated_loop import simulated, wall_time

CLOUD = Host("https://eu.infisical.com")
OWN = Host("https://infisical.test")


class Asking:
    """Requests to a server under limits, as many at once as one likes."""

    def __init__(self, host: Host, limits: Limits, *, seconds: float = 0.05) -> None:
        self.server = StandIn(wall_time)
        self.server.limit(limits)
        self.server.faults.plan("*", Slow(seconds), times=None)
        self.state = HostState(host, random.Random(1), lambda host, trouble: None)
        self._exchange = Exchange(InProcess(self.server), self.state, random.Random(1))

    async def secrets(self, number: int, path: str = "/api/v4/secrets") -> None:
        """So many listings."""
        await self._all(Request(method="GET", path=path), Asked.SECRETS, number)

    async def logins(self, number: int) -> None:
        """So many logins, which are refused, but not for their number."""
        await self._all(
            Request(
                method="POST",
                path="/api/v1/auth/universal-auth/login",
                headers={"content-type": "application/json"},
                body=b"{}",
            ),
            Asked.LOGIN,
            number,
        )

    async def projects(self, number: int) -> None:
        """So many resolutions."""
        await self._all(Request(method="GET", path="/api/v1/projects/slug/some"), Asked.PROJECT, number)

    async def _all(self, request: Request, asked: Asked, number: int) -> None:
        replies = await asyncio.gather(*(self._exchange.send(request, asked, Retry()) for _ in range(number)))
        assert not [one for one in replies if isinstance(one, Unavailable)]

    @property
    def refused(self) -> int:
        """How many were one too many."""
        return sum(asked.status == 429 for asked in self.server.requests)


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    ("host", "told"), [(CLOUD, False), (CLOUD, True), (OWN, True)], ids=["known", "known and told", "told"]
)
def test_five_hundred_listings_under_the_free_plan_are_never_refused(host: Host, told: bool) -> None:
    """They go as fast as the limit lets them: 120 a minute, the first at once."""

    @simulated
    async def scenario() -> None:
        asking = Asking(host, Limits(total=600, reads=200, writes=90, secrets=120, told=told))
        await asking.secrets(500)
        assert asking.refused == 0
        assert len(asking.server.requests) == 500
        assert 240 <= now() <= 310
        early = [one for one in asking.server.requests if one.at - asking.server.requests[0].at < 10]
        assert len(early) >= 110

    scenario()


@simulated
async def test_each_group_has_its_own_limit_and_all_together_one() -> None:
    asking = Asking(CLOUD, CLOUD_LIMITS)
    await asyncio.gather(asking.secrets(300), asking.logins(200), asking.projects(450))
    assert asking.refused == 0


@simulated
async def test_what_another_process_used_up_is_seen_in_the_answers() -> None:
    """After a restart, or from behind the same address: the server's count is the one that counts."""
    first = Asking(OWN, CLOUD_LIMITS)
    await first.secrets(70)
    second = Asking(OWN, CLOUD_LIMITS)
    second.server = first.server
    second._exchange = Exchange(InProcess(first.server), second.state, random.Random(2))
    await second.secrets(200)
    assert second.refused == 0
    assert first.server.counts()[Kind.LISTING] == 270


@simulated
async def test_a_larger_plan_is_used_once_an_answer_tells_of_it() -> None:
    asking = Asking(CLOUD, Limits(reads=10_000, writes=10_000, secrets=10_000))
    await asking.secrets(2000)
    assert asking.refused == 0
    assert now() < 10


@simulated
async def test_limits_that_are_told_of_no_more_are_forgotten() -> None:
    """Somebody lifted them: a minute later it is as if there had never been any."""
    asking = Asking(OWN, Limits(secrets=10))
    await asking.secrets(15)
    asking.server.limit(Limits())
    await asyncio.sleep(61)
    await asking.secrets(1)
    began = now()
    await asking.secrets(500)
    assert now() - began < 3


@simulated
async def test_a_server_without_limits_is_not_slowed_down() -> None:
    asking = Asking(OWN, Limits())
    await asking.secrets(2000)
    assert now() < 3


@simulated
async def test_whoever_waits_can_be_cancelled_and_takes_no_place() -> None:
    asking = Asking(CLOUD, CLOUD_LIMITS)
    tasks = [asyncio.ensure_future(asking.secrets(1)) for _ in range(300)]
    await asyncio.sleep(10)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    asked = len(asking.server.requests)
    assert asked <= 120
    await asyncio.sleep(60)
    began = now()
    await asking.secrets(110)
    assert asking.refused == 0
    assert now() - began < 5


@simulated
async def test_a_slot_is_held_until_a_minute_after_its_answer() -> None:
    quota = Quota(2)
    first = quota.sent("route")
    quota.sent("route")
    assert quota.wait("route") == float("inf")
    await asyncio.sleep(20)
    quota.answered("route", first, None)
    assert quota.wait("route") == WINDOW
    await asyncio.sleep(WINDOW)
    assert quota.wait("route") == 0


@simulated
async def test_a_window_that_the_server_counts_by_route_holds_up_that_route_only() -> None:
    quota = Quota(None)
    listing = quota.sent("list")
    quota.answered("list", listing, Telling(100, 0, 30))
    single = quota.sent("single")
    quota.answered("single", single, Telling(100, 99, 55))
    assert quota.wait("list") == 30
    assert quota.wait("single") == 0
    await asyncio.sleep(30)
    assert quota.wait("list") == 0


@simulated
async def test_answers_that_overtake_each_other_do_not_make_the_count_better() -> None:
    quota = Quota(None)
    numbers = [quota.sent("route") for _ in range(3)]
    quota.answered("route", numbers[2], Telling(100, 7, 30))
    quota.answered("route", numbers[0], Telling(100, 9, 30))
    assert quota.wait("route") == 0
    quota.sent("route")
    quota.sent("route")
    assert quota.wait("route") == 30  # one in twenty is left to others


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_smallest_limits_still_let_something_through(limit: int) -> None:
    @simulated
    async def scenario() -> None:
        asking = Asking(OWN, Limits(secrets=limit))
        await asking.secrets(1)
        await asking.secrets(2 * limit)
        assert asking.refused == 0
        assert now() <= 4 * WINDOW

    scenario()


def test_which_servers_are_infisical_cloud() -> None:
    for name in ("app.infisical.com", "us.infisical.com", "eu.infisical.com:443", "infisical.com"):
        assert known_limits(Host(f"https://{name}")) == FREE_PLAN
    for name in ("infisical.com.example.org", "notinfisical.com", "infisical.internal", "127.0.0.1:8080"):
        assert known_limits(Host(f"https://{name}")) == NO_LIMITS


def ratelimit(limit: str, left: str, reset: str, prefix: str = "x-ratelimit-") -> Mapping[str, str]:
    return {f"{prefix}limit": limit, f"{prefix}remaining": left, f"{prefix}reset": reset}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (ratelimit("200", "199", "60"), Telling(200, 199, 60)),
        (ratelimit("200", "0", "0", "ratelimit-"), Telling(200, 0, 0)),
        ({}, None),
        ({"x-ratelimit-limit": "200"}, None),
        (ratelimit("0", "0", "1"), None),
        (ratelimit("-1", "0", "1"), None),
        (ratelimit("many", "0", "1"), None),
        (ratelimit("²", "0", "1"), None),
        (ratelimit("200", "0", "1760000000"), None),
        (ratelimit("9" * 5000, "0", "1"), None),
    ],
)
def test_what_headers_tell(headers: Mapping[str, str], expected: Telling | None) -> None:
    assert telling_of(headers) == expected


@simulated
async def test_a_limited_answer_is_told_as_such_when_the_pause_is_long() -> None:
    """A pause beyond an effect's own time is not slept through in it."""

    class Limited:
        async def send(self, request: Request) -> Answer:
            date = {"date": "Wed, 01 Oct 2025 10:00:00 GMT", "retry-after": "Wed, 01 Oct 2025 10:02:00 GMT"}
            return Answer(status=429, headers=date, body=b'{"message": "Rate limit exceeded"}')

    state = HostState(OWN, random.Random(1), lambda host, trouble: None)
    exchange = Exchange(Limited(), state, random.Random(1))
    reply = await exchange.send(Request(method="GET", path="/api/v4/secrets"), Asked.SECRETS, Retry())
    assert isinstance(reply, Unavailable)
    assert (reply.why, reply.after) == (Trouble.LIMITED, 120.0)
    assert state.pace.remaining() == 120.0
