"""What a folder's secrets are as stored, for those who mean to write: one listing for all who ask at the same moment.

Nothing is expanded or imported. That a listing lacks a name proves nothing: what may not be seen is left out without a
word. Where it leads to a creation that does no harm, since the server refuses what is there already. Where a deletion would
be held to be done, a single read has to say so.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec

from adapters.infisical.answers import Listing, RemoteSecret
from adapters.infisical.client import Client, NoSuchSecret
from adapters.infisical.failures import SecretsFailure
from adapters.infisical.flights import Flight
from adapters.infisical.folder_view import FolderView, folder_view
from adapters.infisical.lease_terms import LeaseKey
from adapters.infisical.places import Place, View, judged_by_list
from adapters.infisical.reading_terms import AsOf, Found, Reader
from adapters.infisical.secret_text import SecretText
from adapters.infisical.stored_form import trimmed
from machines.names import RemoteName
from machines.outcomes import AbsentKey, Denial, Denied, Invalid, Missing, Thing

AS_STORED = View(expand=False, imports=False)

Stored = Found | AbsentKey | Denied
"""What is there by a name: a value, nothing, or what may not be seen."""


class Compared(msgspec.Struct, frozen=True):
    """What a folder holds by each of the names that were asked for. `twice`: those of them that it holds more than once;
    the one that counts is among the values. Servers of 2024 and 2025 list an absent folder as an empty one."""

    values: Mapping[RemoteName, Stored]
    twice: frozenset[RemoteName] = frozenset()

    def __repr__(self) -> str:
        return f"<Compared {len(self.values)}>"


class _Key(msgspec.Struct, frozen=True):
    client: Client
    lease: LeaseKey
    token: int
    place: Place


class _Alone(NamedTuple):
    """One name was asked for by its own request."""

    stored: Stored


class _Looking:
    """One folder as it is looked at, from the first wish on. `names` are those of before it began."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.began: float | None = None
        self.alone: str | None = None
        self.flight: Flight[FolderView | _Alone | SecretsFailure] | None = None
        self.singles: dict[str, Flight[Stored | SecretsFailure]] = {}

    def serves(self, since: float, names: Sequence[str]) -> bool:
        """Whether a wish made now can join."""
        if self.flight is None or not self.flight.joinable:
            return False
        if self.began is None:
            return True
        return self.began > since and (self.alone is None or set(names) == {self.alone})


class Comparisons:
    """All that is looked at for writing, and was in the last moment. `gathering` and `keeping` are in seconds."""

    def __init__(self, gathering: float, keeping: float) -> None:
        self._gathering = gathering
        self._keeping = keeping
        self._lookings: dict[_Key, _Looking] = {}

    async def compare(
        self,
        reader: Reader,
        place: Place,
        names: Sequence[RemoteName],
        *,
        since: float,
        certain: Collection[RemoteName],
    ) -> AsOf[Compared | SecretsFailure]:
        """See `Readings.compare`."""
        key = _Key(reader.client, reader.lease.key, reader.lease.number, place)
        looking = self._joined(key, since, names, reader)
        assert looking.flight is not None
        seen = await looking.flight.result()
        result = await self._told(seen, looking, key, reader, names)
        if isinstance(result, Compared) and isinstance(seen, FolderView):
            doubtful = [name for name in certain if isinstance(result.values[name], AbsentKey)]
            result = await self._verified(result, doubtful, looking, key, reader)
        assert looking.began is not None
        return AsOf(result, looking.began)

    def drop(self, place: Place) -> None:
        """Nobody new is served by what is known, or being found out, of this folder."""
        for key in [key for key in self._lookings if is_same_folder(key.place, place)]:
            del self._lookings[key]

    # --- joining and beginning -----------------------------------------------------------------------------

    def _joined(self, key: _Key, since: float, names: Sequence[str], reader: Reader) -> _Looking:
        looking = self._lookings.get(key)
        if looking is None or not looking.serves(since, names):
            looking = self._lookings[key] = _Looking()
            looking.flight = Flight(self._look(looking, key, reader))
        if looking.began is None:
            looking.names.update(names)
        return looking

    async def _look(
        self, looking: _Looking, key: _Key, reader: Reader
    ) -> FolderView | _Alone | SecretsFailure:
        seen: FolderView | _Alone | SecretsFailure | None = None
        try:
            await asyncio.sleep(self._gathering)
            looking.began = _now()
            lone = next(iter(looking.names)) if len(looking.names) == 1 else None
            if lone is not None and not judged_by_list(lone):
                looking.alone = lone
                seen = await _singly(key, reader, lone)
            if seen is None:
                looking.alone = None
                listing = await key.client.list(reader.lease.token, key.place, AS_STORED, reader.retry)
                seen = folder_view(listing, key.place.folder) if isinstance(listing, Listing) else listing
            return seen
        finally:
            if isinstance(seen, FolderView | _Alone):
                asyncio.get_running_loop().call_later(self._keeping, self._forget, key, looking)
            else:
                self._forget(key, looking)

    def _forget(self, key: _Key, looking: _Looking) -> None:
        if self._lookings.get(key) is looking:
            del self._lookings[key]

    # --- telling -------------------------------------------------------------------------------------------

    async def _told(
        self,
        seen: FolderView | _Alone | SecretsFailure,
        looking: _Looking,
        key: _Key,
        reader: Reader,
        names: Sequence[RemoteName],
    ) -> Compared | SecretsFailure:
        if isinstance(seen, _Alone):
            return Compared(dict.fromkeys(names, seen.stored))
        if isinstance(seen, FolderView):
            values = {name: _entry_of(seen, key.place, name) for name in names}
            return Compared(values, frozenset(name for name in names if trimmed(name) in seen.twice))
        refused = isinstance(seen, Denied) and seen.what is not Denial.MEMBERSHIP
        if refused or isinstance(seen, Invalid):
            return await self._each_singly(seen, looking, key, reader, names)
        return seen

    async def _each_singly(
        self,
        listing: SecretsFailure,
        looking: _Looking,
        key: _Key,
        reader: Reader,
        names: Sequence[RemoteName],
    ) -> Compared | SecretsFailure:
        """A refused listing is no verdict on a name; one that only lists can tell stays unseen."""
        told = await asyncio.gather(*(self._shared(looking, key, reader, name) for name in names))
        values: dict[RemoteName, Stored] = {}
        for name, stored in zip(names, told, strict=True):
            if stored is None:
                if not isinstance(listing, Denied):
                    return listing
                values[name] = Denied(what=listing.what, folder=key.place.folder, key=name)
            elif isinstance(stored, Stored):
                values[name] = stored
            else:
                return stored
        return Compared(values)

    async def _verified(
        self,
        compared: Compared,
        doubtful: Sequence[RemoteName],
        looking: _Looking,
        key: _Key,
        reader: Reader,
    ) -> Compared | SecretsFailure:
        """The same, after a single read of those names that were not listed. One that no path can hold is believed absent."""
        values = dict(compared.values)
        told = await asyncio.gather(*(self._shared(looking, key, reader, name) for name in doubtful))
        for name, stored in zip(doubtful, told, strict=True):
            if isinstance(stored, Stored):
                values[name] = stored
            elif stored is not None:
                return stored
        return Compared(values, compared.twice)

    async def _shared(
        self, looking: _Looking, key: _Key, reader: Reader, name: str
    ) -> Stored | SecretsFailure | None:
        if judged_by_list(trimmed(name)):
            return None
        flight = looking.singles.get(name)
        if flight is None or not flight.joinable:
            flight = looking.singles[name] = Flight(_told_singly(key, reader, name))
        return await flight.result()


def is_same_folder(one: Place, other: Place) -> bool:
    """Whether two places are the same folder, however much is known of their project."""
    return (one.project.id, one.environment, one.folder) == (
        other.project.id,
        other.environment,
        other.folder,
    )


async def _singly(key: _Key, reader: Reader, name: str) -> _Alone | SecretsFailure | None:
    """One name by its own request; None: only a list can tell."""
    told = await _told_singly(key, reader, name)
    if isinstance(told, Missing) and told.what is Thing.ROUTE:
        return None
    if isinstance(told, Denied) and told.what is Denial.MEMBERSHIP:
        return told
    return _Alone(told) if isinstance(told, Stored) else told


async def _told_singly(key: _Key, reader: Reader, name: str) -> Stored | SecretsFailure:
    token = reader.lease.token
    result = await key.client.read(token, key.place, AS_STORED, trimmed(name), reader.retry)
    remote = RemoteName(name)
    if isinstance(result, NoSuchSecret):
        return AbsentKey(key=remote, folder=key.place.folder)
    if isinstance(result, RemoteSecret):
        return _value(result.value, key.place, remote)
    return result


def _entry_of(view: FolderView, place: Place, name: RemoteName) -> Stored:
    entry = view.entry(trimmed(name))
    if entry is None or entry.folder is None:
        return AbsentKey(key=name, folder=place.folder)
    return _value(entry.value, place, name)


def _value(value: SecretText | None, place: Place, name: RemoteName) -> Stored:
    return Denied(what=Denial.VALUE, folder=place.folder, key=name) if value is None else Found(value)


def _now() -> float:
    return asyncio.get_running_loop().time()
