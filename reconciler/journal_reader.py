"""Reading journals: lines with their numbers, and what was wrong with a line that cannot be read."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Union

import msgspec

from adapters.journal import Line
from machines.effects import Effect
from machines.kernel import Asking
from machines.names import Name
from machines.outcomes import Outcome
from machines.registry import MACHINES


class JournalLine(msgspec.Struct, frozen=True):
    """A line of a journal, and where it stands."""

    file: str
    number: int  # from 1
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
                    yield Unreadable(f"{file}:{number}", "this is no line of a journal")


def _construct(type_: type[Any], text: Any) -> Any:
    if isinstance(type_, type) and issubclass(type_, Name) and isinstance(text, str):
        return type_(text)
    raise ValueError("a name is expected here")


def asked(line: Line) -> type[Effect] | None:
    """The type of effect that the recorded state asks for; None where there is no such machine or state."""
    state = _MACHINE_OF_STATE.get((line.machine, line.state))
    return state.asks if state is not None else None


_decoders: dict[type[Effect], msgspec.json.Decoder[Any]] = {}


def outcome_of(line: Line, effect: type[Effect]) -> Outcome:
    """The recorded outcome. Raises msgspec.ValidationError where it is none that the effect can give."""
    decoder = _decoders.get(effect)
    if decoder is None:
        decoder = msgspec.json.Decoder(Union[effect.outcomes], dec_hook=_construct)  # noqa: UP007  # of a tuple
        _decoders[effect] = decoder
    outcome = decoder.decode(line.outcome)
    assert isinstance(outcome, Outcome)
    return outcome
