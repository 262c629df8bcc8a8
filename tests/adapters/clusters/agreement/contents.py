"""Random objects to ask for: right ones, whose fields meet those of other managers, and wrong ones."""

from typing import Any

from hypothesis import strategies as st

from adapters.cluster import Kind, Object
from adapters.resources.kinds import (
    CLUSTER_EXTERNAL_SECRET,
    CLUSTER_PUSH_SECRET,
    CLUSTER_SECRET_STORE,
    CONFIG_MAP,
    EXTERNAL_SECRET,
    NAMESPACE,
    OUR_KINDS,
    PUSH_SECRET,
    SECRET,
    SECRET_STORE,
)
from tests.adapters.clusters.samples import encode
from tests.resources.manifests import manifest
from tests.resources.strategies import objects

KINDS = (SECRET, CONFIG_MAP, NAMESPACE, *OUR_KINDS)
CLUSTER_WIDE = tuple(kind for kind in KINDS if not kind.namespaced)

Json = Any


def texts(values: str = "12") -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(st.sampled_from(["x", "y", "z.w"]), st.sampled_from(values), max_size=3)


def seldom(wrong: st.SearchStrategy[Json], right: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """One time in eight the wrong one."""
    return st.integers(0, 7).flatmap(lambda number: wrong if number == 7 else right)


OWNERS: list[dict[str, Any]] = [
    {"apiVersion": "example.test/v1", "kind": "Thing", "name": "one", "uid": "u1"},
    {"apiVersion": "example.test/v1", "kind": "Thing", "name": "two", "uid": "u2"},
    {"apiVersion": "example.test/v1", "kind": "Thing", "name": "two", "uid": "u2", "controller": True},
]
_WRONG_OWNERS: list[Json] = [
    {"apiVersion": "example.test/v1", "kind": "Thing", "name": "one"},
    {"apiVersion": "", "kind": "Thing", "name": "one", "uid": "u3"},
    {"apiVersion": "example.test/v1", "kind": "Thing", "name": "", "uid": "u3"},
]
_WRONG_LABELS: list[Json] = [{"a b": "1"}, {"x": "a b"}, {"x/": "1"}, {"x": 1}, "x"]
_WRONG_ANNOTATIONS: list[Json] = [{"a b": "1"}, {"x": 1}, {"/x": "1"}]
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "labels": seldom(st.sampled_from(_WRONG_LABELS), texts()),
        "annotations": seldom(st.sampled_from(_WRONG_ANNOTATIONS), texts()),
        "finalizers": seldom(
            st.sampled_from([["no-domain"], ["a b/c"], ["example.test/a", "example.test/a"]]),
            st.lists(st.sampled_from(["example.test/a", "example.test/b"]), unique=True),
        ),
        "ownerReferences": seldom(
            st.sampled_from([[owner] for owner in _WRONG_OWNERS] + [[OWNERS[2], {**OWNERS[2], "uid": "u4"}]]),
            st.lists(st.sampled_from(OWNERS), unique_by=lambda owner: owner["uid"]),
        ),
    },
)


def bare(kind: Kind) -> Object:
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": {}}


_SECRET_TYPES = ["Opaque", "kubernetes.io/basic-auth", "example.test/own", "kubernetes.io/tls"]
_SECRETS = st.fixed_dictionaries(
    {},
    optional={
        "data": seldom(
            st.sampled_from([{"a b": "MQ=="}, {"x": "!"}, {"x": 1}, ["x"], {"..": "MQ=="}]),
            texts().map(lambda data: {key: encode(value) for key, value in data.items()}),
        ),
        "type": st.sampled_from(_SECRET_TYPES),
        "immutable": st.booleans(),
        "stringData": texts("34"),
        "unknown": st.just(1),
    },
)
_CONFIG_MAPS = st.fixed_dictionaries(
    {},
    optional={
        "data": seldom(st.sampled_from([{"a b": "1"}, {"x": 1}, {"b": "also binary"}]), texts()),
        "immutable": st.booleans(),
        "binaryData": seldom(st.just({"b": "!"}), st.just({"b": "eA=="})),
        "unknown": st.just(1),
    },
)
_NAMESPACES = st.fixed_dictionaries(
    {},
    optional={
        "spec": st.sampled_from([{}, {"finalizers": ["kubernetes"]}]),
        "status": st.just({"phase": "Terminating"}),
    },
)

# Values of fields that two managers may want, by their paths. A field may also be left out.
_EXTERNAL: dict[str, list[Json]] = {
    "secretStoreRef": [{"name": "one"}, {"kind": "ClusterSecretStore"}, {"name": "two", "kind": "SecretStore"}],
    "refreshInterval": ["1h", "5m", "1h0m0s", "soon"],
    "refreshPolicy": ["OnChange", "Never"],
    "target": [{}, {"name": "t"}, {"creationPolicy": "Merge"}, {"creationPolicy": "Bad"}, {"immutable": True},
               {"template": {"data": {"x": "1"}}}, {"template": {"data": {"y": "1"}, "metadata": {"labels": {"x": "1"}}}}],
    "data": [[], [{"secretKey": "k", "remoteRef": {"key": "K"}}],
             [{"secretKey": key, "remoteRef": {"key": "K"}} for key in "kl"],
             [{"secretKey": key, "remoteRef": {"key": "K"}} for key in "kk"]],
    "dataFrom": [[{"find": {"path": "/"}}], [{}], [{"extract": {"key": "K"}}]],
    "unknown": [1],
}  # fmt: skip
_PUSH: dict[str, list[Json]] = {
    "secretStoreRefs": [[], [{"name": "one"}], [{"name": "two"}, {"labelSelector": {"matchLabels": {"x": "1"}}}]],
    "selector": [{"secret": {"name": "s"}}, {"secret": {"selector": {"matchLabels": {"x": "1"}}}},
                 {"secret": {"selector": {"matchLabels": {"y": "1"}}}}, {}],
    "deletionPolicy": ["Delete", "None", "Bad"],
    "refreshInterval": ["1h", "soon"],
    "data": [[{"match": {"secretKey": "k", "remoteRef": {"remoteKey": "K"}}}], [{"match": {}}]],
    "dataTo": [[{"storeRef": {"name": "one"}}], [{}]],
}  # fmt: skip
_STORE: dict[str, list[Json]] = {
    "controller": ["a", "b"],
    "refreshInterval": [60, "5m", 0],
    "retrySettings": [{"maxRetries": 3}, {"retryInterval": "10s"}, {"maxRetries": "3"}],
    "conditions": [[{"namespaces": ["a"]}], [{"namespaceRegexes": ["("]}], []],
    "provider": [{}, {"fake": {"data": [1]}}, {"infisical": {}}],
}
_FIELDS: dict[Kind, dict[str, list[Json]]] = {
    EXTERNAL_SECRET: _EXTERNAL,
    PUSH_SECRET: _PUSH,
    SECRET_STORE: _STORE,
    CLUSTER_SECRET_STORE: _STORE,
    CLUSTER_EXTERNAL_SECRET: {
        "externalSecretName": ["a", "A_B"],
        "namespaceSelector": [{"matchLabels": {"x": "1"}}, {"matchLabels": {"y": "1"}}, {}],
        "namespaceSelectors": [[{"matchLabels": {"x": "1"}}], [{}, {}]],
        "namespaces": [["a"], ["a", "b"]],
        "refreshTime": ["1h", "soon"],
    },
    CLUSTER_PUSH_SECRET: {
        "pushSecretName": ["a", "A_B"],
        "pushSecretMetadata": [
            {"labels": {"x": "1"}},
            {"labels": {"y": "1"}, "annotations": {}},
            {"labels": {"x": 1}},
        ],
        "namespaceSelectors": [[{"matchLabels": {"x": "1"}}], []],
        "refreshTime": ["1h", "soon"],
    },
}


def _ours(kind: Kind) -> st.SearchStrategy[Object]:
    """Mostly a small object with some fields more or instead, otherwise one made from the schema."""
    fields = st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(values) for name, values in _FIELDS[kind].items()}
    )
    small = fields.map(lambda more: {"spec": {**manifest(kind)["spec"], **more}})
    return st.one_of(small, small, small, objects(kind).map(lambda object: {"spec": object["spec"]}))


_CONTENTS: dict[Kind, st.SearchStrategy[Json]] = {
    SECRET: _SECRETS,
    CONFIG_MAP: _CONFIG_MAPS,
    NAMESPACE: _NAMESPACES,
    **{kind: _ours(kind) for kind in OUR_KINDS},
}


def right(kind: Kind) -> Object:
    """A small object that is taken, with a label that watches look for."""
    object = manifest(kind) if kind in OUR_KINDS else bare(kind)
    return {**object, "metadata": {"labels": {"x": "1"}}}


@st.composite
def contents(draw: st.DrawFn, kind: Kind) -> Object:
    """An object of a kind, without a name."""
    return {**bare(kind), "metadata": draw(METADATA), **draw(_CONTENTS[kind])}
