"""JSON read with its source kept: every node knows the text it was written as, so nothing is ever re-serialised.

Strict JSON only. Nesting is bounded by memory, not by the stack. Objects keep every member, in order, repeated names
included: who looks one up decides which counts.
"""

from __future__ import annotations

import enum
import json
import re
from typing import Final


class JsonKind(enum.Enum):
    STRING = "string"
    NUMBER = "number"
    TRUE = "true"
    FALSE = "false"
    NULL = "null"
    OBJECT = "object"
    ARRAY = "array"


_SPACE: Final = re.compile(r"[ \t\n\r]*+")
_STRING: Final = re.compile(r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_WORDS: Final = {"t": JsonKind.TRUE, "f": JsonKind.FALSE, "n": JsonKind.NULL}
_OPENERS: Final = {"{": JsonKind.OBJECT, "[": JsonKind.ARRAY}
_CLOSERS: Final = {JsonKind.OBJECT: "}", JsonKind.ARRAY: "]"}
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class JsonNode:
    """One JSON value with its place in the source text.

    In an object `names` (and `literals`, the names as written, in quotes) run parallel to `children`.
    """

    __slots__ = ("children", "end", "kind", "literals", "names", "source", "start")

    def __init__(self, kind: JsonKind, source: str, start: int, end: int) -> None:
        self.kind = kind
        self.source = source
        self.start = start
        self.end = end
        self.names: list[str] = []
        self.literals: list[str] = []
        self.children: list[JsonNode] = []

    def __repr__(self) -> str:
        return f"<JSON {self.kind.value}>"

    @property
    def raw(self) -> str:
        """The text as it stands in the source."""
        return self.source[self.start : self.end]

    @property
    def inner(self) -> str:
        """What stands between a container's brackets, without the space around it."""
        return self.source[self.start + 1 : self.end - 1].strip(" \t\n\r")

    @property
    def text(self) -> str:
        """What a user reads: a string bare, null empty, anything else as it stands in the source."""
        if self.kind is JsonKind.STRING:
            return unquote(self.raw)
        if self.kind is JsonKind.NULL:
            return ""
        return self.raw


def unquote(literal: str) -> str:
    """The string that a valid JSON string literal stands for; half a surrogate pair becomes U+FFFD, as in Go."""
    if "\\" not in literal:
        return literal[1:-1]
    text: str = json.loads(literal)
    return _LONE_SURROGATE.sub("\ufffd", text)


def is_string_literal(text: str) -> bool:
    """Whether a text is one valid JSON string, quotes included."""
    return _STRING.fullmatch(text) is not None


def _skip_space(source: str, position: int) -> int:
    match = _SPACE.match(source, position)
    return position if match is None else match.end()


def _value_at(source: str, position: int) -> JsonNode | None:
    """The scalar at a position, or the container that opens there, still without children and end."""
    first = source[position : position + 1]
    if first in _OPENERS:
        return JsonNode(_OPENERS[first], source, position, position + 1)
    if first in _WORDS:
        kind = _WORDS[first]
        found = source.startswith(kind.value, position)
        return JsonNode(kind, source, position, position + len(kind.value)) if found else None
    kind, pattern = (JsonKind.STRING, _STRING) if first == '"' else (JsonKind.NUMBER, _NUMBER)
    match = pattern.match(source, position)
    return None if match is None else JsonNode(kind, source, position, match.end())


def _name_at(source: str, position: int, container: JsonNode) -> int | None:
    """Read a member's name and its colon into the container; where the value starts, None if there is no name."""
    match = _STRING.match(source, position)
    if match is None:
        return None
    position = _skip_space(source, match.end())
    if not source.startswith(":", position):
        return None
    literal = match.group()
    container.literals.append(literal)
    container.names.append(unquote(literal))
    return _skip_space(source, position + 1)


def _next_value(source: str, position: int, still_open: list[JsonNode]) -> int | None:
    """After a value: close what ends here, then give the place of the next value (len(source) after the last one).

    None where the text is not JSON. A container that was just opened is told by its having no children.
    """
    while still_open:
        container = still_open[-1]
        position = _skip_space(source, position)
        mark = source[position : position + 1]
        fresh = not container.children and container.end == container.start + 1
        if mark == _CLOSERS[container.kind]:
            container.end = position = position + 1
            still_open.pop()
            continue
        if not fresh:
            if mark != ",":
                return None
            position = _skip_space(source, position + 1)
        return _name_at(source, position, container) if container.kind is JsonKind.OBJECT else position
    return position if _skip_space(source, position) == len(source) else None


def parse(source: str) -> JsonNode | None:
    """The value that a text holds; None when the text is not one JSON value."""
    position: int | None = _skip_space(source, 0)
    still_open: list[JsonNode] = []
    root: JsonNode | None = None
    while position is not None:
        node = _value_at(source, position)
        if node is None:
            return None
        if root is None:
            root = node
        else:
            still_open[-1].children.append(node)
        if node.kind in _CLOSERS:
            still_open.append(node)
        position = _next_value(source, node.end, still_open)
        if not still_open and position is not None:
            return root
    return None
