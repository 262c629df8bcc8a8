"""Which fields of a target Secret are ours, and how fields come to be ours that server-side apply would not free.

An apply removes what its manager applied before and does not apply any more, unless another entry of
`managedFields` holds it too. Two things are therefore settled by a JSON patch before or after it:

- Entries of operation Update under our own name, as External Secrets Operator leaves them, become part of our
  Apply entry. Kept beside it, they would hold on to keys for ever.
- Where the data are to be exactly ours, keys that others added or share are removed.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from adapters.cluster import Object
from adapters.field_sets import FieldSet, decode_fields, encode_fields

_PARTS = {
    "data": ("f:data",),
    "labels": ("f:metadata", "f:labels"),
    "annotations": ("f:metadata", "f:annotations"),
}


class Held(msgspec.Struct, frozen=True):
    """Names of what a field manager holds in a Secret."""

    data: frozenset[str]
    labels: frozenset[str]
    annotations: frozenset[str]


def held(observed: Object, manager: str) -> Held:
    """The data keys, labels and annotations that are this manager's, by whatever operation it wrote them."""
    fields = _fields(entry for entry in _entries(observed) if entry.get("manager") == manager)
    return Held(**{part: _names(fields, prefix) for part, prefix in _PARTS.items()})


def migration(
    observed: Object, manager: str, keys: Collection[str], *, exactly: bool
) -> list[Mapping[str, Any]] | None:
    """The JSON patch to send before an apply of the data keys `keys`; None where the apply alone will do.

    With `exactly`, keys that are not among `keys` and that the apply would leave go too. The patch holds for the
    observed resourceVersion only. Sent under our own name it makes no new entry, because it adds nothing.
    """
    entries = _entries(observed)
    old = [entry for entry in entries if _is_ours(entry, manager) and entry.get("operation") == "Update"]
    foreign = _left_by_apply(observed, manager, keys) if exactly else []
    if not old and not foreign:
        return None
    operations: list[Mapping[str, Any]] = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": observed["metadata"]["resourceVersion"]}
    ]
    if old:
        rewritten = _with_apply_entry(entries, manager)
        operations.append({"op": "replace", "path": "/metadata/managedFields", "value": rewritten})
    operations += [{"op": "remove", "path": f"/data/{_escaped(key)}"} for key in foreign]
    return operations


def _left_by_apply(observed: Object, manager: str, keys: Collection[str]) -> list[str]:
    """The unwanted data keys that an apply would not remove: those not ours, and those that others hold too."""
    others = _fields(entry for entry in _entries(observed) if not _is_ours(entry, manager))
    shared = _names(others, _PARTS["data"])
    ours = held(observed, manager).data
    present = observed.get("data") or {}
    return sorted(key for key in present if key not in keys and (key not in ours or key in shared))


def _with_apply_entry(entries: list[dict[str, Any]], manager: str) -> list[dict[str, Any]]:
    """All entries, with ours (at most one Apply, any number of Updates) made into one Apply entry."""
    ours = [entry for entry in entries if _is_ours(entry, manager)]
    fields = _without_holders(_fields(ours))
    newest = max(ours, key=lambda entry: str(entry.get("time", "")))
    applied = {**newest, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": encode_fields(fields)}
    return [applied, *(entry for entry in entries if not _is_ours(entry, manager))]


def _without_holders(fields: FieldSet) -> FieldSet:
    """Without the maps that merely hold other fields: an apply owns leaves, an update the maps it made as well."""
    return frozenset(
        path
        for path in fields
        if not any(len(other) > len(path) and other[: len(path)] == path for other in fields)
    )


def _is_ours(entry: Mapping[str, Any], manager: str) -> bool:
    return entry.get("manager") == manager and not entry.get("subresource")


def _entries(observed: Object) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = observed["metadata"].get("managedFields") or []
    return entries


def _fields(entries: Iterable[Mapping[str, Any]]) -> FieldSet:
    return frozenset[tuple[str, ...]]().union(
        *(decode_fields(entry.get("fieldsV1") or {}) for entry in entries)
    )


def _names(fields: FieldSet, prefix: tuple[str, ...]) -> frozenset[str]:
    depth = len(prefix)
    return frozenset(
        path[depth].removeprefix("f:") for path in fields if len(path) > depth and path[:depth] == prefix
    )


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
