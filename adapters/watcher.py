"""Following a selection of objects: list once, then watch, and list again only where nothing else helps.

    list --> replaced(all objects) --> watch from the list's version --> changed(each change)
      ^                                  |  ends, is silent, or fails in passing: watch on from the last version
      +----- 410: version too old -------+

Each change and each bookmark moves the version on, so a watch that ends costs no list.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from adapters.cluster import (
    Absent,
    Change,
    ChangeType,
    Cluster,
    Denied,
    Expired,
    Listed,
    Object,
    Refused,
    Selection,
    Unavailable,
)

IDLE_SECONDS = 150.0  # a server sends a bookmark about once a minute, so this is two of them missed
FIRST_DELAY = 0.5
MAX_DELAY = 30.0
MAX_AFTER = 300.0  # the longest that a server may ask us to stay away
SHORT_WATCH = 1.0  # a watch that ends sooner, and told nothing, counts as a failure

_NOBODY_THERE = (0, 502, 503, 504)  # no answer, or that of a load balancer which has nobody to ask


class Silent(msgspec.Struct, frozen=True):
    """A watch of which nothing was heard for so many seconds: something in between has forgotten the connection."""

    seconds: float


Problem = Absent | Denied | Unavailable | Expired | Refused | Silent


class Sink(Protocol):
    """What a watcher tells."""

    def replaced(self, objects: Sequence[Object], version: str, /) -> None:
        """All objects as they are at this version; what is not among them is gone."""
        ...

    def changed(self, change: Change, /) -> None:
        """One change after that; never a bookmark."""
        ...


class Health(msgspec.Struct, frozen=True):
    """How a watcher is doing.

    `synced`: it has delivered a whole list. `contact`: the loop's time of the last word from the server.
    `problem`: why it is not following at this moment (`Absent`: the kind is not installed); None when it is.
    """

    synced: bool = False
    contact: float | None = None
    problem: Problem | None = None


class Watcher:
    """Follows one selection and tells one sink. `run` it in a task; it ends by cancellation only."""

    def __init__(
        self,
        cluster: Cluster,
        selection: Selection,
        sink: Sink,
        random: Callable[[], float],
        tell: Callable[[Selection, Problem | None], None],
    ) -> None:
        """`random` gives numbers in [0, 1), for jitter. `tell` hears of each problem once, when it begins, and of None
        when the watch follows again."""
        self.selection = selection
        self.health = Health()
        self._cluster = cluster
        self._sink = sink
        self._random = random
        self._tell = tell
        self._synced = asyncio.Event()
        self._settled = asyncio.Event()
        self._failures = 0
        self._expiries = 0  # in a row
        self._hurry = asyncio.Event()

    async def synced(self) -> None:
        """Return once a whole list has been delivered."""
        await self._synced.wait()

    async def settled(self) -> None:
        """Return once a whole list has been delivered, or the kind has turned out not to be installed."""
        await self._settled.wait()

    async def run(self) -> None:
        """List and watch for ever. What the sink raises comes out of here."""
        version: str | None = None
        while True:
            if version is None:
                version = await self._list()
            else:
                version = await self._watch(version)

    async def _list(self) -> str | None:
        """Deliver a whole list; the version to watch from, or None after a failure and a pause."""
        listed = await self._cluster.list(self.selection)
        if not isinstance(listed, Listed):
            await self._pause(listed)
            return None
        self._sink.replaced(listed.items, listed.version)
        self._heard()
        self._synced.set()
        self._settled.set()
        return listed.version

    async def _watch(self, version: str) -> str | None:
        """Deliver changes until the watch ends; the version to go on from, None where only a list helps."""
        began, first = _now(), version
        watch = self._cluster.watch(self.selection, version, IDLE_SECONDS)
        async with contextlib.aclosing(watch) as events:
            async for event in events:
                if not isinstance(event, Change):
                    return await self._ended(event, version)
                version = event.object["metadata"]["resourceVersion"]
                self._heard()
                if version != first:
                    self._failures = self._expiries = 0
                if event.type is not ChangeType.BOOKMARK:
                    self._sink.changed(event)
        if version == first and _now() - began < SHORT_WATCH:
            await self._pause(Unavailable())
            return version
        self._failures = 0
        if _now() - began < SHORT_WATCH:
            # It came on, but a server that ends every watch is not asked in a tight loop.
            await asyncio.sleep(self._jittered(FIRST_DELAY))
        elif self.health.contact is not None and _now() - self.health.contact >= IDLE_SECONDS:
            self._note(Silent(IDLE_SECONDS))
        return version

    async def _ended(self, problem: Absent | Denied | Unavailable | Expired, version: str) -> str | None:
        if isinstance(problem, Expired):
            if self._expiries:  # the list before this watch did not help: do not list in a tight loop
                await self._pause(problem)
            else:
                self._note(problem)
            self._expiries += 1
            return None
        await self._pause(problem)
        return None if isinstance(problem, Absent) else version

    def _heard(self) -> None:
        followed = self.health.problem is None
        self.health = Health(synced=True, contact=_now())
        if not followed:
            self._tell(self.selection, None)

    def _note(self, problem: Problem) -> None:
        known = self.health.problem
        self.health = msgspec.structs.replace(self.health, problem=problem)
        if problem != known:
            self._tell(self.selection, problem)

    async def _pause(self, problem: Problem) -> None:
        """Note a failure and wait: longer after each, at random between half and the whole of it. Where the server
        says when to come again, not before that, and not all at that very moment."""
        if _nobody_there(self.health.problem) and not _nobody_there(problem):
            self._failures = min(
                self._failures, 1
            )  # somebody answers again: the length of the outage counts no more
        self._note(problem)
        if isinstance(problem, Absent):
            self._settled.set()
        delay = self._jittered(min(MAX_DELAY, FIRST_DELAY * 2.0 ** min(self._failures, 16)))
        self._failures += 1
        after = min((problem.after if isinstance(problem, Unavailable) else None) or 0.0, MAX_AFTER)
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(delay, after * (1.0 + self._random() / 10))):
                await self._hurry.wait()

    def hurry(self) -> None:
        """The server was heard elsewhere: where a pause was made because nobody answers, it is over."""
        if _nobody_there(self.health.problem):
            self._hurry.set()

    def _jittered(self, delay: float) -> float:
        return delay * (0.5 + self._random() / 2)


def _nobody_there(problem: Problem | None) -> bool:
    return isinstance(problem, Unavailable) and problem.after is None and problem.status in _NOBODY_THERE


def _now() -> float:
    return asyncio.get_running_loop().time()
