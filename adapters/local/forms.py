"""The fields that each kind has, with their types: what an API server decodes, and what it can lay over an object.

Values out of range, texts of the wrong form and missing fields are the matter of `admission`.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from adapters.cluster import Kind, Object
from adapters.field_sets import Path
from adapters.resources.faults import Fault
from adapters.resources.kinds import CONFIG_MAP, NAMESPACE, OUR_KINDS, SECRET
from adapters.resources.schema_checks import prune
from adapters.resources.structure import Schema, structure

_UNIQUE_BY = "unique-by"  # the field by which items of a merged list are told apart; "" for the item itself
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_ANYTHING: Schema = {_PRESERVE: True}
_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_NUMBER: Schema = {"type": "integer"}
_TEXTS: Schema = {"type": "object", "additionalProperties": _TEXT}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _list(items: Schema, unique_by: str | None = None) -> Schema:
    unique = {} if unique_by is None else {_UNIQUE_BY: unique_by}
    return {"type": "array", "items": items, **unique}


_OWNER = _object(
    apiVersion=_TEXT, kind=_TEXT, name=_TEXT, uid=_TEXT, controller=_FLAG, blockOwnerDeletion=_FLAG
)
_METADATA = _object(
    **dict.fromkeys(("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"), _TEXT),
    **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), _TEXT),
    **dict.fromkeys(("generation", "deletionGracePeriodSeconds"), _NUMBER),
    **dict.fromkeys(("labels", "annotations"), _TEXTS),
    finalizers=_list(_TEXT, ""),
    ownerReferences=_list(_OWNER, "uid"),
    managedFields=_list(_ANYTHING),
)
_HEAD: dict[str, Schema] = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": _METADATA}
_CONDITION = _object(
    **dict.fromkeys(("type", "status", "reason", "message", "lastTransitionTime"), _TEXT),
)
_BUILT_IN: dict[Kind, Schema] = {
    SECRET: _object(**_HEAD, data=_TEXTS, stringData=_TEXTS, type=_TEXT, immutable=_FLAG),
    CONFIG_MAP: _object(**_HEAD, data=_TEXTS, binaryData=_TEXTS, immutable=_FLAG),
    NAMESPACE: _object(
        **_HEAD,
        spec=_object(finalizers=_list(_TEXT)),
        status=_object(phase=_TEXT, conditions=_list(_CONDITION, "type")),
    ),
}


@cache
def form(kind: Kind) -> Schema:
    """The fields of a kind, metadata included; anything for kinds that nobody here writes. Shared: do not change it."""
    if kind not in OUR_KINDS:
        return _BUILT_IN.get(kind, {**_ANYTHING, "type": "object", "properties": _HEAD})
    schema = structure(kind)
    return {**schema, "properties": {**schema["properties"], **_HEAD}}


def drop_unknown(kind: Kind, object: Object) -> list[str]:
    """Take out, in place, what the kind has no field for; answers the paths."""
    unknown: list[str] = []
    if isinstance(object.get("metadata"), dict):
        prune(object, form(kind), "", unknown)
    return unknown


def fits(kind: Kind, object: Object) -> bool:
    """Whether an object has known fields only, of the right types, and no item of a merged list twice."""
    return _fits(object, form(kind))


def map_entries(kind: Kind, object: Object) -> frozenset[Path]:
    """The paths of all entries of maps: members whose names the kind does not fix."""
    return frozenset(_map_entries(object, form(kind), ()))


def null_faults(kind: Kind, object: Object) -> Iterator[Fault]:
    """The nulls in an object of ours that neither may stay nor have a default. Only an apply can bring them in."""
    spec = object.get("spec")
    yield from _null_faults(spec, form(kind)["properties"]["spec"], "spec")


def without_useless_nulls(kind: Kind, object: Object) -> Any:
    """An object without the nulls that would be faults."""
    return _without_nulls(object, form(kind))


def _without_nulls(value: Any, schema: Schema) -> Any:
    if isinstance(value, list):
        return [_without_nulls(item, schema.get("items", {})) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, below in value.items():
        known = _below(schema, name)
        if below is not None or not _is_fault(known):
            kept[name] = _without_nulls(below, known)
    return kept


def _below(schema: Schema, name: str) -> Schema:
    below: Schema = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
    return below


def _is_fault(schema: Schema) -> bool:
    """Whether a null is wrong there, and nothing would be put in its place."""
    return bool(schema.get("type")) and not schema.get("nullable") and "default" not in schema


def _null_faults(value: Any, schema: Schema, path: str) -> Iterator[Fault]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _null_faults(item, schema.get("items", {}), f"{path}[{index}]")
    if not isinstance(value, dict):
        return
    for name, below in value.items():
        known = _below(schema, name)
        if below is None and _is_fault(known):
            yield Fault(f"{path}.{name}", "must not be null")
        yield from _null_faults(below, known, f"{path}.{name}")


def _fits(value: Any, schema: Schema, takes_anything: bool = False) -> bool:
    """`takes_anything`: below a field that keeps what is unknown, unknown fields are none further down either."""
    takes_anything = takes_anything or _PRESERVE in schema
    if value is None:
        return True
    match schema.get("type"):
        case "object":
            return isinstance(value, dict) and all(
                _fits_below(schema, name, below, takes_anything) for name, below in value.items()
            )
        case "array":
            return (
                isinstance(value, list)
                and all(_fits(item, schema["items"], takes_anything) for item in value)
                and _are_unique(value, schema.get(_UNIQUE_BY))
            )
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int | float) and not isinstance(value, bool)
    return "x-kubernetes-int-or-string" not in schema or not isinstance(value, dict | list)


def _fits_below(schema: Schema, name: str, value: Any, takes_anything: bool) -> bool:
    known = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
    return takes_anything if known is None else _fits(value, known, takes_anything)


def _are_unique(items: list[Any], unique_by: str | None) -> bool:
    if unique_by is None:
        return True
    keys = [item.get(unique_by) if unique_by else item for item in items]
    return len(keys) == len(set(keys))


def _map_entries(value: Any, schema: Schema, path: Path) -> Iterator[Path]:
    if not isinstance(value, dict):
        return
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name, below in value.items():
        member = (*path, f"f:{name}")
        if name not in properties:
            yield member
        yield from _map_entries(below, properties.get(name, others), member)
