"""Whether a host can be used at all: it is held to be down after failures in a row and a probe that failed as well.

A host that is down is asked by one probe at a time, later and later; whoever else wants something is told at once that
it is down. A probe is a request for `/api/status`, which carries no credentials and is counted by no limit: whatever
answer comes, below 500, says that somebody is there.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

from machines.outcomes import Trouble, Unavailable

TOLERATED: Final = 3
"""Failures in a row, of any requests, after which a probe tells whether the host is down."""

FIRST_PROBE: Final = 1.0  # seconds after it was found to be down
LAST_PROBE: Final = (
    30.0  # seconds between two probes at the most; each comes up to half of that earlier, by chance
)
PASSING: Final = frozenset(
    {Trouble.REFUSED, Trouble.UNRESOLVED, Trouble.TIMED_OUT, Trouble.BROKEN, Trouble.FAULT}
)
"""What tells that a host may be down."""

Probe = Callable[[], Awaitable[Unavailable | None]]
"""Asks the host once: why it cannot be used, or None where it can."""


class Health:
    """One for each host. `changed` is called when it goes down or comes back; `trouble` says why it is down."""

    def __init__(self, chance: random.Random, changed: Callable[[], None]) -> None:
        self._chance = chance
        self._changed = changed
        self._failures = 0  # in a row
        self._probing: asyncio.Future[None] | None = None
        self._delay = FIRST_PROBE
        self._next_probe = 0.0
        self._waiting = 0
        self._probe: Probe | None = None
        self.trouble: Unavailable | None = None

    def answered(self) -> None:
        """A request was answered, by whatever but a fault of the server."""
        self._failures = 0

    async def failed(self, probe: Probe) -> None:
        """A request failed. After several in a row, whoever failed last asks whether the host is down."""
        self._failures += 1
        if self._failures >= TOLERATED and self.trouble is None and self._probing is None:
            self._probe = probe
            await self._ask()

    async def may_be_asked(self) -> bool:
        """Whether to send anything; where a probe is about to tell, once it has told. Where it is down, nobody waits for
        it to come back, and the time for the next probe has come, this is when it is probed."""
        while self.trouble is None and self._probing is not None:
            await asyncio.shield(self._probing)
        if self.trouble is not None and not self._waiting and self._probing is None and self._wait() == 0:
            await self._ask()
        return self.trouble is None

    async def back(self) -> None:
        """Wait until it is not down (any more). Who waits here probes it."""
        self._waiting += 1
        try:
            while self.trouble is not None:
                if self._probing is not None:
                    await asyncio.shield(self._probing)
                elif wait := self._wait():
                    await asyncio.sleep(wait)
                else:
                    await self._ask()
        finally:
            self._waiting -= 1

    def _wait(self) -> float:
        return max(0.0, self._next_probe - asyncio.get_running_loop().time())

    async def _ask(self) -> None:
        assert self._probe is not None, "a host is down only after a probe"
        loop = asyncio.get_running_loop()
        self._probing = loop.create_future()
        try:
            trouble = await self._probe()
        finally:
            self._probing.set_result(None)
            self._probing = None
        before, self.trouble = self.trouble, trouble
        self._failures = 0
        if trouble is not None:
            self._delay = FIRST_PROBE if before is None else min(self._delay * 2, LAST_PROBE)
            self._next_probe = loop.time() + self._delay * self._chance.uniform(0.5, 1.0)
        if (before is None) != (trouble is None):
            self._changed()
