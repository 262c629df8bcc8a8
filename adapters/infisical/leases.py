"""Leases: claims on access tokens that several users of the same credentials share.

The table logs in once for everybody who holds the same key, counts the claims, and revokes the token once after the
last claim was given back and a short linger has passed. Logins and revocations run in the table's own tasks: whoever
waits may be cancelled at any time, which drops the claim and nothing else. `release` never suspends, so that no
cancellation can get between a claim and its end.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

from adapters.infisical.client import Revoked, Token
from adapters.infisical.lease_memory import LeaseMemory, now
from adapters.infisical.lease_terms import LeaseFailure, LeaseKey, LogIn, LoginFailed, Revoke, Unrevoked
from adapters.infisical.secret_text import SecretText
from machines.outcomes import Cancelled, Unavailable

LINGER: Final = 2.0  # seconds
CLOSING_LIMIT: Final = 10.0  # seconds
_FIRST_DELAY: Final = 10.0  # seconds until a revocation that failed is tried again; doubled each time
_PATIENCE: Final = 1800.0  # seconds for which it is tried
_LONGEST_MARGIN: Final = 60.0  # seconds before its end at which a token is not given out any more
_MARGIN_PART: Final = 0.25  # of its age, for short-lived tokens


class Lease:
    """A claim on a token. Give it back with `Leases.release`, once; more often does no harm."""

    __slots__ = ("_grant", "_released", "shared", "token")

    def __init__(self, grant: "_Grant", token: SecretText, shared: bool) -> None:
        self._grant = grant
        self._released = False
        self.token = token
        self.shared = shared

    @property
    def key(self) -> LeaseKey:
        """Who else shares the token."""
        return self._grant.key

    @property
    def number(self) -> int:
        """Tells one token of a key from the next one."""
        return self._grant.number

    def __repr__(self) -> str:
        return f"<Lease {self.number} of {self.key.method.value} at {self.key.host}>"


class _Grant:
    """A token that was asked for, and who uses it."""

    def __init__(self, key: LeaseKey, number: int, revoke: Revoke | None) -> None:
        self.key = key
        self.number = number
        self.revoke = revoke
        self.login: asyncio.Task[None] | None = None
        self.token: SecretText | None = None
        self.failure: LoginFailed | None = None
        self.good_until = float("inf")
        self.claims = 0
        self.admitted = 0  # claims ever made
        self.served = 0  # claims given back by users who had no complaint
        self.tainted = False
        self.ended = False
        self.linger: asyncio.TimerHandle | None = None


class Leases:
    """The table of all leases. `linger` is in seconds, 0 revokes at once."""

    def __init__(
        self, linger: float = LINGER, on_unrevoked: Callable[[Unrevoked], None] = lambda unrevoked: None
    ) -> None:
        self._linger = linger
        self._on_unrevoked = on_unrevoked
        self._current: dict[LeaseKey, _Grant] = {}
        self._live: dict[_Grant, None] = {}  # oldest first
        self._tasks: set[asyncio.Task[None]] = set()
        self._memory = LeaseMemory()
        self._number = 0
        self._closed = False
        self._closing = asyncio.Event()
        self._left: list[Unrevoked] = []  # what could not be revoked while closing

    async def acquire(self, key: LeaseKey, log_in: LogIn, revoke: Revoke | None) -> Lease | LeaseFailure:
        """A claim on the token of this key, shared where there is one; `revoke` is None for a token that stays.

        A refusal is answered again without a request until a back-off has passed, or the key is another one because
        the credentials changed: repeated ones would lock the identity.
        """
        if self._closed:
            return Cancelled()
        refusal = self._memory.refusal(key)
        if refusal is not None:
            return refusal
        grant = self._current.get(key)
        shared = grant is not None and self._may_admit(grant)
        if grant is None or not shared:
            grant = self._begin(key, log_in, revoke)
        self._claim(grant)
        assert grant.login is not None
        try:
            await asyncio.shield(grant.login)
        except asyncio.CancelledError:
            self._drop(grant)
            task = asyncio.current_task()
            if grant.login.cancelled() and (task is None or not task.cancelling()):
                return Cancelled()  # the table was closed in the middle of the login
            raise
        except BaseException:
            self._drop(grant)
            raise
        if grant.token is None:
            self._drop(grant)
            assert grant.failure is not None
            return grant.failure
        return Lease(grant, grant.token, shared)

    def release(self, lease: Lease, *, tainted: bool = False) -> None:
        """Give a claim back. `tainted`: the server refused the token, so that nobody gets it any more."""
        if lease._released:
            return
        lease._released = True
        grant = lease._grant
        if tainted:
            self._taint(grant)
        else:
            grant.served += 1
        self._drop(grant)

    @property
    def alive(self) -> int:
        """How many tokens live by logins and lingers of this table."""
        return sum(grant.token is not None for grant in self._live)

    async def close(self, limit: float = CLOSING_LIMIT) -> tuple[Unrevoked, ...]:
        """Revoke all tokens now, in parallel, within `limit` seconds; the answer says which were not."""
        self._closed = True
        self._closing.set()
        deadline = now() + limit
        for grant in list(self._live):
            if grant.token is not None:
                self._end(grant)
        while self._tasks and (left := deadline - now()) > 0:
            await asyncio.wait(self._tasks, timeout=left)
        late = list(self._tasks)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        late_tokens = [grant for grant in self._live if grant.token is not None and grant.revoke is not None]
        for grant in sorted(late_tokens, key=lambda grant: grant.number):
            self._left.append(Unrevoked(grant.key.host, grant.key.method))
        self._live.clear()
        return tuple(self._left)

    def _begin(self, key: LeaseKey, log_in: LogIn, revoke: Revoke | None) -> _Grant:
        former = self._current.pop(key, None)
        if former is not None and former.claims == 0:
            self._end(former)
        self._number += 1
        grant = self._current[key] = _Grant(key, self._number, revoke)
        self._live[grant] = None
        grant.login = self._task(self._log_in(grant, log_in))
        return grant

    async def _log_in(self, grant: _Grant, log_in: LogIn) -> None:
        asked = now()
        try:
            result = await log_in()
        except BaseException:
            self._forget(grant)
            raise
        if not isinstance(result, Token):
            grant.failure = result
            self._memory.login_failed(grant.key, result)
            self._forget(grant)
            return
        self._memory.logged_in(grant.key)
        grant.token = result.value
        if result.expires_in:
            margin = min(_LONGEST_MARGIN, result.expires_in * _MARGIN_PART)
            grant.good_until = asked + result.expires_in - margin
        if self._closed:
            self._end(grant)
        elif grant.claims == 0:
            self._rest(grant)

    def _claim(self, grant: _Grant) -> None:
        grant.claims += 1
        grant.admitted += 1
        if grant.linger is not None:
            grant.linger.cancel()
            grant.linger = None

    def _drop(self, grant: _Grant) -> None:
        grant.claims -= 1
        if grant.claims == 0 and grant.token is not None:
            self._rest(grant)

    def _rest(self, grant: _Grant) -> None:
        """Nobody uses it: wait a little for the next one, if there may be one."""
        current = self._current.get(grant.key) is grant
        if current and self._linger > 0 and self._may_admit(grant) and not self._closed:
            grant.linger = asyncio.get_running_loop().call_later(self._linger, self._end, grant)
        else:
            self._end(grant)

    def _end(self, grant: _Grant) -> None:
        """Revoke it, once."""
        if grant.ended:
            return
        grant.ended = True
        if not grant.tainted:
            self._memory.lasted(grant.key)
        if grant.linger is not None:
            grant.linger.cancel()
        if self._current.get(grant.key) is grant:
            del self._current[grant.key]
        if grant.revoke is None or grant.token is None:
            self._live.pop(grant, None)
        else:
            self._task(self._revoke(grant, grant.revoke, grant.token))

    async def _revoke(self, grant: _Grant, revoke: Revoke, token: SecretText) -> None:
        """Revoke a token. Where the server cannot be used just now, again and again for a while: a token that is left
        alive may live for a month. Closing ends the patience: then there is one more try, the last."""
        delay, patience = _FIRST_DELAY, now() + _PATIENCE
        while True:
            last = self._closed or now() + delay > patience
            result = await revoke(token)
            if last or not isinstance(result, Unavailable):
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._closing.wait()
            delay *= 2.0
        self._live.pop(grant, None)
        if isinstance(result, Revoked):
            return
        unrevoked = Unrevoked(grant.key.host, grant.key.method, result)
        if self._closed:
            self._left.append(unrevoked)
        else:
            self._on_unrevoked(unrevoked)

    def _forget(self, grant: _Grant) -> None:
        self._live.pop(grant, None)
        if self._current.get(grant.key) is grant:
            del self._current[grant.key]

    def _task(self, work: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _may_admit(self, grant: _Grant) -> bool:
        return grant.good_until > now() and grant.admitted < self._memory.users_per_token(grant.key)

    def _taint(self, grant: _Grant) -> None:
        """Replace a token that was refused, once, however many complain."""
        if grant.tainted:
            return
        grant.tainted = True
        if self._current.get(grant.key) is grant:
            del self._current[grant.key]
        if grant.good_until > now():
            self._memory.spoilt(grant.key, grant.served)
