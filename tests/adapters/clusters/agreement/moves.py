"""Random requests, as values that any cluster can be asked."""

import json
from typing import Any

import msgspec
from hypothesis import strategies as st

from adapters.cluster import Kind
from adapters.resources.kinds import EXTERNAL_SECRET, NAMESPACE, OUR_KINDS, SECRET
from tests.adapters.clusters.agreement.changes import patches, statuses
from tests.adapters.clusters.agreement.contents import KINDS, contents, right, texts

STALE, CURRENT = "stale", "current"
WRONG_UID = "00000000-0000-4000-8000-000000000000"
NOWHERE = "nowhere"
"""A namespace that is not there."""

WITH_STATUS = (NAMESPACE, *OUR_KINDS)


class Move(msgspec.Struct, frozen=True):
    """One request about the object `name` of a kind; names are made one's own by the cluster's player.

    `uid` and `version` may be CURRENT (what the object has at that moment) or STALE.
    """

    call: str  # apply | create | patch | status | delete | target | list
    kind: Kind
    name: str
    manager: str = "one"
    content: Any = None
    version: str | None = None
    uid: str | None = None
    namespace: str = ""  # in place of the story's own

    def __repr__(self) -> str:
        parts = [
            f"{field}={value!r}"
            for field in ("manager", "version", "uid", "namespace")
            if (value := getattr(self, field))
        ]
        return f"{self.call} {self.kind.name} {self.name} {' '.join(parts)} {json.dumps(self.content)}"


_NAMES = ["a"] * 8 + ["b"] * 4 + ["Wrong_Name"]
_MANAGERS = ["one", "one", "two", "two", "three"]
_VERSIONS = st.sampled_from([None, None, None, STALE, CURRENT])
_CALLS = ["apply"] * 4 + ["create", "patch", "patch", "status", "status", "delete", "list", "target"]
_SELECTIONS = [
    "", "x", "!x", "x=1", "x==1", "x!=1", "x in (1,2)", "x notin (1)", "x=1,y", "x in (1", "x=a b", "a b", ",", "x=1,,y",
]  # fmt: skip


@st.composite
def moves(draw: st.DrawFn, kinds: tuple[Kind, ...] = KINDS) -> Move:
    kind = draw(st.sampled_from(kinds))
    name, manager = draw(st.sampled_from(_NAMES)), draw(st.sampled_from(_MANAGERS))
    call = draw(st.sampled_from(_CALLS))
    version, uid = draw(_VERSIONS), draw(_VERSIONS)
    namespace = draw(st.sampled_from([""] * 15 + [NOWHERE])) if kind.namespaced else ""
    match call:
        case "apply" | "create":
            return Move(call, kind, name, manager, draw(contents(kind)), version, uid, namespace)
        case "patch":
            return Move(call, kind, name, manager, draw(patches(kind)), namespace=namespace)
        case "status":
            about = kind if kind in WITH_STATUS else draw(st.sampled_from([EXTERNAL_SECRET, kind]))
            content = draw(statuses(about if about in WITH_STATUS else EXTERNAL_SECRET))
            return Move(call, about, name, manager, content, version)
        case "delete" if kind != NAMESPACE or version == STALE or uid == STALE:
            return Move(call, kind, name, version=version, uid=uid, namespace=namespace)
        case "target" if kind == SECRET:
            return Move(call, SECRET, name, manager, (draw(texts()), draw(st.booleans())))
        case _:
            return Move("list", kind, name, content=draw(st.sampled_from(_SELECTIONS)))


@st.composite
def stories(draw: st.DrawFn, longest: int = 10) -> list[Move]:
    """Moves that have to do with each other: of one or two kinds, of which there mostly is one object already."""
    kinds = tuple(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=2, unique=True)))
    first = [
        Move(draw(st.sampled_from(["create", "apply"])), kind, "a", "one", right(kind))
        for kind in kinds
        if draw(st.integers(0, 4))
    ]
    return [*first, *draw(st.lists(moves(kinds), min_size=1, max_size=longest))]
