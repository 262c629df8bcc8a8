"""How long to wait after a failure: longer each time, up to a cap, and never the same for all."""

from collections.abc import Hashable
from random import Random
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)

FIRST = 1.0
"""Seconds after the first failure. Also the least that is ever waited: never a hot loop."""

CAP = 300.0
"""Seconds, however often it failed."""


class Backoff(Generic[KeyT]):
    """Counts failures in a row, for each resource."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures: dict[KeyT, int] = {}

    def failed(self, key: KeyT, cap: float = CAP) -> float:
        """One more failure: how many seconds to wait. Doubled each time, capped, less up to a quarter by chance.

        The first is the same for all: what failed together tries once more together, and shares a login and what it
        reads. After that it drifts apart.
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        delay = min(FIRST * 2.0 ** min(failures, 32), max(min(cap, CAP), FIRST))
        return max(FIRST, delay * (1.0 - self._random.random() / 4.0))

    def succeeded(self, key: KeyT) -> None:
        """It went well, or is gone: the next failure is the first."""
        self._failures.pop(key, None)

    def failures(self, key: KeyT) -> int:
        """How often it failed in a row."""
        return self._failures.get(key, 0)
