"""A transport that is answered by a stand-in in the same process, without a socket."""

import asyncio
from collections.abc import Awaitable, Callable

from adapters.infisical.transport import Answer, Request
from reconciler.standin.core import Conversation, Served, StandIn, delivered
from reconciler.standin.outbound import Outbound

Ask = Callable[[Outbound], Awaitable[Answer]]
"""Sends what the server itself has to ask."""


async def hold(conversation: Conversation, ask: Ask) -> Served:
    """Carry a conversation to its end, asking elsewhere what it wants to know."""
    try:
        outbound = next(conversation)
        while True:
            outbound = conversation.send(await ask(outbound))
    except StopIteration as end:
        served: Served = end.value
        return served


async def unreachable(outbound: Outbound) -> Answer:
    """An `Ask` for servers that are to find nobody."""
    del outbound
    return Answer(status=503)


class InProcess:
    """Sends requests to a stand-in. Slow answers take their time on the running event loop."""

    def __init__(self, server: StandIn, *, client: str = "127.0.0.1", ask: Ask = unreachable) -> None:
        self._server = server
        self._client = client
        self._ask = ask

    async def send(self, request: Request) -> Answer:
        """Answer the request once. Raises TransportError."""
        served = await hold(self._server.converse(request, self._client), self._ask)
        await asyncio.sleep(served.delay)
        return delivered(served)
