"""One writer at a time for a remote secret: reading, changing and writing back is one move.

The server compares no versions and keeps no names unique, so that two who read the same value would undo each other's
change, or make a secret twice.
"""

import asyncio
from collections.abc import Iterable
from typing import NamedTuple


class RemoteSecret(NamedTuple):
    """A secret at Infisical, whichever store leads to it."""

    host: str  # its base URL
    project: str
    environment: str
    folder: str
    name: str


class _Lock:
    __slots__ = ("holders", "lock")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.holders = 0  # who has it or waits for it


class NameLocks:
    """Locks by remote secret, there as long as somebody needs them."""

    def __init__(self) -> None:
        self._locks: dict[RemoteSecret, _Lock] = {}

    async def acquire(self, secrets: Iterable[RemoteSecret]) -> tuple[RemoteSecret, ...]:
        """Hold all of these. Everybody takes them in the same order, so that no two wait for each other."""
        held: list[RemoteSecret] = []
        try:
            for secret in sorted(set(secrets)):
                lock = self._locks.setdefault(secret, _Lock())
                lock.holders += 1
                try:
                    await lock.lock.acquire()
                except BaseException:
                    self._let_go(secret, lock)
                    raise
                held.append(secret)
        except BaseException:
            self.release(held)
            raise
        return tuple(held)

    def release(self, held: Iterable[RemoteSecret]) -> None:
        """Let go of these."""
        for secret in held:
            lock = self._locks[secret]
            lock.lock.release()
            self._let_go(secret, lock)

    def _let_go(self, secret: RemoteSecret, lock: _Lock) -> None:
        lock.holders -= 1
        if not lock.holders:
            del self._locks[secret]

    def __len__(self) -> int:
        return len(self._locks)
