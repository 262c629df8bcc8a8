"""The transport over the network, with aiohttp."""

import asyncio
import hashlib
import socket
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self

import aiohttp
import yarl

from adapters.infisical.address import Address
from adapters.infisical.transport import Answer, Request, TransportError, Unreachable
from machines.outcomes import Fault, Invalid

LARGEST_ANSWER = 32 * 1024 * 1024  # bytes, unpacked: a listing of ten thousand secrets of three kilobytes
CONNECT_LIMIT = 10.0  # seconds, the TLS handshake included
TOTAL_LIMIT = 30.0  # seconds
_KEEP_ALIVE = 4.0  # seconds; Node closes idle connections after 5: reusing one that it closes loses a request
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_WRONG_NAMES = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


class Network:
    """One session for all hosts. Transports to single hosts are made from it; closing it closes them all.

    `proxy_of` says through which proxy a server is reached (None: directly); the session itself takes nothing from the
    environment, and never credentials from a netrc file.
    """

    def __init__(
        self,
        proxy_of: Callable[[str], str | None] = lambda url: None,
        *,
        connect: float = CONNECT_LIMIT,
        total: float = TOTAL_LIMIT,
    ) -> None:
        self._proxy_of = proxy_of
        self._limits = aiohttp.ClientTimeout(total=total, sock_connect=connect)
        self._session: aiohttp.ClientSession | None = None
        self._contexts: dict[bytes, ssl.SSLContext] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def transport(self, address: Address, certificates: bytes = b"") -> "HttpTransport | Invalid":
        """A transport to one server; `certificates` (PEM) are trusted in addition to the system's roots."""
        fingerprint = hashlib.sha256(certificates).digest() if certificates else b""
        context = self._contexts.get(fingerprint)
        if context is None:
            context = ssl.create_default_context()
            try:
                if certificates:
                    context.load_verify_locations(cadata=certificates.decode("ascii"))
            except (ssl.SSLError, ValueError):
                return Invalid(what=Fault.BAD_CERTIFICATES)
            self._contexts[fingerprint] = context
        return HttpTransport(self, address, context, self._proxy_of(address.url))

    async def close(self) -> None:
        """Close all connections. Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def session(self) -> aiohttp.ClientSession:
        """The session, made when first needed, in the running loop."""
        if self._session is None:
            # No limit here: one that all hosts share would let one that hangs hold up the others. How many requests
            # may be under way at a host is the exchange's matter.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._limits,
                trust_env=False,
                auto_decompress=True,
            )
            # aiohttp would repeat a GET or DELETE whose connection broke, unseen; repeating is the exchange's matter.
            self._session._retry_connection = False
        return self._session


class HttpTransport:
    """`Transport` to one server."""

    def __init__(
        self, network: Network, address: Address, context: ssl.SSLContext, proxy: str | None
    ) -> None:
        self._proxy = proxy
        self._network = network
        self._base = address.url
        self._context = context

    async def send(self, request: Request) -> Answer:
        """Answer the request once. Raises TransportError, and no other error of a library."""
        url = yarl.URL(self._base + request.path, encoded=True).with_query(list(request.query))
        try:
            return await self._exchange(request, url)
        except TimeoutError:
            raise TransportError(Unreachable.TIMED_OUT) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TransportError(_reason(error)) from None

    async def _exchange(self, request: Request, url: yarl.URL) -> Answer:
        async with self._network.session().request(
            request.method,
            url,
            headers=dict(request.headers),
            data=request.body,
            ssl=self._context,
            proxy=self._proxy,
            allow_redirects=False,
        ) as response:
            if response.status in _REDIRECTS:
                raise TransportError(Unreachable.REDIRECTED)
            if (response.content_length or 0) > LARGEST_ANSWER:
                raise TransportError(Unreachable.TOO_LARGE)
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > LARGEST_ANSWER:
                    raise TransportError(Unreachable.TOO_LARGE)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(status=response.status, headers=headers, body=bytes(body))


def _reason(error: BaseException) -> Unreachable:
    """Why no answer came, from an error of aiohttp, the ssl module or the operating system."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _distrust(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Unreachable.UNRESOLVED
    if isinstance(error, aiohttp.ClientConnectorError):
        return _reason(error.os_error) if error.os_error is not error else Unreachable.REFUSED
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrust(error)
    if isinstance(error, socket.gaierror):
        return Unreachable.UNRESOLVED
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        return Unreachable.TIMED_OUT
    if isinstance(error, ConnectionResetError | BrokenPipeError | ssl.SSLError | aiohttp.ClientError):
        return Unreachable.BROKEN
    if isinstance(error, OSError):
        return Unreachable.REFUSED
    return Unreachable.BROKEN


def _distrust(error: BaseException) -> Unreachable:
    code = getattr(error, "verify_code", 0)
    if code == _EXPIRED:
        return Unreachable.EXPIRED
    return Unreachable.WRONG_HOST if code in _WRONG_NAMES else Unreachable.UNTRUSTED
