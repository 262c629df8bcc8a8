"""Replay: the recorded outcomes of a journal, told to fresh machines, which must do what was recorded."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from adapters.journal import checksum
from machines.kernel import Definition, NoRow, Run
from machines.registry import MACHINES
from reconciler.journal_reader import JournalLine, Unreadable, asked, outcome_of, read_journals

_encoder = msgspec.json.Encoder(enc_hook=str)


class Finding(msgspec.Struct, frozen=True):
    """A difference, or a line that cannot be: `place` is FILE:LINE."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


class Replayed(msgspec.Struct, frozen=True):
    """What a replay came to: how many runs and transitions agreed, and the first difference of each run that
    did not."""

    runs: int
    transitions: int
    findings: tuple[Finding, ...]


class _Running:
    """One run under replay."""

    def __init__(self, definition: Definition[Any]) -> None:
        self.definition = definition
        self.run: Run[Any] = definition.start()
        self.step = 0
        self.check = ""
        self.last: JournalLine | None = None


def replay(files: Iterable[Path]) -> Replayed:
    """Replay all runs of some files. A run is followed to its first difference. Raises OSError."""
    running: dict[str, _Running] = {}
    lost: set[str] = set()
    findings: list[Finding] = []
    runs = transitions = 0
    for one in read_journals(files):
        if isinstance(one, Unreadable):
            findings.append(Finding(one.place, one.problem))
            continue
        number = one.line.run
        if number in lost:
            continue
        if number not in running:
            definition = MACHINES.get(one.line.machine)
            if definition is None:
                findings.append(Finding(one.place, f"there is no machine {one.line.machine!r}"))
                lost.add(number)
                continue
            running[number] = _Running(definition)
        problem = _follow(running[number], one)
        if problem is not None:
            findings.append(Finding(one.place, problem))
            lost.add(number)
            del running[number]
            continue
        transitions += 1
        if one.line.end:
            runs += 1
            del running[number]
    findings.extend(_broken_off(running))
    return Replayed(runs, transitions, tuple(findings))


def _broken_off(running: dict[str, _Running]) -> Iterator[Finding]:
    for under_way in running.values():
        last = under_way.last
        assert last is not None
        yield Finding(
            last.place,
            f"run {last.line.run} goes on in state {last.line.to} after this line, and its end is not in the journal: "
            "lines are lost, or the program was killed here",
        )


def _follow(under_way: _Running, one: JournalLine) -> str | None:
    """Tell the run one line; what is wrong with it, if anything."""
    line, run, definition = one.line, under_way.run, under_way.definition
    if line.step != under_way.step + 1:
        if under_way.step == 0:
            return f"run {line.run} begins with step {line.step}: what was before is in an older file (FILE.1), or lost"
        return (
            f"run {line.run} goes from step {under_way.step} to step {line.step}: lines between them are lost"
        )
    if line.check and line.check != checksum(line, under_way.check):
        return "this line, or the one before it in its run, was changed after it was written (its checksum differs)"
    if line.state != run.state:
        return f"recorded in state {line.state}, but the machine is in {run.state}"
    effect = definition.asks(run)
    asked_type = asked(line)
    if effect is None or asked_type is None:
        return f"recorded in state {line.state}, but that asks for nothing"
    if _encoder.encode(effect) != bytes(line.effect):
        return f"recorded was the effect {bytes(line.effect).decode()}, the machine asks for {_encoder.encode(effect).decode()}"
    try:
        outcome = outcome_of(line, asked_type)
    except (msgspec.ValidationError, ValueError):
        return f"the outcome is none that {asked_type.__name__} can give"
    try:
        definition.step(run, effect, outcome)
    except NoRow as error:
        return str(error)
    if run.state != line.to:
        return f"recorded was that {line.state} leads to {line.to}, the machine goes to {run.state}"
    under_way.step, under_way.check, under_way.last = line.step, line.check, one
    return None
