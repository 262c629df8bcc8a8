"""Manifests of what is pushed."""

from typing import Any

from adapters.cluster import Object


def source(name: str = "source", **data: str) -> Object:
    """A Secret to push from."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "Opaque",
        "stringData": data,
    }


def entry(secret_key: str | None, remote_key: str, **remote: str) -> dict[str, Any]:
    """An entry of data."""
    match: dict[str, Any] = {"remoteRef": {"remoteKey": remote_key, **remote}}
    if secret_key is not None:
        match["secretKey"] = secret_key
    return {"match": match}


def push_secret(*entries: dict[str, Any], name: str = "pushed", **spec: Any) -> Object:
    """A PushSecret from the Secret `source` to the store `infisical`."""
    return {
        "apiVersion": "external-secrets.io/v1alpha1",
        "kind": "PushSecret",
        "metadata": {"name": name},
        "spec": {
            "secretStoreRefs": [{"name": "infisical", "kind": "SecretStore"}],
            "selector": {"secret": {"name": "source"}},
            "data": list(entries),
            **spec,
        },
    }
