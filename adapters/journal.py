"""The journal: every transition of every run as one line of JSON, enough to replay the run and to trace it.

No value can be in it: an outcome and an effect hold numbers, enumerations, times and names of checked form.
Each line carries its number among all lines that its process wrote, and a checksum over itself and the line before
it, so that a line that was changed or lost is noticed, and where. A journal that cannot be written is reported once,
and stops no run.
"""

import io
import os
import sys
import zlib
from collections.abc import Callable
from typing import Protocol

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
    """A journal line as it is written. `effect` and `outcome` are the encoded values.

    Lines of a file are numbered and have a checksum; lines that a controller remembers are not, and have none.
    """

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
    number: int = 0  # among the lines of its process, from 1, over all files
    opens: bool = False  # the first that its process wrote into this file: the checksums begin anew
    check: str = ""


_encoder = msgspec.json.Encoder(enc_hook=str)


def line_of(transition: Transition, number: int = 0, *, opens: bool = False) -> Line:
    """The journal line of a transition, without a checksum."""
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
        number=number,
        opens=opens,
    )


def checksum(line: Line, before: str) -> str:
    """Eight hexadecimal digits over a line and the checksum of the line before it ("" for one that opens a file)."""
    content = _encoder.encode(msgspec.structs.replace(line, check=""))
    return f"{zlib.crc32(content, int(before, 16) if before else 0):08x}"


class FileJournal:
    """A journal in a file, kept in two: FILE, and FILE.1 when FILE has grown past a size (bytes).

    `path` is a file, or "-" for standard output. `complain` is called once, with a sentence, when writing fails.
    """

    def __init__(self, path: str, size: int, complain: Callable[[str], None]) -> None:
        self._path = path
        self._size = size
        self._complain = complain
        self._number = 0
        self._check = ""  # of the line before in this file; "" where there is none yet
        self._stream: io.FileIO | None = None
        self._broken = False
        self._written = 0

    def record(self, transition: Transition) -> None:
        """Append one line. A failure to write is complained about once, and ends the journal."""
        if self._broken:
            return
        self._number += 1
        try:
            content, check = self._encoded(transition)
            if self._stream is not None and self._written + len(content) > self._size:
                self.close()
                os.replace(self._path, f"{self._path}.1")
                content, check = self._encoded(transition)
            self._write(content)
            self._check = check
        except OSError as error:
            self._broken = True
            self._complain(
                f"the journal {self._path} cannot be written, and ends here: {error.strerror or 'failed'}"
            )

    def _encoded(self, transition: Transition) -> tuple[bytes, str]:
        line = line_of(transition, self._number, opens=not self._check)
        check = checksum(line, self._check)
        return _encoder.encode(msgspec.structs.replace(line, check=check)) + b"\n", check

    def _write(self, content: bytes) -> None:
        if self._path == "-":
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
            return
        stream = self._stream or self._open()
        left = memoryview(content)
        while left:  # a disk that is nearly full takes a part, and refuses the next
            left = left[stream.write(left) :]
        self._written += len(content)

    def _open(self) -> io.FileIO:
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        self._stream = io.FileIO(descriptor, "ab")
        self._written = self._stream.seek(0, os.SEEK_END)
        if self._written and os.pread(descriptor, 1, self._written - 1) != b"\n":
            self._stream.write(b"\n")  # a process was killed in the middle of its last line
            self._written += 1
        return self._stream

    def close(self) -> None:
        """Close the file, if there is one. What is recorded after that goes into a new one."""
        if self._stream is not None:
            self._stream.close()
        self._stream, self._check, self._written = None, "", 0
