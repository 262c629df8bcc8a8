"""What is wrong at the moment, and until when it was: so that the checks know whom they may excuse."""

import math
from collections.abc import Callable, Iterable

Scope = tuple[str, ...]
"""Whom a trouble concerns: ("cluster",), ("host", name), ("store", kind, namespace, name), ("folder", ...) and so on."""


class Troubles:
    """Troubles by scope. A scope can be in several at once."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._active: dict[Scope, int] = {}
        self._ended: dict[Scope, float] = {}

    def begin(self, scope: Scope) -> None:
        """Something is wrong from now on."""
        self._active[scope] = self._active.get(scope, 0) + 1

    def end(self, scope: Scope) -> None:
        """It is right again."""
        left = self._active[scope] - 1
        if left:
            self._active[scope] = left
        else:
            del self._active[scope]
        self._ended[scope] = self._now()

    def touch(self, scope: Scope) -> None:
        """Something changed at this moment."""
        self._ended[scope] = self._now()

    def last(self, scopes: Iterable[Scope]) -> float:
        """When the last trouble of any of these scopes ended; infinity where one lasts."""
        latest = -math.inf
        for scope in scopes:
            if scope in self._active:
                return math.inf
            latest = max(latest, self._ended.get(scope, -math.inf))
        return latest

    @property
    def any(self) -> bool:
        """Whether anything is wrong at all."""
        return bool(self._active)
