"""Which routes a server has, found out once from what it answers and then remembered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from adapters.infisical.exchange import Reply
from adapters.infisical.refusals import Meaning, Refusal
from adapters.infisical.secret_routes import Version
from machines.outcomes import Unavailable

Route = TypeVar("Route")


class Choice(Generic[Route]):
    """One of several routes for the same thing, newest first.

    While it is not known which one a server has, one request at a time finds out; those that waited for it share
    its failure if no answer came, so that a host that is down is asked once and not by everybody in turn.
    """

    def __init__(self) -> None:
        self.known: Route | None = None
        self._finding_out = asyncio.Lock()
        self._failures = 0
        self._failure: Unavailable | None = None

    async def ask(self, routes: Sequence[Route], ask: Callable[[Route], Awaitable[Reply]]) -> Reply:
        """The answer of the known route, else of the first one that the server has."""
        failures = self._failures
        if self.known is None:
            async with self._finding_out:
                if self._failures != failures and self._failure is not None:
                    return self._failure
                if self.known is None:
                    return await self._find_out(routes, ask)
        # Now it is known, and nobody has to wait for anybody.
        reply = await ask(self.known)
        if not _is_missing(reply):
            return reply
        async with self._finding_out:  # the server may have become another one
            return await self._find_out(routes, ask)

    async def _find_out(self, routes: Sequence[Route], ask: Callable[[Route], Awaitable[Reply]]) -> Reply:
        reply: Reply | None = None
        for route in routes:
            reply = await ask(route)
            if isinstance(reply, Unavailable):
                self._failures, self._failure = self._failures + 1, reply
                return reply
            if not _is_missing(reply):
                self.known = route
                return reply
        assert reply is not None, "there is at least one route"
        return reply


def _is_missing(reply: Reply) -> bool:
    return isinstance(reply, Refusal) and reply.meaning is Meaning.NO_ROUTE


class Routes:
    """What was found out about one server."""

    def __init__(self) -> None:
        self.secrets: Choice[Version] = Choice()
        self.projects: Choice[str] = Choice()
        self.batches: Choice[Version] = Choice()
        # Until then (loop's clock) it is held to have no routes for several writes at once. Not for ever: a proxy's page
        # for a server that is just being replaced says the same.
        self.no_batches_until = 0.0
        # Servers of 2024 expand references in lists only. They are known by secrets without `secretValueHidden`.
        self.expands_singly: bool | None = None
