"""One property of a JSON value, by a path in gjson's syntax."""

from __future__ import annotations

from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.json_text import JsonKind, JsonNode, parse
from reconciler.content.values import Value


def read_json(value: Value, *, key: str, property_path: str | None = None) -> JsonNode:
    """The JSON that a value holds. Raises ContentFault NOT_JSON, naming the key (and the property, if given)."""
    source = value.reveal().decode(errors="surrogateescape")
    node = None if any("\udc80" <= character <= "\udcff" for character in source) else parse(source)
    if node is None:
        raise ContentFault(FaultKind.NOT_JSON, key=key, property_path=property_path)
    return node


def _split(property_path: str) -> list[str] | None:
    """The names of a plain path, unescaped; None where it uses more than names, list indexes and escapes."""
    names = [""]
    characters = iter(property_path)
    for character in characters:
        if character == "\\":
            names[-1] += next(characters, "")
        elif character == ".":
            names.append("")
        elif character in "*?#|@":
            return None
        else:
            names[-1] += character
    return names


def _child(node: JsonNode, name: str) -> JsonNode | None:
    if node.kind is JsonKind.OBJECT:
        return next(
            (child for own, child in zip(node.names, node.children, strict=True) if own == name), None
        )
    if node.kind is JsonKind.ARRAY and name.isascii() and name.isdigit() and int(name) < len(node.children):
        return node.children[int(name)]
    return None


def select_node(value: Value, property_path: str, *, key: str) -> JsonNode:
    """What a path selects of a JSON value. Raises as `select` does."""
    node: JsonNode | None = read_json(value, key=key, property_path=property_path)
    names = _split(property_path)
    if names is None:
        raise ContentFault(FaultKind.PROPERTY_UNSUPPORTED, key=key, property_path=property_path)
    for name in names:
        node = None if node is None else _child(node, name)
    if node is None:
        raise ContentFault(FaultKind.PROPERTY_ABSENT, key=key, property_path=property_path)
    return node


def select(value: Value, property_path: str, *, key: str) -> Value:
    """One property of a JSON value: a string bare, null empty, anything else as it is written there.

    `key` is the remote key that faults name. Raises ContentFault NOT_JSON, PROPERTY_ABSENT or PROPERTY_UNSUPPORTED.
    """
    return Value.of_text(select_node(value, property_path, key=key).text)
