"""Whose turn it is among what is due: one group after the other, each in the order in which it came.

A group shares a fate, such as all that reads from one server: where that is slow, only its own have to wait.
"""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class Turns(Generic[ItemT]):
    """Items by group. `stands(item)` says whether an item is still wanted, `may(group)` whether it may go now."""

    def __init__(self, stands: Callable[[ItemT], bool]) -> None:
        self._stands = stands
        self._groups: dict[Hashable, deque[ItemT]] = {}

    def add(self, group: Hashable, item: ItemT) -> None:
        """It is due."""
        self._groups.setdefault(group, deque()).append(item)

    def take(self, may: Callable[[Hashable], bool]) -> ItemT | None:
        """The item whose turn it is; its group is the last from then on. None: nothing may go."""
        group = self._first(may)
        if group is None:
            return None
        items = self._groups.pop(group[0])
        item = items.popleft()
        if items:
            self._groups[group[0]] = items
        return item

    def waits(self, may: Callable[[Hashable], bool]) -> bool:
        """Whether there is something to take."""
        return self._first(may) is not None

    def _first(self, may: Callable[[Hashable], bool]) -> tuple[Hashable] | None:
        """The first group that may go, with an item in front that stands."""
        for group in list(self._groups):
            if not may(group):
                continue
            items = self._groups[group]
            while items and not self._stands(items[0]):
                items.popleft()
            if items:
                return (group,)
            del self._groups[group]
        return None
