"""The API server as a controller meets it in a simulated day: latencies, outages, lost answers, watches that expire."""

import asyncio
import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol, TypeVar

from adapters.cluster import (
    Kind,
    ListResult,
    Object,
    Read,
    Selection,
    Unavailable,
    WatchEvent,
    Written,
)
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import kind_of
from tests.simulation.life import Life

AnswerT = TypeVar("AnswerT", Read, ListResult, Written)


class Listener(Protocol):
    """Is told of every write that reached the cluster."""

    def wrote(self, verb: str, kind: Kind, namespace: str, name: str, answer: Written) -> None:
        """A controller wrote, and this was the answer (which may yet be lost)."""
        ...


class Weather:
    """How the API server is at the moment, for all who speak to it."""

    def __init__(self) -> None:
        self.down = False
        self.failing = 0.0  # the part of the calls that is answered with 429 or 500
        self.losing = 0.0  # the part of the writes that is done, and whose answer is lost
        self.watches: dict[_Watch, None] = {}

    def interrupt(self, end: WatchEvent) -> None:
        """End all watches with this event."""
        for watch in list(self.watches):
            watch.interrupt(end)


class _Watch:
    """A watch that can be ended from outside while its watcher waits for it."""

    def __init__(self) -> None:
        self._waiting: asyncio.Task[Any] | None = None
        self.end: WatchEvent | None = None

    def interrupt(self, end: WatchEvent) -> None:
        self.end = end
        if self._waiting is not None:
            self._waiting.cancel()

    async def next(self, events: AsyncGenerator[WatchEvent, None]) -> WatchEvent | None:
        """The next event; None: the watch ended."""
        if self.end is not None:
            return None
        self._waiting = asyncio.current_task()
        try:
            return await anext(events, None)
        except asyncio.CancelledError:
            if self.end is None or self._waiting is None:
                raise
            self._waiting.uncancel()
            return None
        finally:
            self._waiting = None


class WeatheredCluster:
    """A local cluster behind the weather, for one life of a controller."""

    def __init__(
        self, inner: LocalCluster, weather: Weather, life: Life, chance: random.Random, listener: Listener
    ) -> None:
        self._inner = inner
        self._weather = weather
        self._life = life
        self._chance = chance
        self._listener = listener

    async def _arrives(self) -> Unavailable | None:
        """Wait for the way there; what is answered if the call does not arrive."""
        await asyncio.sleep(self._chance.uniform(0.001, 0.008))
        await self._life.goes_on()
        if self._weather.down:
            return Unavailable()
        if self._weather.failing and self._chance.random() < self._weather.failing:
            return Unavailable(status=self._chance.choice((429, 500)), after=1.0)
        return None

    async def _returns(self, answer: AnswerT) -> AnswerT | Unavailable:
        await asyncio.sleep(self._chance.uniform(0.001, 0.008))
        await self._life.goes_on()
        lost = self._weather.losing and self._chance.random() < self._weather.losing
        return Unavailable() if lost else answer

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        """As the protocol says."""
        return await self._arrives() or await self._returns(await self._inner.get(kind, namespace, name))

    async def list(self, selection: Selection) -> ListResult:
        """As the protocol says."""
        return await self._arrives() or await self._returns(await self._inner.list(selection))

    async def watch(
        self, selection: Selection, version: str, idle: float
    ) -> AsyncGenerator[WatchEvent, None]:
        """As the protocol says; the weather may end it."""
        problem = await self._arrives()
        if problem is not None:
            yield problem
            return
        watch = _Watch()
        self._weather.watches[watch] = None
        try:
            async with aclosing(self._inner.watch(selection, version, idle)) as events:
                while (event := await watch.next(events)) is not None:
                    yield event
            if watch.end is not None:
                yield watch.end
        finally:
            del self._weather.watches[watch]

    async def apply(
        self, object: Object, manager: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        """As the protocol says."""
        if problem := await self._arrives():
            return problem
        answer = await self._inner.apply(object, manager, uid=uid, version=version)
        return await self._written("apply", object, answer)

    async def create(self, object: Object, manager: str) -> Written:
        """As the protocol says."""
        if problem := await self._arrives():
            return problem
        return await self._written("create", object, await self._inner.create(object, manager))

    async def _written(self, verb: str, object: Object, answer: Written) -> Written:
        metadata = object["metadata"]
        self._listener.wrote(verb, kind_of(object), metadata.get("namespace", ""), metadata["name"], answer)
        return await self._returns(answer)

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        """As the protocol says."""
        if problem := await self._arrives():
            return problem
        answer = await self._inner.patch(kind, namespace, name, operations, manager)
        self._listener.wrote("patch", kind, namespace, name, answer)
        return await self._returns(answer)

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
        """As the protocol says."""
        if problem := await self._arrives():
            return problem
        answer = await self._inner.patch_status(kind, namespace, name, status, manager, version=version)
        self._listener.wrote("patch_status", kind, namespace, name, answer)
        return await self._returns(answer)

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        """As the protocol says."""
        if problem := await self._arrives():
            return problem
        answer = await self._inner.delete(kind, namespace, name, uid=uid, version=version)
        self._listener.wrote("delete", kind, namespace, name, answer)
        return await self._returns(answer)
