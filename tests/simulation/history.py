"""What was true when: values with the times at which they came to be."""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class History(Generic[KeyT, ValueT]):
    """For each key its values, oldest first. Times are seconds since 1970, and only grow."""

    def __init__(self) -> None:
        self._entries: dict[KeyT, list[tuple[float, ValueT]]] = {}

    def note(self, key: KeyT, value: ValueT, now: float) -> None:
        """From now on, this is true."""
        self._entries.setdefault(key, []).append((now, value))

    def during(self, key: KeyT, since: float) -> Iterator[ValueT]:
        """All that was true at some moment from `since` until now, newest first."""
        for at, value in reversed(self._entries.get(key, ())):
            yield value
            if at < since:
                return

    def now(self, key: KeyT) -> ValueT | None:
        """What is true now; None: it never was."""
        entries = self._entries.get(key)
        return entries[-1][1] if entries else None
