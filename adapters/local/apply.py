"""Who manages which field: server-side apply, and the bookkeeping of all other writes (`metadata.managedFields`).

The rules are those of Kubernetes' structured merge: an apply removes what its manager applied before, does not apply
any more, and nobody else manages; any other write takes the fields that it changes from all others.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from adapters.cluster import Object
from adapters.field_sets import FieldSet, Path, decode_fields, encode_fields
from adapters.local.field_values import HOLDER, applied_fields, fields_of, merged, without
from adapters.local.forms import map_entries
from adapters.resources.kinds import OUR_KINDS, kind_of

_UNKNOWN = (
    "before-first-apply"  # the manager of an object that nobody was noted for, by the API server's name
)


class Owner(msgspec.Struct, frozen=True):
    """What tells one entry of managedFields from another."""

    manager: str
    operation: str  # Apply | Update
    api_version: str
    subresource: str = ""


class Entry(msgspec.Struct, frozen=True):
    """The fields of one owner, and when it last took some."""

    fields: FieldSet
    time: str


Managed = dict[Owner, Entry]


def applied(live: Object | None, configuration: Object, manager: str, time: str) -> Object:
    """The object after a forced apply, whose entry has a new time even where nothing else is new."""
    before = live or {name: configuration[name] for name in ("apiVersion", "kind")} | {"metadata": {}}
    managed = managed_of(before)
    if live is not None and not managed:
        everything = frozenset(path for path in fields_of(live) if path[0] != "f:status")
        managed[Owner(_UNKNOWN, "Update", live["apiVersion"])] = Entry(everything, time)
    owner = Owner(manager, "Apply", configuration["apiVersion"])
    last = managed[owner].fields if owner in managed else frozenset()
    wanted = applied_fields(configuration, map_entries(kind_of(configuration), configuration))

    result = merged(_unmanaged(before), _unmanaged(configuration))
    held = frozenset[Path]().union(
        wanted, *(entry.fields for other, entry in managed.items() if other != owner)
    )
    # What only held such fields goes with all that is in it, defaults that nobody owns included
    gone = _with_holders(last) - _with_holders(held) - {("f:metadata",)}
    result = without(result, gone, held)
    changes = _changed(before, result)
    remaining = _taken(managed, changes, owner)
    remaining[owner] = Entry(wanted, time)
    return with_managed(result, remaining)


def updated(live: Object | None, new: Object, manager: str, time: str, subresource: str = "") -> Object:
    """The new object of a write that is no apply, with its manager noted for the fields that it changes.

    As on an API server, a write may itself rewrite managedFields; an unreadable rewriting is ignored.
    """
    before = live or {"metadata": {}}
    managed = managed_of(new) or managed_of(before)
    if _forgets_managers(new):
        managed = {}
    if live is not None and not managed:
        return with_managed(new, {})  # what nobody is noted for stays so, until the first apply
    changes = _changed(before, new)
    managed = _taken(managed, changes, None)
    took = changes.modified | changes.added
    if took:
        owner = Owner(manager, "Update", new["apiVersion"], subresource)
        previous = managed[owner].fields if owner in managed else frozenset()
        managed[owner] = Entry(previous | took, time)
    return with_managed(new, managed)


def managed_of(object: Mapping[str, Any]) -> Managed:
    """The entries of an object's managedFields; none where they cannot be read."""
    managed: Managed = {}
    for entry in object["metadata"].get("managedFields") or []:
        if entry.get("fieldsType") != "FieldsV1" or not isinstance(entry.get("fieldsV1"), dict):
            return {}
        owner = Owner(
            entry.get("manager", ""), entry["operation"], entry["apiVersion"], entry.get("subresource", "")
        )
        managed[owner] = Entry(decode_fields(entry["fieldsV1"]), entry.get("time", ""))
    return managed


def with_managed(object: Object, managed: Managed) -> Object:
    """The object with these entries, in the API server's order. Owners of nothing are left out."""
    entries = sorted(
        ((owner, entry) for owner, entry in managed.items() if entry.fields),
        key=lambda pair: (pair[0].operation, pair[1].time, pair[0].manager, pair[0].api_version),
    )
    metadata = {**object["metadata"], "managedFields": [_encoded(owner, entry) for owner, entry in entries]}
    if not metadata["managedFields"]:
        del metadata["managedFields"]
    return {**object, "metadata": metadata}


def _forgets_managers(new: Object) -> bool:
    """Whether a write takes back all that is noted. No entries mean it for built-in kinds, but not for ours."""
    entries = new["metadata"].get("managedFields")
    return entries == [{}] or (entries == [] and kind_of(new) not in OUR_KINDS)


class _Changes(msgspec.Struct, frozen=True):
    added: FieldSet
    modified: FieldSet
    removed: FieldSet


def _changed(before: Object, after: Object) -> _Changes:
    old, new = fields_of(before), fields_of(after)
    return _Changes(
        added=frozenset(new.keys() - old.keys()),
        modified=frozenset(path for path in new.keys() & old.keys() if _differ(old[path], new[path])),
        removed=frozenset(old.keys() - new.keys()),
    )


def _differ(old: Any, new: Any) -> bool:
    """Whether a field has changed; what becomes of a map's members is not a change of the map."""
    return bool(old != new) and not all(value is HOLDER or value == {} for value in (old, new))


def _taken(managed: Managed, changes: _Changes, applier: Owner | None) -> Managed:
    """The entries after a write: what changed is nobody's (the writer is noted by the caller), what went also."""
    changed = changes.modified | changes.added
    return {
        owner: Entry(entry.fields - changes.removed - changed, entry.time)
        for owner, entry in managed.items()
        if owner != applier
    }


def _with_holders(held: FieldSet) -> FieldSet:
    """The set, and everything that holds a member of it."""
    return held | {path[:length] for path in held for length in range(1, len(path))}


def _unmanaged(object: Object) -> Object:
    metadata = {name: value for name, value in object["metadata"].items() if name != "managedFields"}
    return {**object, "metadata": metadata}


def _encoded(owner: Owner, entry: Entry) -> dict[str, Any]:
    return {
        "manager": owner.manager,
        "operation": owner.operation,
        "apiVersion": owner.api_version,
        "time": entry.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": encode_fields(entry.fields),
        **({"subresource": owner.subresource} if owner.subresource else {}),
    }
