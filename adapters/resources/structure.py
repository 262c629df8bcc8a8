"""From the typed resources to structural schemas: what the API server checks, prunes and fills in.

A schema is a JSON object in the form of a CustomResourceDefinition's `openAPIV3Schema`, without references.
"""

import inspect as python
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from adapters.cluster import Kind
from adapters.resources.cluster_resources import ClusterExternalSecret, ClusterPushSecret
from adapters.resources.external_secrets import ExternalSecret
from adapters.resources.kinds import (
    CLUSTER_EXTERNAL_SECRET,
    CLUSTER_PUSH_SECRET,
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    PUSH_SECRET,
    SECRET_STORE,
)
from adapters.resources.metadata import Metadata
from adapters.resources.push_secrets import PushSecret
from adapters.resources.stores import ClusterSecretStore, SecretStore

Schema = dict[str, Any]

AnyResource = (
    SecretStore | ClusterSecretStore | ExternalSecret | ClusterExternalSecret | PushSecret | ClusterPushSecret
)

TYPES: dict[Kind, type[AnyResource]] = {
    SECRET_STORE: SecretStore,
    CLUSTER_SECRET_STORE: ClusterSecretStore,
    EXTERNAL_SECRET: ExternalSecret,
    CLUSTER_EXTERNAL_SECRET: ClusterExternalSecret,
    PUSH_SECRET: PushSecret,
    CLUSTER_PUSH_SECRET: ClusterPushSecret,
}


READABLE = "reconciler-readable"
"""Keyword for `parsing`: how a text that the API server takes as it comes is read. Not part of a CRD."""


@cache
def structure(kind: Kind) -> Schema:
    """The schema of a kind of ours, without its rules. Shared: do not change it. Raises KeyError for other kinds."""
    return _schema(inspect.type_info(TYPES[kind]))


def _schema(type_: inspect.Type) -> Schema:
    match type_:
        case inspect.Metadata(type=inner, extra_json_schema=keywords, extra=extra):
            readable = (extra or {}).get("readable")
            return _schema(inner) | ({READABLE: readable} if readable else {}) | (keywords or {})
        case inspect.StructType(cls=cls):
            # The API server itself knows what metadata looks like, and a schema must not say it again.
            return {"type": "object"} if cls is Metadata else _object(type_)
        case inspect.UnionType(types=types):
            return _union([each for each in types if not isinstance(each, inspect.NoneType)])
        case inspect.DictType(value_type=value):
            return {"type": "object", "additionalProperties": _schema(value)}
        case inspect.VarTupleType(item_type=item, min_length=shortest, max_length=longest):
            limits = {"minItems": shortest, "maxItems": longest}
            return {"type": "array", "items": _schema(item)} | _given(limits)
        case inspect.StrType(min_length=shortest, max_length=longest, pattern=pattern):
            return {"type": "string"} | _given(
                {"minLength": shortest, "maxLength": longest, "pattern": pattern}
            )
        case inspect.EnumType(cls=members):
            return {"type": "string", "enum": [member.value for member in members]}
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.IntType():
            return {"type": "integer"}
        case inspect.AnyType():
            return {}
    raise TypeError(f"no schema for {type_}")


def _given(keywords: dict[str, Any]) -> Schema:
    return {name: value for name, value in keywords.items() if value is not None}


def _union(types: list[inspect.Type]) -> Schema:
    if len(types) == 1:
        return _schema(types[0])
    if {type(each) for each in types} == {inspect.IntType, inspect.StrType}:
        return {"x-kubernetes-int-or-string": True}
    raise TypeError("a field may be of several types only as int | str, or with None")


def _object(type_: inspect.StructType) -> Schema:
    properties = {field.encode_name: _property(field) for field in type_.fields}
    required = sorted(
        field.encode_name for field in type_.fields if field.required and field.encode_name != "metadata"
    )
    schema: Schema = {
        "type": "object",
        "description": python.cleandoc(type_.cls.__doc__ or ""),
        "properties": properties,
    }
    return schema | ({"required": required} if required else {})


def _property(field: inspect.Field) -> Schema:
    schema = _schema(field.type)
    if isinstance(field.type, inspect.Metadata) and (field.type.extra or {}).get("stored"):
        if isinstance(field.default, msgspec.Struct):
            # Given as a whole, as by an API server: what its own fields have for stored defaults.
            stored = {
                name: each["default"] for name, each in schema["properties"].items() if "default" in each
            }
        else:
            stored = msgspec.to_builtins(field.default)
        schema["default"] = stored
    return schema
