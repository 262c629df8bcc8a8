"""Waiting for quiet: a burst of changes of one thing makes one run, with the last of them."""

import asyncio
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)

QUIET: Final = 0.3  # seconds without a further change after which it is told
LONGEST: Final = 0.8  # seconds after the first change at which it is told in any case


class Settling(Generic[KeyT]):
    """Calls `settled(key)` once what changes has come to rest. Times are the event loop's."""

    def __init__(self, settled: Callable[[KeyT], None]) -> None:
        self._settled = settled
        self._waiting: dict[KeyT, tuple[float, asyncio.TimerHandle]] = {}

    def changed(self, key: KeyT) -> None:
        """One change."""
        loop = asyncio.get_running_loop()
        first, timer = self._waiting.get(key, (loop.time(), None))
        if timer is not None:
            timer.cancel()
        due = min(loop.time() + QUIET, first + LONGEST)
        self._waiting[key] = (first, loop.call_at(due, self._over, key))

    def forget(self, key: KeyT) -> None:
        """Nobody wants to be told of it any more."""
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            waiting[1].cancel()

    def _over(self, key: KeyT) -> None:
        del self._waiting[key]
        self._settled(key)
