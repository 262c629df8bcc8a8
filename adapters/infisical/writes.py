"""Writes: what several runs want to write into one folder at the same moment goes in the same batches.

A folder's writing gathers wishes for a few milliseconds, then sends one batch each of creations, updates and deletions,
and gives each run the results of its own. A secret that is being written by one is not written by another at the same
time, also not where the first one was given up.
"""

import asyncio
import weakref
from collections.abc import Sequence
from contextlib import AsyncExitStack

import msgspec

from adapters.infisical.client import Client
from adapters.infisical.flights import Flight
from adapters.infisical.folder_writing import FolderWriting
from adapters.infisical.lease_terms import LeaseKey
from adapters.infisical.places import Place
from adapters.infisical.reading_terms import GATHERING, Reader
from adapters.infisical.readings import Readings
from adapters.infisical.write_items import Item
from adapters.infisical.write_terms import Pending, Stored, Write, WriteKind, WriteResult

__all__ = ["Pending", "Stored", "Write", "WriteKind", "WriteResult", "Writes"]


class _Key(msgspec.Struct, frozen=True):
    client: Client
    lease: LeaseKey
    token: int
    place: Place


class _Wish:
    """What one run wants to write. `given_up`: it does not wait any more."""

    def __init__(self, writes: Sequence[Write]) -> None:
        self.items = [Item(write) for write in writes]
        self.given_up = False


class _Gathering:
    """What is wanted of one folder, from the first wish on until it is carried out."""

    def __init__(self) -> None:
        self.wishes: list[_Wish] = []
        self.names: set[str] = set()
        self.began = False
        self.flight: Flight[None] | None = None


class Writes:
    """Everything that is written. `create_folders`: a folder that is not there is made, with those above it.
    `gathering` is in seconds."""

    def __init__(
        self, readings: Readings, *, create_folders: bool = False, gathering: float = GATHERING
    ) -> None:
        self._readings = readings
        self._create_folders = create_folders
        self._seconds = gathering
        self._gatherings: dict[_Key, _Gathering] = {}
        self._locks: weakref.WeakValueDictionary[tuple[str, str, str, str, str], asyncio.Lock] = (
            weakref.WeakValueDictionary()
        )

    async def write(self, reader: Reader, place: Place, writes: Sequence[Write]) -> list[WriteResult]:
        """The result of each write, in their order; each is of another secret of the folder. No reading of the folder
        that began before this ended serves anybody afterwards."""
        if not writes:
            return []
        wish = _Wish(writes)
        names: set[str] = {item.write.name for item in wish.items}
        if len(names) < len(writes):
            raise ValueError("a secret is to be written twice at once")
        gathering = self._joined(reader, place, names)
        gathering.wishes.append(wish)
        gathering.names |= names
        assert gathering.flight is not None
        try:
            await gathering.flight.result()
        finally:
            wish.given_up = True
        return [_result(item) for item in wish.items]

    def _joined(self, reader: Reader, place: Place, names: set[str]) -> _Gathering:
        key = _Key(reader.client, reader.lease.key, reader.lease.number, place)
        gathering = self._gatherings.get(key)
        joinable = gathering is not None and not gathering.began and gathering.names.isdisjoint(names)
        if gathering is None or not joinable or gathering.flight is None or not gathering.flight.under_way:
            gathering = self._gatherings[key] = _Gathering()
            gathering.flight = Flight(self._carry_out(gathering, key, reader))
        return gathering

    async def _carry_out(self, gathering: _Gathering, key: _Key, reader: Reader) -> None:
        try:
            await asyncio.sleep(self._seconds)
        finally:
            gathering.began = True
            if self._gatherings.get(key) is gathering:
                del self._gatherings[key]
        items = [item for wish in gathering.wishes if not wish.given_up for item in wish.items]
        async with AsyncExitStack() as held:
            for lock in self._locks_of(reader, key.place, items):
                await held.enter_async_context(lock)
            writing = FolderWriting(reader, key.place, self._readings, create_folders=self._create_folders)
            await writing.carry_out(items)

    def _locks_of(self, reader: Reader, place: Place, items: Sequence[Item]) -> list[asyncio.Lock]:
        """One for each secret, always in the same order, so that nobody waits for somebody who waits for him."""
        locks = []
        for name in sorted(item.write.name for item in items):
            secret = (reader.client.address.url, place.project.id, place.environment, place.folder, name)
            lock = self._locks.get(secret)
            if lock is None:
                lock = self._locks[secret] = asyncio.Lock()
            locks.append(lock)
        return locks


def _result(item: Item) -> WriteResult:
    assert item.result is not None, "what was carried out has a result"
    return item.result
