"""What the proxy can do to a request instead of passing it on."""

import msgspec


class Status(msgspec.Struct, frozen=True):
    """The request does not arrive; an answer with this code and a `Status` object, as an API server gives it."""

    code: int
    retry_after: int | None = None  # seconds

    def __str__(self) -> str:
        return str(self.code)


class Page(msgspec.Struct, frozen=True):
    """The request does not arrive; somebody in between answers 200 with something else."""

    body: bytes = b"<html><body>Please log in</body></html>"
    content_type: str = "text/html"

    def __str__(self) -> str:
        return self.content_type.rpartition("/")[2]


class Lost(msgspec.Struct, frozen=True):
    """The connection breaks before the request has arrived."""

    def __str__(self) -> str:
        return "lost"


class AnswerLost(msgspec.Struct, frozen=True):
    """What was asked is done; the connection breaks before the answer."""

    def __str__(self) -> str:
        return "answer-lost"


class HalfSent(msgspec.Struct, frozen=True):
    """What was asked is done; the connection breaks in the middle of the answer."""

    def __str__(self) -> str:
        return "half-sent"


class Late(msgspec.Struct, frozen=True):
    """The request arrives so many seconds late."""

    seconds: float

    def __str__(self) -> str:
        return "late"


class Silent(msgspec.Struct, frozen=True):
    """A watch that stands, and of which no byte arrives: a dead peer, or a NAT that forgot."""

    def __str__(self) -> str:
        return "silent"


class Expires(msgspec.Struct, frozen=True):
    """A watch that says that its version is too old (an ERROR event, code 410), and ends."""

    def __str__(self) -> str:
        return "expires"


class Ends(msgspec.Struct, frozen=True):
    """A watch that ends, properly or in the middle of an event."""

    properly: bool = True

    def __str__(self) -> str:
        return "ends" if self.properly else "cut"


Trouble = Status | Page | Lost | AnswerLost | HalfSent | Late | Silent | Expires | Ends
OnlyWatches = Silent | Expires | Ends

_REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def status_object(code: int, retry_after: int | None = None) -> bytes:
    """A `Status` as API servers send it with an error."""
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "the proxy of the tests says so",
        "reason": _REASONS.get(code, "InternalError"),
        "code": code,
    }
    if retry_after is not None:
        status["details"] = {"retryAfterSeconds": retry_after}
    return msgspec.json.encode(status)
