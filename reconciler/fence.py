"""The fence: what a process may ask of the outside while it leads, and not a moment longer.

The fence is open until a time, which moves on with each renewal of the Lease. A request that is under way at that
time is cut, and none is sent later, whoever wants to send it and whatever else goes wrong in the process: one that was
stopped for a minute finds the fence shut. Reading the cluster goes around it, since a standby does so too, and so does
the revocation of tokens, which nobody else holds.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from adapters.cluster import (
    Cluster,
    Kind,
    ListResult,
    Object,
    Read,
    Selection,
    Unavailable,
    WatchEvent,
    Written,
)
from adapters.infisical.address import Address
from adapters.infisical.hosts import Connect
from adapters.infisical.transport import Answer, Request, Transport, TransportError, Unreachable
from machines.outcomes import Invalid
from reconciler.requests import REVOCATION, call_of

AnswerT = TypeVar("AnswerT")


class FenceShut(Exception):
    """The request was not sent, or was cut before it was answered."""


class Fence:
    """Shut at first. Times are the event loop's, in seconds."""

    def __init__(self) -> None:
        self._until = -math.inf
        self._limits: set[asyncio.Timeout] = set()

    def open_until(self, time: float) -> None:
        """Let requests pass until then, those that are under way included."""
        self._until = time
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(time)

    def shut(self) -> None:
        """Let nothing pass any more, and cut what is under way."""
        self.open_until(-math.inf)

    @property
    def is_open(self) -> bool:
        """Whether a request may be sent now."""
        return asyncio.get_running_loop().time() < self._until

    async def passed(self, work: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        """What the work answers. Raises FenceShut."""
        if not self.is_open:
            raise FenceShut
        limit = asyncio.timeout_at(self._until)
        try:
            async with limit:
                self._limits.add(limit)
                return await work()
        except TimeoutError:
            if limit.expired():
                raise FenceShut from None
            raise
        finally:
            self._limits.discard(limit)


class FencedCluster:
    """A cluster that takes writes while the fence is open, and is Unavailable to them otherwise."""

    def __init__(self, cluster: Cluster, fence: Fence) -> None:
        self._cluster = cluster
        self._fence = fence

    async def _written(self, work: Callable[[], Awaitable[Written]]) -> Written:
        try:
            return await self._fence.passed(work)
        except FenceShut:
            return Unavailable()

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        return await self._cluster.get(kind, namespace, name)

    async def list(self, selection: Selection) -> ListResult:
        return await self._cluster.list(selection)

    def watch(self, selection: Selection, version: str, idle: float) -> AsyncGenerator[WatchEvent, None]:
        return self._cluster.watch(selection, version, idle)

    async def apply(
        self, object: Object, manager: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        return await self._written(lambda: self._cluster.apply(object, manager, uid=uid, version=version))

    async def create(self, object: Object, manager: str) -> Written:
        return await self._written(lambda: self._cluster.create(object, manager))

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        return await self._written(lambda: self._cluster.patch(kind, namespace, name, operations, manager))

    async def patch_status(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        status: Mapping[str, Any],
        manager: str,
        *,
        version: str | None = None,
    ) -> Written:
        return await self._written(
            lambda: self._cluster.patch_status(kind, namespace, name, status, manager, version=version)
        )

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        return await self._written(
            lambda: self._cluster.delete(kind, namespace, name, uid=uid, version=version)
        )


class _FencedTransport:
    def __init__(self, transport: Transport, fence: Fence) -> None:
        self._transport = transport
        self._fence = fence

    async def send(self, request: Request) -> Answer:
        """Answer the request once. Raises TransportError."""
        if call_of(request) == REVOCATION:
            return await self._transport.send(request)
        try:
            return await self._fence.passed(lambda: self._transport.send(request))
        except FenceShut:
            raise TransportError(Unreachable.TIMED_OUT) from None


def fenced(connect: Connect, fence: Fence) -> Connect:
    """The same way to reach Infisical servers, while the fence is open."""

    def connected(address: Address, certificates: bytes) -> Transport | Invalid:
        transport = connect(address, certificates)
        return transport if isinstance(transport, Invalid) else _FencedTransport(transport, fence)

    return connected
