"""How an API server treats an object by its schema: it prunes, fills in defaults, and validates.

The three happen in this order, as the API server does them; the real one is the measure in the tests.
"""

import copy
import functools
from collections.abc import Iterator
from typing import Any

import re2  # type: ignore[import-untyped]  # ships neither stubs nor py.typed

from adapters.resources.faults import Fault
from adapters.resources.fields import NAME_PATTERN, NAMESPACE_PATTERN, SECRET_KEY_PATTERN
from adapters.resources.structure import Schema

_MAXIMUM = 2**63
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$"
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
_pattern = functools.cache(re2.compile)  # schemas have few; the library's own cache costs more than a search
_FORMATS = {"byte": (re2.compile(_BASE64), "base64"), "date-time": (re2.compile(_TIME), "a time in RFC 3339")}


def prune(value: Any, schema: Schema, path: str, unknown: list[str]) -> None:
    """Take out, in place, fields that the schema does not know, and nulls that it does not allow and cannot fill in.
    The paths of the unknown fields are added to `unknown`."""
    if isinstance(value, list):
        for index, each in enumerate(value):
            prune(each, schema.get("items", {_PRESERVE: True}), f"{path}[{index}]", unknown)
    if not isinstance(value, dict):
        return
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name in list(value):
        known = properties.get(name, others)
        field = f"{path}.{name}" if path else name
        if known is not None:
            prune(value[name], known, field, unknown)
            # A null that has a default is replaced by it later.
            if value[name] is None and not known.get("nullable") and "default" not in known:
                del value[name]
        elif not schema.get(_PRESERVE):
            unknown.append(field)
            del value[name]


def fill_in(value: Any, schema: Schema) -> None:
    """Add, in place, the defaults that the schema stores."""
    if isinstance(value, list):
        for each in value:
            fill_in(each, schema.get("items", {}))
    if not isinstance(value, dict):
        return
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name, known in properties.items():
        if "default" in known and (name not in value or (value[name] is None and not known.get("nullable"))):
            value[name] = copy.deepcopy(known["default"])
    for name, each in value.items():
        fill_in(each, properties.get(name, others))


def faults(value: Any, schema: Schema, path: str = "") -> Iterator[Fault]:
    """What the schema says against a value."""
    if value is None and schema.get("nullable"):
        return
    expected = schema.get("type")
    if _INT_OR_STRING in schema and not (_is_integer(value) or isinstance(value, str)):
        yield Fault(path, f"must be a number or a text, not {_kind_of(value)}")
    elif expected and not _is_of(value, expected):
        yield Fault(path, f"must be {_WORDS[expected]}, not {_kind_of(value)}")
    elif isinstance(value, str):
        yield from _faults_of_text(value, schema, path)
    elif isinstance(value, list):
        yield from _faults_of_size(len(value), schema, "Items", "entries", path)
        for index, each in enumerate(value):
            yield from faults(each, schema.get("items", {}), f"{path}[{index}]")
    elif isinstance(value, dict):
        yield from _faults_of_object(value, schema, path)


def _faults_of_object(value: dict[str, Any], schema: Schema, path: str) -> Iterator[Fault]:
    yield from _faults_of_size(len(value), schema, "Properties", "fields", path)
    for name in schema.get("required", []):
        if name not in value:
            yield Fault(f"{path}.{name}" if path else name, "required")
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name, each in value.items():
        yield from faults(each, properties.get(name, others), f"{path}.{name}" if path else name)


def _faults_of_text(value: str, schema: Schema, path: str) -> Iterator[Fault]:
    yield from _faults_of_size(len(value), schema, "Length", "characters", path)
    if "enum" in schema and value not in schema["enum"]:
        yield Fault(path, f"must be one of {', '.join(schema['enum'])}")
    if "pattern" in schema and not _pattern(schema["pattern"]).search(value):
        yield Fault(path, _FORMS.get(schema["pattern"], f"must match {schema['pattern']}"))
    if schema.get("format") in _FORMATS:
        pattern, meaning = _FORMATS[schema["format"]]
        if not pattern.search(value):
            yield Fault(path, f"must be {meaning}")


def _faults_of_size(size: int, schema: Schema, what: str, unit: str, path: str) -> Iterator[Fault]:
    shortest, longest = schema.get(f"min{what}"), schema.get(f"max{what}")
    if shortest is not None and size < shortest:
        yield Fault(path, f"must have at least {shortest} {unit}, not {size}")
    if longest is not None and size > longest:
        yield Fault(path, f"must have at most {longest} {unit}, not {size}")


_FORMS = {
    NAME_PATTERN: "must consist of lower-case letters, digits, '-' and '.', and begin and end with a letter or digit",
    NAMESPACE_PATTERN: "must consist of lower-case letters, digits and '-', and begin and end with a letter or digit",
    SECRET_KEY_PATTERN: "must consist of letters, digits, '-', '_' and '.'",
}
_WORDS = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
}


def _is_of(value: Any, expected: str) -> bool:
    match expected:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
    return _is_integer(value)


def _is_integer(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return -_MAXIMUM <= value < _MAXIMUM
    return isinstance(value, float) and value.is_integer() and abs(value) < 2**53


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
    return "an object"
