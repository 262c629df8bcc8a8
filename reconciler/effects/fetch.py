"""Reading all that an ExternalSecret wants of one store, and trying whether a store can be read at all."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from adapters.infisical.folder_view import FolderView
from adapters.infisical.places import Place, View
from adapters.infisical.readings import (
    AsOf,
    Empty,
    FolderReading,
    Found,
    KeyReading,
    Listed,
    Reader,
    Readings,
)
from adapters.resources.references import StoreReference
from adapters.resources.remote_data import Find, SourceReference
from adapters.resources.stores import SecretsScope
from machines.effects import Fetch, Probe
from machines.names import FolderPath, RemoteName
from machines.outcomes import AbsentKey, Denial, Denied, Fault, Fetched, Invalid, Outcome, Probed
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.find import Candidate, check_find, find
from reconciler.content.keys import normalise_folder, resolve_key
from reconciler.content.values import HIDDEN, Value
from reconciler.effects.content_faults import invalid, remote_name
from reconciler.effects.observe_external_secret import reference_of
from reconciler.payload import ExternalSecretPayload, Notice, Payload, Session
from reconciler.support import without_effect
from reconciler.surroundings import Surroundings


class _Wanted(msgspec.Struct, frozen=True):
    """One entry of the resource: where its result goes, and a key or a whole folder."""

    section: str
    number: int
    place: Place
    name: RemoteName | None = None
    find: Find | None = None


class Fetcher:
    """Performs Fetch."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._readings: Readings = surroundings.readings
        self._clock = surroundings.clock

    async def __call__(self, effect: Fetch, payload: ExternalSecretPayload) -> Outcome:
        """All entries that name this store, read at the same time. The first failure in their order is told."""
        session = payload.session(effect.store)
        assert session.connection is not None
        try:
            wanted = list(_wanted(payload, effect.store, session))
        except ContentFault as fault:
            return invalid(fault)
        reader, scope = _reader(session), session.connection.scope
        results = await asyncio.gather(*(self._read(reader, one, scope, payload.since) for one in wanted))
        return _taken(payload, scope, wanted, [one.result for one in results], self._wall_time(results))

    def _wall_time(self, results: Sequence[AsOf[Any]]) -> float | None:
        """When the oldest of it was read, in seconds since 1970; None: there was nothing to read."""
        if not results:
            return None
        return self._clock.now() - (self._clock.passing() - min(one.began for one in results))

    async def _read(
        self, reader: Reader, wanted: _Wanted, scope: SecretsScope, since: float
    ) -> AsOf[KeyReading] | AsOf[FolderReading]:
        view = View(expand=scope.expand_secret_references)
        if wanted.name is None:
            return await self._readings.folder(
                reader, wanted.place, view, since=since, recursive=scope.recursive
            )
        return await self._readings.secret(reader, wanted.place, view, wanted.name, since=since)


def _reader(session: Session) -> Reader:
    assert session.client is not None
    assert session.lease is not None
    assert session.connection is not None
    return Reader(session.client, session.lease, session.connection.retry)


def _wanted(payload: ExternalSecretPayload, number: int, session: Session) -> Sequence[_Wanted]:
    """The entries of one store, checked before anything is sent. Raises ContentFault."""
    resource, connection = payload.resource, session.connection
    assert resource is not None
    assert connection is not None
    assert session.project is not None
    project, scope = session.project, connection.scope
    default = resource.spec.secret_store_ref
    references = payload.references
    found: list[_Wanted] = []

    def is_here(source: SourceReference | None) -> bool:
        own = source.store_ref if source is not None else None
        return _same(reference_of(own, default), references[number])

    def one(section: str, index: int, key: str) -> _Wanted:
        location = resolve_key(scope.secrets_path, key)
        try:
            name, folder = RemoteName(location.name), FolderPath(location.folder)
        except ValueError:
            raise ContentFault(FaultKind.KEY_CLIMBS, key=key) from None
        return _Wanted(section, index, Place(project, scope.environment_slug, folder), name=name)

    for index, several in enumerate(resource.spec.data_from):
        if not is_here(several.source_ref):
            continue
        if several.extract is not None:
            found.append(one("dataFrom", index, several.extract.key))
        if several.find is not None:
            check_find(several.find, scope_path=scope.secrets_path, recursive=scope.recursive)
            folder = FolderPath(normalise_folder(scope.secrets_path))
            found.append(
                _Wanted("dataFrom", index, Place(project, scope.environment_slug, folder), find=several.find)
            )
    for index, entry in enumerate(resource.spec.data):
        if is_here(entry.source_ref):
            found.append(one("data", index, entry.remote_ref.key))
    return found


def _same(one: StoreReference | None, other: StoreReference) -> bool:
    return one is not None and (one.kind, one.name) == (other.kind, other.name)


def _taken(
    payload: ExternalSecretPayload,
    scope: SecretsScope,
    wanted: Sequence[_Wanted],
    results: Sequence[KeyReading | FolderReading],
    read_at: float | None,
) -> Outcome:
    """Put what was read into the payload; the outcome names what is verifiably absent."""
    absent: list[AbsentKey] = []
    keys = 0
    for one, result in zip(wanted, results, strict=True):
        match result:
            case Found(value=text):
                payload.read[one.section, one.number] = Value.of_text(text.reveal())
                keys += 1
            case AbsentKey():
                absent.append(result)
            case Listed() | Empty():
                assert one.find is not None
                found = _found(payload, one.find, scope, result)
                if not isinstance(found, dict):
                    return found
                payload.read[one.section, one.number] = found
                keys += len(found)
            case _:
                return result
    assert payload.resource is not None
    for field in without_effect(payload.resource):
        payload.notices.append(Notice("Ignored", f"{field} has no effect with Infisical"))
    return Fetched(keys=keys, read_at=read_at, absent=tuple(dict.fromkeys(absent)))


def _found(
    payload: ExternalSecretPayload, wanted: Find, scope: SecretsScope, listed: Listed | Empty
) -> dict[str, Value] | Denied:
    view = listed.view if isinstance(listed, Listed) else FolderView(())
    candidates = (
        Candidate(
            entry.name,
            entry.folder,
            HIDDEN if entry.value is None else Value.of_text(entry.value.reveal()),
        )
        for entry in view.entries
    )
    found = find(candidates, wanted, scope_path=scope.secrets_path, recursive=scope.recursive)
    if found.hidden:
        return Denied(
            what=Denial.VALUE,
            folder=FolderPath(normalise_folder(scope.secrets_path)),
            key=remote_name(found.hidden[0]),
        )
    for collision in found.collisions:
        payload.notices.append(
            Notice(
                "SameName",
                f'"{collision.name}" is found in several folders: that of {collision.chosen or "an import"} is taken',
            )
        )
    for name in sorted(view.twice & found.values.keys()):
        payload.notices.append(
            Notice(
                "SameName",
                f'"{name}" is there twice in one folder: the one with the highest version is taken',
            )
        )
    return found.values


class Prober:
    """Performs Probe."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._readings = surroundings.readings

    async def __call__(self, effect: Probe, payload: Payload) -> Outcome:
        """One read of a name that is not there: no listing, no value. Stores that differ in nothing that is tried, and
        are validated at the same time, share it."""
        session = payload.session(0)
        assert session.connection is not None
        assert session.client is not None
        assert session.lease is not None
        assert session.project is not None
        scope = session.connection.scope
        try:
            folder = FolderPath(normalise_folder(scope.secrets_path))
        except (ContentFault, ValueError):
            return Invalid(what=Fault.BAD_PATH)
        place = Place(session.project, scope.environment_slug, folder)
        view = View(expand=scope.expand_secret_references)
        result = await self._readings.probe(_reader(session), place, view, since=payload.since)
        return result if isinstance(result, Outcome) else Probed()
