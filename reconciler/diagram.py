"""Pictures of the machines, in mermaid, from their tables; and the README's copies of them."""

import re
from typing import Any

from machines.kernel import Asking, Definition, End, Then
from machines.outcomes import trigger
from machines.registry import MACHINES

_MARKED = re.compile(r"(<!-- diagram (\w+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_COLOURS = {True: "fill:#d5f5d5,stroke:#2e7d32,color:#000", False: "fill:#fff3cd,stroke:#b26a00,color:#000"}


def mermaid(definition: Definition[Any]) -> str:
    """A state diagram. Rows with the same source and target share an arrow; guards stand in brackets.

    Cancellation leads from everywhere to where the run stops, and is left out to keep the picture readable.
    """
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in definition.rows:
        names = [trigger(outcome) for outcome in row.outcomes if trigger(outcome) != "cancelled"]
        if not names:
            continue
        guard = f" [{row.guard.replace('_', ' ')}]" if row.guard else ""
        label = ", ".join(name.replace("_", " ") for name in names) + guard
        for source in row.sources:
            arrows.setdefault((source, row.target), []).append(label)
    lines = ["stateDiagram-v2", f"    [*] --> {definition.initial}"]
    drawn = {definition.initial} | {name for arrow in arrows for name in arrow}
    for (source, target), labels in arrows.items():
        lines.append(f"    {source} --> {target}: {' / '.join(dict.fromkeys(labels))}")
    for state in definition.states:
        if isinstance(state, End) and state.name in drawn:
            lines.append(f"    {state.name} --> [*]")
    for good, colour in _COLOURS.items():
        ends = [
            state.name
            for state in definition.states
            if isinstance(state, End) and state.good is good and state.then is not Then.NOTHING
        ]
        if ends:
            kind = "well" if good else "told"
            lines += [f"    classDef {kind} {colour}", f"    class {','.join(ends)} {kind}"]
    return "\n".join(lines) + "\n"


def asked_for(definition: Definition[Any]) -> dict[str, str]:
    """The effect that each state asks for, by the state's name."""
    return {state.name: state.asks.__name__ for state in definition.states if isinstance(state, Asking)}


def redrawn(text: str) -> str:
    """A text whose marked diagrams are those of the tables. Raises KeyError for a machine that there is not."""

    def replace(found: re.Match[str]) -> str:
        return f"{found[1]}```mermaid\n{mermaid(MACHINES[found[2]])}```\n{found[4]}"

    return _MARKED.sub(replace, text)
