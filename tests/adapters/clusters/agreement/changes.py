"""Random JSON patches of every kind, and merge patches of its status."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from adapters.cluster import Kind
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
from tests.adapters.clusters.agreement.contents import OWNERS
from tests.adapters.clusters.samples import encode
from tests.resources.strategies import statuses as well_formed_statuses

Operation = Mapping[str, Any]


def _operation(op: str, path: str, *values: Any) -> list[Operation]:
    return [{"op": op, "path": path, "value": value} for value in values]


def _removals(*paths: str) -> list[Operation]:
    return [{"op": "remove", "path": path} for path in paths]


_OF_METADATA: list[Operation] = [
    *_operation("add", "/metadata/labels", {}, {"x": "1"}, {"x": "2", "y": "1"}, {"x": "a b"}, None),
    *_operation("add", "/metadata/labels/x", "1", "2", 1),
    *_operation("replace", "/metadata/annotations", {}, {"x": "1"}, {"z.w": "2"}),
    *_operation("add", "/metadata/finalizers", ["example.test/b"], ["example.test/a", "example.test/b"], []),
    *_operation("add", "/metadata/finalizers/-", "example.test/b", "example.test/c"),
    *_operation("add", "/metadata/ownerReferences", OWNERS[:1], OWNERS[:2], OWNERS[1:]),
    *_operation("add", "/metadata/managedFields", [], [{}]),
    *_operation("test", "/metadata/labels/x", "1", "2"),
    *_operation("replace", "/metadata/generation", 7),
    *_operation("replace", "/metadata/creationTimestamp", "2020-01-01T00:00:00Z"),
    *_operation("replace", "/metadata/name", "other"),
    *_operation("replace", "/kind", "Other"),
    *_operation("add", "/unknown", 1),
    *_removals(
        "/metadata/labels",
        "/metadata/labels/x",
        "/metadata/finalizers",
        "/metadata/finalizers/0",
        "/metadata/ownerReferences",
        "/metadata/ownerReferences/0",
        "/metadata/managedFields",
    ),
    {"op": "copy", "from": "/metadata/labels", "path": "/metadata/annotations"},
    {"op": "move", "from": "/metadata/labels/x", "path": "/metadata/labels/y"},
]
_OF_STORES: list[Operation] = [
    *_operation("replace", "/spec/provider/infisical/secretsScope/projectSlug", "other", ""),
    *_operation("add", "/spec/conditions", [{"namespaces": ["a"]}], [{"namespaceRegexes": ["("]}]),
    *_operation("add", "/spec/refreshInterval", 60, "5m", -1),
    *_operation("add", "/status", {"capabilities": "lost"}),
    *_removals("/spec/provider", "/spec/provider/infisical/auth", "/status"),
]
_OF_KINDS: dict[Kind, list[Operation]] = {
    SECRET: [
        *_removals("/data", "/data/x", "/data/y", "/data/z.w", "/type"),
        *_operation("add", "/data/x", encode("1"), encode("2"), "!"),
        *_operation("add", "/data", {}, {"y": encode("1")}, {"x": encode("2"), "z.w": encode("1")}),
        *_operation("add", "/immutable", True, False),
        *_operation("add", "/stringData", {"x": "5"}),
        *_operation("replace", "/type", "example.test/own"),
    ],
    CONFIG_MAP: [
        *_operation("add", "/data/x", "1", "9", 9),
        *_operation("add", "/data", {"y": "1"}, {}),
        *_operation("add", "/immutable", True, False),
        *_removals("/data/x", "/binaryData", "/data"),
    ],
    NAMESPACE: [
        *_operation("add", "/spec/finalizers", [], ["kubernetes", "example.test/a"]),
        *_operation("add", "/status", {"phase": "Terminating"}),
        *_removals("/metadata/labels/kubernetes.io~1metadata.name", "/spec", "/status"),
        *_operation("replace", "/metadata/labels/kubernetes.io~1metadata.name", "other"),
    ],
    EXTERNAL_SECRET: [
        *_operation("replace", "/spec/data/0/secretKey", "new", "a b"),
        *_operation("add", "/spec/data/-", {"secretKey": "m", "remoteRef": {"key": "M"}}, {"secretKey": "m"}),
        *_operation("add", "/status", {"syncedResourceVersion": "lost"}),
        *_operation("add", "/spec/target/creationPolicy", "Merge", "Bad", None),
        *_removals("/spec/data/0", "/spec/target", "/spec/data", "/spec"),
    ],
    CLUSTER_EXTERNAL_SECRET: [
        *_operation("add", "/spec/namespaceSelector", {"matchLabels": {"z": "1"}}, {}),
        *_operation("add", "/spec/namespaceSelectors/-", {}, {"matchLabels": {"y": "1"}}),
        *_removals("/spec/namespaceSelectors", "/spec/externalSecretSpec/data", "/spec/externalSecretSpec"),
    ],
    PUSH_SECRET: [
        *_operation("replace", "/spec/selector", {"secret": {"name": "t"}}, {}),
        *_operation("add", "/spec/secretStoreRefs/-", {"name": "new"}, {"name": "a b"}),
        *_removals("/spec/secretStoreRefs/0", "/spec/selector/secret", "/spec/data"),
    ],
    CLUSTER_PUSH_SECRET: [
        *_operation("add", "/spec/pushSecretSpec/deletionPolicy", "Delete", "Bad"),
        *_removals("/spec/namespaceSelectors", "/spec/pushSecretSpec/selector"),
    ],
    SECRET_STORE: _OF_STORES,
    CLUSTER_SECRET_STORE: _OF_STORES,
}


def patches(kind: Kind) -> st.SearchStrategy[list[Operation]]:
    """JSON patches of one to three operations."""
    choices = st.sampled_from(_OF_METADATA) | st.sampled_from(_OF_KINDS[kind])
    return st.lists(choices, min_size=1, max_size=3)


_CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["Ready", "Deleted"]), "status": st.sampled_from(["True", "False"])},
        optional={"lastTransitionTime": st.sampled_from(["2026-01-01T00:00:00Z", "yesterday"])},
    ),
    max_size=2,
    unique_by=lambda condition: condition["type"],
)
_PUSHED = {"SecretStore/a": {"K": {"match": {"remoteRef": {"remoteKey": "K"}}}}}
_STATUS_FIELDS: dict[Kind, dict[str, st.SearchStrategy[Any]]] = {
    NAMESPACE: {"phase": st.sampled_from(["Active", "Terminating", None])},
    EXTERNAL_SECRET: {
        "syncedResourceVersion": st.sampled_from(["1-x", "2-x", None, 1]),
        "refreshTime": st.sampled_from(["2026-01-01T00:00:00Z", None, "x"]),
        "binding": st.just({"name": "b"}) | st.none(),
    },
    PUSH_SECRET: {
        "syncedPushSecrets": st.sampled_from([_PUSHED, {"SecretStore/b": {}}, {"SecretStore/a": {"K": None}}, None]),
        "refreshTime": st.sampled_from(["2026-01-01T00:00:00Z", None]),
    },
    SECRET_STORE: {"capabilities": st.sampled_from(["ReadWrite", "ReadOnly", None])},
    CLUSTER_SECRET_STORE: {"capabilities": st.sampled_from(["ReadWrite", None])},
    CLUSTER_EXTERNAL_SECRET: {
        "provisionedNamespaces": st.sampled_from([["a"], ["a", "b"], []]),
        "failedNamespaces": st.sampled_from([[{"namespace": "a"}], [{}], None]),
    },
    CLUSTER_PUSH_SECRET: {"pushSecretName": st.sampled_from(["a", None]), "provisionedNamespaces": st.just(["a"])},
}  # fmt: skip


def statuses(kind: Kind) -> st.SearchStrategy[Any]:
    """Merge patches of the status."""
    more: dict[str, st.SearchStrategy[Any]] = {"unknown": st.just(1)}
    if kind in OUR_KINDS:
        more |= {"conditions": _CONDITIONS | st.none()}
    small = st.fixed_dictionaries({}, optional={**_STATUS_FIELDS[kind], **more})
    return st.one_of(small, small, well_formed_statuses(kind)) if kind in OUR_KINDS else small
