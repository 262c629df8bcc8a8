"""Label and field selectors, in the API server's spelling."""

import re
from collections.abc import Mapping
from typing import Any

from adapters.cluster import Object, Selection

_REQUIREMENT = re.compile(
    r"""\s*(?:
        !\s*(?P<lacks>[^\s=!,()]+)
      | (?P<key>[^\s=!,()]+)\s+(?P<set>in|notin)\s*\((?P<values>[^)]*)\)
      | (?P<left>[^\s=!,()]+)\s*(?P<sign>==|=|!=)\s*(?P<value>[-A-Za-z0-9_.]*)
      | (?P<has>[^\s=!,()]+)
    )\s*(?:,|$)""",
    re.VERBOSE,
)


def matches(object: Object, selection: Selection) -> bool:
    """Whether an object of the right kind and namespace is selected. Raises ValueError for a malformed selector."""
    labels = object["metadata"].get("labels") or {}
    return _labels_match(labels, selection.labels) & _fields_match(object, selection.fields)


def check(selection: Selection) -> None:
    """Raises ValueError for malformed selectors."""
    matches({"metadata": {}}, selection)


def _labels_match(labels: Mapping[str, str], selector: str) -> bool:
    position, holds = 0, True
    while position < len(selector):
        found = _REQUIREMENT.match(selector, position)
        if found is None:
            raise ValueError("malformed label selector")
        holds = holds and _holds(labels, found)
        position = found.end()
    return holds


def _holds(labels: Mapping[str, str], requirement: re.Match[str]) -> bool:
    part = requirement.groupdict()
    if part["lacks"]:
        return part["lacks"] not in labels
    if part["has"]:
        return part["has"] in labels
    if part["set"]:
        among = labels.get(part["key"]) in {value.strip() for value in part["values"].split(",")}
        return among == (part["set"] == "in")
    return (labels.get(part["left"]) == part["value"]) == (part["sign"] != "!=")


def _fields_match(object: Object, selector: str) -> bool:
    holds = True
    for requirement in filter(None, selector.split(",")):
        found = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", requirement)
        if found is None:
            raise ValueError("malformed field selector")
        path, sign, wanted = found.groups()
        holds = holds and (_field(object, path) == wanted) == (sign != "!=")
    return holds


def _field(object: Object, path: str) -> str:
    value: Any = object
    for name in path.strip(".").split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return "" if value is None else str(value)
