"""The runner: takes resources from the queue and runs them, never one twice at once, never more than the limit.

Retries have half of the places at most, retries and refreshes together three quarters; and no group of resources (all
of one server) has more than three times as many as are free, so that there are always some for the others. Where a
server hangs, what waits for it does not hold up what is new elsewhere.
"""

import asyncio
import functools
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Hashable
from typing import Generic, TypeVar

from reconciler.queue import Lane, Queue, Wish

KeyT = TypeVar("KeyT", bound=Hashable)

_SHARE = 3  # times the free places, that one group may have


class Runner(Generic[KeyT]):
    """Runs what the queue gives. `work` must not raise but for cancellation."""

    def __init__(self, queue: Queue[KeyT], work: Callable[[Wish[KeyT]], Awaitable[None]], limit: int) -> None:
        self._queue = queue
        self._work = work
        self._limit = limit
        self._tasks: dict[asyncio.Task[None], KeyT] = {}
        self._in_lane = dict.fromkeys(Lane, 0)
        self._in_group: Counter[Hashable] = Counter()
        self._wake = asyncio.Event()
        self._failed: BaseException | None = None

    def add(self, wish: Wish[KeyT]) -> None:
        """Ask for a run."""
        self._queue.add(wish, asyncio.get_running_loop().time())
        self._wake.set()

    def forget(self, key: KeyT) -> None:
        """Nobody wants this resource to run any more."""
        self._queue.forget(key)

    @property
    def running(self) -> Collection[KeyT]:
        """What is under way."""
        return self._tasks.values()

    async def run(self) -> None:
        """Run until cancelled. Raises what a run raised that should not have raised."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            if self._failed is not None:
                raise self._failed
            while (lanes := self._open_lanes()) and (
                wish := self._queue.take(loop.time(), lanes, self._may)
            ) is not None:
                task = loop.create_task(self._one(wish), name=str(wish.key))
                self._tasks[task] = wish.key
                group = self._queue.group(wish.key)
                self._in_lane[wish.lane] += 1
                self._in_group[group] += 1
                task.add_done_callback(functools.partial(self._over, wish.lane, group))
            due = self._queue.next_due(lanes, self._may) if lanes else None
            delay = None if due is None else max(0.0, due - loop.time())
            try:
                async with asyncio.timeout(delay):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _open_lanes(self) -> list[Lane]:
        """The lanes of which another run may start."""
        limit, retries = self._limit, self._in_lane[Lane.RETRY]
        if len(self._tasks) >= limit:
            return []
        lanes = [Lane.CHANGE]
        if retries + self._in_lane[Lane.REFRESH] < limit - limit // 4:
            lanes.append(Lane.REFRESH)
            if retries < limit - limit // 2:
                lanes.append(Lane.RETRY)
        return lanes

    def _may(self, group: Hashable) -> bool:
        """Whether another run of this group may start. What is of none has no limit of its own."""
        return group is None or self._in_group[group] < _SHARE * (self._limit - len(self._tasks))

    async def _one(self, wish: Wish[KeyT]) -> None:
        await self._work(wish)

    def _over(self, lane: Lane, group: Hashable, task: asyncio.Task[None]) -> None:
        self._in_lane[lane] -= 1
        self._in_group[group] -= 1
        if not self._in_group[group]:
            del self._in_group[group]
        self._queue.done(self._tasks.pop(task))
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = error
        self._wake.set()

    async def drain(self, patience: float) -> None:
        """Let what is under way finish, for so many seconds; cancel what is left, and wait for that."""
        tasks = set(self._tasks)
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=patience)
        for task in [one for one in self._tasks if one in late]:  # in the order in which they began
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def idle(self) -> None:
        """Wait until nothing runs and nothing is due now. For one-off commands, that run until all is done."""
        loop = asyncio.get_running_loop()
        while self._tasks or ((due := self._queue.next_due()) is not None and due <= loop.time()):
            if self._tasks:
                await asyncio.wait(set(self._tasks), return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(0)
