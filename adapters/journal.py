"""The journal: every transition of every run as one line of JSON, enough to replay the run and to trace it.

No value can be in it: an outcome and an effect hold numbers, enumerations, times and names of checked form.
Each line carries its number within its run and a checksum over itself and the line before, so that a line that
was changed or lost is noticed. A journal that cannot be written is reported once, and stops no run.
"""

import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

import msgspec

from machines.effects import Effect
from machines.names import KindName, NamespaceName, ResourceName
from machines.outcomes import Outcome


class Subject(msgspec.Struct, frozen=True):
    """Which resource a run is about."""

    kind: KindName
    namespace: NamespaceName
    name: ResourceName

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One step of one run: in `state` an effect was asked for, an outcome told, and it went on `to`."""

    run: str
    step: int  # from 1
    at: float  # when the outcome came, seconds since 1970
    seconds: float  # how long the effect took
    subject: Subject
    machine: str
    state: str
    effect: Effect
    outcome: Outcome
    to: str
    end: bool = False


class Journal(Protocol):
    """Is told every transition. Never raises."""

    def record(self, transition: Transition) -> None:
        """Take one transition."""
        ...


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A journal line as it is written. `effect` and `outcome` are the encoded values."""

    run: str
    step: int
    at: float
    seconds: float
    kind: str
    namespace: str
    name: str
    machine: str
    state: str
    effect: msgspec.Raw
    outcome: msgspec.Raw
    to: str
    end: bool = False
    check: str = ""


_encoder = msgspec.json.Encoder(enc_hook=str)


def line_of(transition: Transition, check: str = "") -> Line:
    """The journal line of a transition."""
    return Line(
        run=transition.run,
        step=transition.step,
        at=round(transition.at, 6),
        seconds=round(transition.seconds, 6),
        kind=str(transition.subject.kind),
        namespace=str(transition.subject.namespace),
        name=str(transition.subject.name),
        machine=transition.machine,
        state=transition.state,
        effect=msgspec.Raw(_encoder.encode(transition.effect)),
        outcome=msgspec.Raw(_encoder.encode(transition.outcome)),
        to=transition.to,
        end=transition.end,
        check=check,
    )


def checksum(line: Line, before: str) -> str:
    """Eight hexadecimal digits over a line and the checksum of the line before it in its run ("" for the first)."""
    content = _encoder.encode(msgspec.structs.replace(line, check=""))
    return f"{zlib.crc32(content, int(before, 16) if before else 0):08x}"


class FileJournal:
    """A journal in a file, kept in two: FILE, and FILE.1 when FILE has grown past a size.

    `path` is a file, or "-" for standard output. `complain` is called once, with a sentence, when writing fails.
    """

    def __init__(self, path: str, size: int, complain: Callable[[str], None]) -> None:
        self._path = path
        self._size = size
        self._complain = complain
        self._checks: dict[str, str] = {}
        self._stream: IO[bytes] | None = None
        self._broken = False
        self._written = 0

    def record(self, transition: Transition) -> None:
        """Append one line. A failure to write is complained about once, and ends the journal."""
        line = line_of(transition)
        check = checksum(line, self._checks.get(transition.run, ""))
        if transition.end:
            self._checks.pop(transition.run, None)
        else:
            self._checks[transition.run] = check
        if self._broken:
            return
        try:
            self._write(_encoder.encode(msgspec.structs.replace(line, check=check)) + b"\n")
        except OSError as error:
            self._broken = True
            self._complain(
                f"the journal {self._path} cannot be written, and ends here: {error.strerror or 'failed'}"
            )

    def _write(self, content: bytes) -> None:
        if self._path == "-":
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return
        if self._stream is not None and self._written + len(content) > self._size:
            self._stream.close()
            self._stream = None
            os.replace(self._path, f"{self._path}.1")
        if self._stream is None:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            self._stream = os.fdopen(descriptor, "ab", buffering=0)
            self._written = Path(self._path).stat().st_size
        self._stream.write(content)
        self._written += len(content)

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
