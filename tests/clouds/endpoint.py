"""A local HTTP server in the place of a cloud's endpoint, which can be in several moods."""

import asyncio
import enum
import ssl
from typing import Self

from aiohttp import web


class Mood(enum.Enum):
    """How an endpoint answers."""

    WELL = enum.auto()
    HANGING = enum.auto()
    NONSENSE = enum.auto()  # a page, with status 200
    FAULTY = enum.auto()  # 500
    LIMITING = enum.auto()  # 429, and come again in an hour
    REFUSING = enum.auto()  # 403


_ANSWERS = {
    Mood.NONSENSE: (200, {"content-type": "text/html"}),
    Mood.FAULTY: (500, {}),
    Mood.LIMITING: (429, {"retry-after": "3600"}),
    Mood.REFUSING: (403, {}),
}


class Endpoint:
    """Serves `answer` on 127.0.0.1 while the `async with` block lasts. `asked` is what was asked, such as `GET /path`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.mood = Mood.WELL
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """The answer of this endpoint in a good mood."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        server = web.Server(self._handle, handler_cancellation=True)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        self.asked.append(f"{request.method} {request.path}")
        if self.mood is Mood.HANGING:
            await asyncio.Event().wait()
        if self.mood in _ANSWERS:
            status, headers = _ANSWERS[self.mood]
            answer = web.Response(status=status, headers=headers, text="<html>who are you?</html>")
        else:
            answer = await self.answer(request)
        answer.force_close()  # SDKs would keep the connection for the rest of the process
        return answer
