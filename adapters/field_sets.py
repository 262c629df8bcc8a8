"""Sets of fields as `metadata.managedFields` writes them (`fieldsV1`), read and written.

A path is a tuple of elements in the API server's spelling: `("f:metadata", "f:labels", "f:app")`, a list's item
by its keys (`k:{"uid":"1"}`) or by its value (`v:"name"`).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Path = tuple[str, ...]
FieldSet = frozenset[Path]

_SELF = "."


def decode_fields(fields: Mapping[str, Any]) -> FieldSet:
    """The members of a `fieldsV1` value."""
    return frozenset(_members((), fields))


def encode_fields(members: Iterable[Path]) -> dict[str, Any]:
    """The `fieldsV1` value of a set: a tree, where a member that has children is marked by `.`."""
    tree: dict[str, Any] = {}
    chosen = frozenset(members)
    for path in sorted(chosen):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
    for path in chosen:
        node = tree
        for element in path:
            node = node[element]
        if node:
            node[_SELF] = {}
    return tree


def _members(path: Path, fields: Mapping[str, Any]) -> Iterator[Path]:
    if path and (not fields or _SELF in fields):
        yield path
    for element, below in fields.items():
        if element != _SELF:
            yield from _members((*path, element), below)
