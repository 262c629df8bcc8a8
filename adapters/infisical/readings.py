"""Readings: who wants secrets of one folder at the same moment shares one listing.

A folder's reading gathers wishes for a few milliseconds. A lone key is then read by its own request, several by one
listing; what a listing cannot tell is asked singly. A listing that began before the time from which a caller must see
the world does not serve it.
"""

import asyncio
from collections.abc import Collection, Sequence

import msgspec

from adapters.infisical.answers import RemoteSecret
from adapters.infisical.client import Client, NoSuchSecret, Readable
from adapters.infisical.comparing import Compared, Comparisons, is_same_folder
from adapters.infisical.failures import SecretsFailure
from adapters.infisical.flights import Flight
from adapters.infisical.folder_view import folder_view
from adapters.infisical.lease_terms import LeaseKey
from adapters.infisical.places import Place, View, is_below, judged_by_list
from adapters.infisical.probings import Probings
from adapters.infisical.reading_terms import (
    GATHERING,
    KEEPING,
    AsOf,
    Empty,
    FolderReading,
    Found,
    KeyReading,
    Listed,
    Reader,
)
from adapters.infisical.secret_routes import Version
from adapters.infisical.secret_text import SecretText
from machines.names import RemoteName
from machines.outcomes import AbsentKey, Denial, Denied, Invalid, Missing, Thing, Trouble, Unavailable

__all__ = [
    "AsOf",
    "Compared",
    "Empty",
    "FolderReading",
    "Found",
    "KeyReading",
    "Listed",
    "Reader",
    "Readings",
]


class _Alone(msgspec.Struct, frozen=True):
    """Only one key was wanted, so that nothing was listed."""


class _Key(msgspec.Struct, frozen=True):
    client: Client
    lease: LeaseKey
    token: int
    place: Place
    view: View
    recursive: bool


class _Reading:
    """One folder as somebody reads it, from the first wish on."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.list_wanted = False
        self.began: float | None = None
        self.alone: str | None = None
        self.flight: Flight[FolderReading | _Alone] | None = None
        self.singles: dict[str, Flight[KeyReading]] = {}
        self.late_listing: Flight[FolderReading] | None = None

    @property
    def moment(self) -> float:
        """When it began; only asked of one that did."""
        assert self.began is not None
        return self.began

    def serves(self, since: float, name: str | None) -> bool:
        """Whether a wish (for a key, or the whole folder) made now can join."""
        if self.flight is None or not self.flight.joinable:
            return False
        if self.began is None:
            return True
        return self.began > since and (self.alone is None or self.alone == name)


class Readings:
    """All readings under way, and those of the last moment."""

    def __init__(self, *, gathering: float = GATHERING, keeping: float = KEEPING) -> None:
        self._gathering = gathering
        self._keeping = keeping
        self._readings: dict[_Key, _Reading] = {}
        self._probings = Probings(keeping)
        self._comparisons = Comparisons(gathering, keeping)

    async def folder(
        self, reader: Reader, place: Place, view: View, *, since: float, recursive: bool = False
    ) -> AsOf[FolderReading]:
        """All secrets of a folder as it was at `since` (loop's clock) or later; `recursive`: and below it.

        A recursive listing does not say which folder imports a secret: with expansion off, servers of 2025 and later
        show imported ones expanded there all the same.
        """
        key = self._key(reader, place, view, recursive)
        reading = self._joined(key, since, None, reader)
        assert reading.flight is not None
        result = await reading.flight.result()
        assert not isinstance(result, _Alone), "a wish for the folder makes it a listing"
        if isinstance(result, Listed) and not view.expand and not recursive:
            result = await self._imports_as_stored(reading, key, reader, result)
        return AsOf(result, reading.moment)

    async def secret(
        self, reader: Reader, place: Place, view: View, name: RemoteName, *, since: float
    ) -> AsOf[KeyReading]:
        """One key of a folder as it was at `since` (loop's clock) or later."""
        key = self._key(reader, place, view, recursive=False)
        reading = self._joined(key, since, name, reader)
        assert reading.flight is not None
        result = await reading.flight.result()
        if isinstance(result, _Alone):
            return AsOf(await self._singly(reading, key, reader, name), reading.moment)
        return AsOf(await self._from_listing(reading, key, reader, name, result), reading.moment)

    async def compare(
        self,
        reader: Reader,
        place: Place,
        names: Sequence[RemoteName],
        *,
        since: float,
        certain: Collection[RemoteName] = (),
    ) -> AsOf[Compared | SecretsFailure]:
        """What a folder holds by some names, as stored, at `since` (loop's clock) or later: neither expanded nor with
        imports. One listing for all who ask at the same moment; a lone name that nobody else asks about by its own request.
        Outer white space of a name does not count.

        `certain`: those of the names whose absence has to be certain. One that the listing lacks is read singly, since a
        listing leaves out what may not be seen.
        """
        return await self._comparisons.compare(reader, place, names, since=since, certain=certain)

    def drop(self, place: Place) -> None:
        """Something was written to this folder, or may have been: no reading of it, finished or under way, serves
        those who come after this."""
        self._comparisons.drop(place)
        for key in list(self._readings):
            within = msgspec.structs.replace(key.place, folder=place.folder)
            if is_same_folder(key.place, place) or (
                key.recursive and is_same_folder(within, place) and is_below(place.folder, key.place.folder)
            ):
                del self._readings[key]

    async def probe(
        self, reader: Reader, place: Place, view: View, *, since: float
    ) -> Readable | SecretsFailure:
        """Whether a folder is there and may be read, at `since` (loop's clock) or later: one request for all who ask at
        that time with one token."""
        return await self._probings.probe(reader, place, view, since=since)

    # --- joining and beginning -----------------------------------------------------------------------------

    def _key(self, reader: Reader, place: Place, view: View, recursive: bool) -> _Key:
        lease = reader.lease
        return _Key(reader.client, lease.key, lease.number, place, view, recursive)

    def _joined(self, key: _Key, since: float, name: str | None, reader: Reader) -> _Reading:
        reading = self._readings.get(key)
        if reading is None or not reading.serves(since, name):
            reading = self._readings[key] = _Reading()
            reading.flight = Flight(self._read(reading, key, reader))
        if reading.began is None:
            reading.list_wanted |= name is None
            reading.names |= {name} if name is not None else set()
        return reading

    async def _read(self, reading: _Reading, key: _Key, reader: Reader) -> FolderReading | _Alone:
        try:
            await asyncio.sleep(self._gathering)
            reading.began = _now()
            lone = next(iter(reading.names)) if len(reading.names) == 1 and not reading.list_wanted else None
            if lone is not None and not judged_by_list(lone) and not _only_lists_expand(key):
                reading.alone = lone
                self._keep(key, reading)
                return _Alone()
            result = await self._listed(key, reader)
        except BaseException:
            self._forget(key, reading)
            raise
        if isinstance(result, Listed | Empty):
            self._keep(key, reading)
        else:
            self._forget(key, reading)
        return result

    def _keep(self, key: _Key, reading: _Reading) -> None:
        asyncio.get_running_loop().call_later(self._keeping, self._forget, key, reading)

    def _forget(self, key: _Key, reading: _Reading) -> None:
        if self._readings.get(key) is reading:
            del self._readings[key]

    # --- asking --------------------------------------------------------------------------------------------

    async def _listed(self, key: _Key, reader: Reader) -> FolderReading:
        """List the folder. Where it has nothing of its own, one single read tells whether it is there and readable."""
        began = _now()
        client, token, place = key.client, reader.lease.token, key.place
        listing = await client.list(token, place, key.view, reader.retry, recursive=key.recursive)
        if isinstance(listing, SecretsFailure):
            return listing
        view = folder_view(listing, place.folder, recursive=key.recursive)
        if any(entry.folder is not None for entry in view.entries):
            return Listed(view, began)
        seen = await client.probe(token, place, key.view, reader.retry)
        if not isinstance(seen, Readable):
            return seen
        return Listed(view, began) if view.entries else Empty(began)

    async def _singly(self, reading: _Reading, key: _Key, reader: Reader, name: RemoteName) -> KeyReading:
        """Read one key by its own request, once for all who want it."""
        flight = reading.singles.get(name)
        if flight is None or not flight.joinable:
            flight = reading.singles[name] = Flight(self._single(reading, key, reader, name))
        result = await flight.result()
        if not isinstance(result, Found | AbsentKey) and reading.singles.get(name) is flight:
            del reading.singles[name]
        return result

    async def _single(self, reading: _Reading, key: _Key, reader: Reader, name: RemoteName) -> KeyReading:
        """One key by its own request; where only a list tells its value, by a list."""
        secrets, folder = key.client.routes.secrets, key.place.folder
        # Servers of 2025 fail singly on a reference into an absent folder, and leave it as it is in lists.
        doubtful = key.view.expand and secrets.known is not Version.V4
        result = await self._asked_singly(key, reader, name, patient=not doubtful)
        if doubtful and isinstance(result, Unavailable) and result.why is Trouble.FAULT:
            if secrets.known is not Version.V3:
                result = await self._asked_singly(key, reader, name, patient=True)
            else:
                value = _value_in(await self._late_listing(reading, key, reader), name)
                return Found(value) if value is not None else result
        if isinstance(result, Missing) and result.what is Thing.ROUTE:
            # A route that lists have: the name has a form that cannot stand in a path.
            value = _value_in(await self._late_listing(reading, key, reader), name)
            return Found(value) if value is not None else result
        if not isinstance(result, Found) or not _only_lists_expand(key):
            return result
        value = _value_in(await self._late_listing(reading, key, reader), name)
        if value is None and "${" in result.value.reveal():
            return Denied(what=Denial.READ, folder=folder, key=name)
        return Found(value) if value is not None else result

    async def _asked_singly(
        self, key: _Key, reader: Reader, name: RemoteName, *, patient: bool
    ) -> KeyReading:
        token = reader.lease.token
        result = await key.client.read(token, key.place, key.view, name, reader.retry, patient=patient)
        if isinstance(result, NoSuchSecret):
            return AbsentKey(key=name, folder=key.place.folder)
        if isinstance(result, RemoteSecret):
            if result.value is None:
                return Denied(what=Denial.VALUE, folder=key.place.folder, key=name)
            return Found(result.value)
        return result

    async def _imports_as_stored(
        self, reading: _Reading, key: _Key, reader: Reader, listed: Listed
    ) -> FolderReading:
        """Lists expand imported secrets whatever they are asked; single reads do not."""
        names = [
            RemoteName(entry.name)
            for entry in listed.view.entries
            if entry.folder is None and not judged_by_list(entry.name)
        ]
        stored = await asyncio.gather(*(self._singly(reading, key, reader, name) for name in names))
        values: dict[str, SecretText | None] = {}
        absent = set()
        for name, result in zip(names, stored, strict=True):
            match result:
                case Found(value=value):
                    values[name] = value
                case AbsentKey():
                    absent.add(str(name))
                case Denied():  # of this key alone: whether it is wanted is not known here
                    values[name] = None
                case _:
                    return result
        return Listed(listed.view.with_imports(values, absent), listed.began)

    async def _late_listing(self, reading: _Reading, key: _Key, reader: Reader) -> FolderReading:
        """The listing behind a reading, made now if it had none."""
        assert reading.flight is not None
        result = await reading.flight.result()
        if not isinstance(result, _Alone):
            return result
        if reading.late_listing is None or not reading.late_listing.joinable:
            reading.late_listing = Flight(self._listed(key, reader))
        return await reading.late_listing.result()

    async def _from_listing(
        self, reading: _Reading, key: _Key, reader: Reader, name: RemoteName, result: FolderReading
    ) -> KeyReading:
        folder = key.place.folder
        if isinstance(result, Empty):
            return AbsentKey(key=name, folder=folder)
        if isinstance(result, Listed):
            entry = result.view.entry(name)
            if entry is None and judged_by_list(name):
                return AbsentKey(key=name, folder=folder)
            if entry is None or (entry.folder is None and not key.view.expand and not judged_by_list(name)):
                return await self._singly(reading, key, reader, name)
            if entry.value is None:
                return Denied(what=Denial.VALUE, folder=folder, key=name)
            return Found(entry.value)
        refused = isinstance(result, Denied) and result.what is not Denial.MEMBERSHIP
        if (refused or isinstance(result, Invalid)) and not judged_by_list(name):
            return await self._singly(reading, key, reader, name)
        return result


def _only_lists_expand(key: _Key) -> bool:
    routes = key.client.routes
    return key.view.expand and routes.secrets.known is Version.V3 and routes.expands_singly is False


def _value_in(result: FolderReading, name: str) -> SecretText | None:
    entry = result.view.entry(name) if isinstance(result, Listed) else None
    return entry.value if entry is not None else None


def _now() -> float:
    return asyncio.get_running_loop().time()
