"""Very many resources under the limits of Infisical Cloud: nothing is refused, and nobody is told of trouble."""

import asyncio

import pytest

from adapters.infisical.transport import Unreachable
from reconciler.standin import CLOUD_LIMITS, Kind, Limits
from tests.outages.town import Town, now
from tests.simulated_loop import simulated

SILENT = Limits(total=600, reads=200, writes=90, secrets=120, told=False)


def untroubled(town: Town) -> bool:
    """Whether every run of an ExternalSecret ended well, or waited for its store's first verdict."""
    ends = {one.to for one in town.journal.transitions if one.end and one.subject.kind == "ExternalSecret"}
    return ends <= {"ready", "idle", "expectant", "waiting"}


@pytest.mark.parametrize("limits", [CLOUD_LIMITS, SILENT], ids=["told", "silent"])
def test_five_hundred_of_one_folder_take_a_moment(limits: Limits) -> None:
    """They share a login and a listing, so that the limits are far away."""

    @simulated
    async def scenario() -> None:
        town = Town("app.infisical")
        server = town.servers["app.infisical"]
        server.limit(limits)
        await town.store("app.infisical")
        names = await town.external_secrets("app.infisical", 500, "1h")
        async with town.runs():
            assert await town.until_ready(names, 15) < 3
        assert server.refusals() == 0
        assert len(server.standin.requests) < 10

    scenario()


@pytest.mark.parametrize(("limits", "name"), [(CLOUD_LIMITS, "main"), (SILENT, "app.infisical")], ids=str)
def test_five_hundred_of_folders_of_their_own_are_paced(limits: Limits, name: str) -> None:
    """As fast as 120 a minute allow; no refusal, no condition but that they are ready."""

    @simulated
    async def scenario() -> None:
        town = Town(name)
        server = town.servers[name]
        server.limit(limits)
        await town.store(name)
        names = await town.external_secrets(name, 500, "1h", apart=True)
        async with town.runs():
            took = await town.until_ready(names, 400)
        assert server.refusals() == 0
        assert 240 <= took <= 320
        assert untroubled(town)
        assert town.cluster.writes["status ExternalSecret"] == 500
        assert server.counts()[Kind.LOGIN] <= 6

    scenario()


@simulated
async def test_refreshes_that_are_more_than_the_limits_allow_come_late_and_are_no_trouble() -> None:
    """300 listings a minute are wanted where 120 are allowed: the data is older than it should be, and good."""
    town = Town("main")
    server = town.servers["main"]
    server.limit(CLOUD_LIMITS)
    await town.store("main")
    names = await town.external_secrets("main", 300, "1m", apart=True)
    async with town.runs():
        await town.until_ready(names, 300)
        town.journal.transitions.clear()
        await asyncio.sleep(600)
        assert await town.ready(names) == 300
        refreshed = {one.subject.name for one in town.journal.transitions if one.to == "ready" and one.end}
        assert len(refreshed & set(names)) == 300
        assert untroubled(town)
    assert server.refusals() == 0


@simulated
async def test_a_host_whose_limits_are_used_up_holds_up_no_other() -> None:
    town = Town("main", "other")
    town.servers["main"].limit(CLOUD_LIMITS)
    for name in town.servers:
        await town.store(name)
    names = await town.external_secrets("main", 500, "1h", apart=True)
    async with town.runs():
        await asyncio.sleep(20)
        for number in range(5):
            fresh = await town.external_secrets("other", 1, "1h", prefix=f"fresh-{number}")
            assert await town.until_ready(fresh, 5) < 1
            await asyncio.sleep(10)
        await town.until_ready(names, 400)
    assert town.servers["main"].refusals() == 0


@simulated
async def test_who_waits_for_a_turn_is_told_when_the_host_goes_down_meanwhile() -> None:
    """Those that are new say what the trouble is, instead of nothing at all, and go on when it is over."""
    town = Town("main")
    server = town.servers["main"]
    server.limit(CLOUD_LIMITS)
    await town.store("main")
    names = await town.external_secrets("main", 400, "1h", apart=True)
    async with town.runs():
        await asyncio.sleep(10)
        ready = await town.ready(names)
        assert 100 <= ready <= 120
        server.down = Unreachable.REFUSED
        await asyncio.sleep(120)
        told = [one for one in await town.conditions(names) if one.get("status") == "False"]
        assert len(told) == 400 - ready
        assert all("refuses connections" in one["message"] for one in told)
        server.down = None
        await town.until_ready(names, 400)
    assert server.refusals() == 0


@simulated
async def test_a_refusal_from_outside_pauses_all_and_makes_nothing_flap() -> None:
    """Somebody behind the same address has used up the limit: what is ready stays so, where the pause is short."""
    town = Town("main")
    server = town.servers["main"]
    await town.store("main")
    names = await town.external_secrets("main", 100, "1m", apart=True)
    async with town.runs():
        await town.until_ready(names, 60)
        server.limit(Limits(secrets=60, told=False))
        began = now()
        while now() - began < 300:
            assert await town.ready(names) == 100
            await asyncio.sleep(1)
    assert server.refusals() <= 150  # those under way together when the limit is reached, once a minute
