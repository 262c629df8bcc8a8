"""A reverse proxy before a real API server, on loopback, which does to chosen requests what a plan says."""

import asyncio
import re
import ssl
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
import yaml
from aiohttp import web

from tests.apiserver.access import Access, write_kubeconfig, write_privately
from tests.apiserver.certificates import LOOPBACK
from tests.apiserver.server import ReservedPort
from tests.troubles.answers import (
    AnswerLost,
    Ends,
    Expires,
    HalfSent,
    Late,
    Lost,
    OnlyWatches,
    Page,
    Silent,
    Status,
    Trouble,
    status_object,
)

_PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[^/]+)/v1[a-z0-9]*)(?:/namespaces/[^/]+(?=/))?/(?P<plural>[a-z]+)"
    r"(?:/(?P<name>[^/]+))?(?:/(?P<part>[^/]+))?$"
)
_VERBS = {"GET": "get", "POST": "create", "DELETE": "delete"}
_PATCHES = {
    "application/apply-patch+yaml": "apply",
    "application/json-patch+json": "patch",
    "application/merge-patch+json": "merge",
}


class Seen(msgspec.Struct):
    """A request. `resource` is the plural, or for the Secrets of ours alone `secrets (managed)`; `at` in the loop's
    seconds; `status` is what was answered, 0 where nothing was."""

    verb: str
    resource: str
    name: str
    at: float
    body: bytes = b""
    arrived: bool = False
    status: int = 0
    version: str = ""  # of the object in the server's answer
    answered: bool = False  # whether that answer reached the controller

    def __repr__(self) -> str:
        return f"<{self.verb} {self.resource} {self.name} {self.status}>"

    @property
    def call(self) -> str:
        """Such as `list secrets`."""
        return f"{self.verb} {self.resource}"


class Plan(msgspec.Struct):
    """What is done to the next requests of a kind; `met` counts them. None means any verb, any resource, always."""

    trouble: Trouble
    verb: str | None
    resource: str | None
    name: str | None
    times: int | None
    first: int = 0  # how many are let pass before
    met: int = 0

    def fits(self, seen: Seen) -> bool:
        """Whether this request is meant, and it is not over yet."""
        return (
            (self.times is None or self.met < self.times)
            and self.verb in (None, seen.verb)
            and self.resource in (None, seen.resource)
            and self.name in (None, seen.name)
            and (seen.verb == "watch" or not isinstance(self.trouble, OnlyWatches))
        )


class Proxy:
    """`async with Proxy(access) as proxy`: the server of `access`, by plain HTTP at `proxy.url`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._port = ReservedPort()
        self._runner: web.ServerRunner | None = None
        self._plans: list[Plan] = []
        self._standing: list[tuple[str, asyncio.Future[OnlyWatches]]] = []
        self.token: str | None = None  # the only one that is taken; None: the server decides
        self.seen: list[Seen] = []
        self.url = f"http://{LOOPBACK}:{self._port.number}"

    async def __aenter__(self) -> Self:
        context: ssl.SSLContext = self._access.ssl_context()
        self._session = aiohttp.ClientSession(
            self._access.url,
            connector=aiohttp.TCPConnector(ssl=context, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        await self.comes_back()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.goes_down()
        self._port.give_back()
        await self._session.close()

    def kubeconfig(self, name: str, **user: str) -> Path:
        """A kubeconfig, called `name`, for the way through the proxy: as the user of the access, or as another one
        (`token="..."`, `tokenFile="..."`)."""
        file = self._access.directory / f"{name}-by-proxy.kubeconfig"
        write_kubeconfig(file, self.url, self._access.authority, self._access.token)
        if user:
            config = yaml.safe_load(file.read_text())
            config["users"][0]["user"] = user
            write_privately(file, yaml.safe_dump(config).encode())
        return file

    # --- the script ----------------------------------------------------------------------------------------

    def plan(
        self,
        trouble: Trouble,
        *,
        verb: str | None = None,
        resource: str | None = None,
        name: str | None = None,
        times: int | None = 1,
        first: int = 0,
    ) -> Plan:
        """Do this to the next `times` requests of a kind (None: to all of them, until `clear`), but for the `first`.

        Verbs: get, list, watch, apply, patch, merge (a status), create, delete.
        """
        plan = Plan(trouble, verb, resource, name, times, first)
        self._plans.append(plan)
        return plan

    def interrupt(self, resource: str, trouble: OnlyWatches) -> int:
        """Do this to the watches of a resource that stand now; how many there are."""
        standing = [future for one, future in self._standing if one == resource and not future.done()]
        for future in standing:
            future.set_result(trouble)
        return len(standing)

    def clear(self) -> None:
        """Behave from now on."""
        self._plans.clear()

    def counts(self) -> Counter[str]:
        """How many requests there were, such as `list secrets`."""
        return Counter(one.call for one in self.seen)

    def calls(self, verb: str, resource: str) -> list[Seen]:
        """The requests of a kind, in order."""
        return [one for one in self.seen if (one.verb, one.resource) == (verb, resource)]

    def calls_about(self, verb: str, resource: str, name: str) -> list[Seen]:
        """The requests of a kind about one object, in order."""
        return [one for one in self.calls(verb, resource) if one.name == name]

    async def goes_down(self) -> None:
        """Connections are cut, and new ones refused."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for connection in list(runner.server.connections if runner.server is not None else ()):
            connection.force_close()
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()

    async def comes_back(self) -> None:
        """It listens again, where it did before."""
        server = web.Server(self._handle, handler_cancellation=True)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port.number, reuse_port=True).start()

    # --- passing on ----------------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        seen = _seen(request, await request.read())
        self.seen.append(seen)
        if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            return self._told(seen, Status(401))
        trouble = self._trouble_for(seen)
        match trouble:
            case Status():
                return self._told(seen, trouble)
            case Page(body=body, content_type=content_type):
                seen.status = 200
                return web.Response(body=body, content_type=content_type)
            case Lost():
                return _broken_off(request)
            case Late(seconds=seconds):
                await asyncio.sleep(seconds)
        try:
            return await self._passed_on(request, seen, trouble)
        except aiohttp.ClientError:
            return _broken_off(request)

    def _trouble_for(self, seen: Seen) -> Trouble | None:
        plan = next((one for one in self._plans if one.fits(seen)), None)
        if plan is None:
            return None
        if plan.first:
            plan.first -= 1
            return None
        plan.met += 1
        return plan.trouble

    def _told(self, seen: Seen, status: Status) -> web.Response:
        seen.status = status.code
        headers = {} if status.retry_after is None else {"Retry-After": str(status.retry_after)}
        return web.Response(
            status=status.code,
            body=status_object(status.code, status.retry_after),
            content_type="application/json",
            headers=headers,
        )

    async def _passed_on(
        self, request: web.BaseRequest, seen: Seen, trouble: Trouble | None
    ) -> web.StreamResponse:
        headers = {
            name: request.headers[name]
            for name in ("Authorization", "Accept", "Accept-Encoding", "Content-Type")
            if name in request.headers
        }
        async with self._session.request(
            request.method, request.raw_path, headers=headers, data=seen.body or None
        ) as answer:
            seen.arrived, seen.status = True, answer.status
            if seen.verb == "watch" and answer.status == 200:
                return await self._watch(request, answer, seen, trouble)
            body = await answer.read()
            if seen.verb in ("apply", "merge"):
                seen.version = _version(body)
            if isinstance(trouble, AnswerLost):
                return _broken_off(request)
            passed = web.StreamResponse(status=answer.status)
            for name in ("Content-Type", "Content-Encoding", "Retry-After"):
                if name in answer.headers:
                    passed.headers[name] = answer.headers[name]
            passed.content_length = len(body)
            await passed.prepare(request)
            half = isinstance(trouble, HalfSent)
            await passed.write(body[: len(body) // 2] if half else body)
            if half:
                return _broken_off(request, passed)
            await passed.write_eof()
            seen.answered = True
            return passed

    async def _watch(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse, seen: Seen, trouble: Trouble | None
    ) -> web.StreamResponse:
        passed = web.StreamResponse(headers={"Content-Type": "application/json"})
        passed.enable_chunked_encoding()
        await passed.prepare(request)
        interruption: asyncio.Future[OnlyWatches] = asyncio.get_running_loop().create_future()
        standing = (seen.resource, interruption)
        self._standing.append(standing)
        try:
            if isinstance(trouble, OnlyWatches):
                return await _interrupted(request, passed, trouble)
            passing = asyncio.create_task(_pass(answer, passed))
            try:
                await asyncio.wait((passing, interruption), return_when=asyncio.FIRST_COMPLETED)
            finally:
                passing.cancel()
            if interruption.done():
                return await _interrupted(request, passed, interruption.result())
            passing.result()
            await passed.write_eof()
            return passed
        finally:
            self._standing.remove(standing)
            if answer.connection is not None and answer.connection.transport is not None:
                answer.connection.transport.abort()  # TLS would wait for the server to say goodbye


async def _pass(answer: aiohttp.ClientResponse, passed: web.StreamResponse) -> None:
    async for chunk in answer.content.iter_any():
        await passed.write(chunk)


async def _interrupted(
    request: web.BaseRequest, passed: web.StreamResponse, trouble: OnlyWatches
) -> web.StreamResponse:
    match trouble:
        case Silent():
            await asyncio.get_running_loop().create_future()  # until the client gives up
        case Expires():
            await passed.write(b'{"type":"ERROR","object":' + status_object(410) + b"}\n")
        case Ends(properly=False):
            await passed.write(b'{"type":"ADDED","object":{"kind":"Secr')
            return _broken_off(request, passed)
    await passed.write_eof()
    return passed


def _seen(request: web.BaseRequest, body: bytes) -> Seen:
    found = _PATH.match(request.path)
    at = asyncio.get_running_loop().time()
    if found is None:
        return Seen(request.method.lower(), request.path, "", at, body)
    verb = _VERBS.get(request.method) or _PATCHES[request.content_type]
    if verb == "get" and found["name"] is None:
        verb = "watch" if "watch" in request.query else "list"
    resource = found["plural"] if found["part"] is None else f"{found['plural']}/{found['part']}"
    if request.query.get("labelSelector"):
        resource += " (managed)"
    return Seen(verb, resource, found["name"] or "", at, body)


def _version(body: bytes) -> str:
    """Of the object in the answer to a write, which is too small for the server to compress."""
    metadata = msgspec.json.decode(body).get("metadata") or {}
    return str(metadata.get("resourceVersion", ""))


def _broken_off(request: web.BaseRequest, passed: web.StreamResponse | None = None) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return passed if passed is not None else web.Response(status=500)
