"""The Infisical server of a scene: served over HTTP on loopback, it can go down and come back at the same address."""

from __future__ import annotations

from reconciler.standin import StandIn
from reconciler.standin.server import Server


class Infisical:
    """Serves a stand-in while the `async with` block lasts, unless it is down."""

    def __init__(self, standin: StandIn) -> None:
        self.standin = standin
        self._server: Server | None = None
        self.url = ""

    async def __aenter__(self) -> Infisical:
        await self.comes_back()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.goes_down()

    async def goes_down(self) -> None:
        """Nobody listens any more: connections are refused."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.__aexit__(None, None, None)

    async def comes_back(self) -> None:
        """It listens, where it did before."""
        port = int(self.url.rpartition(":")[2]) if self.url else 0
        self._server = await Server(self.standin, port=port).__aenter__()
        self.url = self._server.url
