"""Waiting for quiet, on a clock that jumps."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.settling import LONGEST, QUIET, Settling
from tests.simulated_loop import run_simulated, simulated


async def told_after(gaps: list[float], *, forgotten_at: float | None = None) -> list[float]:
    """When it is told of a thing that changes after each of these pauses; from now on, exact to a millisecond."""
    loop = asyncio.get_running_loop()
    told: list[float] = []
    began = loop.time()
    settling: Settling[str] = Settling(lambda key: told.append(round(loop.time() - began, 3)))
    due = 0.0
    for gap in gaps:
        due += gap
        loop.call_at(began + due, settling.changed, "thing")
    if forgotten_at is not None:
        loop.call_at(began + forgotten_at, settling.forget, "thing")
    await asyncio.sleep(due + 10)
    return told


@pytest.mark.parametrize(
    ("gaps", "told"),
    [
        ([1.0], [1.3]),
        ([0.0, 0.2], [0.5]),
        ([0.0, 0.2, 0.2], [0.7]),
        ([0.0] * 10, [0.3]),
        ([0.0, 0.29, 0.29, 0.2], [0.8]),
        ([0.0, 0.31], [0.3, 0.61]),
        ([0.0, 0.2, 0.2, 0.2, 0.1, 0.2], [0.8, 1.2]),
    ],
    ids=["one", "two", "three", "at once", "never quiet", "apart", "on and on"],
)
@simulated
async def test_it_is_told_once_it_is_quiet_or_has_lasted_long(gaps: list[float], told: list[float]) -> None:
    assert await told_after(gaps) == told


@given(st.lists(st.integers(0, 40).map(lambda hundredths: hundredths / 100 + 0.001), min_size=1, max_size=30))
def test_no_change_waits_long_and_no_quiet_is_needed_twice(gaps: list[float]) -> None:
    """Each change is told after it, within the longest time; and there are never two tellings for one change."""
    told = run_simulated(told_after(gaps))
    changes = [sum(gaps[: number + 1]) for number in range(len(gaps))]
    before = 0.0
    for moment in told:
        heard = [change for change in changes if before < change <= moment + 0.0005]
        assert heard, f"told at {moment} without a change since {before}"
        assert moment <= heard[0] + LONGEST + 0.001
        assert moment >= heard[-1] + QUIET - 0.001 or moment >= heard[0] + LONGEST - 0.001
        before = moment
    assert changes[-1] <= told[-1]


@simulated
async def test_what_is_forgotten_is_not_told() -> None:
    assert await told_after([0.0], forgotten_at=0.2) == []
    assert await told_after([0.1], forgotten_at=0.05) == [0.4]


@simulated
async def test_each_thing_waits_by_itself() -> None:
    """A restless one keeps nobody else waiting; what was forgotten is told of a later change."""
    loop = asyncio.get_running_loop()
    told: list[tuple[str, float]] = []
    settling: Settling[str] = Settling(lambda key: told.append((key, round(loop.time(), 3))))
    settling.changed("quiet")
    for tenth in range(7):
        loop.call_at(tenth / 10, settling.changed, "restless")
    settling.changed("gone")
    settling.forget("gone")
    loop.call_at(1.0, settling.changed, "gone")
    await asyncio.sleep(2)
    assert told == [("quiet", 0.3), ("restless", 0.8), ("gone", 1.3)]


@simulated
async def test_a_change_while_it_is_told_is_another() -> None:
    """Who is told may change the thing in that very moment."""
    loop = asyncio.get_running_loop()
    told: list[float] = []

    def tell(key: str) -> None:
        told.append(round(loop.time(), 3))
        if len(told) < 3:
            settling.changed(key)

    settling: Settling[str] = Settling(tell)
    settling.changed("thing")
    await asyncio.sleep(5)
    assert told == [0.3, 0.6, 0.9]
