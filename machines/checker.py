"""Reads a whole definition and names what is wrong in it, as the `transitions` library does not."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from machines.kernel import Asking, Definition, End, Row
from machines.outcomes import trigger


def mistakes(definition: Definition[Any]) -> list[str]:
    """All mistakes of a definition, each as a sentence; none: every outcome of every effect has its row."""
    return [*_names(definition), *_cells(definition), *_reachability(definition)]


def _names(definition: Definition[Any]) -> Iterator[str]:
    states = {state.name for state in definition.states}
    for row in definition.rows:
        for name in (*row.sources, row.target):
            if name not in states:
                yield f"a row names the state {name}, which does not exist"
        if row.guard is not None and not callable(getattr(definition.run, row.guard, None)):
            yield f"a row names the guard {row.guard}, which does not exist"
    used = {row.guard for row in definition.rows}
    for name in vars(definition.run):
        if not name.startswith("_") and callable(getattr(definition.run, name)) and name not in used:
            yield f"the guard {name} is used by no row"


def _cells(definition: Definition[Any]) -> Iterator[str]:
    cells: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in definition.rows:
        for source in row.sources:
            for outcome in row.outcomes:
                cells[source, trigger(outcome)].append(row)
    for state in definition.states:
        declared = (
            {trigger(outcome) for outcome in state.asks.outcomes} if isinstance(state, Asking) else set()
        )
        given = {outcome for source, outcome in cells if source == state.name}
        for name in sorted(declared - given):
            yield f"in {state.name} no row says where {name} leads"
        for name in sorted(given - declared):
            yield f"in {state.name} a row waits for {name}, which cannot come"
    for (source, name), rows in cells.items():
        if any(row.guard is None for row in rows[:-1]):
            yield f"in {source} a row for {name} comes after one without a guard"
        if rows[-1].guard is not None:
            yield f"in {source} the last row for {name} has a guard"


def _reachability(definition: Definition[Any]) -> Iterator[str]:
    targets: dict[str, set[str]] = defaultdict(set)
    for row in definition.rows:
        for source in row.sources:
            targets[source].add(row.target)
    seen, left = {definition.initial}, [definition.initial]
    while left:
        for name in targets[left.pop()] - seen:
            seen.add(name)
            left.append(name)
    for state in definition.states:
        if state.name not in seen:
            yield f"nothing leads to {state.name}"
        if isinstance(state, End) and targets[state.name]:
            yield f"{state.name} is an end, and something leads out of it"
