"""The record of a PushSecret, status.syncedPushSecrets: what it owns at its stores.

It names an entry before its first write at Infisical, and until its deletion has succeeded. Changes of it are merge
patches of what differs alone, so that a write of an older view takes nothing away.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.content.push_entries import Entry
from reconciler.payload import PushSecretPayload, StorePush
from reconciler.push_references import record_key

AWAITS = "awaitsApproval"
"""Key of an entry's metadata: which state of the source, by UID and resourceVersion, and which generation of the
PushSecret a change was filed for that a person has to approve. Of a deletion it is empty."""

RecordEntries = dict[str, dict[str, Any]]


def stamp_of(payload: PushSecretPayload, entry: Entry | None) -> dict[str, Any]:
    """What a change was filed for; of a deletion (None) nothing but that it was."""
    assert payload.object is not None
    if entry is None:
        return {}
    return {
        "uid": entry.source.uid,
        "resourceVersion": entry.source.version,
        "generation": payload.object["metadata"].get("generation", 0),
    }


def is_filed(payload: PushSecretPayload, number: int, name: str) -> bool:
    """Whether the change of this entry, as it is wanted now, was filed already and waits for a person."""
    recorded = payload.record.get(key_of(payload, number), {}).get(name) or {}
    metadata = recorded.get("metadata")
    stamp = metadata.get(AWAITS) if isinstance(metadata, Mapping) else None
    return stamp is not None and stamp == stamp_of(payload, payload.entry(number, name))


def key_of(payload: PushSecretPayload, number: int) -> str:
    """The name of a store in the record."""
    reference = payload.references[number]
    return record_key(reference.kind, reference.name or "")


def growth(payload: PushSecretPayload, number: int) -> dict[str, Any]:
    """The patch that names all that will be ours at a store, before it is written there."""
    assert payload.gathered is not None
    key, store = key_of(payload, number), payload.gathered[number]
    known = payload.record.get(key, {})
    return {key: {name: entry for name, entry in _owned(payload, number, store).items() if name not in known}}


def grows(payload: PushSecretPayload, number: int) -> bool:
    """Whether the record lacks something that will be ours at a store."""
    return bool(growth(payload, number)[key_of(payload, number)])


def change(payload: PushSecretPayload, settled: tuple[int, ...]) -> dict[str, Any]:
    """The patch from the record as it stands to what is ours after a run; empty where nothing changes.

    `settled`: the stores whose project is gone, with all that was in it.
    """
    if payload.gathered is None:
        return {}
    before: dict[str, RecordEntries] = {}
    after: dict[str, RecordEntries] = {}
    for number, store in payload.gathered.items():
        key = key_of(payload, number)
        known = payload.record.get(key, {})
        if key in payload.record:
            before[key] = known
        after[key] = _after(payload, number, store, known, settled=number in settled)
    return merge_patch(before, {key: entries for key, entries in after.items() if entries})


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch (RFC 7386) from one object to another: nothing but what differs. A null in `after` is no member:
    no merge patch can make one."""
    wished = {name: value for name, value in after.items() if value is not None}
    patch: dict[str, Any] = {name: None for name in before if name not in wished}
    for name, value in wished.items():
        known = before.get(name)
        if isinstance(known, Mapping) and isinstance(value, Mapping):
            if inner := merge_patch(known, value):
                patch[name] = inner
        elif known != value:
            patch[name] = value
    return patch


def _after(
    payload: PushSecretPayload, number: int, store: StorePush, before: RecordEntries, *, settled: bool
) -> RecordEntries:
    gone = {*store.forgotten, *store.removed}
    if settled:
        gone.update(removal.name for removal in store.removals)
    owned = _owned(payload, number, store)
    after: RecordEntries = {}
    for name, entry in {**before, **owned}.items():
        if name in gone:
            continue
        after[name] = entry
        if name in store.marked:
            metadata = entry.get("metadata")
            kept = dict(metadata) if isinstance(metadata, Mapping) else {}
            stamp = stamp_of(payload, payload.entry(number, name))
            after[name] = {**entry, "metadata": {**kept, AWAITS: stamp}}
    return after


def _owned(payload: PushSecretPayload, number: int, store: StorePush) -> RecordEntries:
    """The wanted entries that are ours, as the manifest has them."""
    if store.plan is None:
        return {}
    owned = set(store.plan.owned)
    return {one.entry.name: one.entry.recorded for one in store.wanted if one.entry.name in owned}
