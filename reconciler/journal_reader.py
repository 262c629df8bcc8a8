"""Reading journals: lines with their places, whether any were lost or changed, and what their outcomes are."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, Union

import msgspec

from adapters.journal import Line, checksum
from machines.effects import Effect, Report
from machines.kernel import Asking
from machines.names import Name
from machines.outcomes import Outcome
from machines.registry import MACHINES

EffectT = TypeVar("EffectT", bound=Effect)


class JournalLine(msgspec.Struct, frozen=True):
    """A line of a journal, and where it stands."""

    file: str
    number: int  # in its file, from 1
    line: Line

    @property
    def place(self) -> str:
        """`FILE:NUMBER`."""
        return f"{self.file}:{self.number}"


class Unreadable(msgspec.Struct, frozen=True):
    """A line that is no journal line."""

    place: str
    problem: str


_lines = msgspec.json.Decoder(Line)
_MACHINE_OF_STATE = {
    (name, state.name): state
    for name, definition in MACHINES.items()
    for state in definition.states
    if isinstance(state, Asking)
}


def read_journals(files: Iterable[Path]) -> Iterator[JournalLine | Unreadable]:
    """The lines of some files, in the order in which they were written. Raises OSError."""
    for file in files:
        with file.open("rb") as stream:
            for number, text in enumerate(stream, 1):
                try:
                    yield JournalLine(str(file), number, _lines.decode(text))
                except msgspec.MsgspecError:
                    cut = "" if text.endswith(b"\n") else ": it breaks off, as where a program was killed"
                    yield Unreadable(f"{file}:{number}", f"this is no line of a journal{cut}")


class Continuity:
    """Whether all lines are there, and as they were written. Is told each line of a journal, in order."""

    def __init__(self) -> None:
        self.begins_rotated = False
        """The first line opens a file, and others were written before it: runs may begin before it too."""
        self._before: Line | None = None
        self._doubtful = False  # the line before could not be read
        self._changed = (
            False  # the line before is not as it was written, so that this one's checksum says nothing
        )

    def unreadable(self) -> None:
        """A line could not be read: nothing can be said about its neighbours."""
        self._doubtful = True

    def problem(self, line: Line) -> str | None:
        """What is wrong with a line, or missing before it; None where it follows on the last one."""
        before, self._before = self._before, line
        doubtful, self._doubtful = self._doubtful, False
        changed, self._changed = self._changed, False
        if line.number == 0:
            if before is not None and before.number:
                return (
                    "this line has no number, as the lines before it have: it was not written by the program"
                )
            return None
        if before is None:
            self.begins_rotated = line.opens and line.number > 1
        if not doubtful:
            missing = _missing(line, before)
            if missing is not None:
                return missing
        follows = before is not None and before.number == line.number - 1 and not changed
        last = before.check if before is not None and not line.opens else ""
        if (line.opens or follows) and line.check != checksum(line, last):
            self._changed = True
            return "this line was changed after it was written: its checksum differs"
        return None


def _missing(line: Line, before: Line | None) -> str | None:
    expected = 1 if before is None or line.number == 1 else before.number + 1
    if line.number == expected:
        return None
    if before is None:
        lost = _numbered(1, line.number - 1)
        return None if line.opens else f"{lost} missing before this one: lost, or in an older file (FILE.1)"
    if line.number < expected:
        return (
            f"this is line {line.number} of its journal, after line {before.number}: "
            "the files are in the wrong order, or lines are"
        )
    return f"{_numbered(expected, line.number - 1)} missing before this one"


def _numbered(first: int, last: int) -> str:
    return f"line {first} is" if first == last else f"lines {first} to {last} are"


def _construct(type_: type[Any], text: Any) -> Any:
    if isinstance(type_, type) and issubclass(type_, Name) and isinstance(text, str):
        return type_(text)
    raise ValueError("a name is expected here")


def asked(line: Line) -> type[Effect] | None:
    """The type of effect that the recorded state asks for; None where there is no such machine or state."""
    state = _MACHINE_OF_STATE.get((line.machine, line.state))
    return state.asks if state is not None else None


_decoders: dict[type[Effect], msgspec.json.Decoder[Any]] = {}
_reports = msgspec.json.Decoder(Report, dec_hook=_construct)


def outcome_of(line: Line, effect: type[Effect]) -> Outcome:
    """The recorded outcome. Raises ValueError where it is none that the effect can give."""
    decoder = _decoders.get(effect)
    if decoder is None:
        decoder = msgspec.json.Decoder(Union[effect.outcomes], dec_hook=_construct)  # noqa: UP007  # of a tuple
        _decoders[effect] = decoder
    outcome = decoder.decode(line.outcome)
    assert isinstance(outcome, Outcome)
    known = {"outcome", *(field.encode_name for field in msgspec.structs.fields(outcome))}
    foreign = fields(line.outcome).keys() - known
    if foreign:
        raise ValueError(f"{type(outcome).__name__} does not have: {', '.join(sorted(foreign))}")
    return outcome


def report_of(line: Line) -> Report | None:
    """The report that the line's effect was, with all that its message is made of; None for another effect."""
    if asked(line) is not Report:
        return None
    try:
        return _reports.decode(line.effect)
    except ValueError:
        return None


def fields(encoded: msgspec.Raw | bytes) -> dict[str, Any]:
    """The fields of an encoded effect or outcome; none where it is no object."""
    decoded = msgspec.json.decode(encoded)
    return decoded if isinstance(decoded, dict) else {}
