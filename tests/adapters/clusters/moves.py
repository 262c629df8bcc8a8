"""Random requests, as values that any cluster can be asked."""

from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import strategies as st

from adapters.cluster import Cluster, Done, Kind, Object, Read, Refused, Written
from adapters.resources.kinds import CONFIG_MAP, EXTERNAL_SECRET, SECRET
from adapters.target_fields import migration
from tests.adapters.clusters.samples import encode, external_secret, secret, with_metadata

STALE, CURRENT = "stale", "current"
WRONG_UID = "00000000-0000-4000-8000-000000000000"


class Move(msgspec.Struct, frozen=True):
    """One request about the object `name` of a kind."""

    call: str
    kind: Kind
    name: str
    manager: str = "one"
    content: Any = None
    version: str | None = None
    uid: str | None = None


def texts(values: str = "12") -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(["x", "y", "z.w"]), st.sampled_from(values), max_size=3)


OWNERS: list[dict[str, str]] = [
    {"apiVersion": "example.test/v1", "kind": "Thing", "name": f"o{number}", "uid": f"u{number}"}
    for number in range(2)
]
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "labels": texts(),
        "annotations": texts(),
        "finalizers": st.lists(st.sampled_from(["example.test/a", "example.test/b"]), unique=True),
        "ownerReferences": st.lists(st.sampled_from(OWNERS), unique_by=str),
    },
)


@st.composite
def secrets(draw: st.DrawFn) -> Object:
    object = with_metadata(secret(""), **draw(METADATA))
    data = draw(st.none() | texts())
    object["data"] = None if data is None else {key: encode(value) for key, value in data.items()}
    object |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(["Opaque", "kubernetes.io/basic-auth", "example.test/own"]),
                "immutable": st.booleans(),
                "stringData": texts("34"),
            },
        )
    )
    return {name: value for name, value in object.items() if value is not None}


@st.composite
def config_maps(draw: st.DrawFn) -> Object:
    object = with_metadata({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}, **draw(METADATA))
    return object | draw(
        st.fixed_dictionaries(
            {}, optional={"data": texts(), "immutable": st.booleans(), "binaryData": st.just({"b": "eA=="})}
        )
    )


@st.composite
def external_secrets(draw: st.DrawFn) -> Object:
    spec: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "refreshInterval": st.sampled_from(["1h", "5m"]),
                "target": st.fixed_dictionaries(
                    {}, optional={"name": st.just("t"), "creationPolicy": st.sampled_from(["Merge", "Bad"])}
                ),
                "unknown": st.just(1),
                "data": st.sampled_from([[], [{"secretKey": "k", "remoteRef": {"key": "K"}}]]),
            },
        )
    )
    return with_metadata(external_secret("", **spec), **draw(METADATA))


def operations(*more: st.SearchStrategy[Mapping[str, Any]]) -> st.SearchStrategy[list[Mapping[str, Any]]]:
    """JSON patches of metadata, and whatever else a kind has."""

    def operation(op: str, path: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Mapping[str, Any]]:
        return values.map(lambda value: {"op": op, "path": path, "value": value})

    removals = ["/metadata/labels", "/metadata/labels/x", "/metadata/finalizers", "/metadata/ownerReferences"]
    return st.lists(
        st.one_of(
            operation("add", "/metadata/labels", texts()),
            operation("add", "/metadata/labels/x", st.sampled_from("12")),
            operation("replace", "/metadata/annotations", texts()),
            operation("add", "/metadata/finalizers", st.just(["example.test/b"])),
            operation("add", "/metadata/ownerReferences", st.just(OWNERS[:1])),
            operation("add", "/metadata/managedFields", st.sampled_from([[], [{}]])),
            operation("test", "/metadata/labels/x", st.sampled_from("12")),
            st.sampled_from(removals).map(lambda path: {"op": "remove", "path": path}),
            *more,
        ),
        min_size=1,
        max_size=3,
    )


VALUES = st.sampled_from([encode(value) for value in "12"])
SECRET_PATCHES = operations(
    st.sampled_from(["x", "y", "z.w"]).map(lambda key: {"op": "remove", "path": f"/data/{key}"}),
    VALUES.map(lambda value: {"op": "add", "path": "/data/x", "value": value}),
    texts().map(
        lambda data: {"op": "add", "path": "/data", "value": {k: encode(v) for k, v in data.items()}}
    ),
    st.just({"op": "add", "path": "/immutable", "value": True}),
    st.just({"op": "remove", "path": "/data"}),
)
CONFIG_MAP_PATCHES = operations(
    st.just({"op": "add", "path": "/data/x", "value": "9"}), st.just({"op": "remove", "path": "/data/x"})
)
RESOURCE_PATCHES = operations(
    st.just({"op": "replace", "path": "/spec/data/0/secretKey", "value": "new"}),
    st.just({"op": "add", "path": "/spec/data/-", "value": {"secretKey": "m", "remoteRef": {"key": "M"}}}),
    st.just({"op": "remove", "path": "/spec/data/0"}),
    st.just({"op": "add", "path": "/status", "value": {"syncedResourceVersion": "lost"}}),
    st.just({"op": "remove", "path": "/spec/target"}),
)
CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["Ready", "Deleted"]), "status": st.sampled_from(["True", "False"])}
    ),
    max_size=2,
    unique_by=lambda condition: condition["type"],
)
STATUSES = st.fixed_dictionaries(
    {},
    optional={
        "syncedResourceVersion": st.sampled_from(["1-x", "2-x", None]),
        "conditions": CONDITIONS | st.none(),
        "unknown": st.just(1),
        "binding": st.just({"name": "b"}) | st.none(),
    },
)

_MADE = {SECRET: secrets(), CONFIG_MAP: config_maps(), EXTERNAL_SECRET: external_secrets()}
_PATCHES = {SECRET: SECRET_PATCHES, CONFIG_MAP: CONFIG_MAP_PATCHES, EXTERNAL_SECRET: RESOURCE_PATCHES}
_VERSIONS = st.sampled_from([None, None, STALE, CURRENT])


@st.composite
def moves(draw: st.DrawFn) -> Move:
    kind = draw(st.sampled_from([SECRET, SECRET, SECRET, EXTERNAL_SECRET, CONFIG_MAP]))
    name = draw(st.sampled_from(["a", "a", "b"]))
    manager = draw(st.sampled_from(["one", "two"]))
    call = draw(st.sampled_from(["apply", "apply", "create", "patch", "patch", "status", "delete", "target"]))
    version, uid = draw(_VERSIONS), draw(_VERSIONS)
    match call:
        case "apply" | "create":
            return Move(call, kind, name, manager, draw(_MADE[kind]), version, uid)
        case "patch":
            return Move(call, kind, name, manager, draw(_PATCHES[kind]))
        case "status":
            return Move(call, EXTERNAL_SECRET, name, manager, draw(STATUSES), version)
        case "delete":
            return Move(call, kind, name, version=version, uid=uid)
        case _:
            return Move("target", SECRET, name, manager, (draw(texts()), draw(st.booleans())))


async def make(cluster: Cluster, place: str, move: Move) -> Read | Written:
    """Ask a cluster. CURRENT stands for what the object has at this moment."""
    there = await cluster.get(move.kind, place, move.name)
    metadata = there.object["metadata"] if isinstance(there, Done) and there.object else {}
    version = {CURRENT: metadata.get("resourceVersion"), STALE: "1", None: None}[move.version]
    uid = {CURRENT: metadata.get("uid"), STALE: WRONG_UID, None: None}[move.uid]
    match move.call:
        case "apply":
            return await cluster.apply(_at(place, move), move.manager, uid=uid, version=version)
        case "create":
            return await cluster.create(_at(place, move), move.manager)
        case "patch":
            return await cluster.patch(move.kind, place, move.name, move.content, move.manager)
        case "status":
            where = (move.kind, place, move.name)
            return await cluster.patch_status(*where, move.content, move.manager, version=version)
        case "delete":
            return await cluster.delete(move.kind, place, move.name, uid=uid, version=version)
        case _:
            return await _write_target(cluster, place, move, there)


async def _write_target(cluster: Cluster, place: str, move: Move, there: Read) -> Read | Written:
    data, exactly = move.content
    if isinstance(there, Done) and there.object is not None:
        changes = migration(there.object, move.manager, data.keys(), exactly=exactly)
        if changes is not None:
            written = await cluster.patch(SECRET, place, move.name, changes, move.manager)
            if not isinstance(written, Done):
                return written
    return await cluster.apply(secret(place, move.name, **data), move.manager)


def _at(place: str, move: Move) -> Object:
    return with_metadata(move.content, namespace=place, name=move.name)


def comparable(result: Read | Written) -> object:
    """A result without what two clusters cannot have in common: uids, versions, times."""
    if isinstance(result, Done):
        return None if result.object is None else comparable_object(result.object)
    return result if isinstance(result, Refused) else type(result).__name__


def comparable_object(object: Object) -> Object:
    metadata = {
        name: value
        for name, value in object["metadata"].items()
        if name not in ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "namespace")
    }
    metadata["isGoing"] = "deletionTimestamp" in object["metadata"]
    entries = [{**entry, "time": None} for entry in metadata.get("managedFields", [])]
    metadata["managedFields"] = sorted(
        entries, key=lambda entry: (entry["operation"], entry["manager"], entry.get("subresource", ""))
    )
    return {**object, "metadata": metadata}
