"""`trace`: the transitions of resources, from a journal or from a running controller, put together to runs."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import aiohttp
import msgspec

from adapters.journal import Line
from adapters.resources.crds import PRESENTATIONS
from reconciler.journal_reader import JournalLine, read_journals

_lines = msgspec.json.Decoder(Line)
_LIMIT = 10.0  # seconds that a controller may take for its answer


class NoTrace(Exception):
    """There is nothing to show, or nobody to ask. The text is for the person who asked."""


class Wanted(msgspec.Struct, frozen=True):
    """Which resources: empty or None means any."""

    kind: str = ""
    name: str = ""
    namespace: str | None = None

    def fits(self, line: Line) -> bool:
        """Whether a line is about one of them. What is cluster-wide is in every namespace."""
        return (
            self.kind in ("", line.kind)
            and self.name in ("", line.name)
            and self.namespace in (None, line.namespace or self.namespace)
        )


def wanted(kind: str, name: str, namespace: str | None) -> Wanted:
    """The resources that a person means, who may write a kind as kubectl takes it: `es`, `externalsecrets`,
    `ExternalSecret`, `es/NAME`. Raises NoTrace."""
    if "/" in kind and not name:
        kind, _, name = kind.partition("/")
    if not kind:
        return Wanted("", name, namespace)
    for known, presentation in PRESENTATIONS.items():
        words = (known.name.lower(), known.plural, *presentation.short_names)
        if kind.lower() in words:
            return Wanted(known.name, name, namespace)
    names = ", ".join(known.name for known in PRESENTATIONS)
    raise NoTrace(f"there is no kind {kind!r}: write the kind before the name; there are {names}")


async def lines_of_controller(url: str, resources: Wanted) -> list[Line]:
    """Transitions that a running controller remembers. Raises NoTrace."""
    query = {"kind": resources.kind, "name": resources.name}
    if resources.namespace is not None:
        query["namespace"] = resources.namespace
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_LIMIT)) as session,
            session.get(f"{url.rstrip('/')}/trace", params=query) as response,
        ):
            if response.status != 200:
                raise NoTrace(
                    f"{url} answers with status {response.status}: is it the controller's endpoint?"
                )
            return [_lines.decode(line) for line in (await response.read()).splitlines()]
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise NoTrace(
            f"{url} does not answer as a controller does: is it running there (see --listen)? "
            "A journal is read with --journal FILE"
        ) from None


def lines_of_journal(file: Path, resources: Wanted) -> tuple[list[Line], int]:
    """Transitions of a journal, the older part FILE.1 included, and how many lines cannot be read. Raises NoTrace."""
    older = file.with_name(f"{file.name}.1")
    files = [older, file] if older.exists() else [file]
    lines: list[Line] = []
    unreadable = 0
    try:
        for one in read_journals(files):
            if not isinstance(one, JournalLine):
                unreadable += 1
            elif resources.fits(one.line):
                lines.append(one.line)
    except OSError as error:
        raise NoTrace(f"{file} cannot be read: {error.strerror}") from None
    return lines, unreadable


def runs_of(lines: Iterable[Line]) -> list[list[Line]]:
    """The lines run by run, in the order in which the runs ended or were last heard of: the newest is the last."""
    runs: dict[tuple[str, str, str, str], list[Line]] = {}
    for line in lines:
        key = (line.kind, line.namespace, line.name, line.run)
        run = runs.pop(key, [])
        run.append(line)
        runs[key] = run
    return list(runs.values())


def latest_runs(lines: Iterable[Line]) -> list[list[Line]]:
    """Each resource's latest run."""
    latest: dict[tuple[str, str, str], list[Line]] = {}
    for run in runs_of(lines):
        key = (run[0].kind, run[0].namespace, run[0].name)
        latest.pop(key, None)
        latest[key] = run
    return list(latest.values())


def json_lines(runs: Iterable[list[Line]]) -> Iterator[str]:
    """The lines as they stand in a journal."""
    encoder = msgspec.json.Encoder()
    return (encoder.encode(line).decode() for run in runs for line in run)
