"""One host as everybody who asks it sees it: whether it is up, how fast it may be asked, how many requests at once."""

import asyncio
import enum
import random
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from adapters.infisical.budget import RetryBudget
from adapters.infisical.crowd import Crowd
from adapters.infisical.health import Health, Probe
from adapters.infisical.pace import Pace, Passage
from adapters.infisical.quotas import known_limits
from adapters.infisical.refusals import Asked
from machines.names import Host
from machines.outcomes import Service, Trouble, Unavailable

_LEAST_WAIT: Final = 0.05  # seconds; never a hot loop, whatever a server tells of its limits
_OVERLOADED: Final = frozenset({502, 503, 504})


class Access(enum.Enum):
    """Whether a host takes requests now."""

    OPEN = "open"
    PACED = "paced"  # not before a pause is over
    DOWN = "down"


class Waits(msgspec.Struct):
    """How often requests waited because of a host's limits, and how long in all (seconds)."""

    number: int = 0
    seconds: float = 0.0


class HostState:
    """One for each host. `changed(host, trouble)` is called when it goes down (why) and when it is back (None)."""

    def __init__(
        self, host: Host, chance: random.Random, changed: Callable[[Host, Unavailable | None], None]
    ) -> None:
        self.host = host
        self.waits = Waits()
        self.pace = Pace(known_limits(host))
        self.budget = RetryBudget()
        self._crowd = Crowd()
        self._health = Health(chance, self._went_down_or_came_back)
        self._chance = chance
        self._told = changed
        self._moved = asyncio.Event()  # something happened that those who wait for their turn want to know
        self._turns: dict[Asked, asyncio.Lock] = {asked: asyncio.Lock() for asked in Asked}

    # --- for those who decide whether to begin something ---------------------------------------------------

    @property
    def trouble(self) -> Unavailable | None:
        """Why it is down; None: it is not."""
        return self._health.trouble

    @property
    def access(self) -> Access:
        """Whether it takes requests now."""
        if self.trouble is not None:
            return Access.DOWN
        return Access.OPEN if self.pace.room(Asked.SECRETS) >= 1 else Access.PACED

    @property
    def room(self) -> int:
        """How many more requests for secrets it takes at once."""
        if self.trouble is not None:
            return 0
        return int(min(self._crowd.room, self.pace.room(Asked.SECRETS)))

    async def open(self) -> None:
        """Wait until it takes requests again. Whoever waits here while it is down probes it."""
        while self.access is not Access.OPEN:
            if self.trouble is not None:
                await self._health.back()
            else:
                await self._until_moved(max(self.pace.wait(Asked.SECRETS, ""), _LEAST_WAIT))

    # --- for the exchange ----------------------------------------------------------------------------------

    async def enter(self, asked: Asked, route: str, patience: float) -> Passage | Unavailable:
        """Wait for the turn of a request; why it cannot be sent, where the host is down, or asked for a pause that is
        longer than `patience` (seconds). Waiting for a limit that was not reached is not bounded: it ends."""
        began = asyncio.get_running_loop().time()
        async with self._turns[asked]:
            while True:
                if not await self._health.may_be_asked():
                    assert self.trouble is not None
                    return self.trouble
                pause = self.pace.remaining()
                if pause >= patience:
                    return Unavailable(
                        service=Service.INFISICAL, why=Trouble.LIMITED, status=429, after=pause
                    )
                wait = self.pace.wait(asked, route)
                if wait == 0 and self._crowd.room:
                    break
                await self._until_moved(wait or float("inf"))
            self._crowd.under_way += 1
            passage = self.pace.sent(asked, route)
        waited = asyncio.get_running_loop().time() - began
        if waited > 0:
            self.waits.number += 1
            self.waits.seconds += waited
        return passage

    def leave(self, passage: Passage, headers: Mapping[str, str]) -> None:
        """The request of this passage was answered, or given up (no headers then)."""
        self._crowd.under_way -= 1
        self.pace.answered(passage, headers)
        self._move()

    def answered(self) -> None:
        """It answered what was asked, or refused it."""
        self.pace.taken()
        self.budget.answered()
        self._health.answered()
        self._crowd.answered()

    def limited(self, after: float | None) -> None:
        """It answered that there are too many requests."""
        self.pace.limited(after, self._chance.random())
        self._health.answered()
        self._crowd.again()

    async def failed(self, failure: Unavailable, probe: Probe) -> None:
        """No answer came, or a fault of the server."""
        if failure.why is not Trouble.FAULT or failure.status in _OVERLOADED:
            self._crowd.failed()
        await self._health.failed(probe)

    async def pause(self, seconds: float) -> None:
        """Wait before a repetition; not longer than until the host is down."""
        end = asyncio.get_running_loop().time() + seconds
        while self.trouble is None and (left := end - asyncio.get_running_loop().time()) > 0:
            await self._until_moved(left)

    # --- what happens --------------------------------------------------------------------------------------

    def _went_down_or_came_back(self) -> None:
        if self.trouble is None:
            self._crowd.again()
        self._move()
        self._told(self.host, self.trouble)

    def _move(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def _until_moved(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds if seconds != float("inf") else None):
                await self._moved.wait()
        except TimeoutError:
            return
