"""A JSON object read as several keys."""

from __future__ import annotations

from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.json_text import JsonKind, JsonNode
from reconciler.content.properties import read_json, select_node
from reconciler.content.values import Value


def extract(value: Value, *, key: str, property_path: str = "") -> dict[str, Value]:
    """Each property of a JSON object by its name: strings bare, null empty, anything else as written.

    The object is the whole value, or what `property_path` selects of it; JSON inside a selected string counts as
    well. Of a name that stands there twice the last one counts. `key` is the remote key that faults name. Raises
    ContentFault NOT_JSON, NOT_OBJECT, PROPERTY_ABSENT or PROPERTY_UNSUPPORTED.
    """
    node: JsonNode = (
        select_node(value, property_path, key=key) if property_path else read_json(value, key=key)
    )
    if node.kind is JsonKind.STRING and property_path:
        node = read_json(Value.of_text(node.text), key=key, property_path=property_path)
    if node.kind is not JsonKind.OBJECT:
        raise ContentFault(FaultKind.NOT_OBJECT, key=key, property_path=property_path or None)
    return {name: Value.of_text(child.text) for name, child in zip(node.names, node.children, strict=True)}
