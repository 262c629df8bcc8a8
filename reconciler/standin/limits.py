"""Rate limits by client address and minute, as Infisical Cloud has them."""

from collections.abc import Callable, Mapping

import msgspec

from reconciler.standin.refusals import Refused, Trouble

_WINDOW = 60.0


class Limits(msgspec.Struct, frozen=True):
    """Requests a minute and client address: in all, and those of each class. None: no limit. `told`: each answer says
    how the count of its class stands."""

    total: int | None = None
    reads: int | None = None
    writes: int | None = None
    secrets: int | None = None
    told: bool = True

    def of(self, group: str) -> int | None:
        """The limit of one class of requests."""
        return {"total": self.total, "reads": self.reads, "writes": self.writes}.get(group, self.secrets)


NO_LIMITS = Limits()
"""A server that one hosts oneself."""
CLOUD_LIMITS = Limits(total=600, reads=200, writes=90, secrets=120)
"""The free plan of Infisical Cloud."""


class Gate:
    """Counts requests in windows of a minute and refuses those over the limit."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.limits = NO_LIMITS
        self._now = now
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def admit(self, client: str, group: str) -> None:
        """Count one request of a class: reads, writes or secrets; "" is not counted. Raises Refused over a limit."""
        if not group:
            return
        for name in ("total", group):
            limit = self.limits.of(name)
            if limit is not None:
                self._count(client, name, limit)

    def _count(self, client: str, group: str, limit: int) -> None:
        now = self._now()
        began, count = self._windows.get((client, group), (now, 0))
        if now >= began + _WINDOW:
            began, count = now, 0
        self._windows[client, group] = began, count + 1
        if count >= limit:
            raise Refused(Trouble.TOO_MANY_REQUESTS, seconds=max(1, int(began + _WINDOW - now + 0.999)))

    def telling(self, client: str, group: str) -> Mapping[str, str]:
        """The headers that say how the count of a class stands."""
        limit = self.limits.of(group) if group else None
        if limit is None or not self.limits.told:
            return {}
        now = self._now()
        began, count = self._windows.get((client, group), (now, 0))
        return {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(0, limit - count)),
            "x-ratelimit-reset": str(max(0, int(began + _WINDOW - now + 0.999))),
        }
