"""A stand-in as a real HTTP server on the loopback interface."""

import asyncio
import ssl
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from adapters.infisical.transport import Answer, Request
from reconciler.standin.core import StandIn
from reconciler.standin.in_process import hold
from reconciler.standin.outbound import Outbound

_LARGEST_REQUEST = 16 * 1024 * 1024
_PATIENCE = aiohttp.ClientTimeout(total=5)


class Server:
    """Serves a stand-in on 127.0.0.1 while the `async with` block lasts, and delivers what its webhooks announce.

    `url` is without a slash at its end.
    """

    def __init__(self, standin: StandIn, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._standin = standin
        self._port = port
        self._tls = tls
        self._deliveries: asyncio.Queue[Outbound] = asyncio.Queue()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_PATIENCE)
        server = web.Server(self._handle, request_factory=_roomy, handler_cancellation=True)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=self._tls).start()
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self._runner.addresses[0][1]}"
        self._standin.deliver = self._deliveries.put_nowait
        self._postman = asyncio.create_task(self._deliver())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._standin.deliver = None
        self._postman.cancel()
        await asyncio.gather(self._postman, return_exceptions=True)
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        request = Request(
            method=incoming.method,
            path=incoming.raw_path.split("?")[0],
            query=tuple((name, value) for name, value in incoming.query.items()),
            headers=dict(incoming.headers),
            body=await incoming.read() if incoming.body_exists else None,
        )
        client = incoming.remote or "127.0.0.1"
        served = await hold(self._standin.converse(request, client), self._ask)
        await asyncio.sleep(served.delay)
        if served.answer is None:
            _break_off(incoming)
            return web.Response(status=500)
        if served.half:
            return await _send_half(incoming, served.answer)
        answer = served.answer
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def _ask(self, outbound: Outbound) -> Answer:
        """Ask elsewhere; whoever cannot be reached counts as one who answers 503."""
        try:
            trusted = ssl.create_default_context(cadata=outbound.authority) if outbound.authority else True
            async with self._session.request(
                outbound.method, outbound.url, headers=outbound.headers, data=outbound.body, ssl=trusted
            ) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Answer(status=response.status, headers=headers, body=await response.read())
        except (aiohttp.ClientError, TimeoutError):
            return Answer(status=503)

    async def _deliver(self) -> None:
        """Send announcements one after the other. As on a real server, one that does not arrive is lost."""
        while True:
            await self._ask(await self._deliveries.get())


def _roomy(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """A request that may be larger than the server's own limit, so that the stand-in itself refuses it."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_LARGEST_REQUEST)


def _break_off(incoming: web.BaseRequest) -> None:
    if incoming.transport is not None:
        incoming.transport.abort()


async def _send_half(incoming: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(answer.body)
    await response.prepare(incoming)
    await response.write(answer.body[: len(answer.body) // 2])
    _break_off(incoming)
    return response
