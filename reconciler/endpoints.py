"""What a running controller answers over HTTP: whether it lives, whether it is ready, metrics, and transitions."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from reconciler.metrics import Metrics
from reconciler.transitions_seen import RecentTransitions

NotReady = Callable[[], list[str]]
"""Sentences that say why the controller is not ready; none: it is."""

_encoder = msgspec.json.Encoder()
_AT_ONCE = 500  # lines


class UnusableAddress(ValueError):
    """An address to listen on that is none. The text is for the person who gave it."""


def address_of(listen: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`. Raises UnusableAddress."""
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise UnusableAddress(
            f"{listen!r} is no address to listen on; write HOST:PORT, such as 127.0.0.1:8080"
        )
    return host.strip("[]"), int(port)


@asynccontextmanager
async def endpoints(
    listen: str, not_ready: NotReady, metrics: Metrics, recent: RecentTransitions
) -> AsyncIterator[str]:
    """Serve while the block lasts; gives the address that is listened on. With an empty `listen` nothing is served.

    Raises UnusableAddress, and OSError where the address is taken.
    """
    if not listen:
        yield ""
        return
    host, port = address_of(listen)

    async def healthz(request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(request: web.Request) -> web.Response:
        reasons = not_ready()
        return web.Response(status=503 if reasons else 200, text="\n".join(reasons or ["ok"]) + "\n")

    async def measured(request: web.Request) -> web.Response:
        return web.Response(
            body=metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )

    async def trace(request: web.Request) -> web.StreamResponse:
        query = request.query
        lines = recent.lines(query.get("kind", ""), query.get("namespace"), query.get("name", ""))
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        while part := list(itertools.islice(lines, _AT_ONCE)):
            await response.write(b"".join(_encoder.encode(line) + b"\n" for line in part))
            await asyncio.sleep(0)  # runs go on in between
        await response.write_eof()
        return response

    application = web.Application()
    application.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", measured),
            web.get("/trace", trace),
        ]
    )
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        served, port = runner.addresses[0][:2]
        yield f"[{served}]:{port}" if ":" in served else f"{served}:{port}"
    finally:
        await runner.cleanup()
