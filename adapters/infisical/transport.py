"""One HTTP request to an Infisical server and its answer, as the client and the embedded stand-in see them.

The client speaks to a `Transport`, a protocol of one method. `adapters.infisical.http` answers it over the
network with aiohttp; the core of the stand-in answers it in process, without a socket.
"""

import enum
from collections.abc import Mapping
from typing import Protocol

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent. `path` is below the host, already URL-encoded, and starts with `/api`.

    Its repr names method and path alone: headers, query and body may hold secret values.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = {}
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path.split('?')[0]}>"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. Header names are in lower case. Its repr names the status alone."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def __repr__(self) -> str:
        return f"<Answer {self.status}>"


class Unreachable(enum.Enum):
    """Why no answer came."""

    REFUSED = "connection refused"
    UNRESOLVED = "host name not found"
    TIMED_OUT = "no answer in time"
    BROKEN = "connection broken before the answer was complete"
    UNTRUSTED = "TLS certificate not trusted"
    WRONG_HOST = "TLS certificate is for another host name"
    EXPIRED = "TLS certificate expired"
    TOO_LARGE = "answer too large"
    REDIRECTED = "redirect refused"


class TransportError(Exception):
    """No usable answer came. Carries only why, so that no text of a library can leak through it."""

    def __init__(self, why: Unreachable) -> None:
        super().__init__(why.value)
        self.why = why


class Transport(Protocol):
    """Sends one request to the one server that it was made for."""

    async def send(self, request: Request) -> Answer:
        """Answer the request once: no retry, no redirect followed. Raises TransportError."""
        ...
