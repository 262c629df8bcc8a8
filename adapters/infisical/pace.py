"""How fast one host may be asked: a gate that a 429 closes for all, and quotas that are kept so that none comes."""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.infisical.quotas import NO_LIMITS, Group, Limits, Quota, telling_of
from adapters.infisical.refusals import Asked

LONGEST_PAUSE: Final = 600.0  # seconds; no server means to be left alone for longer
_FIRST_PAUSE: Final = 1.0  # seconds, after a 429 that names none; doubled for each further one
_LAST_PAUSE: Final = 60.0
_GROUPS: Final = {
    Asked.LOGIN: Group.WRITES,
    Asked.REVOCATION: Group.WRITES,
    Asked.PROJECT: Group.READS,
    Asked.SECRETS: Group.SECRETS,
    Asked.WRITES: Group.SECRETS,
    Asked.FOLDERS: Group.WRITES,
}


class Passage(msgspec.Struct, frozen=True):
    """A request that was let through. Give it back with `Pace.answered`, once."""

    group: Group
    route: str
    number: int
    number_of_all: int


class Pace:
    """One for each host. Waits for nobody: says how long to wait."""

    def __init__(self, limits: Limits = NO_LIMITS) -> None:
        self._known = limits
        self._closed_until = 0.0
        self._refusals = 0  # in a row
        self._total = Quota(limits.total)
        self._quotas = {group: Quota(limits.of(group)) for group in Group}

    def remaining(self) -> float:
        """Seconds until the gate opens; 0 when it is open."""
        return max(0.0, self._closed_until - _now())

    def wait(self, asked: Asked, route: str) -> float:
        """Seconds until a request may be sent: 0: now; infinite: once an answer has come."""
        quota = self._quotas[_GROUPS[asked]]
        return max(self.remaining(), self._total.wait(""), quota.wait(route))

    def room(self, asked: Asked) -> float:
        """How many such requests may be sent now, as far as is known."""
        if self.remaining() > 0:
            return 0.0
        return min(self._total.room, self._quotas[_GROUPS[asked]].room)

    def sent(self, asked: Asked, route: str) -> Passage:
        """A request goes out."""
        group = _GROUPS[asked]
        return Passage(group, route, self._quotas[group].sent(route), self._total.sent(""))

    def answered(self, passage: Passage, headers: Mapping[str, str]) -> None:
        """It was answered, or given up (no headers then)."""
        telling = telling_of(headers)
        known = self._known.of(passage.group)
        if telling is not None and known is not None and telling.limit > known:
            self._total.limit = None  # a larger plan: its total is not known
        self._quotas[passage.group].answered(passage.route, passage.number, telling)
        self._total.answered("", passage.number_of_all, None)

    def limited(self, after: float | None, jitter: float) -> None:
        """A 429: nobody sends anything before the pause that it asks for, or (None) one that grows. `jitter` is from
        0 to 1. Several that were under way together count as one."""
        if self.remaining() == 0:
            self._refusals += 1
        pause = after
        if pause is None:
            longest = min(_FIRST_PAUSE * 2.0 ** min(self._refusals - 1, 10), _LAST_PAUSE)
            pause = longest * (1.0 + jitter) / 2.0
        self._closed_until = max(self._closed_until, _now() + min(pause, LONGEST_PAUSE))

    def taken(self) -> None:
        """A request was taken: what follows is a first refusal again."""
        self._refusals = 0


def _now() -> float:
    return asyncio.get_running_loop().time()
