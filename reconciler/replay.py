"""Replay: the recorded outcomes of a journal, told to fresh machines, which must do what was recorded."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from machines.effects import Effect
from machines.kernel import Definition, End, NoRow, Run
from machines.outcomes import Outcome
from machines.registry import MACHINES
from reconciler.journal_reader import (
    Continuity,
    JournalLine,
    Unreadable,
    asked,
    fields,
    outcome_of,
    read_journals,
)

_encoder = msgspec.json.Encoder(enc_hook=str)


class Finding(msgspec.Struct, frozen=True):
    """A difference, or a line that cannot be: `place` is FILE:LINE."""

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


class Replayed(msgspec.Struct, frozen=True):
    """What a replay came to: how many runs and transitions agreed, how many runs begin in an older file that was
    not given, how many lines were lines of a journal at all, and what differs."""

    runs: int
    transitions: int
    begun_before: int
    lines: int
    findings: tuple[Finding, ...]


class _Differs(Exception):
    """The machine does not do what was recorded. The text says both."""


class _Running:
    """One run under replay."""

    def __init__(self, definition: Definition[Any]) -> None:
        self.definition = definition
        self.run: Run[Any] = definition.start()
        self.last: JournalLine | None = None

    def follow(self, one: JournalLine) -> None:
        """Tell the run one line. Raises _Differs."""
        line, run = one.line, self.run
        self._continues(one)
        effect = self.definition.asks(run)
        if effect is None:
            raise _Differs(f"recorded in state {line.state}, which is an end and asks for nothing")
        _same_effect(effect, line.effect)
        outcome = _outcome(one)
        try:
            self.definition.step(run, effect, outcome)
        except NoRow as error:
            raise _Differs(str(error)) from None
        if run.state != line.to:
            raise _Differs(
                f"recorded was that {line.state} leads to {line.to}, the machine goes to {run.state}"
            )
        if isinstance(self.definition.state(run), End) != line.end:
            raise _Differs(f"{run.state} is {'no' if line.end else 'an'} end, which was recorded otherwise")
        self.last = one

    def _continues(self, one: JournalLine) -> None:
        line, last = one.line, self.last.line if self.last is not None else None
        step = last.step if last is not None else 0
        if line.step != step + 1:
            raise _Differs(
                f"run {line.run} goes from step {step} to step {line.step}: lines between them are lost"
                if step
                else f"run {line.run} begins with step {line.step}: what was before is lost, "
                "or in an older file (FILE.1), which goes first"
            )
        if last is not None and _who(line) != _who(last):
            raise _Differs(f"run {line.run} is about {_who(last)}, this line about {_who(line)}")
        if line.state != self.run.state:
            raise _Differs(f"recorded in state {line.state}, but the machine is in {self.run.state}")


def _who(line: Any) -> str:
    return f"{line.kind} {line.namespace}/{line.name} (machine {line.machine})"


def _same_effect(effect: Effect, recorded: msgspec.Raw) -> None:
    asks, was = fields(_encoder.encode(effect)), fields(recorded)
    if asks == was:
        return
    if asks["effect"] != was.get("effect"):
        raise _Differs(f"recorded was the effect {was.get('effect')}, the machine asks for {asks['effect']}")
    differing = "; ".join(
        f"{name}: recorded {_shown(was, name)}, the machine says {_shown(asks, name)}"
        for name in sorted(asks.keys() | was.keys())
        if asks.get(name) != was.get(name)
    )
    raise _Differs(f"the effect {asks['effect']} differs in {differing}")


def _shown(encoded: dict[str, Any], name: str) -> str:
    return msgspec.json.encode(encoded[name]).decode() if name in encoded else "nothing"


def _outcome(one: JournalLine) -> Outcome:
    effect = asked(one.line)
    assert effect is not None  # the machine is in this state, and asks
    try:
        return outcome_of(one.line, effect)
    except ValueError as error:
        raise _Differs(f"the outcome is none that {effect.__name__} can give: {error}") from None


class _Replay:
    """All runs of a journal under replay."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.runs = self.transitions = self.begun_before = self.lines = 0
        self._continuity = Continuity()
        self._running: dict[str, _Running] = {}
        self._given_up: set[str] = set()

    def unreadable(self, one: Unreadable) -> None:
        self._continuity.unreadable()
        self.findings.append(Finding(one.place, one.problem))

    def line(self, one: JournalLine) -> None:
        self.lines += 1
        lost = self._continuity.problem(one.line)
        if lost is not None:
            self.findings.append(Finding(one.place, lost))
        number = one.line.run
        if number in self._given_up:
            return
        running = self._running.get(number)
        if running is None:
            running = self._begun(one)
            if running is None:
                self._given_up.add(number)
                return
            self._running[number] = running
        try:
            running.follow(one)
        except _Differs as difference:
            if lost is None or not lost.startswith("this line was changed"):  # that says it already
                self.findings.append(Finding(one.place, str(difference)))
            self._given_up.add(number)
            del self._running[number]
            return
        self.transitions += 1
        if one.line.end:
            self.runs += 1
            del self._running[number]

    def _begun(self, one: JournalLine) -> _Running | None:
        definition = MACHINES.get(one.line.machine)
        if definition is None:
            self.findings.append(Finding(one.place, f"there is no machine {one.line.machine!r}"))
            return None
        if one.line.step > 1 and self._continuity.begins_rotated:
            self.begun_before += 1
            return None
        return _Running(definition)

    def broken_off(self) -> Iterator[Finding]:
        """The runs that have no end."""
        for running in self._running.values():
            last = running.last
            assert last is not None
            yield Finding(
                last.place,
                f"run {last.line.run} of {_who(last.line)} goes on in state {last.line.to} after this line, and its end "
                "is not in the journal: lines are lost, or the program was killed or was still running here",
            )


def replay(files: Iterable[Path]) -> Replayed:
    """Replay all runs of some files. A run is followed to its first difference. Raises OSError."""
    under_way = _Replay()
    for one in read_journals(files):
        if isinstance(one, Unreadable):
            under_way.unreadable(one)
        else:
            under_way.line(one)
    findings = (*under_way.findings, *under_way.broken_off())
    return Replayed(under_way.runs, under_way.transitions, under_way.begun_before, under_way.lines, findings)
