"""Single requests to an API server: sent in our own session, in limited time, with a token that is renewed.

Of kubernetes-asyncio's client, the connection settings and the authentication are used; its session is replaced,
and its typed models are left aside.
"""

import asyncio
import io
import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import msgspec

from adapters.cluster import Object, Unavailable
from adapters.kubernetes.answers import Failure, Purpose, classify
from adapters.kubernetes.library import ApiClient, ConfigException, Configuration

CALL_SECONDS = 30.0  # for one call, with all that is tried again (for a list: one page)
PAUSES = (0.2, 0.6, 1.5)  # for what is tried again within a call
LONGEST_PAUSE = 5.0  # where a server asks for a longer one, the call ends
CONNECT_SECONDS = 10.0
RENEWAL_SECONDS = 5.0  # after a renewal that brought nothing new, for all calls together

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"

UNREACHABLE = (aiohttp.ClientError, TimeoutError, OSError, ConfigException)
"""No answer: also where the file with our token cannot be read at this moment."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)

Query = Sequence[tuple[str, str]]
Refresh = Callable[[], Awaitable[None]]

_NOT_KNOWN = 401
_READ_BUFFER = 2**21
_OBJECTS = msgspec.json.Decoder(dict[str, Any])


class NoCluster(Exception):
    """There is no way to an API server. The text is for the person who started the program."""


class Request(msgspec.Struct, frozen=True):
    """What is sent, and what RBAC calls it: `verb` on `resource`."""

    method: str
    path: str
    verb: str
    resource: str
    query: Query = ()
    body: Any = None
    content_type: str = JSON
    accept: str = JSON

    def __repr__(self) -> str:  # the body may be a Secret
        return f"<Request {self.verb} {self.resource}>"


class Connection:
    """A way to one API server."""

    def __init__(self, configuration: Configuration, refresh: Refresh) -> None:
        """Needs a running event loop. `refresh` renews the token in `configuration`, after an answer 401; it
        raises NoCluster when it cannot."""
        self._client = ApiClient(configuration)
        _use_own_session(self._client)
        self._configuration = configuration
        self._refresh = refresh
        self._refreshing = asyncio.Lock()
        self._renewed_in_vain = -math.inf

    async def close(self) -> None:
        """Close all connections; open watches end."""
        await self._client.close()
        await asyncio.sleep(0)  # aborted transports close their sockets in the loop's next round

    async def call(self, request: Request, pauses: Sequence[float] = ()) -> Object | Failure:
        """The object in a good answer, or what the other answer means.

        Where there is no answer, or one that may pass by itself, it is tried again after each of the pauses (seconds,
        more or less), or when the server says; only for what may be done twice.
        """
        try:
            async with asyncio.timeout(CALL_SECONDS):
                for pause in pauses:
                    answer = await self._call_once(request)
                    if not isinstance(answer, Unavailable) or answer.status == _NOT_KNOWN:
                        return answer
                    if answer.after is not None and answer.after > LONGEST_PAUSE:
                        return answer
                    await asyncio.sleep(max(pause, answer.after or 0.0) * random.uniform(1.0, 1.5))  # noqa: S311  # jitter
                return await self._call_once(request)
        except TimeoutError:
            return Unavailable()

    async def _call_once(self, request: Request) -> Object | Failure:
        try:
            response = await self._send(request, aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS))
            failure = await _failure(response, request)
            return _object(await response.read()) if failure is None else failure
        except (*UNREACHABLE, *UNREADABLE):
            return Unavailable()

    async def stream(self, request: Request) -> aiohttp.ClientResponse | Failure:
        """The answer to a watch, its body still to come and to be closed by the caller."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                response = await self._send(request, aiohttp.ClientTimeout(sock_connect=CONNECT_SECONDS))
                failure = await _failure(response, request)
                return response if failure is None else failure
        except UNREACHABLE:
            return Unavailable()

    async def _send(self, request: Request, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        """Send a request, and once more with a renewed token where the server does not know ours (any more)."""
        token = self._token()
        response = await self._send_once(request, limits)
        if response.status != _NOT_KNOWN:
            return response
        try:
            await self._renew(token)
        except NoCluster:
            return response  # the answer 401 stands, and tells the caller that there is no way at present
        if self._token() == token:
            return response
        response.release()
        return await self._send_once(request, limits)

    async def _send_once(self, request: Request, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        """As the library's own sending does, but its bodies, as texts, are copied twice and held afterwards."""
        rest = self._client.rest_client
        headers = {
            **self._client.default_headers,
            "Accept": request.accept,
            "Content-Type": request.content_type,
        }
        await self._client.update_params_for_auth(headers, [], ["BearerToken"])
        session: aiohttp.ClientSession = rest.pool_manager
        return await session.request(
            request.method,
            f"{self._configuration.host}{request.path}",
            params=request.query,
            headers=headers,
            data=None if request.body is None else io.BytesIO(msgspec.json.encode(request.body)),
            timeout=limits,
            allow_redirects=False,  # an API server sends nobody elsewhere, and our token is for it alone
            proxy=rest.proxy,
            proxy_headers=rest.proxy_headers,
            server_hostname=rest.server_hostname,
        )

    def _token(self) -> str | None:
        token: str | None = self._configuration.api_key.get("BearerToken")
        return token

    async def _renew(self, used: str | None) -> None:
        async with self._refreshing:
            now = asyncio.get_running_loop().time()
            if self._token() != used or now - self._renewed_in_vain < RENEWAL_SECONDS:
                return  # another call has renewed it meanwhile, or has tried just now
            self._renewed_in_vain = now
            await self._refresh()
            if self._token() != used:
                self._renewed_in_vain = -math.inf


def hang_up(response: aiohttp.ClientResponse) -> None:
    """End an answer that is still coming, at once: TLS would wait for the server to say goodbye too."""
    if response.connection is not None and response.connection.transport is not None:
        response.connection.transport.abort()
    response.close()


async def lines(content: aiohttp.StreamReader, idle: float) -> AsyncIterator[bytes]:
    """Lines of any length (`readline` gives up at the size of its buffer). Raises TimeoutError after `idle` s."""
    pending: list[bytes] = []
    while True:
        async with asyncio.timeout(idle):
            chunk = await content.readany()
        if not chunk:
            return  # a line cut off by the end is no event
        first, *rest = chunk.split(b"\n")
        pending.append(first)
        for part in rest:
            line = b"".join(pending)
            pending = [part]
            if line.strip():
                yield line


def _object(body: bytes) -> Object:
    """Raises DecodeError where this is no object of Kubernetes: somebody in between has answered."""
    object = _OBJECTS.decode(body)
    if not isinstance(object.get("metadata"), dict):
        raise msgspec.ValidationError("no object of Kubernetes")
    return object


async def _failure(response: aiohttp.ClientResponse, request: Request) -> Failure | None:
    if 200 <= response.status <= 299:
        return None
    purpose = Purpose.READ if request.method == "GET" else Purpose.WRITE
    if request.content_type == JSON_PATCH:
        purpose = Purpose.JSON_PATCH
    body = await response.read()
    return classify(response.status, body, response.headers, purpose, request.verb, request.resource)


def _use_own_session(client: ApiClient) -> None:
    """Replace the library's session, keeping its connector, and with it TLS and client certificates.

    The library's session looks into ~/.netrc at every request (trust_env) and keeps cookies. A proxy that
    the environment names is settled once, when connecting.
    """
    session: aiohttp.ClientSession = client.rest_client.pool_manager
    client.rest_client.pool_manager = aiohttp.ClientSession(
        connector=session.connector,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=_READ_BUFFER,
    )
    session.detach()
