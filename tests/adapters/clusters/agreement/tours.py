"""For each kind, a story that meets every end which a request can have: what chance might leave out."""

from collections.abc import Iterator
from typing import Any

from adapters.cluster import Kind, Object
from adapters.resources.kinds import CONFIG_MAP, NAMESPACE
from tests.adapters.clusters.agreement.contents import right
from tests.adapters.clusters.agreement.moves import CURRENT, NOWHERE, STALE, WITH_STATUS, Move

_WRONG = {"labels": {"a b": "1"}}
_UNKNOWN: dict[str, Any] = {"unknown": 1}

Ends = set[tuple[str, str, str]]


def tour(kind: Kind) -> list[Move]:
    """Requests of every verb that end in each way in turn."""
    good, wrong = right(kind), {**right(kind), "metadata": _WRONG}
    moves = [
        Move("create", kind, "a", content=wrong),
        Move("create", kind, "Wrong_Name", content=good),
        Move("patch", kind, "a", content=[]),
        Move("delete", kind, "a"),
        Move("apply", kind, "a", content=good, uid=STALE),
        Move("create", kind, "a", content=good, version=STALE),
        Move("create", kind, "a", content=good),
        Move("create", kind, "a", content=good),
        Move("apply", kind, "b", "one", {**good, **_UNKNOWN}),
        Move("apply", kind, "b", "one", good),
        Move("apply", kind, "b", "two", {**good, "metadata": {"labels": {"y": "1"}}}),
        Move("apply", kind, "b", "one", {**good, "metadata": {"finalizers": ["example.test/a"]}}),
        Move("apply", kind, "b", "one", wrong),
        Move("apply", kind, "b", "one", good, version=STALE),
        Move("apply", kind, "b", "one", good, uid=STALE),
        Move("apply", kind, "b", "one", good, uid=CURRENT, version=CURRENT),
        Move("patch", kind, "b", content=[{"op": "add", "path": "/metadata/labels", "value": {"y": "2"}}]),
        Move("patch", kind, "b", content=[{"op": "add", "path": "/metadata/labels", "value": _WRONG["labels"]}]),
        Move("patch", kind, "b", content=[{"op": "test", "path": "/metadata/uid", "value": "another"}]),
        Move("list", kind, "", content="x=1"),
        Move("list", kind, "", content="x in (1"),
        *_of_status(kind),
        *(_of_config_maps() if kind == CONFIG_MAP else []),
        *(_elsewhere(kind, good) if kind.namespaced else []),
        Move("delete", kind, "b", uid=STALE),
        Move("delete", kind, "b", version=STALE),
    ]  # fmt: skip
    if kind != NAMESPACE:  # which takes seconds to go, see test_namespaces
        finalizers = [{"op": "add", "path": "/metadata/finalizers", "value": ["example.test/b"]}]
        moves += [
            Move("patch", kind, "b", content=finalizers),
            Move("delete", kind, "b", uid=CURRENT, version=CURRENT),
            Move("patch", kind, "b", content=[{**finalizers[0], "value": ["example.test/c"]}]),
            Move("apply", kind, "b", "three", {**good, "metadata": {"annotations": {"x": "1"}}}),
            Move("patch", kind, "b", content=[{"op": "remove", "path": "/metadata/finalizers"}]),
            Move("delete", kind, "b"),
            Move("delete", kind, "a"),
            Move("create", kind, "a", content=good),
        ]
    return moves


def _of_status(kind: Kind) -> Iterator[Move]:
    field = (
        {"phase": "Active"} if kind == NAMESPACE else {"conditions": [{"type": "Ready", "status": "True"}]}
    )
    wrong = {"phase": "Terminating"} if kind == NAMESPACE else {"conditions": "none"}
    yield Move("status", kind, "none", content=field)
    if kind in WITH_STATUS:
        yield Move("status", kind, "b", "one", field, version=CURRENT)
        yield Move("status", kind, "b", "two", field, version=STALE)
        yield Move("status", kind, "b", "two", wrong)


def _of_config_maps() -> list[Move]:
    both = {**right(CONFIG_MAP), "data": {"k": "1"}, "binaryData": {"k": "eA=="}}
    return [Move("create", CONFIG_MAP, "c", content=both)]


def _elsewhere(kind: Kind, good: Object) -> list[Move]:
    return [Move(call, kind, "a", content=good, namespace=NOWHERE) for call in ("create", "apply")]


def reachable(kind: Kind) -> Ends:
    """Every verb and every end that it can have. Nobody is denied anything: a local cluster has no users.

    A read of one object is never refused, and only a watch expires (see test_expiry).
    """
    ends = {
        "get": "Done Absent",
        "list": "Listed Refused",
        "create": "Done Conflict Refused" + " Absent" * kind.namespaced,
        "apply": "Done Conflict Refused" + " Absent" * kind.namespaced,
        "patch": "Done Conflict Refused Absent",
        "status": "Done Conflict Refused Absent" if kind in WITH_STATUS else "Absent",
        "delete": "Conflict Absent" + " Done" * (kind != NAMESPACE),
        "watch": "ADDED MODIFIED BOOKMARK DELETED",
    }
    return {(verb, kind.name, end) for verb, words in ends.items() for end in words.split()}
