"""Objects taken apart into fields, and put together again: merged, and with fields removed.

Objects merge field by field; a list is one field, except those that the API server merges by item: finalizers
(by value) and owner references (by uid).
"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from adapters.cluster import Object
from adapters.field_sets import Path

HOLDER = object()  # the value of a path that is not a field itself, but holds some

_KEYED_LISTS: dict[Path, str] = {("f:metadata", "f:ownerReferences"): "uid"}
_SETS: set[Path] = {("f:metadata", "f:finalizers")}
# Objects that our schemas declare atomic, outside of lists, which are atomic as a whole; and so are owners.
_ATOMIC: set[Path] = {
    ("f:status", "f:binding"),
    ("f:spec", "f:namespaceSelector"),
    ("f:spec", "f:selector", "f:secret", "f:selector"),
    ("f:spec", "f:pushSecretSpec", "f:selector", "f:secret", "f:selector"),
}
_NOBODYS: set[Path] = {
    ("f:apiVersion",),
    ("f:kind",),
    ("f:metadata",),
    *(
        ("f:metadata", f"f:{name}")
        for name in (
            "name",
            "namespace",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "managedFields",
        )
    ),
}
_ALWAYS_IN_NAMESPACES: set[Path] = {("f:spec",), ("f:status",)}


def fields_of(object: Object) -> dict[Path, Any]:
    """Every field that somebody can own, with its value (HOLDER for objects and items that hold fields)."""
    fields = {path: value for path, value in _walk((), object) if path not in _NOBODYS and path}
    if object.get("kind") == "Namespace":
        for path in _ALWAYS_IN_NAMESPACES:
            if fields.get(path) is HOLDER:
                del fields[path]
    return fields


def applied_fields(object: Object, entries: frozenset[Path]) -> frozenset[Path]:
    """The fields that an applied configuration owns: its leaves, the items of merged lists, and `entries` of maps."""
    return frozenset(
        path
        for path, value in fields_of(object).items()
        if path[-1].startswith("k:")
        or path in entries
        or (value is not HOLDER and not _is_empty_list(path, value))
    )


def _is_empty_list(path: Path, value: Any) -> bool:
    """Whether it is a merged list without items, which is no field."""
    return value == [] and (path in _SETS or path in _KEYED_LISTS)


def merged(live: Any, applied: Any, path: Path = ()) -> Any:
    """The live object with an applied configuration laid over it."""
    if isinstance(live, Mapping) and isinstance(applied, Mapping) and path not in _ATOMIC:
        below = {name: merged(live.get(name), value, (*path, f"f:{name}")) for name, value in applied.items()}
        return {**live, **below}
    if applied is None and live and _is_merged(live, path):
        return live  # a null says no more than an empty one
    if isinstance(live, list) and isinstance(applied, list) and (path in _SETS or path in _KEYED_LISTS):
        return _merged_items(live, applied, path)
    return applied


def _is_merged(value: Any, path: Path) -> bool:
    """Whether a field is merged part by part."""
    if isinstance(value, list):
        return path in _SETS or path in _KEYED_LISTS
    return isinstance(value, Mapping) and path not in _ATOMIC


def without(object: Any, removed: Collection[Path], held: Collection[Path], path: Path = ()) -> Any:
    """The object without some fields. What a removal leaves empty goes too, unless somebody holds it."""
    if isinstance(object, Mapping):
        return _without_members(object, removed, held, path)
    if isinstance(object, list) and (path in _SETS or path in _KEYED_LISTS):
        return [item for item in object if (*path, _item_element(item, path)) not in removed]
    return object


def _without_members(
    object: Mapping[str, Any], removed: Collection[Path], held: Collection[Path], path: Path
) -> dict[str, Any]:
    result = {}
    for name, value in object.items():
        below = (*path, f"f:{name}")
        if below in removed:
            continue
        left = without(value, removed, held, below)
        if left or not value:  # what was empty before stays
            result[name] = left
        elif below in held:  # somebody applied an empty one; what is left of a full one is a null
            result[name] = None
    return result


def _merged_items(live: list[Any], applied: list[Any], path: Path) -> list[Any]:
    """Both lists' items, in the order of the API server: the applied order, with the others where they were."""
    there = {_item_element(item, path): item for item in live}
    wanted = {_item_element(item, path): item for item in applied}
    result: list[Any] = []
    left, right = list(there), list(wanted)
    while left or right:
        shared = next((element for element in right if element in there), None)
        if left and left[0] not in wanted:
            result.append(there[left.pop(0)])
        elif left and (left[0] not in right or (left[0] != shared and right)):
            left.pop(0)  # taken already, or to be taken in the applied order
        else:
            result.append(wanted[right.pop(0)])
    return result


def _walk(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping) and value and path not in _ATOMIC:
        yield path, HOLDER
        for name, below in value.items():
            yield from _walk((*path, f"f:{name}"), below)
    elif isinstance(value, list) and value and (path in _SETS or path in _KEYED_LISTS):
        yield path, HOLDER
        for item in value:
            yield (*path, _item_element(item, path)), item
    else:
        yield path, value


def _item_element(item: Any, path: Path) -> str:
    if path in _SETS:
        return "v:" + json.dumps(item, separators=(",", ":"))
    key = _KEYED_LISTS[path]
    return "k:" + json.dumps({key: item.get(key)}, separators=(",", ":"))
