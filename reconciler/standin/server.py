"""A stand-in as a real HTTP server on the loopback interface."""

import asyncio
import ssl
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from adapters.infisical.transport import Answer, Request
from reconciler.standin.core import StandIn
from reconciler.standin.in_process import hold
from reconciler.standin.outbound import Outbound

_LARGEST_REQUEST = 4 * 1024 * 1024


class Server:
    """Serves a stand-in on 127.0.0.1 while the `async with` block lasts. `url` is without a slash at its end."""

    def __init__(self, standin: StandIn, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._standin = standin
        self._port = port
        self._tls = tls
        self.url = ""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        runner = web.ServerRunner(web.Server(self._handle), handle_signals=False, shutdown_timeout=0.5)
        self._runner = runner
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port, ssl_context=self._tls)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        return web.Response(
            status=served.answer.status, headers=served.answer.headers, body=served.answer.body
        )

    async def _ask(self, outbound: Outbound) -> Answer:
        async with self._session.request(
            outbound.method, outbound.url, headers=outbound.headers, data=outbound.body
        ) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(status=response.status, headers=headers, body=await response.read())


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
