"""Runs as a person reads them: when, how long, what each state was told, where that led and why, and what now."""

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from adapters.journal import Line
from machines.kernel import End, Then
from machines.outcomes import (
    Applied,
    Authenticated,
    Failure,
    Fetched,
    Outcome,
    Rendered,
    Reported,
    Resolved,
    StoreFacts,
    trigger,
)
from machines.push_outcomes import Compared, Gathered, Pruned, Pushed
from machines.registry import MACHINES
from reconciler.failure_texts import failure_text
from reconciler.journal_reader import asked, fields, outcome_of, report_of
from reconciler.messages import message_of

_NEXT = {
    Then.REFRESH: "it is looked at again at its interval, and when something that it depends on changes",
    Then.BACKOFF: "it is tried again, after a delay that grows with each failure, and when something changes",
    Then.AGAIN: "it is run again at once",
    Then.FORGET: "there is nothing more to do, until something changes",
    Then.NOTHING: "the program was told to stop, which says nothing about the resource",
}
_INDENT = " " * 25


def show(runs: list[list[Line]], console: Console) -> None:
    """Print runs as paragraphs."""
    for run in runs:
        for text in paragraph(run):
            console.print(text, soft_wrap=True)


def paragraph(lines: list[Line]) -> Iterator[Text]:
    """One run: a heading, a line for each transition, and what its end means."""
    first, last = lines[0], lines[-1]
    place = f"{first.namespace}/{first.name}" if first.namespace else first.name
    begun = datetime.fromtimestamp(first.at - first.seconds, UTC)
    heading = Text(f"\n{first.kind} {place}", style="bold")
    heading.append(
        f"   {begun:%Y-%m-%d %H:%M:%S} UTC, {_took(last.at - first.at + first.seconds)}, run {first.run}",
        style="dim",
    )
    yield heading
    if first.step > 1:
        yield Text("  (the beginning of this run is not remembered any more)", style="dim")
    stores: tuple[StoreFacts, ...] = ()
    for line in lines:
        outcome = _outcome(line)
        stores = _stores(outcome) or stores
        yield from _told(line, outcome, stores)
    yield _ended(last)


def _outcome(line: Line) -> Outcome | None:
    effect = asked(line)
    try:
        return outcome_of(line, effect) if effect is not None else None
    except ValueError:  # of another version of the program: `replay` says what is wrong with it
        return None


def _stores(outcome: Outcome | None) -> tuple[StoreFacts, ...]:
    several = getattr(outcome, "stores", ())
    one = getattr(outcome, "store", None)
    return several or ((one,) if isinstance(one, StoreFacts) else ())


def _told(line: Line, outcome: Outcome | None, stores: tuple[StoreFacts, ...]) -> Iterator[Text]:
    failed = isinstance(outcome, Failure)
    name = trigger(type(outcome)) if outcome is not None else str(fields(line.outcome).get("outcome", "?"))
    text = Text("  ")
    text.append(f"{datetime.fromtimestamp(line.at, UTC):%H:%M:%S.%f}"[:-3], style="dim")
    text.append(f" {_took(line.seconds):>9}  ", style="dim")
    text.append(line.state)
    text.append(f": {name.replace('_', ' ')}", style="red" if failed else "green")
    detail = _detail(outcome)
    if detail:
        text.append(f" ({detail})", style="dim")
    end = _end(line)
    text.append(f" → {line.to}", style=_style(end) if end is not None else "")
    guards = guards_taken(line)
    if guards and end is None:
        text.append(f", because it {guards}", style="dim")
    yield text
    if isinstance(outcome, Failure):
        number = fields(line.effect).get("store")
        store = stores[number] if isinstance(number, int) and number < len(stores) else None
        yield Text(f"{_INDENT}{failure_text(outcome, store)}", style="red")
    report = report_of(line)
    if report is not None and isinstance(outcome, Reported):
        yield Text(f"{_INDENT}told in the condition: {message_of(report)}", style="yellow")


def _detail(outcome: Outcome | None) -> str:
    match outcome:
        case Authenticated(shared=True):
            return "by a login that others use too"
        case Resolved(cached=True):
            return "known from before"
        case Fetched(keys=keys, absent=absent):
            return f"{keys} keys" + (f", {len(absent)} are not there" if absent else "")
        case Rendered(keys=keys, agrees=agrees):
            return f"{keys} keys" + (", as they are in the target already" if agrees else "")
        case Applied(change=change):
            return change.value
        case Gathered(entries=entries, owed=owed):
            found = f"{sum(entries)} entries to be there"
            return found + (f", {sum(owed)} to be there no more" if any(owed) else "")
        case Compared(writes=writes, deletions=deletions):
            counted = ((writes, "to write"), (deletions, "to delete"))
            return _listed([f"{number} {what}" for number, what in counted if number], outcome) or "all equal"
        case Pushed() | Pruned():
            return _listed([], outcome)
    return ""


def _listed(parts: list[str], outcome: Compared | Pushed | Pruned) -> str:
    counted = ((outcome.pending, "awaiting approval"), (outcome.failed, "failed"))
    text = ", ".join([*parts, *(f"{number} {what}" for number, what in counted if number)])
    why = f": {failure_text(outcome.failure, None)}" if outcome.failure is not None else ""
    return text + why


def guards_taken(line: Line) -> str:
    """The guards, as words, that can have led from a state to the next one; empty where there was no choice."""
    definition = MACHINES.get(line.machine)
    if definition is None:
        return ""
    name = fields(line.outcome).get("outcome")
    guards = [
        row.guard
        for row in definition.rows
        if line.state in row.sources
        and row.target == line.to
        and any(trigger(outcome) == name for outcome in row.outcomes)
    ]
    return (
        " or ".join(guard.replace("_", " ") for guard in guards if guard is not None) if all(guards) else ""
    )


def _end(line: Line) -> End | None:
    definition = MACHINES.get(line.machine)
    states = definition.states if definition is not None else ()
    return next((state for state in states if state.name == line.to and isinstance(state, End)), None)


def _style(end: End) -> str:
    return "bold green" if end.good else "bold yellow"


def _ended(last: Line) -> Text:
    end = _end(last)
    if end is None:
        return Text(
            f"  no end yet: {last.to.replace('_', ' ')} is under way, or the program ended in it", style="dim"
        )
    words = (
        [end.name] if end.then is Then.NOTHING else [end.name, "as wished" if end.good else "not as wished"]
    )
    text = Text("  = ")
    text.append(": ".join(words), style=_style(end))
    text.append(f"; {_NEXT[end.then]}", style="dim")
    return text


def _took(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1.0 else f"{seconds * 1000:.1f} ms"
