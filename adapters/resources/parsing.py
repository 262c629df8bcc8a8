"""From a plain JSON object to a typed resource, or to the list of what is wrong with it."""

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from adapters.cluster import Kind, Object
from adapters.resources import durations
from adapters.resources.faults import Fault, Faults
from adapters.resources.schema import admit
from adapters.resources.structure import READABLE, TYPES, AnyResource, Schema, structure

R = TypeVar("R", bound=AnyResource)

_READERS = {"duration": durations.seconds, "interval": durations.store_interval}


def parse(kind: Kind, object: Object) -> AnyResource | Faults:
    """The typed resource, checked by schema and rules whatever CRDs the cluster has, and every duration readable.

    Never raises for a bad object. `kind` is one of ours.
    """
    admitted = admit(kind, object)
    if isinstance(admitted, Faults):
        return admitted
    unreadable = tuple(_unreadable(admitted.object, structure(kind), ""))
    if unreadable:
        return Faults(unreadable)
    try:
        return msgspec.convert(admitted.object, TYPES[kind])
    except msgspec.ValidationError as error:
        return Faults((_fault(error),))


def parse_as(resource: type[R], object: Object) -> R | Faults:
    """The same for a kind that is known when the program is written: `parse_as(ExternalSecret, object)`."""
    parsed = parse(next(kind for kind, type_ in TYPES.items() if type_ is resource), object)
    assert isinstance(parsed, (resource, Faults))
    return parsed


def _unreadable(value: Any, schema: Schema, path: str) -> Iterator[Fault]:
    if READABLE in schema:
        try:
            _READERS[schema[READABLE]](value)
        except durations.DurationError as error:
            yield Fault(path, str(error))
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _unreadable(each, schema.get("items", {}), f"{path}[{index}]")
    if isinstance(value, dict):
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        for name, each in value.items():
            yield from _unreadable(each, properties.get(name, others), f"{path}.{name}" if path else name)


def _fault(error: msgspec.ValidationError) -> Fault:
    """What only the types noticed, such as malformed metadata. The text of msgspec holds types, never values."""
    message, _, path = str(error).partition(" - at `$")
    return Fault(path.strip("`.").replace("[...]", "[]"), message)
