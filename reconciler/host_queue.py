"""Those who wait for one host, in the order in which they go on."""

import asyncio
import heapq

import msgspec

from adapters.journal import Subject
from adapters.resources.kinds import CLUSTER_SECRET_STORE, SECRET_STORE
from reconciler.queue import Lane


def is_store(subject: Subject) -> bool:
    """Whether others depend on what becomes of it."""
    return subject.kind in (SECRET_STORE.name, CLUSTER_SECRET_STORE.name)


class Waiting(msgspec.Struct, frozen=True):
    """A resource that waits. `data`: when its data was read (seconds since 1970; 0: never); `since`: what it must see;
    `told`: its run failed, and its status says so."""

    subject: Subject
    lane: Lane
    data: float
    since: float
    told: bool
    number: int

    @property
    def rank(self) -> tuple[bool, Lane, float, int]:
        """Who goes first."""
        return not is_store(self.subject), self.lane, self.data, self.number


class HostQueue:
    """Those who wait for one host, and those who were let go and are not done yet."""

    def __init__(self) -> None:
        self.waiting: dict[Subject, Waiting] = {}
        self.going: set[Subject] = set()
        self.moved = asyncio.Event()
        self.served = False
        self._order: list[tuple[tuple[bool, Lane, float, int], Waiting]] = []

    def put(self, one: Waiting) -> None:
        """It waits from now on."""
        self.waiting[one.subject] = one
        heapq.heappush(self._order, (one.rank, one))

    def first(self) -> Waiting | None:
        """Whose turn is next."""
        while self._order and self.waiting.get(self._order[0][1].subject) is not self._order[0][1]:
            heapq.heappop(self._order)
        return self._order[0][1] if self._order else None
