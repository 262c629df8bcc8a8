"""Small objects of each kind that are taken as they are, for tests to change one thing in."""

import copy
from typing import Any

from adapters.cluster import Kind, Object
from adapters.resources.kinds import (
    CLUSTER_EXTERNAL_SECRET,
    CLUSTER_PUSH_SECRET,
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    PUSH_SECRET,
    SECRET_STORE,
)

Json = dict[str, Any]

_INFISICAL: Json = {
    "auth": {
        "universalAuthCredentials": {
            "clientId": {"name": "credentials", "key": "clientId"},
            "clientSecret": {"name": "credentials", "key": "clientSecret"},
        }
    },
    "secretsScope": {"projectSlug": "my-project", "environmentSlug": "dev"},
}
_EXTERNAL_SECRET: Json = {
    "secretStoreRef": {"name": "infisical"},
    "data": [{"secretKey": "password", "remoteRef": {"key": "PASSWORD"}}],
}
_PUSH_SECRET: Json = {
    "secretStoreRefs": [{"name": "infisical"}],
    "selector": {"secret": {"name": "source"}},
    "data": [{"match": {"secretKey": "password", "remoteRef": {"remoteKey": "PASSWORD"}}}],
}
_SPECS: dict[Kind, Json] = {
    SECRET_STORE: {"provider": {"infisical": _INFISICAL}},
    CLUSTER_SECRET_STORE: {"provider": {"infisical": _INFISICAL}},
    EXTERNAL_SECRET: _EXTERNAL_SECRET,
    CLUSTER_EXTERNAL_SECRET: {"externalSecretSpec": _EXTERNAL_SECRET, "namespaceSelectors": [{}]},
    PUSH_SECRET: _PUSH_SECRET,
    CLUSTER_PUSH_SECRET: {"pushSecretSpec": _PUSH_SECRET, "namespaceSelectors": [{}]},
}


def manifest(kind: Kind, spec: Json | None = None, name: str = "example") -> Object:
    """An object of this kind; with another spec, where one is given."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": name},
        "spec": copy.deepcopy(_SPECS[kind] if spec is None else spec),
    }


def with_changes(kind: Kind, changes: Json) -> Object:
    """The small object with values put at paths such as `spec.data[0].secretKey`; None takes a field out."""
    changed = manifest(kind)
    for path, value in changes.items():
        *parents, last = path.replace("[", ".[").split(".")
        node: Any = changed
        for parent in parents:
            node = node[int(parent[1:-1])] if parent.startswith("[") else node.setdefault(parent, {})
        if value is None:
            node.pop(last, None)
        elif last.startswith("["):
            node[int(last[1:-1])] = value
        else:
            node[last] = value
    return changed
