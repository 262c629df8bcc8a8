"""The queue: which resource runs next, and when. It knows nothing of what a run does.

A resource stands in it once: asked for twice, it keeps the earlier time and the better lane, and must see the
world from the later moment on. While it runs, what asks for it waits aside, and holds up nobody else. A new or
changed resource goes before a retry, a retry before a periodic refresh. Refreshes run in company: when one is due, all
of its company go with it that may come so early. Times are the event loop's, in seconds.
"""

import enum
import heapq
import itertools
from collections.abc import Callable, Collection, Hashable
from typing import Generic, NamedTuple, TypeVar

from reconciler.turns import Turns

KeyT = TypeVar("KeyT", bound=Hashable)

_SPARE = 64  # dead wishes that are not worth clearing away


class Lane(enum.IntEnum):
    """Who goes first."""

    CHANGE = 0
    RETRY = 1
    REFRESH = 2


EVERY_LANE = tuple(Lane)


class Company(NamedTuple):
    """With whom a refresh may run, and from when on. Refreshes of one name run together."""

    name: Hashable
    earliest: float


class Wish(Generic[KeyT]):
    """Somebody wants a resource to run. `since`: the moment from which on the run must see the world."""

    __slots__ = ("company", "due", "key", "lane", "reason", "since")

    def __init__(
        self,
        key: KeyT,
        lane: Lane,
        due: float,
        since: float,
        reason: str,
        company: Company | None = None,
    ) -> None:
        self.key = key
        self.lane = lane
        self.due = due
        self.since = since
        self.reason = reason
        self.company = company  # of a refresh; None: it runs alone

    def merged(self, other: "Wish[KeyT]", now: float) -> "Wish[KeyT]":
        """Both wishes in one: the earlier time, the better lane, the later sight, the reason of the sooner.

        The run comes at the sooner's time, but not before now. A sight that lies beyond that was meant for a later
        run, and does not count.
        """
        sooner, later = sorted((self, other), key=lambda wish: (wish.due, wish.lane))
        comes = max(sooner.due, now)
        since = max(sooner.since, later.since) if later.since <= comes else sooner.since
        lane = min(self.lane, other.lane)
        company = sooner.company if lane is Lane.REFRESH else None
        return Wish(self.key, lane, sooner.due, since, sooner.reason, company)


class Queue(Generic[KeyT]):
    """Wishes by lane and time. Not for threads. In a lane the groups take turns (`group` says whose a key is)."""

    def __init__(self, group: Callable[[KeyT], Hashable] = lambda key: None) -> None:
        self.group = group
        self._wishes: dict[KeyT, Wish[KeyT]] = {}
        self._later: list[tuple[float, int, Wish[KeyT]]] = []
        self._ready: tuple[Turns[Wish[KeyT]], ...] = tuple(Turns(self._stands) for _ in Lane)
        self._running: set[KeyT] = set()
        self._aside: dict[KeyT, Wish[KeyT]] = {}
        self._companies: dict[Hashable, dict[KeyT, Wish[KeyT]]] = {}
        self._count = itertools.count()

    def add(self, wish: Wish[KeyT], now: float) -> None:
        """Ask for a run. While the resource runs, the wish waits aside."""
        if wish.key in self._running:
            before = self._aside.get(wish.key)
            self._aside[wish.key] = before.merged(wish, now) if before else wish
            return
        known = self._wishes.get(wish.key)
        if known is not None:
            merged = known.merged(wish, now)
            if (merged.due, merged.lane) == (known.due, known.lane):
                known.since, known.reason = merged.since, merged.reason
                return
            wish = merged
        self._put(wish)

    def _put(self, wish: Wish[KeyT]) -> None:
        self._leave(self._wishes.get(wish.key))
        self._wishes[wish.key] = wish
        if wish.company is not None:
            self._companies.setdefault(wish.company.name, {})[wish.key] = wish
        heapq.heappush(self._later, (wish.due, next(self._count), wish))
        if (
            len(self._later) > 2 * len(self._wishes) + _SPARE
        ):  # most of them were replaced, perhaps long before due
            self._later = [entry for entry in self._later if self._stands(entry[2])]
            heapq.heapify(self._later)

    def _stands(self, wish: Wish[KeyT]) -> bool:
        """Whether a wish was neither replaced, nor forgotten, nor taken."""
        return self._wishes.get(wish.key) is wish

    def forget(self, key: KeyT) -> None:
        """Nobody wants this resource to run any more."""
        self._leave(self._wishes.pop(key, None))
        self._aside.pop(key, None)

    def _leave(self, wish: Wish[KeyT] | None) -> None:
        """It is no longer of its company."""
        if wish is None or wish.company is None:
            return
        company = self._companies.get(wish.company.name)
        if company is None:
            return  # its turn has come already
        company.pop(wish.key, None)
        if not company:
            del self._companies[wish.company.name]

    def take(
        self,
        now: float,
        lanes: Collection[Lane] = EVERY_LANE,
        may: Callable[[Hashable], bool] = lambda group: True,
    ) -> Wish[KeyT] | None:
        """The wish of these lanes whose turn it is, from then on running until `done`; None where nothing is due, or
        only of groups that may not go."""
        while self._later and self._later[0][0] <= now:
            wish = heapq.heappop(self._later)[2]
            if self._stands(wish):
                self._ready[wish.lane].add(self.group(wish.key), wish)
                self._call_company(wish, now)
        for lane in sorted(lanes):
            taken = self._ready[lane].take(may)
            if taken is not None:
                del self._wishes[taken.key]
                self._leave(taken)
                self._running.add(taken.key)
                return taken
        return None

    def _call_company(self, due: Wish[KeyT], now: float) -> None:
        """Whoever may run with one that is due, has its turn behind it, and sees the world as it does."""
        if due.company is None or due.key not in self._companies.get(due.company.name, ()):
            return
        company = self._companies[due.company.name]
        called = [
            wish for wish in company.values() if wish.company is not None and wish.company.earliest <= now
        ]
        for wish in called:
            del company[wish.key]
            if wish is not due:
                wish.since = min(wish.since, due.since)
                self._ready[wish.lane].add(self.group(wish.key), wish)
        if not company:
            del self._companies[due.company.name]

    def done(self, key: KeyT) -> None:
        """A run is over: what asked for it meanwhile comes back."""
        self._running.discard(key)
        aside = self._aside.pop(key, None)
        if aside is not None:
            self._put(aside)

    def next_due(
        self, lanes: Collection[Lane] = EVERY_LANE, may: Callable[[Hashable], bool] = lambda group: True
    ) -> float | None:
        """When there is something to take: a time (perhaps past), or None where nothing is wished for.

        Of what is due already only these lanes count, and groups that may go; of what is not, all.
        """
        while self._later and not self._stands(self._later[0][2]):
            heapq.heappop(self._later)
        if any(self._ready[lane].waits(may) for lane in lanes):
            return float("-inf")
        return self._later[0][0] if self._later else None

    def wish(self, key: KeyT) -> Wish[KeyT] | None:
        """What is wished for a resource, if anything."""
        return self._wishes.get(key) or self._aside.get(key)

    def depth(self) -> dict[Lane, int]:
        """How many wishes wait in each lane, due or not."""
        depth = dict.fromkeys(Lane, 0)
        for wish in (*self._wishes.values(), *self._aside.values()):
            depth[wish.lane] += 1
        return depth
