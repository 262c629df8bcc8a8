"""The server as a plain object: a request in, an answer out. No socket, no event loop, its clock given."""

import hashlib
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec

from adapters.infisical.transport import Answer, Request, TransportError, Unreachable
from reconciler.standin.accounts import Token
from reconciler.standin.ages import Age
from reconciler.standin.calls import Call
from reconciler.standin.faults import (
    BrokenJson,
    Dropped,
    Fault,
    Faults,
    HalfSent,
    Meanwhile,
    OtherJson,
    Page,
    Redirect,
    Slow,
    Status,
)
from reconciler.standin.limits import Gate, Limits
from reconciler.standin.outbound import Outbound
from reconciler.standin.record import Asked, Kind, Record
from reconciler.standin.refusals import WORDINGS, Refused, Trouble
from reconciler.standin.routes import Reply, Route, find_route
from reconciler.standin.world import Options, World

_LARGEST_BODY = 1024 * 1024
_PAGE = b"<!doctype html><html><head><title>Infisical</title></head><body></body></html>"
_JSON = {"content-type": "application/json; charset=utf-8"}
_HTML = {"content-type": "text/html; charset=utf-8"}


class Served(msgspec.Struct, frozen=True):
    """What happens on the wire: the answer, after `delay` s; None: none comes, and `why`; `half`: it breaks in the middle."""

    answer: Answer | None
    delay: float = 0.0
    half: bool = False
    why: Unreachable = Unreachable.BROKEN


Conversation = Generator[Outbound, Answer, Served]
"""Yields what the server has to ask elsewhere, is sent the answers, and returns what is served."""


class StandIn(World):
    """An Infisical server of a given age, in memory. Filled and changed by the methods of `World` and `Project`."""

    def __init__(
        self,
        now: Callable[[], float],
        age: Age = Age.CURRENT,
        *,
        organization: str = "my-organization",
        options: Options | None = None,
    ) -> None:
        super().__init__(age, now, options or Options(), organization)
        self.faults = Faults()
        self.record = Record()
        self._gate = Gate(now)

    @property
    def requests(self) -> list[Asked]:
        """All that was asked so far."""
        return self.record.requests

    def counts(self) -> Counter[Kind]:
        """How many requests of each kind there were so far."""
        return self.record.counts()

    def limit(self, limits: Limits) -> None:
        """From now on, answer 429 to requests over these limits."""
        self._gate.limits = limits

    def answer(self, request: Request, client: str = "127.0.0.1") -> Answer:
        """Answer one request at once, however slow it was meant to be. Raises TransportError where the connection breaks.

        Raises LookupError for a login that makes the server ask elsewhere: `converse` serves those.
        """
        conversation = self.converse(request, client)
        try:
            outbound = next(conversation)
        except StopIteration as end:
            return delivered(end.value)
        conversation.close()
        raise LookupError(f"the server has to ask {outbound.url} first")

    def converse(self, request: Request, client: str = "127.0.0.1") -> Conversation:
        """Serve one request, asking elsewhere where the server has to."""
        path = request.path.split("?")[0]
        found = find_route(self.age, request.method, path)
        kind = found[0].kind if found else Kind.NO_ROUTE
        fault = self.faults.strike(kind, request.method, path)
        asked = len(self.requests)
        self.requests.append(Asked(self.now(), request.method, path, kind, client, None))
        served = yield from self._serve(request, client, found, fault)
        if served.answer is not None and not served.half:
            self.requests[asked] = msgspec.structs.replace(self.requests[asked], status=served.answer.status)
        return served

    def _serve(
        self,
        request: Request,
        client: str,
        found: tuple[Route, dict[str, str]] | None,
        fault: Fault | None,
    ) -> Conversation:
        match fault:
            case Status(status=status, retry_after=wait):
                headers = {} if wait is None else {"retry-after": str(wait)}
                return Served(
                    _json(status, _body(status, HTTPStatus(status).phrase, "A planned fault"), headers)
                )
            case Page(status=status):
                return Served(Answer(status=status, headers=_HTML, body=_PAGE))
            case Redirect(location=location, status=status):
                return Served(Answer(status=status, headers={"location": location}))
            case Dropped(carried_out=False, why=why):
                return Served(None, why=why)
            case Meanwhile(act=act):
                act()
        answer = yield from self._respond(request, client, found)
        if found is not None:
            telling = self._gate.telling(client, found[0].group)
            answer = msgspec.structs.replace(answer, headers={**answer.headers, **telling})
        match fault:
            case Slow(seconds=delay):
                return Served(answer, delay=delay)
            case BrokenJson():
                return Served(msgspec.structs.replace(answer, body=answer.body[: len(answer.body) // 2]))
            case OtherJson(text=text):
                return Served(msgspec.structs.replace(answer, body=text.encode()))
            case HalfSent():
                return Served(answer, half=True)
            case Dropped(why=why):
                return Served(None, why=why)
        return Served(answer)

    def _respond(
        self, request: Request, client: str, found: tuple[Route, dict[str, str]] | None
    ) -> Generator[Outbound, Answer, Answer]:
        if found is None:
            return self._no_route(request)
        route, parameters = found
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            self._gate.admit(client, route.group)
            token = None if route.public else self._token(headers)
            call = Call(
                method=request.method,
                path=request.path,
                parameters=parameters,
                query=dict(request.query),
                body=_decoded(request.method, headers.get("content-type"), request.body),
                token=token,
            )
            reply = route.handler(self, call)
            if isinstance(reply, Generator):
                reply = yield from reply
        except Refused as refused:
            return self._refusal(refused)
        return _tagged(request, headers, reply)

    def _token(self, headers: Mapping[str, str]) -> Token:
        shown = headers.get("authorization")
        if shown is None:
            raise Refused(Trouble.TOKEN_MISSING)
        # Real servers cut off the length of "Bearer " without looking at it.
        return self.accounts.use(shown[len("Bearer ") :])

    def _refusal(self, refused: Refused) -> Answer:
        wording = WORDINGS[self.age][refused.trouble]
        message: object = wording.message.format(**refused.details)
        if refused.issues:
            message = refused.issues
        body = _body(wording.status, wording.error.format(**refused.details), message)
        if wording.code:
            body["code"] = wording.code
        if self.dialect.request_ids:
            body["reqId"] = f"req-{len(self.requests)}"
        seconds = refused.details.get("seconds")
        return _json(wording.status, body, {} if seconds is None else {"retry-after": str(seconds)})

    def _no_route(self, request: Request) -> Answer:
        if self.options.web_pages:
            return Answer(status=404, headers=_HTML, body=_PAGE)
        query = f"?{urlencode(request.query)}" if request.query else ""
        message = f"Route {request.method}:{request.path}{query} not found"
        return _json(404, {"message": message, "error": "Not Found", "statusCode": 404}, {})


def delivered(served: Served) -> Answer:
    """The answer as it arrives. Raises TransportError where the connection breaks."""
    if served.answer is None or served.half:
        raise TransportError(served.why)
    return served.answer


def _body(status: int, error: str, message: object) -> dict[str, object]:
    return {"statusCode": status, "error": error, "message": message}


def _json(status: int, body: object, headers: Mapping[str, str]) -> Answer:
    encoded = msgspec.json.encode(body)
    etag = f'"{hashlib.sha256(encoded).hexdigest()[:27]}"'
    return Answer(status=status, headers={**_JSON, "etag": etag, **headers}, body=encoded)


def _tagged(request: Request, headers: Mapping[str, str], reply: Reply) -> Answer:
    """The answer to a request that was carried out; 304 if the client has it already."""
    answer = _json(200, reply, {})
    if request.method == "GET" and headers.get("if-none-match") == answer.headers["etag"]:
        return Answer(status=304, headers=answer.headers)
    return answer


def _decoded(method: str, media_type: str | None, body: bytes | None) -> Any:
    """The body as the handlers want it. Raises Refused."""
    if method == "GET" or (media_type is None and not body):
        return None
    text = body or b""
    if len(text) > _LARGEST_BODY:
        raise Refused(Trouble.BODY_TOO_BIG)
    kind = (media_type or "").split(";")[0].strip().lower()
    if kind == "text/plain":
        return text.decode(errors="replace")
    if kind != "application/json":
        raise Refused(Trouble.MEDIA_TYPE, media_type=kind)
    if not text:
        raise Refused(Trouble.BODY_EMPTY)
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise Refused(Trouble.BODY_NOT_JSON) from None
