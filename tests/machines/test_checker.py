"""The checker names each kind of mistake that a table can have, and finds none in the real ones; a step is loud."""

from typing import Any

import msgspec
import pytest

from machines.checker import mistakes
from machines.effects import Effect, Release, Render
from machines.kernel import Asking, Definition, End, NoRow, Row, Run, Then
from machines.outcomes import Cancelled, Conflict, Fault, Invalid, Outcome, Released, Rendered
from machines.registry import MACHINES


class Facts(msgspec.Struct, frozen=True):
    """What the small machine remembers."""

    keys: int = 0


class SmallRun(Run[Facts]):
    """The small machine's guard."""

    __slots__ = ()

    def is_empty(self) -> bool:
        """Nothing was made."""
        return self.facts.keys == 0


def fold(facts: Facts, effect: Effect, outcome: Outcome) -> Facts:
    """Keeps the number of keys."""
    return Facts(keys=outcome.keys) if isinstance(outcome, Rendered) else facts


STATES = (
    Asking("render", Render, lambda facts: Render()),
    Asking("release", Release, lambda facts: Release(store=0)),
    End("done", Then.NOTHING, good=True),
    End("empty", Then.NOTHING),
)
FIRST = Row((Rendered,), ("render",), "empty", "is_empty")
SECOND = Row((Rendered,), ("render",), "release")
THIRD = Row((Invalid, Cancelled), ("render",), "done")
LAST = Row((Released,), ("release",), "done")
ROWS = (FIRST, SECOND, THIRD, LAST)


def small(rows: tuple[Row, ...] = ROWS, states: tuple[Asking | End, ...] = STATES) -> Definition[Facts]:
    """A machine of two states, and two ends."""
    return Definition("Small", SmallRun, Facts(), states, rows, fold, lambda facts: None)


def at(row: Row, **changes: Any) -> tuple[Row, ...]:
    """The small machine's rows, one of them changed."""
    return tuple(other._replace(**changes) if other is row else other for other in ROWS)


@pytest.mark.parametrize("definition", [small(), *MACHINES.values()], ids=lambda machine: machine.name)
def test_a_sound_table_has_no_mistakes(definition: Definition[Any]) -> None:
    assert mistakes(definition) == []


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ((FIRST, THIRD, LAST), "in render the last row for rendered has a guard"),
        ((SECOND, FIRST, THIRD, LAST), "in render a row for rendered comes after one without a guard"),
        ((THIRD, LAST), "in render no row says where rendered leads"),
        ((FIRST, SECOND, THIRD), "in release no row says where released leads"),
        (at(THIRD, outcomes=(Invalid,)), "in render no row says where cancelled leads"),
        (
            at(THIRD, outcomes=(Invalid, Cancelled, Conflict)),
            "in render a row waits for conflict, which cannot come",
        ),
        (at(LAST, sources=("release", "done")), "in done a row waits for released, which cannot come"),
        (at(LAST, sources=("release", "done")), "done is an end, and something leads out of it"),
        (at(LAST, sources=("relaese",)), "a row names the state relaese, which does not exist"),
        (at(LAST, target="doen"), "a row names the state doen, which does not exist"),
        (at(FIRST, guard="is_emtpy"), "a row names the guard is_emtpy, which does not exist"),
        ((SECOND, THIRD, LAST), "the guard is_empty is used by no row"),
        (at(FIRST, target="done"), "nothing leads to empty"),
        (at(SECOND, target="done"), "nothing leads to release"),
    ],
)
def test_each_kind_of_mistake_is_named(rows: tuple[Row, ...], found: str) -> None:
    assert found in mistakes(small(rows))


@pytest.mark.parametrize("definition", MACHINES.values(), ids=lambda machine: machine.name)
def test_a_real_table_that_lacks_a_row_is_found_out(definition: Definition[Any]) -> None:
    for missing in definition.rows:
        rest = [row for row in definition.rows if row is not missing]
        broken = Definition(
            definition.name,
            definition.run,
            definition.start_facts,
            definition.states,
            rest,
            definition.fold,
            definition.refresh_at,
        )
        assert mistakes(broken) or missing.guard in {row.guard for row in rest}, missing


def test_a_step_keeps_what_it_was_told_and_goes_where_the_row_says() -> None:
    machine = small()
    run = machine.start()
    assert machine.asks(run) == Render()
    machine.step(run, Render(), Rendered(keys=2))
    assert (run.state, run.facts, machine.asks(run)) == ("release", Facts(keys=2), Release(store=0))
    machine.step(run, Release(store=0), Released())
    assert machine.state(run) is STATES[2]
    assert machine.asks(run) is None


def test_guards_see_what_was_just_told_and_the_first_that_holds_is_taken() -> None:
    machine = small()
    run = machine.start()
    machine.step(run, Render(), Rendered(keys=0))
    assert run.state == "empty"


def test_runs_share_a_machine_and_nothing_else() -> None:
    machine = small()
    one, other = machine.start(), machine.start()
    machine.step(one, Render(), Rendered(keys=2))
    assert (other.state, other.facts) == ("render", Facts())


@pytest.mark.parametrize("definition", MACHINES.values(), ids=lambda machine: machine.name)
def test_an_outcome_that_no_row_expects_is_an_error_and_never_silence(definition: Definition[Any]) -> None:
    run = definition.start()
    effect = definition.asks(run)
    assert effect is not None
    with pytest.raises(NoRow, match=f"{definition.name}: in observe no row holds for invalid"):
        definition.step(run, effect, Invalid(what=Fault.BAD_KEY))
    assert run.state == "observe"


def test_an_outcome_that_no_machine_knows_is_an_error() -> None:
    machine = small()
    with pytest.raises(NoRow, match="Small: in render no row holds for conflict"):
        machine.step(machine.start(), Render(), Conflict())


def test_no_guard_that_holds_is_an_error() -> None:
    machine = small((FIRST, THIRD, LAST))
    with pytest.raises(NoRow, match="Small: in render no row holds for rendered"):
        machine.step(machine.start(), Render(), Rendered(keys=1))


def test_an_end_takes_no_outcome() -> None:
    machine = small()
    run = machine.start()
    run.state = "done"
    with pytest.raises(NoRow, match="Small: in done no row holds for released"):
        machine.step(run, Release(store=0), Released())
