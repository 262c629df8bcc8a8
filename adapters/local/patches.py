"""JSON patch (RFC 6902) and merge patch (RFC 7386), as pure functions on JSON values."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class PatchFailed(Exception):
    """A `test` did not hold, or a path is not there. The text says which operation, and quotes no value."""


def json_patch(document: Any, operations: Sequence[Mapping[str, Any]]) -> Any:
    """The document with all operations carried out. Raises PatchFailed; the document itself is left alone."""
    document = msgspec.json.decode(msgspec.json.encode(document))
    for index, operation in enumerate(operations):
        try:
            document = _perform(document, operation)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise PatchFailed(f"operation {index} ({operation.get('op')}) failed") from error
    return document


def merge_patch(target: Any, patch: Any) -> Any:
    """The target with a merge patch applied: null removes, objects merge, anything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _perform(document: Any, operation: Mapping[str, Any]) -> Any:
    path = _tokens(operation["path"])
    match operation["op"]:
        case "test":
            if _find(document, path) != operation.get("value"):
                raise ValueError("the value is another")
            return document
        case "add":
            return _add(document, path, operation["value"])
        case "remove":
            return _remove(document, path)
        case "replace":
            return _replace(document, path, operation["value"])
        case "move":
            source = _tokens(operation["from"])
            value = _find(document, source)
            return _add(_remove(document, source), path, value)
        case "copy":
            return _add(document, path, _find(document, _tokens(operation["from"])))
        case _:
            raise ValueError("no such operation")


def _tokens(pointer: str) -> list[str]:
    if pointer == "":
        return []
    if not pointer.startswith("/"):
        raise ValueError("a pointer starts with a slash")
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]


def _find(document: Any, path: list[str]) -> Any:
    for token in path:
        document = document[_index(token, document)] if isinstance(document, list) else document[token]
    return document


def _index(token: str, items: list[Any]) -> int:
    index = int(token)
    if not 0 <= index < len(items):
        raise IndexError(token)
    return index


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    *parents, last = path
    holder = _find(document, parents)
    if isinstance(holder, list):
        holder.insert(len(holder) if last == "-" or int(last) == len(holder) else _index(last, holder), value)
    else:
        holder[last] = value
    return document


def _replace(document: Any, path: list[str], value: Any) -> Any:
    """An API server, unlike the RFC, also replaces a member that is not there."""
    if path and isinstance(_find(document, path[:-1]), list):
        document = _remove(document, path)
    return _add(document, path, value)


def _remove(document: Any, path: list[str]) -> Any:
    *parents, last = path
    holder = _find(document, parents)
    if isinstance(holder, list):
        holder.pop(_index(last, holder))
    else:
        del holder[last]
    return document
