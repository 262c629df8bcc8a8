"""A host that is down: one asks whether it is back, nobody else is let through, and nobody rushes in when it is."""

import asyncio
import itertools
import random
from collections.abc import Awaitable

import pytest

from adapters.infisical.crowd import AT_FIRST, MOST
from adapters.infisical.exchange import Exchange, Reply, Retry
from adapters.infisical.health import LAST_PROBE, TOLERATED
from adapters.infisical.host_state import Access, HostState
from adapters.infisical.refusals import Asked
from adapters.infisical.transport import Answer, Request, TransportError, Unreachable
from machines.names import Host
from machines.outcomes import Service, Trouble, Unavailable
from tests.simulated_loop import simulated

HOST = Host("https://infisical.test")
ONCE = Retry(attempts=1)
STATUS = "/api/status"


class Remote:
    """A server that is up or down, or whose every route but the status fails; it takes its time and is counted."""

    def __init__(self, seconds: float = 0.1) -> None:
        self.seconds = seconds
        self.failure: Unreachable | int | None = None
        self.failing_routes = False
        self.asked: list[tuple[float, str]] = []
        self.under_way = 0
        self.most = 0

    async def send(self, request: Request) -> Answer:
        """Answers, or does not."""
        self.asked.append((now(), request.path))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.under_way -= 1
        if isinstance(self.failure, Unreachable):
            raise TransportError(self.failure)
        if self.failing_routes and request.path != STATUS:
            return Answer(status=500, body=b'{"error": "Something", "message": "went wrong", "reqId": "1"}')
        return Answer(status=self.failure or 200, body=b"{}")

    @property
    def probes(self) -> list[float]:
        """When it was asked for its status."""
        return [at for at, path in self.asked if path == STATUS]


class Situation:
    """A remote, what is known of it, and a way to it."""

    def __init__(self, seconds: float = 0.1) -> None:
        self.remote = Remote(seconds)
        self.told: list[Unavailable | None] = []
        self.state = HostState(HOST, random.Random(1), lambda host, trouble: self.told.append(trouble))
        self.exchange = Exchange(self.remote, self.state, random.Random(1))

    def ask(self, retry: Retry = ONCE, name: str = "") -> Awaitable[Reply]:
        """One request."""
        request = Request(method="GET", path=f"/api/v4/secrets/{name}")
        return self.exchange.send(request, Asked.SECRETS, retry)

    async def goes_down(self, failure: Unreachable | int = Unreachable.REFUSED) -> None:
        """It fails until it is held to be down."""
        self.remote.failure = failure
        for _ in range(TOLERATED):
            await self.ask()
        assert self.state.access is Access.DOWN
        self.remote.asked.clear()


def now() -> float:
    return asyncio.get_running_loop().time()


def unavailable(why: Trouble, status: int = 0) -> Unavailable:
    return Unavailable(service=Service.INFISICAL, why=why, status=status)


@pytest.mark.parametrize(
    ("failure", "trouble"),
    [
        (Unreachable.REFUSED, unavailable(Trouble.REFUSED)),
        (Unreachable.UNRESOLVED, unavailable(Trouble.UNRESOLVED)),
        (Unreachable.BROKEN, unavailable(Trouble.BROKEN)),
        (Unreachable.TIMED_OUT, unavailable(Trouble.TIMED_OUT)),
        (503, unavailable(Trouble.FAULT, 503)),
    ],
    ids=str,
)
def test_after_failures_in_a_row_nothing_is_sent_any_more(
    failure: Unreachable | int, trouble: Unavailable
) -> None:
    """Everybody is told at once what the trouble is, as before."""

    @simulated
    async def scenario() -> None:
        situation = Situation()
        situation.remote.failure = failure
        for _ in range(TOLERATED):
            assert await situation.ask() == trouble
        assert len(situation.remote.asked) == TOLERATED + 1
        assert len(situation.remote.probes) == 1
        began = now()
        assert await asyncio.gather(*(situation.ask() for _ in range(1000))) == [trouble] * 1000
        assert now() == began
        assert len(situation.remote.asked) == TOLERATED + 1
        assert situation.told == [trouble]

    scenario()


@pytest.mark.parametrize(
    "failure",
    [Unreachable.UNTRUSTED, Unreachable.EXPIRED, Unreachable.TOO_LARGE, Unreachable.REDIRECTED, 403],
)
def test_what_is_no_sign_of_an_outage(failure: Unreachable | int) -> None:
    """Somebody is there, and another store may well get on with it."""

    @simulated
    async def scenario() -> None:
        situation = Situation()
        situation.remote.failure = failure
        for _ in range(10):
            await situation.ask()
        assert situation.state.access is Access.OPEN
        assert not situation.remote.probes

    scenario()


@simulated
async def test_faults_of_single_requests_do_not_bring_a_host_down() -> None:
    """A server of 2025 answers 500 to a value with a broken reference: the probe finds that all else is well."""
    situation = Situation()
    situation.remote.failing_routes = True
    for _ in range(2 * TOLERATED):
        assert await situation.ask() == unavailable(Trouble.FAULT, 500)
    assert situation.state.access is Access.OPEN
    assert len(situation.remote.probes) == 2
    assert not situation.told


@simulated
async def test_one_probes_for_all_who_wait_later_and_later() -> None:
    situation = Situation(seconds=0.0)
    await situation.goes_down()
    waiting = [asyncio.ensure_future(situation.state.open()) for _ in range(100)]
    asking = [asyncio.ensure_future(_again_and_again(situation)) for _ in range(10)]
    await asyncio.sleep(600)
    assert situation.remote.probes == [at for at, _ in situation.remote.asked]
    assert 20 <= len(situation.remote.probes) <= 45
    pauses = [b - a for a, b in itertools.pairwise(situation.remote.probes)]
    assert max(pauses) <= LAST_PROBE
    assert sorted(pauses[:5]) == pauses[:5]
    situation.remote.failure = None
    await asyncio.gather(*waiting)
    assert now() <= 600 + LAST_PROBE
    assert situation.told == [unavailable(Trouble.REFUSED), None]
    for task in asking:
        task.cancel()


async def _again_and_again(situation: Situation) -> None:
    while True:
        await situation.ask()
        await asyncio.sleep(1)


@simulated
async def test_where_nobody_waits_nothing_is_sent_until_somebody_wants_something() -> None:
    """And who comes when it is time for a probe finds out whether it is back."""
    situation = Situation()
    await situation.goes_down()
    waiting = asyncio.ensure_future(situation.state.open())
    await asyncio.sleep(20)
    waiting.cancel()
    await asyncio.sleep(0)
    situation.remote.asked.clear()
    await asyncio.sleep(3600)
    assert not situation.remote.asked
    assert await asyncio.gather(*(situation.ask() for _ in range(50))) == [unavailable(Trouble.REFUSED)] * 50
    assert len(situation.remote.asked) == len(situation.remote.probes) == 1
    situation.remote.failure = None
    await asyncio.sleep(LAST_PROBE)
    assert isinstance(await situation.ask(), Answer)
    assert situation.told == [unavailable(Trouble.REFUSED), None]


@simulated
async def test_after_its_return_few_are_let_through_at_first() -> None:
    """One, then two, four, and so on; in the order in which they came."""
    situation = Situation()
    await situation.goes_down()
    situation.remote.failure = None
    await situation.state.open()
    began, situation.remote.most = now(), 0
    situation.remote.asked.clear()
    await asyncio.gather(*(situation.ask(name=str(number)) for number in range(1000)))
    rounds = [round((at - began) / situation.remote.seconds) for at, _ in situation.remote.asked]
    assert [rounds.count(number) for number in range(8)] == [1, 2, 4, 8, 16, 32, 64, 64]
    assert situation.remote.most == MOST
    assert [path.rpartition("/")[2] for _, path in situation.remote.asked] == [str(n) for n in range(1000)]


@simulated
async def test_a_host_that_breaks_down_again_under_the_first_is_left_alone_again() -> None:
    situation = Situation()
    await situation.goes_down()
    situation.remote.failure = None
    await situation.state.open()
    situation.remote.failure = 503
    situation.remote.asked.clear()
    await asyncio.gather(*(situation.ask(Retry()) for _ in range(1000)))
    assert len(situation.remote.asked) <= TOLERATED + 1
    assert situation.state.access is Access.DOWN


@simulated
async def test_who_waits_for_his_turn_is_told_when_the_host_goes_down() -> None:
    situation = Situation(seconds=5.0)
    situation.remote.failure = Unreachable.TIMED_OUT
    replies = await asyncio.gather(*(situation.ask(Retry()) for _ in range(200)))
    assert replies == [unavailable(Trouble.TIMED_OUT)] * 200
    assert len(situation.remote.asked) <= AT_FIRST + 1
    assert now() <= 11


@simulated
async def test_repetitions_have_a_budget_that_all_share() -> None:
    """Where everything fails, repeating everything would be a second burden: ten may be repeated."""
    situation = Situation()
    situation.remote.failing_routes = True
    await asyncio.gather(*(situation.ask(Retry()) for _ in range(500)))
    assert len(situation.remote.asked) - len(situation.remote.probes) <= 500 + 11


@simulated
async def test_after_a_pause_that_was_asked_for_one_goes_first() -> None:
    """If it is refused as well, it alone was."""
    situation = Situation()
    situation.remote.failure = 429
    first = asyncio.ensure_future(situation.ask(Retry(attempts=2)))
    await asyncio.sleep(0.5)
    others = [asyncio.ensure_future(situation.ask(Retry(attempts=2))) for _ in range(50)]
    await first
    assert len(situation.remote.asked) == 2
    situation.remote.failure = None
    await asyncio.gather(*others)
    assert len(situation.remote.asked) == 52


@simulated
async def test_pauses_grow_while_a_server_says_nothing_but_no() -> None:
    situation = Situation(seconds=0.0)
    situation.remote.failure = 429
    for _ in range(4):
        await situation.ask(Retry(attempts=100))
    times = [at for at, _ in situation.remote.asked]
    pauses = [b - a for a, b in itertools.pairwise(times)]
    assert len(times) <= 14
    assert 0.5 <= pauses[0] <= 1.0
    assert max(pauses) <= 60.0
    assert sorted(pauses[:5]) == pauses[:5]


def test_the_same_chance_gives_the_same_times() -> None:
    """Retries, probes and pauses are by chance, but by the chance that was given."""

    def times() -> list[tuple[float, str]]:
        situations: list[Situation] = []

        @simulated
        async def scenario() -> None:
            situation = Situation()
            situations.append(situation)
            situation.remote.failing_routes = True
            await asyncio.gather(*(situation.ask(Retry()) for _ in range(10)))
            await situation.goes_down()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(situation.state.open(), 100)

        scenario()
        return situations[0].remote.asked

    assert times() == times()
