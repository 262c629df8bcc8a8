"""`trace`: what happened to a resource, from a journal or from a running controller, for people to read."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from rich.console import Console
from rich.text import Text

from adapters.journal import Line
from machines.kernel import End
from machines.outcomes import Failure
from machines.registry import MACHINES
from reconciler.journal_reader import JournalLine, asked, outcome_of, read_journals
from reconciler.messages import failure_text

_lines = msgspec.json.Decoder(Line)


class NoTrace(Exception):
    """There is nothing to show, or nobody to ask. The text is for the person who asked."""


async def lines_of_controller(url: str, kind: str, namespace: str | None, name: str) -> list[Line]:
    """Transitions that a running controller remembers. Raises NoTrace."""
    query = {"kind": kind, "name": name} | ({"namespace": namespace} if namespace is not None else {})
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10.0)) as session,
            session.get(f"{url.rstrip('/')}/trace", params=query) as response,
        ):
            if response.status != 200:
                raise NoTrace(
                    f"{url} answers with status {response.status}: is it the controller's endpoint?"
                )
            return [_lines.decode(line) for line in (await response.read()).splitlines()]
    except (aiohttp.ClientError, TimeoutError, ValueError, msgspec.MsgspecError):
        raise NoTrace(
            f"{url} does not answer as a controller does: is it running there (see --listen), or give --journal FILE"
        ) from None


def lines_of_journal(file: Path, kind: str, namespace: str | None, name: str) -> list[Line]:
    """Transitions of a journal, the older part FILE.1 included. Raises NoTrace."""
    older = file.with_name(f"{file.name}.1")
    files = [older, file] if older.exists() else [file]
    try:
        read = list(read_journals(files))
    except OSError as error:
        raise NoTrace(f"{file} cannot be read: {error.strerror}") from None
    found = [one.line for one in read if isinstance(one, JournalLine)]
    return [
        line
        for line in found
        if (not kind or line.kind.lower() == kind.lower())
        and (not name or line.name == name)
        and (namespace is None or line.namespace in (namespace, ""))
    ]


def latest_runs(lines: Iterable[Line]) -> list[Line]:
    """The lines of each resource's latest run."""
    latest: dict[tuple[str, str, str], str] = {}
    kept = list(lines)
    for line in kept:
        latest[line.kind, line.namespace, line.name] = line.run
    return [line for line in kept if latest[line.kind, line.namespace, line.name] == line.run]


def why(line: Line) -> str:
    """What an outcome says beyond its name, in words; empty where it went well."""
    effect = asked(line)
    if effect is None:
        return ""
    try:
        outcome = outcome_of(line, effect)
    except (msgspec.ValidationError, ValueError):
        return ""
    return failure_text(outcome, None) if isinstance(outcome, Failure) else ""


def _end_of(line: Line) -> End | None:
    definition = MACHINES.get(line.machine)
    states = definition.states if definition is not None else ()
    return next((state for state in states if state.name == line.to and isinstance(state, End)), None)


def show(lines: list[Line], console: Console) -> None:
    """Runs as paragraphs: when, how long, what each state led to, and why."""
    run = ""
    for line in lines:
        if line.run != run:
            run = line.run
            place = f"{line.namespace}/{line.name}" if line.namespace else line.name
            console.print(Text(f"\n{line.kind} {place}  run {run}", style="bold"), soft_wrap=True)
        console.print(_told(line), soft_wrap=True)


def _told(line: Line) -> Text:
    outcome = str(_fields(line.outcome).get("outcome", "?")).replace("_", " ")
    said = why(line)
    end = _end_of(line)
    moment = datetime.fromtimestamp(line.at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    text = Text("  ")
    text.append(f"{moment}Z ", style="dim")
    text.append(f"{line.seconds * 1000:8.1f} ms  ", style="dim")
    text.append(line.state)
    text.append(f": {outcome} ", style="red" if said else "green")
    text.append(
        f"→ {line.to}", style=("bold green" if end.good else "bold yellow") if end is not None else ""
    )
    if said:
        text.append(f"\n{' ' * 40}{said}", style="yellow")
    return text


def _fields(raw: msgspec.Raw) -> dict[str, Any]:
    decoded = json.loads(bytes(raw))
    return decoded if isinstance(decoded, dict) else {}


def json_lines(lines: Iterable[Line]) -> Iterator[str]:
    """The lines as they stand in a journal."""
    encoder = msgspec.json.Encoder()
    return (encoder.encode(line).decode() for line in lines)
