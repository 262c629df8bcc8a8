"""Once faults stop, every PushSecret comes to its end in a few runs; from then on nothing is written or asked.

The world itself sees to it that nothing is written or deleted that is not on record, and that nothing is forgotten
before it is deleted (see `push_answers`): on every path, whatever faults happen.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pytest

from machines.effects import Effect
from machines.kernel import Definition
from machines.outcomes import Cancelled, Conflict, Outcome
from machines.push_secret import PUSH_SECRET
from tests.machines.mutations import mutants
from tests.machines.push_answers import answer
from tests.machines.push_moves import MOVES, died, worlds
from tests.machines.push_rest import calm_runs, comes_to_rest
from tests.machines.push_world import (
    NEITHER,
    Content,
    Infisical,
    PushWorld,
    Remote,
    Resource,
    Store,
    Under,
)
from tests.machines.world import SILENT, Memory

BOUND = 2_000_000
"""More nodes than this prove nothing: the test fails."""


# --- faults ----------------------------------------------------------------------------------------------------


class Moment(NamedTuple):
    """A run under way, in a world, with so many faults still to come."""

    world: PushWorld
    state: str
    facts: Any
    faults: int


class Told(NamedTuple):
    """One thing that can be told of an effect, what the world is then, and the fault in it, if any."""

    world: PushWorld
    outcome: Outcome
    fault: str | None = None


def _told(moment: Moment, effect: Effect) -> Iterator[Told]:
    """What can be told of an effect now: the truth, and, while faults are to come, whatever else."""
    world = moment.world
    yield Told(*answer(world, effect))
    if not moment.faults:
        return
    for name, move in MOVES.items():
        if (moved := move(world).collected()) != world:
            yield Told(*answer(moved, effect), name)
    after, _ = answer(world, effect)
    for wrong in (SILENT, Cancelled(), Conflict()):
        if type(wrong) in effect.outcomes:
            yield Told(after, wrong, f"done, and told {type(wrong).__name__}")
            yield Told(world, wrong, f"not done, and told {type(wrong).__name__}")
    if moment.state == "observe" and world.resource.exists:
        before = world.resource._replace(recorded=NEITHER, finalizer=False, synced=None, deleting=False)
        after, outcome = answer(world._replace(resource=before), effect)
        yield Told(
            after._replace(resource=world.resource), outcome, "a look at how it was before its first run"
        )


ALL_FAULTS = {
    *MOVES,
    "a look at how it was before its first run",
    *(
        f"{done}, and told {told}"
        for done in ("done", "not done")
        for told in ("Unavailable", "Cancelled", "Conflict")
    ),
}


def after_faults(world: PushWorld, faults: int, fired: set[str]) -> tuple[set[PushWorld], int]:
    """Every world that a run with at most so many faults, or its death at any point, leaves; the nodes visited."""
    run = PUSH_SECRET.start()
    start = Moment(world, run.state, run.facts, faults)
    met, left, stack = {start}, set(), [start]
    while stack:
        moment = stack.pop()
        run.state, run.facts = moment.state, moment.facts
        effect = PUSH_SECRET.asks(run)
        if effect is None:
            left.add(moment.world.collected()._replace(run=Under()))
            continue
        if moment.faults:
            left.add(died(moment.world.collected()))
        for told in _told(moment, effect):
            if told.fault is not None:
                fired.add(told.fault)
            run.state, run.facts = moment.state, moment.facts
            PUSH_SECRET.step(run, effect, told.outcome)
            reached = Moment(told.world, run.state, run.facts, moment.faults - (told.fault is not None))
            if reached not in met:
                assert len(met) < BOUND
                met.add(reached)
                stack.append(reached)
    return left, len(met)


def _rest_after(starts: Sequence[PushWorld], faults: int) -> str:
    """Shows that every world comes to rest that so many faults leave of these. Says how many there were."""
    left: set[PushWorld] = set()
    fired: set[str] = set()
    nodes = 0
    for world in starts:
        worlds_left, visited = after_faults(world, faults, fired)
        left |= worlds_left
        nodes += visited
    for world in left:
        comes_to_rest(world)
    assert fired == ALL_FAULTS, "a fault that never fires proves nothing"
    return (
        f"\n{len(starts)} worlds, {nodes} nodes with up to {faults} faults in a run, {len(left)} worlds left"
    )


SETTLED = PushWorld(
    resource=Resource(
        finalizer=True, deletes=True, recorded=(True, True), synced=((True, True), True), lately=True
    ),
    remotes=(Remote(Content.RIGHT, ours=True), Remote(Content.RIGHT, ours=True)),
    stores=(Store(guarded=True), Store(guarded=True)),
    apart=True,
    known=True,
    lease=Memory.GOOD,
    project=Memory.GOOD,
)
INTERESTING = (
    PushWorld(resource=Resource(deletes=True), apart=True),
    PushWorld(resource=Resource(deletes=True), lease=Memory.STALE, project=Memory.STALE),
    SETTLED._replace(resource=SETTLED.resource._replace(deleting=True)),
    SETTLED._replace(resource=SETTLED.resource._replace(wanted=(False, True)), infisical=Infisical.CAREFUL),
    SETTLED._replace(source=False, apart=False),
)


def test_every_world_comes_to_rest_in_a_few_calm_runs(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = [comes_to_rest(world) for world in [*worlds()][::3]]
    with capsys.disabled():
        print(f"\n{len(lengths)} worlds, {max(lengths)} runs at most")


def test_after_one_fault_at_any_effect_of_any_run_the_world_comes_to_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = _rest_after([*INTERESTING, *[*worlds()][::37]], 1)
    with capsys.disabled():
        print(said)


def test_after_two_faults_in_one_run_the_world_comes_to_rest(capsys: pytest.CaptureFixture[str]) -> None:
    said = _rest_after([*INTERESTING, *[*worlds()][::1500]], 2)
    with capsys.disabled():
        print(said)


@pytest.mark.parametrize(
    "mistake",
    [
        "observe, observed if is_not_due: removed",
        "observe, observed if has_a_needless_finalizer: removed",
        "gather, absent if shall_delete: removed",
        "gather, gathered if lacks_the_finalizer: removed",
        "gather, gathered if next_store_lacks_its_guard: removed",
        "withdraw, gathered if owes_beyond_reach: removed",
        "compare, compared if must_record_first: removed",
        "compare, compared if has_something_to_push: removed",
        "compare, compared if has_something_to_prune: removed",
        "push, pushed if has_something_to_prune: removed",
        "compare, project_gone if knew_the_project_by_heart: removed",
        "release_refused asks what release asks",
        "resolve_afresh asks what resolve_project asks",
        "release, released if owes_beyond_reach: removed",
        "release, released if awaits_approval: removed",
        "release, released if is_leaving: removed",
        "release, released if lost_its_source: removed",
        "remove_finalizer asks with another version",
        "report_synced asks with another synced",
    ],
)
def test_a_mistake_in_the_table_keeps_some_world_from_its_rest(mistake: str) -> None:
    named = (mutant for mutant in mutants(PUSH_SECRET, set()) if mutant.mistake == mistake)
    machine = next(named).build()
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        _all_come_to_rest(machine)


def _all_come_to_rest(machine: Definition[Any]) -> None:
    for world in [*worlds()][::5]:
        comes_to_rest(world, machine)


def test_a_long_way_of_moves_comes_to_rest_after_each(capsys: pytest.CaptureFixture[str]) -> None:
    """What calm runs leave is a world as any other: from it, each pair of moves."""
    count = 0
    for first in MOVES.values():
        between = calm_runs(first(SETTLED).collected())[-1].after
        for second in MOVES.values():
            comes_to_rest(second(between).collected())
            count += 1
    with capsys.disabled():
        print(f"\n{count} pairs of moves")
