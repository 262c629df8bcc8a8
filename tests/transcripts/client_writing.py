"""Feeds recorded answers to writes to the client: what it makes of each."""

import random
import urllib.parse
from collections.abc import Iterator

from adapters.infisical.address import Address
from adapters.infisical.client import Client
from adapters.infisical.exchange import Exchange
from adapters.infisical.host_state import HostState
from adapters.infisical.places import Place, Project
from adapters.infisical.routes import Routes
from adapters.infisical.secret_text import SecretText
from adapters.infisical.write_terms import Write, WriteAnswer, WriteKind
from machines.names import FolderPath, Host, RemoteName
from tests.transcripts.client_reading import ONCE, SINGLE, TOKEN, Replayed
from tests.transcripts.placeholders import unfold
from tests.transcripts.recorded import SETUP, Line, Recording

KINDS = {"POST": WriteKind.CREATE, "PATCH": WriteKind.UPDATE, "DELETE": WriteKind.DELETE}
BATCHES = ("/v3/secrets/batch/raw", "/v4/secrets/batch")


def lines_of_writes(recording: Recording) -> Iterator[Line]:
    """The lines whose requests write secrets, but for set-up steps, whose answers were not kept."""
    for case in recording.cases:
        for line in case.lines:
            request = line.request
            if request is None or line.response is None or line.step == SETUP or line.sent_by_server:
                continue
            if request.method in KINDS and request.path.startswith((*SINGLE, *BATCHES)):
                yield line


async def understanding(line: Line) -> WriteAnswer:
    """What the client makes of the recorded answer."""
    assert line.request is not None
    assert line.response is not None
    state = HostState(Host("https://recorded.test"), random.Random(0), lambda host, trouble: None)
    exchange = Exchange(Replayed(line.response), state, random.Random(0))
    client = Client(Address(Host("https://recorded.test")), exchange, Routes())
    body = line.request.body if isinstance(line.request.body, dict) else {}
    place = Place(
        Project("id", frozenset({"dev", "staging", "prod"}), slug="transcripts"),
        body.get("environment", "dev"),
        FolderPath("/" + str(body.get("secretPath", "/")).lstrip("/")),
    )
    kind = KINDS[line.request.method]
    value = None if kind is WriteKind.DELETE else SecretText("v")
    if line.request.path in BATCHES:
        names = [element.get("secretKey", "") for element in body.get("secrets") or []] or ["A"]
        writes = [Write(kind, RemoteName(name), value) for name in names]
        return await client.writes.many(TOKEN, place, writes, ONCE)
    name = urllib.parse.unquote(unfold(line.request.path).rsplit("/", 1)[-1])
    return await client.writes.one(TOKEN, place, Write(kind, RemoteName(name), value), ONCE)
