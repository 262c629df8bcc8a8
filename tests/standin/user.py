"""Somebody who talks to a stand-in by plain requests, for the tests of the stand-in itself."""

import json
from typing import Any

from adapters.infisical.transport import Answer, Request
from reconciler.standin import ADMIN, Access, Age, Options, Project, StandIn

JSON = {"content-type": "application/json"}


class Clock:
    """A clock that tests turn on by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class User:
    """A machine identity of one project, with a token."""

    def __init__(self, server: StandIn, project: Project, access: Access = ADMIN) -> None:
        self.server = server
        self.project = project
        self.identity = server.add_identity("user", {project: access})
        self.token = server.add_token(self.identity)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        if_none_match: str = "",
        client: str = "127.0.0.1",
        **query: str,
    ) -> Answer:
        """Send one request below /api."""
        sent = {"authorization": f"Bearer {self.token}"}
        if if_none_match:
            sent["if-none-match"] = if_none_match
        if body is not None:
            sent |= JSON
        request = Request(
            method=method,
            path=f"/api{path}",
            query=tuple(query.items()),
            headers=sent,
            body=None if body is None else json.dumps(body).encode(),
        )
        return self.server.answer(request, client)

    def read(self, name: str = "", path: str = "/", *, environment: str = "dev", **query: str) -> Answer:
        """A v4 listing, or with a name a v4 single read."""
        below = f"/{name}" if name else ""
        query |= {"projectId": self.project.id, "environment": environment, "secretPath": path}
        return self.ask("GET", f"/v4/secrets{below}", **query)

    def write(self, method: str, name: str, path: str = "/", **fields: object) -> Answer:
        """A v4 write of one secret, or with the name `batch` of several."""
        place = {"projectId": self.project.id, "environment": "dev", "secretPath": path}
        return self.ask(method, f"/v4/secrets/{name}", place | fields)


def a_server(
    age: Age = Age.CURRENT, *, clock: Clock | None = None, options: Options | None = None
) -> tuple[StandIn, Project]:
    """A server with one project, `my-project`."""
    server = StandIn(clock or Clock(), age, options=options)
    return server, server.add_project("my-project")


def body(answer: Answer) -> Any:
    """The answer's JSON."""
    return json.loads(answer.body)


def values(answer: Answer) -> dict[str, str]:
    """The values of a listing or of a batch's answer, by name."""
    return {secret["secretKey"]: secret["secretValue"] for secret in body(answer)["secrets"]}


def value(answer: Answer) -> str:
    """The value of a single read."""
    text: str = body(answer)["secret"]["secretValue"]
    return text


def trouble(answer: Answer) -> tuple[int, str]:
    """Status and message of a refusal."""
    return answer.status, body(answer)["message"]
