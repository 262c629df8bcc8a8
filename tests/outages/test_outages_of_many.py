"""What an outage costs where very many resources wait for its end, and how they go on."""

import asyncio
from collections import Counter

import pytest

from adapters.infisical.crowd import MOST
from adapters.infisical.transport import Unreachable
from reconciler.standin import Kind
from tests.outages.town import Town, now
from tests.simulated_loop import simulated

MANY = 300
QUICK_PROBES = 31.0  # seconds after which a server that is back is found to be so


@simulated
async def test_ten_minutes_without_a_server() -> None:
    """One status for each resource, the prober's requests and no others; then a listing for all."""
    town = Town("main")
    server = town.servers["main"]
    await town.store("main")
    names = await town.external_secrets("main", 1000, "1m")
    async with town.runs():
        await town.until_ready(names, 60)
        await asyncio.sleep(30)
        town.cluster.writes.clear()
        server.attempts.clear()
        server.down = Unreachable.REFUSED
        await asyncio.sleep(120)
        assert await town.ready(names) == 0
        assert town.cluster.writes == Counter({"status ExternalSecret": 1000})
        told = await town.conditions(names)
        assert all("refuses connections" in one["message"] for one in told)
        assert all("the Secret keeps what was read at 20" in one["message"] for one in told)
        assert len(server.attempts) - server.probes == 3
        town.cluster.writes.clear()
        await asyncio.sleep(480)
        assert await town.conditions(names) == told
        assert town.cluster.writes == Counter({"status SecretStore": 1})  # its validation fell due
        assert len(server.attempts) - server.probes == 3
        assert server.probes <= 40
        server.down, server.most = None, 0
        server.standin.record.clear()
        assert await town.until_ready(names, 60) <= QUICK_PROBES + 1
        assert server.counts()[Kind.LISTING] == 1
        assert server.counts()[Kind.LOGIN] == 1
        assert server.most == 1


@pytest.mark.parametrize("hangs", [False, True], ids=["refuses", "hangs"])
def test_folders_of_their_own_are_read_by_a_growing_crowd(hangs: bool) -> None:
    """Each its own listing: they go on one, two, four at a time, and are through in seconds."""

    @simulated
    async def scenario() -> None:
        town = Town("main")
        server = town.servers["main"]
        await town.store("main")
        names = await town.external_secrets("main", MANY, "1m", apart=True)
        async with town.runs():
            await town.until_ready(names, 60)
            server.down, server.hangs = Unreachable.REFUSED, hangs
            server.attempts.clear()
            await asyncio.sleep(600)
            assert await town.ready(names) == 0
            assert len(server.attempts) <= 40 + MOST  # what was under way when it began to hang
            server.down, server.hangs, server.most = None, False, 0
            server.attempts.clear()
            await town.until(lambda: _probed(server.attempts), 1, 60)
            took = await town.until_ready(names, 60)
            assert server.most <= MOST
            assert took <= 3
            first = [at for at, path in server.attempts if "secrets" in path]
            assert len([at for at in first if at <= first[0] + 0.05]) <= 16

    scenario()


async def _probed(attempts: list[tuple[float, str]]) -> int:
    return min(1, len(attempts))


@simulated
async def test_stores_go_first_then_what_is_new_then_what_has_the_oldest_data() -> None:
    town = Town("main")
    server = town.servers["main"]
    await town.store("main")
    old = await town.external_secrets("main", 5, "10m", apart=True, prefix="old")
    async with town.runs():
        await town.until_ready(old, 60)
        await asyncio.sleep(200)
        young = await town.external_secrets("main", 5, "5m", apart=True, prefix="young")
        await town.until_ready(young, 60)
        server.down = Unreachable.BROKEN
        await asyncio.sleep(900)
        new = await town.external_secrets("main", 5, "1h", apart=True, prefix="new")
        await asyncio.sleep(60)
        assert await town.ready([*old, *young, *new]) == 0
        town.journal.transitions.clear()
        server.down = None
        await town.until_ready([*old, *young, *new], 60)
        first = dict.fromkeys(one.subject.name for one in town.journal.transitions if one.step == 1)
        assert next(iter(first)) == "main"
        kinds = [str(name).partition("-")[0] for name in first if name != "main"]
        assert kinds == ["new"] * 5 + ["old"] * 5 + ["young"] * 5


@pytest.mark.parametrize("hangs", [False, True], ids=["refuses", "hangs"])
def test_what_needs_another_server_is_not_held_up(hangs: bool) -> None:
    @simulated
    async def scenario() -> None:
        town = Town("main", "other")
        for name in town.servers:
            await town.store(name)
        names = await town.external_secrets("main", MANY, "1m", apart=True)
        async with town.runs():
            await town.until_ready(names, 60)
            town.servers["main"].down, town.servers["main"].hangs = Unreachable.REFUSED, hangs
            for number in range(10):
                await asyncio.sleep(7)
                fresh = await town.external_secrets("other", 1, "1h", prefix=f"fresh-{number}")
                assert await town.until_ready(fresh, 5) < 1
            town.servers["main"].down, town.servers["main"].hangs = None, False
            for number in range(10):
                await asyncio.sleep(3.5)
                fresh = await town.external_secrets("other", 1, "1h", prefix=f"late-{number}")
                assert await town.until_ready(fresh, 5) < 1
            await town.until_ready(names, 60)

    scenario()


@simulated
async def test_new_resources_of_a_server_that_hangs_leave_room_for_those_of_others() -> None:
    """Before anybody can know that it is down: hundreds that are new, and one of another server after them."""
    town = Town("main", "other")
    for name in town.servers:
        await town.store(name)
    async with town.runs():
        await asyncio.sleep(5)
        town.servers["main"].hangs = True
        await town.external_secrets("main", 400, "1h", apart=True)
        await asyncio.sleep(1)
        fresh = await town.external_secrets("other", 1, "1h", prefix="fresh")
        assert await town.until_ready(fresh, 5) < 1


@simulated
async def test_an_outage_of_an_hour_makes_nothing_flap() -> None:
    """The store's verdict falls after a while, and is told in its own status; what waits keeps to what it said."""
    town = Town("main")
    server = town.servers["main"]
    await town.store("main")
    names = await town.external_secrets("main", 100, "5m")
    async with town.runs():
        await town.until_ready(names, 60)
        server.down = Unreachable.TIMED_OUT
        server.attempts.clear()
        await asyncio.sleep(600)
        told = await town.conditions(names)
        assert await town.ready(names) == 0
        town.cluster.writes.clear()
        await asyncio.sleep(3000)
        assert await town.conditions(names) == told
        assert set(town.cluster.writes) == {"status SecretStore"}
        assert town.cluster.writes["status SecretStore"] <= 2
        assert len(server.attempts) - server.probes == 3
        server.down = None
        town.cluster.writes.clear()
        await town.until_ready(names, 60)
        await asyncio.sleep(60)
        assert town.cluster.writes == Counter({"status ExternalSecret": 100, "status SecretStore": 1})


@simulated
async def test_who_asks_for_a_refresh_meanwhile_is_told_and_nothing_is_sent() -> None:
    town = Town("main")
    server = town.servers["main"]
    await town.store("main")
    names = await town.external_secrets("main", 20, "1h")
    async with town.runs():
        await town.until_ready(names, 60)
        server.down = Unreachable.REFUSED
        for round_number in range(3):
            for name in names:
                await town.annotate(name, str(round_number))
            await asyncio.sleep(10)
        assert await town.ready(names) == 0
        told = await town.conditions(names)
        before = len(server.attempts) - server.probes
        for name in names:
            await town.annotate(name, "again")
        await asyncio.sleep(60)
        assert await town.conditions(names) == told
        assert len(server.attempts) - server.probes == before
        server.down = None
        await town.until_ready(names, 60)


@simulated
async def test_when_all_who_waited_are_gone_nobody_asks_any_more() -> None:
    """But for the token that is left to be revoked, for a while."""
    town = Town("main")
    server = town.servers["main"]
    await town.store("main")
    names = await town.external_secrets("main", 20, "1m")
    async with town.runs():
        await town.until_ready(names, 60)
        server.down = Unreachable.REFUSED
        await asyncio.sleep(100)
        await town.delete(names)
        await town.delete_store("main")
        await asyncio.sleep(60)
        server.attempts.clear()
        await asyncio.sleep(2000)
        assert len(server.attempts) == server.probes <= 8
        server.attempts.clear()
        await asyncio.sleep(3600)
        assert not server.attempts


@simulated
async def test_a_controller_that_starts_in_an_outage_says_what_the_last_one_said() -> None:
    """And writes nothing: everything stands there already."""
    town = Town("main")
    server = town.servers["main"]
    await town.store("main")
    names = await town.external_secrets("main", 100, "1m")
    async with town.runs():
        await town.until_ready(names, 60)
        server.down = Unreachable.REFUSED
        await asyncio.sleep(100)
        told = await town.conditions(names)
    await town.restarted()
    town.cluster.writes.clear()
    async with town.runs():
        await asyncio.sleep(100)
        assert await town.conditions(names) == told
        assert town.cluster.writes["status ExternalSecret"] == 0
        server.down = None
        await town.until_ready(names, 60)


@simulated
async def test_a_server_that_comes_and_goes_costs_few_requests() -> None:
    """Up for a moment every half minute, and down again under the first requests."""
    town = Town("main")
    server = town.servers["main"]
    await town.store("main")
    names = await town.external_secrets("main", MANY, "1m", apart=True)
    async with town.runs():
        await town.until_ready(names, 60)
        server.attempts.clear()
        began = now()
        while now() - began < 600:
            server.down = Unreachable.REFUSED
            await asyncio.sleep(29.9)
            server.down = None
            await asyncio.sleep(0.1)
        server.down = None
        await town.until_ready(names, 120)
        assert server.most <= MOST
