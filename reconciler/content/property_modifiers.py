"""gjson's modifiers: a JSON value made from another one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from reconciler.content.json_text import JsonKind, JsonNode, parse
from reconciler.content.property_path import UnsupportedPathError

MAXIMAL_TEXT: Final = 4 * 1024 * 1024
"""How long a made text may get, in characters: four times what a Secret can hold."""

_ESCAPED: Final = re.compile('[\\x00-\\x1f"\\\\<>&\u2028\u2029]')
_SHORT_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


def made(text: str) -> JsonNode | None:
    """The value of a text that was put together; None where it is no JSON. Raises UnsupportedPathError beyond a limit."""
    if len(text) > MAXIMAL_TEXT:
        raise UnsupportedPathError
    return parse(text)


def made_list(items: Iterable[str]) -> JsonNode | None:
    """A list of values as they are written elsewhere."""
    return made("[" + ",".join(items) + "]")


def _members(node: JsonNode) -> list[tuple[str, JsonNode]]:
    return list(zip(node.literals, node.children, strict=True))


def _made_object(members: Iterable[tuple[str, JsonNode]]) -> JsonNode | None:
    return made("{" + ",".join([f"{literal}:{child.raw}" for literal, child in members]) + "}")


def _option(argument: str, name: str) -> bool:
    """Whether an argument is an object with this member true."""
    options = parse(argument)
    if options is None or options.kind is not JsonKind.OBJECT:
        return False
    chosen = [child for own, child in zip(options.names, options.children, strict=True) if own == name]
    return bool(chosen) and chosen[-1].kind is JsonKind.TRUE


def _this(node: JsonNode, argument: str) -> JsonNode | None:
    return node


def _keys(node: JsonNode, argument: str) -> JsonNode | None:
    if node.kind is JsonKind.OBJECT:
        return made_list(node.literals)
    return made_list(["null"] * (len(node.children) if node.kind is JsonKind.ARRAY else 1))


def _values(node: JsonNode, argument: str) -> JsonNode | None:
    if node.kind is JsonKind.ARRAY:
        return node
    return made_list([child.raw for child in (node.children if node.kind is JsonKind.OBJECT else [node])])


def _reverse(node: JsonNode, argument: str) -> JsonNode | None:
    if node.kind is JsonKind.ARRAY:
        return made_list([child.raw for child in reversed(node.children)])
    return _made_object(reversed(_members(node))) if node.kind is JsonKind.OBJECT else node


def _flatten(node: JsonNode, argument: str) -> JsonNode | None:
    if node.kind is not JsonKind.ARRAY:
        return node
    if not _option(argument, "deep"):
        parts = [child.inner if child.kind is JsonKind.ARRAY else child.raw for child in node.children]
        return made_list([part for part in parts if part])
    flat: list[str] = []
    waiting = list(reversed(node.children))
    while waiting:
        child = waiting.pop()
        if child.kind is JsonKind.ARRAY:
            waiting.extend(reversed(child.children))
        else:
            flat.append(child.raw)
    return made_list(flat)


def _join(node: JsonNode, argument: str) -> JsonNode | None:
    if node.kind is not JsonKind.ARRAY:
        return node
    objects = [child for child in node.children if child.kind is JsonKind.OBJECT]
    if _option(argument, "preserve"):
        return made("{" + ",".join([child.inner for child in objects if child.children]) + "}")
    joined: dict[str, tuple[str, JsonNode]] = {}
    for child in objects:
        for name, (literal, member) in zip(child.names, _members(child), strict=True):
            joined[name] = (joined[name][0] if name in joined else literal, member)
    return _made_object(joined.values())


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _SHORT_ESCAPES.get(character) or f"\\u{ord(character):04x}"


def _to_string(node: JsonNode, argument: str) -> JsonNode | None:
    return made('"' + _ESCAPED.sub(_escape, node.raw) + '"')


def _from_string(node: JsonNode, argument: str) -> JsonNode | None:
    return made(node.text) if node.kind is JsonKind.STRING else node


MODIFIERS: Final[dict[str, Callable[[JsonNode, str], JsonNode | None]]] = {
    "this": _this,
    "keys": _keys,
    "values": _values,
    "flatten": _flatten,
    "join": _join,
    "reverse": _reverse,
    "tostr": _to_string,
    "fromstr": _from_string,
}
"""By name: what it makes of a value, given the text of its argument; None where that is no value."""
