"""One property of a JSON value, by a path in gjson's syntax.

Names, list indexes, escapes, wildcards, `#`, queries, pipes and the common modifiers behave as in gjson. Not so: JSON
must be valid, a path that leads nowhere stays absent whatever is piped after it, an escaped wildcard is always plain,
and what is not supported (several paths in brackets, literals, JSON lines, other modifiers) is a fault.
"""

from __future__ import annotations

from typing import NamedTuple

from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.json_text import JsonKind, JsonNode, parse
from reconciler.content.property_modifiers import MODIFIERS, made, made_list
from reconciler.content.property_path import (
    CountStep,
    EachStep,
    IndexStep,
    QueryStep,
    Tail,
    UnsupportedPathError,
    check_length,
    check_start,
    list_step,
    modifier_step,
    name_step,
)
from reconciler.content.property_query import query_takes
from reconciler.content.values import Value


class _Hit(NamedTuple):
    """A search that ended: with a value (None: at a place that has none), and a path still to follow in it."""

    node: JsonNode | None
    pipe: str | None


def _text(value: Value) -> str | None:
    try:
        return value.reveal().decode()
    except UnicodeDecodeError:
        return None


def read_json(value: Value, *, key: str, property_path: str | None = None) -> JsonNode:
    """The JSON that a value holds. Raises ContentFault NOT_JSON, naming the key (and the property, if given)."""
    source = _text(value)
    node = None if source is None else parse(source)
    if node is None:
        raise ContentFault(FaultKind.NOT_JSON, key=key, property_path=property_path)
    return node


def _follow(node: JsonNode, path: str) -> JsonNode | None:
    """What a path leads to, pipe after pipe."""
    here: JsonNode | None = node
    rest: str | None = path
    while here is not None and rest is not None:
        check_start(rest)
        modifier = modifier_step(rest)
        if modifier is not None:
            here, rest = MODIFIERS[modifier.name](here, modifier.argument), modifier.pipe
        else:
            here, rest = _search(here, rest) or _Hit(None, None)
    return here


def _search(node: JsonNode, path: str) -> _Hit | None:
    """What the steps up to the next pipe lead to, the first way that leads anywhere; None where none does."""
    if node.kind is JsonKind.OBJECT:
        step = name_step(path)
        for name, child in zip(node.names, node.children, strict=True):
            if step.matches(name):
                hit = _onward(child, step.tail)
                if hit is not None:
                    return hit
        return None
    return _search_list(node, path) if node.kind is JsonKind.ARRAY else None


def _onward(node: JsonNode, tail: Tail) -> _Hit | None:
    return _Hit(node, tail.pipe) if tail.more is None else _search(node, tail.more)


def _search_list(node: JsonNode, path: str) -> _Hit | None:
    step = list_step(path)
    if isinstance(step, IndexStep):
        return _onward(node.children[step.index], step.tail) if step.index < len(node.children) else None
    if isinstance(step, CountStep):
        return _Hit(made(str(len(node.children))), step.tail.pipe)
    if isinstance(step, EachStep):
        found = [_follow(child, step.path) for child in node.children]
        return _Hit(made_list([each.raw for each in found if each is not None]), step.pipe)
    return None if step is None else _search_by_query(node, step)


def _search_by_query(node: JsonNode, step: QueryStep) -> _Hit | None:
    taken: list[str] = []
    for child in node.children:
        if not _is_taken(child, step):
            continue
        found = child if step.path is None else _follow(child, step.path)
        if not step.every:
            return _Hit(found, step.pipe)
        if found is not None:
            taken.append(found.raw)
    return _Hit(made_list(taken), step.pipe) if step.every else None


def _is_taken(child: JsonNode, step: QueryStep) -> bool:
    query = step.query
    if child.kind in (JsonKind.OBJECT, JsonKind.ARRAY):
        return query_takes(query, _follow(child, query.path))
    return query.path == "" and query_takes(query, child)


def select_node(value: Value, property_path: str, *, key: str) -> JsonNode:
    """What a path selects of a JSON value. Raises as `select` does."""
    root = read_json(value, key=key, property_path=property_path)
    kind = FaultKind.PROPERTY_ABSENT
    node: JsonNode | None = None
    try:
        check_length(property_path)
        node = _follow(root, property_path)
    except UnsupportedPathError:
        kind = FaultKind.PROPERTY_UNSUPPORTED
    if node is None:
        raise ContentFault(kind, key=key, property_path=property_path)
    return node


def select(value: Value, property_path: str, *, key: str) -> Value:
    """One property of a JSON value: a string bare, null empty, anything else as it is written there.

    `key` is the remote key that faults name. Raises ContentFault NOT_JSON, PROPERTY_ABSENT or PROPERTY_UNSUPPORTED.
    """
    return Value.of_text(select_node(value, property_path, key=key).text)
