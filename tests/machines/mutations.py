"""Definitions with one mistake each, in everything that a definition is made of.

Rows are taken apart first, so that a mistake is in one cell: one state, one outcome. Each mutant names the trait in
which it differs; it behaves as the original does until a step (or a node) shows that trait.
"""

import enum
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Any, NamedTuple

import msgspec

from machines.effects import Effect
from machines.kernel import Asking, Definition, End, Row, Run, Then
from machines.outcomes import Failure, Outcome, trigger


class Mutant(NamedTuple):
    """A definition with one mistake, in words, and the traits of the steps at which it can show."""

    mistake: str
    build: Callable[[], Definition[Any]]
    traits: frozenset[Hashable]


def row_trait(number: int) -> Hashable:
    """A step that takes this row (of those taken apart)."""
    return ("row", number)


def fold_trait(effect: type[Effect], outcome: type[Outcome], field: str) -> Hashable:
    """A step that is told this outcome of this effect, whether it changes this fact or not."""
    return ("fold", effect.__name__, outcome.__name__, field)


def state_trait(state: str) -> Hashable:
    """A node in this state."""
    return ("state", state)


def cells(definition: Definition[Any]) -> tuple[Row, ...]:
    """The rows taken apart: one outcome and one source each, in their order."""
    return tuple(
        Row((outcome,), (source,), row.target, row.guard)
        for row in definition.rows
        for outcome in row.outcomes
        for source in row.sources
    )


def rebuilt(definition: Definition[Any], **parts: Any) -> Callable[[], Definition[Any]]:
    """Makes the same definition with other parts, when it is called."""
    given = {
        "name": definition.name,
        "run": definition.run,
        "start": definition.start_facts,
        "states": definition.states,
        "rows": definition.rows,
        "fold": definition.fold,
        "refresh_at": definition.refresh_at,
    }
    return partial(Definition, **{**given, **parts})


def mutants(
    definition: Definition[Any], changing: set[tuple[type[Effect], type[Outcome], str]]
) -> Iterator[Mutant]:
    """All mutants. `changing`: the facts that an outcome of an effect was ever seen to change."""
    yield from _of_rows(definition)
    yield from _of_effects(definition)
    yield from _of_ends(definition)
    yield from _of_folds(definition, changing)
    yield from _of_refreshes(definition)


# --- rows ------------------------------------------------------------------------------------------------------


def _negating(run: type[Run[Any]], guard: str) -> type[Run[Any]]:
    def negated(self: Run[Any]) -> bool:
        return not getattr(self, guard)()

    return type(run.__name__, (run,), {"__slots__": (), f"not_{guard}": negated})


def _of_rows(definition: Definition[Any]) -> Iterator[Mutant]:
    rows = cells(definition)
    names = [state.name for state in definition.states]
    for number, row in enumerate(rows):
        where = f"{row.sources[0]}, {trigger(row.outcomes[0])}" + (f" if {row.guard}" if row.guard else "")
        taken = frozenset({row_trait(number)})
        before, after = rows[:number], rows[number + 1 :]
        yield Mutant(f"{where}: removed", rebuilt(definition, rows=before + after), taken)
        for name in names:
            if name != row.target:
                other = rebuilt(definition, rows=(*before, row._replace(target=name), *after))
                yield Mutant(f"{where}: leads to {name}", other, taken)
        if row.guard is None:
            continue
        same_cell = [
            later
            for later in range(number, len(rows))
            if rows[later].sources == row.sources and rows[later].outcomes == row.outcomes
        ]
        asked = frozenset(row_trait(later) for later in same_cell)
        negated = row._replace(guard=f"not_{row.guard}")
        yield Mutant(
            f"{where}: guard negated",
            rebuilt(definition, run=_negating(definition.run, row.guard), rows=(*before, negated, *after)),
            asked,
        )
        unguarded = rebuilt(definition, rows=(*before, row._replace(guard=None), *after))
        yield Mutant(f"{where}: guard left out", unguarded, asked)
        if len(same_cell) > 1:
            swapped = list(rows)
            swapped[number], swapped[same_cell[1]] = swapped[same_cell[1]], swapped[number]
            yield Mutant(f"{where}: after the next", rebuilt(definition, rows=swapped), asked)


# --- states ----------------------------------------------------------------------------------------------------


def _with_state(
    definition: Definition[Any], number: int, state: Asking | End
) -> Callable[[], Definition[Any]]:
    states = list(definition.states)
    states[number] = state
    return rebuilt(definition, states=states)


def _wrong(value: Any) -> Any:
    """Another value of the same kind, that is surely not meant."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case tuple():
            return () if value else (0,)
        case enum.Enum():
            members = list(type(value))
            return members[(members.index(value) + 1) % len(members)]
        case None:
            return 0
    return None


def _disturbed(effect: Callable[[Any], Effect], field: str) -> Callable[[Any], Effect]:
    def ask(facts: Any) -> Effect:
        meant = effect(facts)
        return msgspec.structs.replace(meant, **{field: _wrong(getattr(meant, field))})

    return ask


def _of_effects(definition: Definition[Any]) -> Iterator[Mutant]:
    asking = [state for state in definition.states if isinstance(state, Asking)]
    for number, state in enumerate(definition.states):
        if not isinstance(state, Asking):
            continue
        there = frozenset({state_trait(state.name)})
        for other in asking:
            if other is not state:
                swapped = Asking(state.name, other.asks, other.effect)
                mutant = _with_state(definition, number, swapped)
                yield Mutant(f"{state.name} asks what {other.name} asks", mutant, there)
        for field in state.asks.__struct_fields__:
            changed = Asking(state.name, state.asks, _disturbed(state.effect, field))
            mutant = _with_state(definition, number, changed)
            yield Mutant(f"{state.name} asks with another {field}", mutant, there)


def _of_ends(definition: Definition[Any]) -> Iterator[Mutant]:
    for number, state in enumerate(definition.states):
        if not isinstance(state, End):
            continue
        there = frozenset({state_trait(state.name)})
        for then in Then:
            if then is not state.then:
                mutant = _with_state(definition, number, End(state.name, then, good=state.good))
                yield Mutant(f"{state.name} means {then.value}", mutant, there)
        mutant = _with_state(definition, number, End(state.name, state.then, good=not state.good))
        yield Mutant(f"{state.name} is {'not ' if state.good else ''}good", mutant, there)


# --- facts -----------------------------------------------------------------------------------------------------

Fold = Callable[[Any, Effect, Outcome], Any]


def _fold_with(
    fold: Fold, effect: type[Effect], outcome: type[Outcome], disturb: Callable[[Any, Any, Outcome], Any]
) -> Fold:
    def disturbed(facts: Any, asked: Effect, told: Outcome) -> Any:
        after = fold(facts, asked, told)
        return disturb(facts, after, told) if type(asked) is effect and type(told) is outcome else after

    return disturbed


def _of_folds(
    definition: Definition[Any], changing: set[tuple[type[Effect], type[Outcome], str]]
) -> Iterator[Mutant]:
    replace = msgspec.structs.replace
    for effect, outcome, field in sorted(changing, key=str):
        where = f"of {effect.__name__}, {trigger(outcome)}"
        there = frozenset({fold_trait(effect, outcome, field)})

        def forgets(before: Any, after: Any, told: Outcome, field: str = field) -> Any:
            return replace(after, **{field: getattr(before, field)})

        def mistakes(before: Any, after: Any, told: Outcome, field: str = field) -> Any:
            return replace(after, **{field: _wrong(getattr(after, field))})

        for name, disturb in (("forgets", forgets), ("mistakes", mistakes)):
            fold = _fold_with(definition.fold, effect, outcome, disturb)
            yield Mutant(f"fold {where}: {name} {field}", rebuilt(definition, fold=fold), there)

    def remembers(before: Any, after: Any, told: Outcome) -> Any:
        return replace(after, failure=told)

    for asking in {state.asks: state for state in definition.states if isinstance(state, Asking)}:
        for outcome in asking.outcomes:
            if issubclass(outcome, Failure) and (asking, outcome, "failure") not in changing:
                fold = _fold_with(definition.fold, asking, outcome, remembers)
                yield Mutant(
                    f"fold of {asking.__name__}, {trigger(outcome)}: remembers it as a failure",
                    rebuilt(definition, fold=fold),
                    frozenset({fold_trait(asking, outcome, "failure")}),
                )


def _of_refreshes(definition: Definition[Any]) -> Iterator[Mutant]:
    refresh_at = definition.refresh_at
    ends = [state for state in definition.states if isinstance(state, End) and state.then is Then.REFRESH]
    there = frozenset(state_trait(state.name) for state in ends)

    def shifted(by: float) -> Callable[[Any], float | None]:
        def at(facts: Any) -> float | None:
            meant = refresh_at(facts)
            return meant + by if meant is not None else None

        return at

    for name, other in (
        ()
        if not ends
        else (
            ("never", lambda facts: None),
            ("at once", lambda facts: facts.observed.now if facts.observed else None),
            ("late", shifted(1.0)),
            ("early", shifted(-1.0)),
            ("always", lambda facts: refresh_at(facts) or 5.0),
        )
    ):
        yield Mutant(f"refreshes {name}", rebuilt(definition, refresh_at=other), there)
