"""What a rule is: something that a resource must fulfil beyond the types of its fields.

A rule has two spellings of one meaning: CEL, which the API server evaluates where our CRDs are installed, and a Python
predicate on the plain JSON value, for the local cluster, for `render`, and for clusters with other CRDs. Both see the
value after defaults were filled in. The tests send random objects to a real API server to show that the two agree.

A rule hangs at places: paths from the root of a kind, with `[]` for each element of a list.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from adapters.cluster import Kind


class Place(msgspec.Struct, frozen=True):
    """Where a rule hangs: `Place(EXTERNAL_SECRET, "spec.dataFrom[]")`."""

    kind: Kind
    path: str


class Rule(msgspec.Struct, frozen=True):
    """One rule. `name` is an identifier in lower case with hyphens; `message` says what is wrong and what to write.

    `holds` may rely on the value being as its schema wants it.
    """

    name: str
    places: tuple[Place, ...]
    cel: str
    message: str
    holds: Callable[[Any], bool]


class Broken(msgspec.Struct, frozen=True):
    """A rule that an object breaks, and the path of the value that breaks it, such as `spec.dataFrom[0]`."""

    rule: Rule
    path: str


def below(places: tuple[Place, ...], *paths: str) -> tuple[Place, ...]:
    """For each of the places, what is below it at each of the paths."""
    return tuple(Place(place.kind, f"{place.path}.{path}") for place in places for path in paths)


def values_at(value: Any, pattern: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """The values at a path pattern, each with its own path. Absent fields give none."""
    head, _, rest = pattern.partition(".")
    name, elements, _ = head.partition("[]")
    if name not in value:
        return
    inner, inner_path = value[name], f"{path}.{name}" if path else name
    several = [(f"{inner_path}[{index}]", each) for index, each in enumerate(inner)] if elements else None
    for each_path, each in [(inner_path, inner)] if several is None else several:
        if rest:
            yield from values_at(each, rest, each_path)
        else:
            yield each_path, each
