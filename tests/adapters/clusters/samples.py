"""Objects that the tests send to a cluster."""

import base64
from typing import Any

from adapters.cluster import Done, Object, Read, Written

MANAGER = "externalsecrets.external-secrets.io/sample"


def secret(namespace: str, name: str = "sample", /, **data: str) -> Object:
    """A Secret with these plain values."""
    encoded = {key: encode(value) for key, value in data.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": encoded,
    }


def external_secret(namespace: str, name: str = "sample", **spec: Any) -> Object:
    """An ExternalSecret of one key."""
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "secretStoreRef": {"name": "store"},
            "data": [{"secretKey": "password", "remoteRef": {"key": "PASSWORD"}}],
            **spec,
        },
    }


def with_metadata(object: Object, **metadata: Any) -> Object:
    return {**object, "metadata": {**object["metadata"], **metadata}}


def encode(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def done(result: Read | Written) -> Object:
    """The object of a call that must have gone well."""
    assert isinstance(result, Done), result
    assert result.object is not None
    return result.object


def version_of(object: Object) -> str:
    version: str = object["metadata"]["resourceVersion"]
    return version


def plain(object: Object) -> dict[str, str]:
    """A Secret's decoded data."""
    return {key: base64.b64decode(value).decode() for key, value in (object.get("data") or {}).items()}
