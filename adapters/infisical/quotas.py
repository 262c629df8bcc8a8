"""How many requests a server takes in a minute: what is known beforehand, what its answers tell, and what is left.

Infisical Cloud counts by client address, in windows of a minute, and says in each answer how the count stands
(`x-ratelimit-limit`, `-remaining`, `-reset`); servers that one hosts oneself count nothing unless told to.
"""

import asyncio
import enum
import math
import urllib.parse
from collections import deque
from collections.abc import Mapping
from typing import Final

import msgspec

from machines.names import Host

WINDOW: Final = 60.0  # seconds
_SAME_WINDOW: Final = (
    1.5  # seconds by which two tellings of one window's end differ: they come in whole seconds
)
_RESERVE: Final = (
    20  # one in so many is left to others who share the address, and to answers that overtake each other
)
_CLOUD: Final = "infisical.com"
_PREFIXES: Final = ("x-ratelimit-", "ratelimit-")


class Group(enum.Enum):
    """Requests that are counted together."""

    READS = "reads"
    WRITES = "writes"  # logins and revocations are such
    SECRETS = "secrets"


class Limits(msgspec.Struct, frozen=True):
    """Requests a minute: in all, and of each group. None: no limit is known."""

    total: int | None = None
    reads: int | None = None
    writes: int | None = None
    secrets: int | None = None

    def of(self, group: Group) -> int | None:
        """The limit of a group."""
        return {Group.READS: self.reads, Group.WRITES: self.writes, Group.SECRETS: self.secrets}[group]


NO_LIMITS: Final = Limits()
FREE_PLAN: Final = Limits(total=600, reads=200, writes=90, secrets=120)
"""Infisical Cloud's least; where a plan has more, the answers say so."""


def known_limits(host: Host) -> Limits:
    """What is known of a server before it answered anything."""
    name = urllib.parse.urlsplit(host).hostname or ""
    return FREE_PLAN if name == _CLOUD or name.endswith(f".{_CLOUD}") else NO_LIMITS


class Telling(msgspec.Struct, frozen=True):
    """How the count of one window stands, as an answer tells it; `resets` is in seconds from then."""

    limit: int
    left: int
    resets: float


def telling_of(headers: Mapping[str, str]) -> Telling | None:
    """What an answer's headers (names in lower case) tell of the count; None: nothing."""
    for prefix in _PREFIXES:
        texts = [headers.get(prefix + name, "") for name in ("limit", "remaining", "reset")]
        if all(text.isascii() and text.isdigit() and len(text) < 10 for text in texts):
            limit, left, resets = map(int, texts)
            if limit > 0 and resets <= 2 * WINDOW:  # beyond that it is no time to wait, but a date
                return Telling(limit, left, resets)
    return None


class _Counter:
    """One route's window, as the server told of it and as it must have gone on since."""

    def __init__(self) -> None:
        self.sent = 0  # ever
        self.limit: int | None = None
        self.left = 0
        self.until = math.inf  # until the first answer of a window, nobody knows its end

    def told(self, telling: Telling, number: int, now: float) -> None:
        """An answer to the request of this number."""
        left = telling.left - (self.sent - number)  # those sent since are not counted in it yet
        until = now + telling.resets
        same = self.limit is not None and now < self.until and abs(until - self.until) <= _SAME_WINDOW
        self.left = min(self.left, left) if same else left
        self.until = max(self.until, until) if same else until
        self.limit = telling.limit

    def untold(self, now: float) -> None:
        """An answer told nothing, or none came: a window that began with that request ends within a minute, told or
        not. Without this, a server that stops telling would be waited for for ever."""
        if self.limit is not None:
            self.until = min(self.until, now + WINDOW)

    def room(self, now: float) -> float:
        """How many more it takes now."""
        if self.limit is None:
            return math.inf
        if now >= self.until:
            self.left, self.until = self.limit, math.inf
        return max(0, self.left - self.limit // _RESERVE)

    def wait(self, now: float) -> float:
        """Seconds until it takes another request."""
        return 0.0 if self.room(now) > 0 else self.until - now


class Quota:
    """The requests of one group. A request holds its slot from when it is sent until a minute after its answer: so
    however the server's windows lie, none holds more than the limit."""

    def __init__(self, known: int | None) -> None:
        self.limit = self._known = known
        self._told_at = 0.0
        self._under_way = 0
        self._free_at: deque[float] = deque()
        self._counters: dict[str, _Counter] = {}

    def wait(self, route: str) -> float:
        """Seconds until a request by this route may be sent: 0: now; infinite: once an answer has come."""
        now = _now()
        while self._free_at and self._free_at[0] <= now:
            self._free_at.popleft()
        wait = 0.0
        if self.limit is not None and self._under_way + len(self._free_at) >= self.limit:
            wait = self._free_at[0] - now if self._free_at else math.inf
        own = self._counters.get(route)
        for counter in self._counters.values():
            # Servers count by route or by group: windows that end together are held to be the same one.
            if counter is own or own is None or abs(counter.until - own.until) <= _SAME_WINDOW:
                wait = max(wait, counter.wait(now))
        return wait

    @property
    def room(self) -> float:
        """How many requests may be sent now, as far as is known."""
        now = _now()
        taken = self._under_way + sum(free > now for free in self._free_at)
        own = math.inf if self.limit is None else max(0, self.limit - taken)
        return min([own, *(counter.room(now) for counter in self._counters.values())])

    def sent(self, route: str) -> int:
        """A request goes out; its number, by which `answered` knows it."""
        counter = self._counters.setdefault(route, _Counter())
        counter.sent += 1
        counter.left -= 1
        self._under_way += 1
        return counter.sent

    def answered(self, route: str, number: int, telling: Telling | None) -> None:
        """It was answered, or given up."""
        now = _now()
        self._under_way -= 1
        if self.limit is not None or telling is not None:
            self._free_at.append(now + WINDOW)
        if telling is not None:
            self._told_at = now
            self._counters[route].told(telling, number, now)
            limits = [counter.limit for counter in self._counters.values() if counter.limit is not None]
            self.limit = min(limits)
        elif self._told_at and now > self._told_at + WINDOW:
            self._forget()
        else:
            self._counters[route].untold(now)

    def _forget(self) -> None:
        """Nothing was told for longer than a window: the limits that were told are no more."""
        self._told_at, self.limit = 0.0, self._known
        for counter in self._counters.values():
            counter.limit, counter.until = None, math.inf


def _now() -> float:
    return asyncio.get_running_loop().time()
