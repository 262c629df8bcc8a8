"""What past logins and tokens taught about credentials, so that a mistake is not repeated at Infisical's expense."""

import asyncio
from typing import Final, TypeVar

import msgspec

from adapters.infisical.lease_terms import LeaseKey, LoginFailed
from machines.outcomes import Denial, Denied, Service, Trouble, Unavailable

_FIRST_BACK_OFF: Final = 30.0  # seconds; three refusals in 30 s lock an identity
_LAST_BACK_OFF: Final = 300.0  # seconds
_REMEMBERED: Final = 1000  # keys
_FEW_USES_FOR: Final = 3600.0  # seconds for which credentials are known to give tokens with few uses

Kept = TypeVar("Kept")


class _Refused(msgspec.Struct, frozen=True):
    failure: LoginFailed
    until: float
    back_off: float


class _FewUses(msgspec.Struct, frozen=True):
    users: int
    until: float


class LeaseMemory:
    """Refused logins, until a back-off has passed, and tokens that had fewer uses than users. Bounded."""

    def __init__(self) -> None:
        self._refused: dict[LeaseKey, _Refused] = {}
        self._spoilt: dict[LeaseKey, None] = {}  # the last token of the key was refused before its age
        self._few_uses: dict[LeaseKey, _FewUses] = {}

    def refusal(self, key: LeaseKey) -> LoginFailed | None:
        """The refusal that still stands for these credentials."""
        refused = self._refused.get(key)
        left = refused.until - now() if refused is not None else 0.0
        if refused is None or left <= 0:
            return None
        failure = refused.failure
        if isinstance(failure, Unavailable):
            return Unavailable(service=Service.INFISICAL, why=failure.why, status=failure.status, after=left)
        return failure

    def logged_in(self, key: LeaseKey) -> None:
        """The credentials are good."""
        self._refused.pop(key, None)

    def login_failed(self, key: LeaseKey, failure: LoginFailed) -> None:
        """Remember a refusal by Infisical; a failure of another kind says nothing about the credentials, nor does it
        that the cluster does not let us read them."""
        locked = isinstance(failure, Unavailable) and failure.why is Trouble.LOCKED
        denied = isinstance(failure, Denied) and failure.what is not Denial.CLUSTER
        if not locked and not denied:
            return
        former = self._refused.get(key)
        back_off = min(former.back_off * 2, _LAST_BACK_OFF) if former is not None else _FIRST_BACK_OFF
        _put(self._refused, key, _Refused(failure, now() + back_off, back_off))

    def users_per_token(self, key: LeaseKey) -> float:
        """How many may share one token of these credentials."""
        few = self._few_uses.get(key)
        return few.users if few is not None and few.until > now() else float("inf")

    def lasted(self, key: LeaseKey) -> None:
        """A token of these credentials served all its users."""
        self._spoilt.pop(key, None)

    def spoilt(self, key: LeaseKey, served: int) -> None:
        """A token was refused in use, before its age; `served` users had been content. Once may be a revocation,
        twice in a row is a limited number of uses."""
        if key in self._spoilt:
            _put(self._few_uses, key, _FewUses(max(1, served), now() + _FEW_USES_FOR))
        _put(self._spoilt, key, None)


def _put(memory: dict[LeaseKey, Kept], key: LeaseKey, value: Kept) -> None:
    memory.pop(key, None)
    memory[key] = value
    if len(memory) > _REMEMBERED:
        del memory[next(iter(memory))]


def now() -> float:
    """The loop's clock, in seconds."""
    return asyncio.get_running_loop().time()
