"""One property of a JSON object set, looked up or deleted by a path in sjson's syntax, all other text as it was.

`a.b` nests, `a\\.b` is the name `a.b`, a number is the index in a list (and makes a list where nothing is yet), `-1` adds
to a list, `:1` is the name `1`. What is written is what sjson writes, except that nothing of somebody else's is lost:

- Neither a value that is no object nor one further down the path (`a.b` where `a` is a text) gives way: NO_OBJECT.
- A wildcard, `#`, `|` or `@` without a backslash is a fault: PROPERTY_UNSUPPORTED.
- Elements of a list do not move when one before them is deleted: it becomes null, which counts as not there.
- `-1` reads and deletes the last element, and adds none while that one is the text already.

Of a name that occurs twice the first counts, and a deletion takes all.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec

from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.json_text import JsonKind, JsonNode, parse
from reconciler.content.json_writing import quote_property
from reconciler.content.property_path import MAXIMAL_STEPS

MAXIMAL_GAP: Final = 1000
"""How many elements may be made, as null, in front of the one that is set."""

_NUMBER: Final = re.compile("[0-9]{1,9}")
_CONTAINERS: Final = (JsonKind.OBJECT, JsonKind.ARRAY)
Result = TypeVar("Result")

_SPACE: Final = " \t\n\r"


class Step(msgspec.Struct, frozen=True):
    """One step of a path: a name, and whether it can be nothing else (`:1`)."""

    name: str
    is_name: bool

    @property
    def index(self) -> int | None:
        """The place in a list."""
        return int(self.name) if _NUMBER.fullmatch(self.name) else None

    @property
    def makes_list(self) -> bool:
        """Whether what is made for this step is a list."""
        return not self.is_name and (self.name == "-1" or self.index is not None)

    @property
    def is_end(self) -> bool:
        """Whether in a list this is its end: the last element, or the place behind it."""
        return not self.is_name and self.name == "-1"


Path = tuple[Step, ...]


class _UnsupportedError(Exception):
    """A path uses what cannot be written to."""


class _NoObjectError(Exception):
    """What is there is not what the path needs."""


def _steps(path: str) -> list[Step]:
    steps: list[Step] = []
    position = 0
    while position <= len(path):
        is_name = path.startswith(":", position)
        position += is_name
        name: list[str] = []
        while position < len(path) and path[position] != ".":
            if path[position] in "*?#|@":
                raise _UnsupportedError
            position += path[position] == "\\"
            name.append(path[position : position + 1])
            position += 1
        steps.append(Step("".join(name), is_name))
        position += 1
    return steps


def _may_meet(step: Step, other: Step) -> bool:
    if step.name == other.name:
        return True
    if not (step.makes_list and other.makes_list):
        return False
    return step.is_end or other.is_end or step.index == other.index


def _root(text: str) -> JsonNode:
    root = parse(text if text.strip(_SPACE) else "{}")
    if root is None or root.kind is not JsonKind.OBJECT:
        raise _NoObjectError
    return root


def _child(node: JsonNode, step: Step, *, with_end: bool) -> int | None:
    """Which child of a node a step means. `with_end`: `-1` means the last one of a list, else none."""
    if node.kind is JsonKind.OBJECT:
        return node.names.index(step.name) if step.name in node.names else None
    if node.kind is not JsonKind.ARRAY or not node.children:
        return None
    if step.is_end:
        return len(node.children) - 1 if with_end else None
    return step.index if step.index is not None and step.index < len(node.children) else None


def _found(root: JsonNode, path: Path) -> tuple[JsonNode, int] | None:
    """Where a path leads: to which child of which container."""
    node = root
    for step in path[:-1]:
        position = _child(node, step, with_end=True)
        if position is None:
            return None
        node = node.children[position]
    position = _child(node, path[-1], with_end=True)
    if position is None:
        return None
    is_gap = node.kind is JsonKind.ARRAY and node.children[position].kind is JsonKind.NULL
    return None if is_gap else (node, position)


def _value(root: JsonNode, path: Path) -> JsonNode | None:
    found = _found(root, path)
    return None if found is None else found[0].children[found[1]]


def _spliced(node: JsonNode, start: int, end: int, text: str) -> str:
    return node.source[:start] + text + node.source[end:]


def _built(path: Sequence[Step], literal: str) -> str:
    """The value at whose path the literal stands."""
    opened: list[str] = []
    closed: list[str] = []
    for step in path:
        if step.makes_list:
            opened.append("[" + "null," * _gap(step.index or 0))
            closed.append("]")
        else:
            opened.append("{" + quote_property(step.name) + ":")
            closed.append("}")
    return "".join(opened) + literal + "".join(reversed(closed))


def _gap(length: int) -> int:
    if length > MAXIMAL_GAP:
        raise _UnsupportedError
    return length


def _grown(node: JsonNode, path: Sequence[Step], literal: str) -> str:
    """A container with one more child: what leads to the literal."""
    step, *rest = path
    comma = "," if node.children else ""
    if node.kind is JsonKind.OBJECT:
        name = quote_property(step.name)
        return f"{node.raw[:-1]}{comma}{name}:{_built(rest, literal)}}}"
    if step.is_end:
        return f"{node.raw[:-1]}{comma}{_built(rest, literal)}]"
    if step.index is None or step.is_name:
        raise _NoObjectError
    gap = ["null"] * _gap(step.index - len(node.children))
    return "[" + ",".join([*(child.raw for child in node.children), *gap, _built(rest, literal)]) + "]"


def _set(text: str, path: Path, value: str) -> str:
    node = _root(text)
    found = _value(node, path)
    if found is not None and found.kind is JsonKind.STRING and found.text == value:
        return text
    literal = quote_property(value)
    for depth, step in enumerate(path):
        position = _child(node, step, with_end=False)
        if position is None:
            return _spliced(node, node.start, node.end, _grown(node, path[depth:], literal))
        node, rest = node.children[position], path[depth + 1 :]
        if not rest or node.kind is JsonKind.NULL:
            return _spliced(node, node.start, node.end, _built(rest, literal))
        if node.kind not in _CONTAINERS:
            break
    raise _NoObjectError


def _cleared(text: str, path: Path) -> str:
    node = _value(_root(text), path)
    if node is None or node.kind in _CONTAINERS:
        return text
    return _spliced(node, node.start, node.end, "null")


def _without(container: JsonNode, position: int) -> str:
    """The text without one child, and without the comma that goes with it."""
    source, children = container.source, container.children
    child = children[position]
    is_last = position == len(children) - 1
    if container.kind is JsonKind.ARRAY and not is_last:
        return _spliced(container, child.start, child.end, "null")
    if position > 0:
        return _spliced(container, source.index(",", children[position - 1].end), child.end, "")
    start = child.start if container.kind is JsonKind.ARRAY else container.start + 1
    end = child.end if is_last else source.index(",", child.end) + 1
    return _spliced(container, start, end, "")


def _delete(text: str, path: Path) -> str | None:
    root = _root(text)
    found = _found(root, path)
    if found is None:
        return text
    container, _ = found
    while found is not None:
        text = _without(*found)
        root = _root(text)
        found = _found(root, path) if container.kind is JsonKind.OBJECT else None
    return text if root.children else None


class Property(msgspec.Struct, frozen=True):
    """A place in the value of a remote secret: `key` and `written` are what faults name, `path` its steps.

    The texts that its methods take are a whole remote value; an empty one stands for `{}`. Each raises ContentFault
    NO_OBJECT for a value that is no object, and PROPERTY_UNSUPPORTED for a path that cannot be followed there.
    """

    key: str
    written: str
    path: Path

    @classmethod
    def read(cls, property_path: str, *, key: str) -> Property:
        """Raises ContentFault PROPERTY_UNSUPPORTED for a path that cannot be written to."""
        steps: list[Step] = []
        with contextlib.suppress(_UnsupportedError):  # raised below, without a context
            steps = _steps(property_path)
        if not property_path or not steps or len(steps) > MAXIMAL_STEPS:
            raise ContentFault(FaultKind.PROPERTY_UNSUPPORTED, key=key, property_path=property_path)
        return cls(key, property_path, tuple(steps))

    def overlaps(self, other: Property) -> bool:
        """Whether one leads to the other's place, above it or below it, so that both cannot be set."""
        return all(_may_meet(step, of_other) for step, of_other in zip(self.path, other.path, strict=False))

    def is_same(self, other: Property) -> bool:
        """Whether both are one place, however it is written."""
        return len(self.path) == len(other.path) and self.overlaps(other)

    def has(self, text: str) -> bool:
        """Whether there is anything."""
        return self._told(lambda: _value(_root(text), self.path) is not None)

    def get(self, text: str) -> str | None:
        """What is there: a string bare, null empty, anything else as written; None where nothing is."""
        node = self._told(lambda: _value(_root(text), self.path))
        return None if node is None else node.text

    def set(self, text: str, value: str) -> str:
        """The text with a string there; the text itself where that string is there already, however escaped."""
        return self._told(lambda: _set(text, self.path, value))

    def clear(self, text: str) -> str:
        """The text with null in place of what is there, unless that is an object, a list, or nothing."""
        return self._told(lambda: _cleared(text, self.path))

    def delete(self, text: str) -> str | None:
        """The text without what is there; itself where nothing is; None when no property is left at the top."""
        return self._told(lambda: _delete(text, self.path))

    def _told(self, work: Callable[[], Result]) -> Result:
        """What the work gives, with faults that name the place."""
        try:
            return work()
        except _NoObjectError:
            kind = FaultKind.NO_OBJECT
        except _UnsupportedError:
            kind = FaultKind.PROPERTY_UNSUPPORTED
        raise ContentFault(kind, key=self.key, property_path=self.written)
