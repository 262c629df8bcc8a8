"""Feeds recorded answers to the client: the call that leads to a recorded request, and what the client makes of it."""

import random
import urllib.parse
from collections.abc import Iterator

import msgspec

from adapters.auth.login import LoginRequest
from adapters.infisical.address import Address
from adapters.infisical.client import Client
from adapters.infisical.exchange import Exchange, Retry
from adapters.infisical.host_state import HostState
from adapters.infisical.places import Place, Project, View
from adapters.infisical.routes import Routes
from adapters.infisical.secret_text import SecretText
from adapters.infisical.transport import Answer, Request
from machines.names import FolderPath, Host
from tests.transcripts.recorded import SETUP, Line, Recording, Response

ONCE = Retry(attempts=1)
TOKEN = SecretText("token")
SINGLE = ("/v3/secrets/raw/", "/v4/secrets/")
LISTS = ("/v3/secrets/raw", "/v4/secrets")
PROJECTS = ("/v1/projects/slug/", "/v2/workspace/")


class Replayed:
    """A transport that gives one recorded answer to whatever is asked."""

    def __init__(self, response: Response) -> None:
        body = response.body
        content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
        self._answer = Answer(status=response.status, headers=response.headers, body=content)

    async def send(self, request: Request) -> Answer:
        """The recorded answer."""
        del request
        return self._answer


def lines_of_client_routes(recording: Recording) -> Iterator[Line]:
    """The lines whose requests the client sends too: logins, revocations, slugs of projects, reads of secrets.

    Left out are set-up steps, whose answers were not kept, and conditional requests, which the client does not make.
    """
    for case in recording.cases:
        for line in case.lines:
            request = line.request
            if request is None or line.response is None or line.step == SETUP or line.sent_by_server:
                continue
            if "If-None-Match" in request.headers or line.response.status == 304:
                continue
            if kind_of(line):
                yield line


def kind_of(line: Line) -> str:
    """Which call of the client leads to such a request; "" for none."""
    assert line.request is not None
    method, path = line.request.method, line.request.path
    if method == "POST" and path.startswith("/v1/auth/") and path.endswith("/login"):
        return "login"
    if (method, path) == ("POST", "/v1/auth/token/revoke"):
        return "revoke"
    if method != "GET":
        return ""
    if path.startswith(PROJECTS) and not path.startswith("/v2/workspace/<"):
        return "project"
    if path in LISTS:
        return "list"
    return "read" if path.startswith(SINGLE) else ""


async def understanding(line: Line) -> object:
    """What the client makes of the recorded answer."""
    assert line.request is not None
    assert line.response is not None
    state = HostState(Host("https://recorded.test"), random.Random(0), lambda host, trouble: None)
    exchange = Exchange(Replayed(line.response), state, random.Random(0))
    client = Client(Address(Host("https://recorded.test")), exchange, Routes())
    query = line.request.query or {}
    by_slug = "workspaceSlug" in query and "workspaceId" not in query
    project = Project("id", frozenset({"dev", "staging", "prod"}), by_slug)
    path = query.get("secretPath", "/")
    place = Place(project, query.get("environment", ""), FolderPath(f"/{path.lstrip('/')}"))
    view = View(query.get("expandSecretReferences") == "true", query.get("include_imports") == "true")
    name = urllib.parse.unquote(line.request.path.rsplit("/", 1)[-1])
    match kind_of(line):
        case "login":
            return await client.login(LoginRequest(line.request.path, {}), None, ONCE)
        case "revoke":
            return await client.revoke(TOKEN, ONCE)
        case "project":
            return await client.project(TOKEN, name, ONCE)
        case "list":
            recursive = query.get("recursive") == "true"
            return await client.list(TOKEN, place, view, ONCE, recursive=recursive)
        case "read":
            return await client.read(TOKEN, place, view, name, ONCE)
    raise AssertionError(line.request.path)
