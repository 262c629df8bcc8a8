"""The course of a simulated day: everybody comes, things happen, three times it is calm, and at the end all is well."""

import asyncio
from collections import Counter

import msgspec

from tests.simulated_loop import run_simulated
from tests.simulation.day import Day
from tests.simulation.moves import FREQUENCIES, Moves
from tests.simulation.rest import rest

HOUR = 3600.0
CALM = ((5 * HOUR, 6 * HOUR), (12 * HOUR, 13 * HOUR), (18 * HOUR, 19 * HOUR))
"""From and to: nobody moves anything."""


class Told(msgspec.Struct, frozen=True):
    """What a day was like."""

    digest: str
    transitions: int
    runs: Counter[str]
    requests: Counter[str]
    writes: Counter[str]
    moves: dict[str, int]


async def _course(seed: int, resources: int, hours: float, moves_in_all: int) -> Told:
    day = Day(seed)
    moves = Moves(day)
    await day.population.settle()
    day.look()
    for _ in range(resources):
        await moves.create_resource()
    await day.begin()
    end = hours * HOUR
    loop = asyncio.get_running_loop()
    while True:
        at = loop.time() + day.chance.expovariate(moves_in_all / end)
        calm = next((to for since, to in CALM if since <= at < to), None)
        if calm is not None:
            at = calm
        if at >= end:
            break
        await day.pass_until(at)
        if calm is None:
            await moves.one()
            day.look()
    await rest(day, end)
    checks = day.checks
    return Told(
        digest=day.digest.hexdigest(),
        transitions=checks.transitions,
        runs=checks.runs,
        requests=checks.requests,
        writes=checks.writes,
        moves=moves.made,
    )


def live(seed: int, resources: int = 1000, hours: float = 24.0, moves: int = 0) -> Told:
    """Live through a day. What goes wrong is told with the command that repeats it.

    Raises Violation.
    """
    try:
        return run_simulated(_course(seed, resources, hours, moves or sum(FREQUENCIES.values())))
    except BaseException as error:
        error.add_note(
            f"seed {seed}; again: live({seed}, {resources}, {hours}, {moves}) of tests.simulation.course"
        )
        raise
