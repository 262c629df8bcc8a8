"""Pictures of the machines, in mermaid, from their tables; and the README's copies of them."""

import re
from collections import defaultdict
from typing import Any

from machines.effects import Effect
from machines.kernel import Asking, Definition, End, Then
from machines.outcomes import Cancelled, trigger
from machines.registry import MACHINES

_MARKED = re.compile(r"(<!-- diagram (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_COLOURS = {True: "fill:#d5f5d5,stroke:#2e7d32,color:#000", False: "fill:#fff3cd,stroke:#b26a00,color:#000"}
_CLASSES = {True: "well", False: "amiss"}
_ENDS = {
    Then.REFRESH: "looked at again at its interval",
    Then.BACKOFF: "tried again, later each time",
    Then.AGAIN: "run again at once",
    Then.FORGET: "nothing more to do",
    Then.NOTHING: "the program stops",
}
_MANY = 3
"""Of states that ask for the same effect, from how many on what is common to all of them is drawn once."""

Arrow = tuple[str, str]


class NoDiagram(ValueError):
    """A text has no diagram that could be drawn. The text says why."""


def mermaid(definition: Definition[Any]) -> str:
    """A state diagram. Rows with the same source and target share an arrow; guards stand in brackets; what leads out
    of every state that asks for an effect is drawn once; an end says what it means for the next run.

    Cancellation leads from everywhere to where the run stops, and is left out to keep the picture readable.
    """
    common, arrows = _arrows(definition)
    lines = ["stateDiagram-v2", f"    [*] --> {definition.initial}"]
    for asks in dict.fromkeys(asks for asks, _ in common):
        lines.append(f"    {_group(asks)} : any state that asks for {asks.__name__}")
    for (source, target), labels in arrows.items():
        lines.append(f"    {source} --> {target}: {' / '.join(dict.fromkeys(labels))}")
    for (asks, target), labels in common.items():
        lines.append(f"    {_group(asks)} --> {target}: {' / '.join(dict.fromkeys(labels))}")
    drawn = {target for _, target in (*arrows, *common)}
    ends = [state for state in definition.states if isinstance(state, End) and state.name in drawn]
    lines += [f"    {end.name} : {end.name}, {_ENDS[end.then]}" for end in ends]
    for good, colour in _COLOURS.items():
        names = [end.name for end in ends if end.good is good]
        if names:
            lines += [
                f"    classDef {_CLASSES[good]} {colour}",
                f"    class {','.join(names)} {_CLASSES[good]}",
            ]
    return "\n".join(lines) + "\n"


def _group(asks: type[Effect]) -> str:
    return f"any_{asks.__name__.lower()}"


def _arrows(
    definition: Definition[Any],
) -> tuple[dict[tuple[type[Effect], str], list[str]], dict[Arrow, list[str]]]:
    """The labels of arrows that all states with an effect have in common, and of all others."""
    asking: dict[type[Effect], set[str]] = defaultdict(set)
    for state in definition.states:
        if isinstance(state, Asking):
            asking[state.asks].add(state.name)
    common: dict[tuple[type[Effect], str], list[str]] = {}
    arrows: dict[Arrow, list[str]] = {}
    reachable = _reachable(definition)
    for row in definition.rows:
        names = [trigger(outcome).replace("_", " ") for outcome in row.outcomes if outcome is not Cancelled]
        if not names:
            continue
        label = ", ".join(names) + (f" [{row.guard.replace('_', ' ')}]" if row.guard else "")
        sources = [source for source in row.sources if source in reachable]
        for asks, states in asking.items():
            if len(states) >= _MANY and states <= set(sources):
                common.setdefault((asks, row.target), []).append(label)
                sources = [source for source in sources if source not in states]
        for source in sources:
            arrows.setdefault((source, row.target), []).append(label)
    return common, arrows


def _reachable(definition: Definition[Any]) -> set[str]:
    """The states that are reached where nobody cancels."""
    targets: dict[str, set[str]] = defaultdict(set)
    for row in definition.rows:
        if set(row.outcomes) != {Cancelled}:
            for source in row.sources:
                targets[source].add(row.target)
    found, left = {definition.initial}, [definition.initial]
    while left:
        new = targets[left.pop()] - found
        found |= new
        left += new
    return found


def redrawn(text: str) -> str:
    """A text whose marked diagrams are those of the tables. Raises NoDiagram where it has none, or one of a machine
    that there is not."""

    def replace(found: re.Match[str]) -> str:
        return f"{found[1]}```mermaid\n{mermaid(MACHINES[found[2]])}```\n{found[4]}"

    marked = [found[2] for found in _MARKED.finditer(text)]
    if not marked:
        raise NoDiagram("it has no diagram between <!-- diagram NAME --> and <!-- end -->")
    for name in marked:
        if name not in MACHINES:
            raise NoDiagram(f"there is no machine {name}; there are {', '.join(MACHINES)}")
    return _MARKED.sub(replace, text)
