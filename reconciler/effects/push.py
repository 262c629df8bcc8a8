"""Pushing to one store: comparing what is there with what shall be, then creating, updating and deleting.

Comparing takes the locks of all secrets that are concerned; they are let go with the lease. What is compared is the
value as it is stored: references not expanded, imports left out.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import msgspec

from adapters.infisical.readings import Found
from adapters.infisical.secret_text import SecretText
from adapters.infisical.writes import Pending, Stored, Write, WriteKind
from adapters.resources.push_secrets import UpdatePolicy
from machines.names import RemoteName
from machines.outcomes import (
    Denied,
    Invalid,
    LeaseRefused,
    Missing,
    Outcome,
    ProjectGone,
    Thing,
    Unavailable,
)
from machines.push_effects import Compare, Prune, Push
from machines.push_outcomes import Compared, EntryFailure, Pruned, Pushed
from reconciler.content.keys import Location
from reconciler.content.push_plan import Step, StepKind, loses_white_space, plan
from reconciler.effects.content_faults import invalid
from reconciler.effects.reading import place_of, reader_of
from reconciler.name_locks import RemoteSecret
from reconciler.payload import Notice, PushSecretPayload, Session, StorePush
from reconciler.push_record import grows, is_filed, key_of
from reconciler.surroundings import Surroundings

Whole = LeaseRefused | ProjectGone | Unavailable
"""What ends the work at a store, whichever secret it came of."""

_WRITTEN = {StepKind.CREATE: WriteKind.CREATE, StepKind.UPDATE: WriteKind.UPDATE}
_DELETED = {StepKind.DELETE: WriteKind.DELETE}


class _Seen(msgspec.Struct):
    """What was read: values (None: absent) and failures, by secret."""

    existing: dict[Location, str | None]
    failures: dict[Location, EntryFailure]

    def __repr__(self) -> str:
        return f"<_Seen {len(self.existing)}>"


class Comparer:
    """Performs Compare."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, effect: Compare, payload: PushSecretPayload) -> Outcome:
        """Reads every secret that is concerned, as it is stored now, and plans one end state for each."""
        assert payload.gathered is not None
        session, store = payload.session(effect.store), payload.gathered[effect.store]
        wanted = {one.location for one in store.wanted}
        locations = sorted(
            wanted | {one.location for one in store.removals}, key=lambda one: (one.folder, one.name)
        )
        await self._lock(session, locations)
        seen = await self._read(session, locations, wanted, payload)
        if not isinstance(seen, _Seen):
            return seen
        return self._compared(payload, effect.store, store, seen)

    async def _lock(self, session: Session, locations: Sequence[Location]) -> None:
        """Hold all of them until the release. A second comparison in a run holds them already."""
        if session.locked:
            return
        assert session.client is not None
        assert session.project is not None
        assert session.connection is not None
        host, environment = session.client.address.url, session.connection.scope.environment_slug
        session.locked = await self._with.locks.acquire(
            RemoteSecret(host, session.project.id, environment, one.folder, one.name) for one in locations
        )

    async def _read(
        self,
        session: Session,
        locations: Sequence[Location],
        wanted: Collection[Location],
        payload: PushSecretPayload,
    ) -> _Seen | Whole:
        folders: dict[str, list[Location]] = defaultdict(list)
        for one in locations:
            folders[one.folder].append(one)
        reader = reader_of(session)
        results = await asyncio.gather(
            *(
                self._with.readings.compare(
                    reader,
                    place_of(session, folder),
                    [RemoteName(one.name) for one in inside],
                    since=payload.since,
                    # What is only not seen would be forgotten instead of deleted.
                    certain=[RemoteName(one.name) for one in inside if one not in wanted],
                )
                for folder, inside in folders.items()
            )
        )
        seen = _Seen({}, {})
        for inside, (result, _) in zip(folders.values(), results, strict=True):
            if isinstance(result, LeaseRefused | ProjectGone | Unavailable):
                return result
            if isinstance(result, Missing | Denied | Invalid):
                for one in inside:
                    self._miss(one, result, one in wanted, seen)
                continue
            for one in inside:
                value = result.values[RemoteName(one.name)]
                if isinstance(value, Denied):
                    seen.failures[one] = value
                else:
                    seen.existing[one] = value.value.reveal() if isinstance(value, Found) else None
            for name in sorted(result.twice):
                payload.notices.append(
                    Notice(
                        "SameName",
                        f'"{name}" is there twice in one folder: the one with the highest version counts',
                    )
                )
        return seen

    def _miss(
        self, location: Location, failure: Missing | Denied | Invalid, wanted: bool, seen: _Seen
    ) -> None:
        """A whole folder that cannot be read. In one that is not there, nothing has to be deleted."""
        absent = isinstance(failure, Missing) and failure.what in (Thing.FOLDER, Thing.ENVIRONMENT)
        makes = isinstance(failure, Missing) and failure.what is Thing.FOLDER and self._with.create_folders
        if absent and (not wanted or makes):
            seen.existing[location] = None
        else:
            seen.failures[location] = failure

    def _compared(self, payload: PushSecretPayload, number: int, store: StorePush, seen: _Seen) -> Compared:
        readable = [one for one in store.wanted if one.location not in seen.failures]
        removals = [one for one in store.removals if one.location not in seen.failures]
        assert payload.resource is not None or not readable
        store.plan = plan(
            readable,
            removals,
            seen.existing,
            payload.record.get(key_of(payload, number), {}),
            if_not_exists=_keeps_existing(payload),
        )
        store.removed.update(store.plan.gone)
        steps, filed = [], set[str]()
        for step in store.plan.steps:
            names = (*step.entries, *step.removals)
            if step.kind is StepKind.NOTHING:
                store.removed.update(step.removals)
            elif names and all(is_filed(payload, number, name) for name in names):
                filed.update(names)
            else:
                steps.append(step)
        store.marked |= filed
        store.steps = tuple(steps)
        failures = [
            (one.entry.name, seen.failures[one.location])
            for one in store.wanted
            if one.location in seen.failures
        ]
        failures += [
            (one.name, seen.failures[one.location]) for one in store.removals if one.location in seen.failures
        ]
        failures += [(name, invalid(fault)) for name, fault in store.plan.faults]
        return Compared(
            writes=sum(step.kind in _WRITTEN for step in steps),
            deletions=sum(step.kind in _DELETED for step in steps),
            grows=grows(payload, number),
            pending=len(filed),
            failed=len(failures),
            failure=failures[0][1] if failures else None,
        )


def _keeps_existing(payload: PushSecretPayload) -> bool:
    resource = payload.resource
    return resource is not None and resource.spec.update_policy is UpdatePolicy.IF_NOT_EXISTS


class _Writer:
    """What creating, updating and deleting have in common: steps of some kinds, written folder by folder."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._writes = surroundings.writes

    async def _write(
        self, payload: PushSecretPayload, number: int, kinds: Mapping[StepKind, WriteKind]
    ) -> "_Written | Whole":
        assert payload.gathered is not None
        session, store = payload.session(number), payload.gathered[number]
        folders: dict[str, list[Step]] = defaultdict(list)
        for step in store.steps:
            if step.kind in kinds:
                folders[step.location.folder].append(step)
        reader = reader_of(session)
        answers = await asyncio.gather(
            *(
                self._writes.write(
                    reader,
                    place_of(session, folder),
                    [_write_of(payload, number, step, kinds[step.kind]) for step in steps],
                )
                for folder, steps in folders.items()
            )
        )
        written = _Written()
        ends: Whole | None = None
        for steps, results in zip(folders.values(), answers, strict=True):
            for step, result in zip(steps, results, strict=True):
                if isinstance(result, LeaseRefused | ProjectGone | Unavailable):
                    ends = ends or result
                else:
                    _take(store, step, result, written)
        return ends or written


class _Written:
    """What came of it, in entries."""

    def __init__(self) -> None:
        self.pending = 0
        self.failed = 0
        self.failure: EntryFailure | None = None


def _write_of(payload: PushSecretPayload, number: int, step: Step, kind: WriteKind) -> Write:
    """A creation of a whole value may replace what came there meanwhile, unless that is to be kept; one that was made of
    properties alone would take away what else is there."""
    value = None if step.text is None else SecretText(step.text.reveal().decode())
    entries = [payload.entry(number, name) for name in step.entries]
    parts = any(entry is not None and entry.property is not None for entry in entries)
    onto_nothing = kind is WriteKind.CREATE and (parts or _keeps_existing(payload))
    return Write(kind, RemoteName(step.location.name), value, onto_nothing=onto_nothing)


def _take(store: StorePush, step: Step, result: Stored | Pending | EntryFailure, written: _Written) -> None:
    names = (*step.entries, *step.removals)
    match result:
        case Stored():
            store.removed.update(step.removals)
            store.done.update(names)
        case Pending():
            store.marked.update(names)
            written.pending += len(names)
        case _:
            written.failed += len(names)
            written.failure = written.failure or result


class Pusher(_Writer):
    """Performs Push."""

    async def __call__(self, effect: Push, payload: PushSecretPayload) -> Outcome:
        """Creates and updates. Says of outer white space what the server makes of it."""
        assert payload.gathered is not None
        store = payload.gathered[effect.store]
        written = await self._write(payload, effect.store, _WRITTEN)
        for one in store.wanted:
            if one.entry.name in store.done and loses_white_space(one.entry):
                payload.notices.append(
                    Notice(
                        "WhiteSpaceDropped",
                        f'"{one.entry.name}": Infisical keeps no white space at the ends of a value, but for a final newline',
                    )
                )
        if not isinstance(written, _Written):
            return written
        return Pushed(pending=written.pending, failed=written.failed, failure=written.failure)


class Pruner(_Writer):
    """Performs Prune."""

    async def __call__(self, effect: Prune, payload: PushSecretPayload) -> Outcome:
        """Deletes. What was gone already counts as deleted."""
        written = await self._write(payload, effect.store, _DELETED)
        if not isinstance(written, _Written):
            return written
        return Pruned(pending=written.pending, failed=written.failed, failure=written.failure)
