"""Leader election in simulated time: who leads, from when on, and that it is never two."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.cluster import Done
from adapters.resources.kinds import LEASE
from reconciler.election import JITTER, LEASE_SECONDS, RENEW_DEADLINE, RETRY_PERIOD
from tests.reconciler.candidates import NAME, NAMESPACE, Place, now
from tests.simulated_loop import run_simulated, simulated, wall_time

LONGEST_PAUSE = RETRY_PERIOD * (1 + JITTER)
SOON = 0.1  # seconds that a few requests take at most


@simulated
async def test_one_of_two_leads_and_goes_on() -> None:
    """The other one stands by, for as long as the first one renews."""
    place = Place()
    first, second = place.start(), place.start()
    await place.until(lambda: first.leads or second.leads, SOON)
    leader, standby = (first, second) if first.leads else (second, first)
    for _ in range(600):
        await asyncio.sleep(1.0)
        assert leader.leads
        assert not standby.leads
    lease = await place.lease()
    assert lease["spec"]["holderIdentity"] == leader.name
    assert lease["spec"]["leaseDurationSeconds"] == LEASE_SECONDS
    assert lease["spec"]["leaseTransitions"] == 0
    assert {one.process for one in place.work} == {leader.name}
    assert not leader.election.not_ready()
    assert not standby.election.not_ready()
    await place.end()


@simulated
async def test_dead_leader_is_followed_after_the_lease_has_run_out_and_not_before() -> None:
    """Counted from the last renewal."""
    place = Place()
    first = place.start()
    await place.until(lambda: first.leads)
    second = place.start()
    await asyncio.sleep(30.0)
    await first.kill()
    renewed = (await place.lease())["spec"]["renewTime"]
    killed = now()
    leads = await place.until(lambda: second.leads)
    assert (
        killed + LEASE_SECONDS - RETRY_PERIOD - SOON <= leads <= killed + LEASE_SECONDS + LONGEST_PAUSE + SOON
    )
    lease = await place.lease()
    assert lease["spec"]["renewTime"] > renewed
    assert lease["spec"]["leaseTransitions"] == 1
    await place.end()
    first_work = next(one.at for one in place.work if one.process == second.name)
    last_work = [one.at for one in place.work if one.process == first.name][-1]
    assert first_work - last_work > LEASE_SECONDS - RETRY_PERIOD - SOON


@simulated
async def test_leader_that_stops_is_followed_at_once() -> None:
    """The Lease says that nobody holds it; the next look takes it."""
    place = Place()
    first = place.start()
    await place.until(lambda: first.leads)
    second = place.start()
    await asyncio.sleep(30.0)
    await first.stop()
    assert not (await place.lease())["spec"].get("holderIdentity")
    stopped = now()
    assert await place.until(lambda: second.leads) <= stopped + LONGEST_PAUSE + SOON
    await place.end()
    place.no_two_at_once()


@simulated
async def test_candidate_that_stops_leaves_the_leader_alone() -> None:
    """What it does not hold it does not give back, though it tried to get it."""
    place = Place()
    first, second = place.start(), place.start()
    await place.until(lambda: first.leads or second.leads)
    leader, standby = (first, second) if first.leads else (second, first)
    await asyncio.sleep(5.0)
    await standby.stop()
    await asyncio.sleep(30.0)
    assert leader.leads
    await place.end()


@simulated
async def test_process_that_ends_while_its_claim_is_on_the_way_gives_it_back() -> None:
    """Its name was written, though it never heard so."""
    place = Place(slowness=1.0)
    first = place.start()
    second = place.start()
    first.way.loses_answers = True
    await place.until(lambda: LEASE in {key.kind for key, _ in place.cluster.store.everything()})
    await first.stop()
    first.way.loses_answers = False
    await first.election.release()
    stopped = now()
    assert await place.until(lambda: second.leads) <= stopped + 2 * LONGEST_PAUSE + 10.0
    await place.end()


@pytest.mark.parametrize("how", ["refuses", "hangs", "loses_answers"])
@simulated
async def test_leader_without_api_server_gives_up_in_time(how: str) -> None:
    """It has ended before anybody else could begin; its last piece of work is not later than the deadline."""
    place = Place()
    first = place.start()
    await place.until(lambda: first.leads)
    second = place.start()
    await asyncio.sleep(29.0)
    setattr(first.way, how, True)
    cut = now()
    over = await place.until(lambda: first.is_over)
    assert over <= cut + RENEW_DEADLINE
    assert "could not be renewed" in str(first.lost)
    assert not first.leads
    if how == "loses_answers":
        # What it wrote arrived, each time, so that the others wait longer
        assert await place.until(lambda: second.leads) > over + LEASE_SECONDS - RENEW_DEADLINE
    else:
        leads = await place.until(lambda: second.leads)
        assert cut + LEASE_SECONDS - RETRY_PERIOD - SOON <= leads
        assert leads <= cut + LEASE_SECONDS + LONGEST_PAUSE + SOON
    await place.end()
    place.no_two_at_once()


@simulated
async def test_short_outage_of_the_api_server_changes_nothing() -> None:
    """As long as one renewal succeeds within the deadline."""
    place = Place()
    first, second = place.start(), place.start()
    await place.until(lambda: first.leads or second.leads)
    leader = first if first.leads else second
    for _ in range(5):
        for process in place.processes:
            process.way.hangs = True
        await asyncio.sleep(RENEW_DEADLINE - RETRY_PERIOD - 1.0)
        for process in place.processes:
            process.way.hangs = False
        await asyncio.sleep(20.0)
        assert leader.leads
    await place.end()


@simulated
async def test_change_by_somebody_else_is_no_loss() -> None:
    """An annotation makes a renewal a conflict; the Lease is looked at, and renewed."""
    place = Place()
    first, second = place.start(), place.start()
    await place.until(lambda: first.leads or second.leads)
    leader = first if first.leads else second
    for number in range(40):
        operations = [{"op": "add", "path": "/metadata/annotations", "value": {"number": str(number)}}]
        await place.cluster.patch(LEASE, NAMESPACE, NAME, operations, "kubectl")
        await asyncio.sleep(0.7)
        assert leader.leads
    await place.end()


@simulated
async def test_annotations_on_the_lease_of_a_dead_leader_do_not_keep_it() -> None:
    """Only what its holder writes does."""
    place = Place()
    first = place.start()
    await place.until(lambda: first.leads)
    second = place.start()
    await asyncio.sleep(10.0)
    await first.kill()
    killed = now()
    while not second.leads:
        operations = [{"op": "add", "path": "/metadata/annotations", "value": {"at": str(now())}}]
        await place.cluster.patch(LEASE, NAMESPACE, NAME, operations, "kubectl")
        await asyncio.sleep(1.0)
        assert now() < killed + LEASE_SECONDS + 3 * LONGEST_PAUSE
    await place.end()


@pytest.mark.parametrize("holder", ["somebody", None])
@simulated
async def test_lease_that_was_taken_from_its_holder_ends_it_at_once(holder: str | None) -> None:
    """Whoever did that: it leads no more from when it sees so."""
    place = Place()
    first = place.start()
    await place.until(lambda: first.leads)
    await asyncio.sleep(10.0)
    operations: list[dict[str, Any]] = [{"op": "remove", "path": "/spec/holderIdentity"}]
    if holder is not None:
        operations = [{"op": "replace", "path": "/spec/holderIdentity", "value": holder}]
    assert isinstance(await place.cluster.patch(LEASE, NAMESPACE, NAME, operations, "kubectl"), Done)
    taken = now()
    assert await place.until(lambda: first.is_over) <= taken + RETRY_PERIOD + SOON
    assert (holder or "nobody") in str(first.lost)
    await asyncio.sleep(1.0)
    work = len(place.work)
    await asyncio.sleep(10.0)
    assert len(place.work) == work
    await place.end()


@simulated
async def test_deleted_lease_is_made_again_by_its_holder() -> None:
    """Those who stand by do not take its absence for an invitation."""
    place = Place()
    first = place.start()
    await place.until(lambda: first.leads)
    second = place.start()
    for _ in range(20):
        await asyncio.sleep(7.3)
        assert isinstance(await place.cluster.delete(LEASE, NAMESPACE, NAME), Done)
        await asyncio.sleep(RETRY_PERIOD + SOON)
        assert (await place.lease())["spec"]["holderIdentity"] == first.name
        assert first.leads
        assert not second.leads
    await place.end()
    place.no_two_at_once()


@pytest.mark.parametrize(("skew_of_first", "skew_of_second"), [(-3600.0, 3600.0), (3600.0, -3600.0)])
@simulated
async def test_clocks_that_are_wrong_do_no_harm(skew_of_first: float, skew_of_second: float) -> None:
    """Nobody takes over early, nobody too late, whoever's clock is ahead."""
    place = Place()
    first = place.start(skew_of_first)
    await place.until(lambda: first.leads)
    second = place.start(skew_of_second)
    for _ in range(60):
        await asyncio.sleep(1.0)
        assert not second.leads
    await first.kill()
    killed = now()
    leads = await place.until(lambda: second.leads)
    assert (
        killed + LEASE_SECONDS - RETRY_PERIOD - SOON <= leads <= killed + LEASE_SECONDS + LONGEST_PAUSE + SOON
    )
    await place.end()


@simulated
async def test_clock_that_stands_still_renews_all_the_same() -> None:
    """A renewal that wrote the same time once more would not be seen by the others."""
    place = Place()
    first = place.start()
    await place.until(lambda: first.leads)
    second = place.start()
    first.stands_at = wall_time() - 1.0
    for _ in range(120):
        await asyncio.sleep(0.5)
        assert first.leads
        assert not second.leads
    await place.end()


@simulated
async def test_candidate_tells_why_it_cannot_stand() -> None:
    """Where its namespace is not there; it stands as soon as there is."""
    place = Place()
    place.cluster.store.remove(next(key for key, _ in place.cluster.store.everything()))
    first = place.start()
    await asyncio.sleep(5.0)
    assert "is there such a namespace" in "".join(first.election.not_ready())
    place.cluster.ensure_namespace(NAMESPACE)
    await place.until(lambda: first.leads, LONGEST_PAUSE + SOON)
    assert not first.election.not_ready()
    await place.end()


Moves = st.lists(
    st.tuples(
        st.floats(0.0, 20.0),
        st.sampled_from(
            ["start", "start", "kill", "stop", "refuses", "hangs", "loses_answers", "heal", "clock"]
        ),
        st.integers(0, 5),
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(moves=Moves, slowness=st.sampled_from([0.01, 0.5, 1.9]), seed=st.integers(0, 1000))
def test_never_two_at_once_and_one_in_the_end(
    moves: list[tuple[float, str, int]], slowness: float, seed: int
) -> None:
    """Whatever happens to whom and when. What was sent may arrive late, even when its sender is gone."""
    run_simulated(_play(moves, slowness, seed))


async def _play(moves: list[tuple[float, str, int]], slowness: float, seed: int) -> None:
    place = Place(slowness, seed)
    place.start(skew=-100.0)
    place.start(skew=+100.0)
    for pause, move, number in moves:
        await asyncio.sleep(pause)
        assert sum(process.leads for process in place.processes) <= 1
        process = place.processes[number % len(place.processes)]
        match move:
            case "start":
                place.start(skew=number * 50.0 - 100.0)
            case "kill":
                await process.kill()
            case "stop":
                await process.stop()
            case "heal":
                process.way.refuses = process.way.hangs = process.way.loses_answers = False
            case "clock":
                process.skew = pause * 100.0 - 1000.0
            case how:
                setattr(process.way, how, True)
    for process in place.processes:
        process.way.refuses = process.way.hangs = process.way.loses_answers = False
    last = place.start()
    await asyncio.sleep(2 * LEASE_SECONDS + 20.0)  # one that leads now may still have to give up
    assert sum(process.leads for process in place.processes) == 1
    assert last.lost is None
    await place.end()
    place.no_two_at_once()
