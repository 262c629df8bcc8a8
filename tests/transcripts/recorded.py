"""The recorded answers of real servers: read from the file, grouped by server and case.

`transcripts.jsonl` beside this module; the environment variable TRANSCRIPTS names another file of the same form.
"""

import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from reconciler.standin import Age

LINES = 982
"""Lines of the project's own file, the fixtures included."""
CASES = {"2025-06": 141, "2024-07": 137}
"""Cases of each server in it, without the fixture."""

SETUP = "(setup)"


class Recorded(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The request of a line, with placeholders. `path` is below `/api`, encoded; `query` is not encoded."""

    method: str
    path: str
    query: dict[str, str] | None = None
    body: Any = None
    raw_body: str | None = None
    auth: str | None = None
    headers: dict[str, str] = {}
    direction: str = "client-to-server"


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of a line. Of set-up steps only the status was kept."""

    status: int
    headers: dict[str, str] = {}
    body: Any = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer."""

    case: str
    server: str
    step: str = ""
    request: Recorded | None = None
    response: Response | None = None
    fixture: dict[str, Any] | None = None

    @property
    def sent_by_server(self) -> bool:
        """Whether the server sent the request: to a webhook's receiver, or to a cluster."""
        return self.request is not None and (
            self.request.direction == "server-to-client" or self.request.auth == "tokenReviewerJwt"
        )


class Case(msgspec.Struct, frozen=True):
    """All lines of one case of one server, in their order."""

    server: str
    name: str
    lines: tuple[Line, ...]

    def __str__(self) -> str:
        return f"{self.server}:{self.name}"


class Recording(msgspec.Struct, frozen=True):
    """A whole file: what each server held before, and its cases."""

    fixtures: Mapping[str, Mapping[str, Any]]
    cases: tuple[Case, ...]
    lines: int


OWN_FILE = Path(__file__).with_name("transcripts.jsonl")


def file() -> Path:
    """The file to be used."""
    named = os.environ.get("TRANSCRIPTS")
    return Path(named) if named else OWN_FILE


def age(server: str) -> Age:
    """The age of stand-in that answers like the server."""
    return Age(server)


def _read(path: Path) -> Iterator[Line]:
    decoder = msgspec.json.Decoder(Line)
    for text in path.read_bytes().splitlines():
        if text.strip():
            yield decoder.decode(text)


@cache
def load() -> Recording:
    """The recording in the file to be used. Cases keep the order of the file."""
    fixtures: dict[str, Mapping[str, Any]] = {}
    groups: dict[tuple[str, str], list[Line]] = {}
    count = 0
    for line in _read(file()):
        count += 1
        if line.fixture is not None:
            fixtures[line.server] = line.fixture
        else:
            groups.setdefault((line.server, line.case), []).append(line)
    cases = tuple(Case(server, name, tuple(lines)) for (server, name), lines in groups.items())
    return Recording(fixtures, cases, count)
