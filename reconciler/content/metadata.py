"""The Secret that an ExternalSecret wants, and the names by which it marks what is its own."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from reconciler.content.hashes import created_by, data_hash, name_hash
from reconciler.content.values import Value, reveal_all

LABEL_MANAGED: Final = "reconcile.external-secrets.io/managed"
LABEL_CREATED_BY: Final = "reconcile.external-secrets.io/created-by"
ANNOTATION_DATA_HASH: Final = "reconcile.external-secrets.io/data-hash"
MANAGED: Final = "true"

_MANAGER_PREFIX: Final = "externalsecrets.external-secrets.io/"
_MANAGER_LIMIT: Final = 63


class Owner(msgspec.Struct, frozen=True):
    """The ExternalSecret that a target Secret is made for."""

    namespace: str
    name: str
    uid: str
    api_version: str = "external-secrets.io/v1"
    kind: str = "ExternalSecret"


def field_manager(name: str) -> str:
    """The field manager under which the ExternalSecret of this name writes; a name too long for it is hashed."""
    manager = _MANAGER_PREFIX + name
    return manager if len(manager) <= _MANAGER_LIMIT else f"{_MANAGER_PREFIX}sha3/{name_hash(name)}"


def owner_reference(owner: Owner) -> dict[str, Any]:
    """The controller's ownerReference: garbage collection removes the target with its ExternalSecret."""
    return {
        "apiVersion": owner.api_version,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def desired_secret(
    name: str,
    data: Mapping[str, Value],
    owner: Owner,
    *,
    owned: bool,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    kept_data: Mapping[str, bytes] | None = None,
    secret_type: str = "Opaque",
    immutable: bool = False,
) -> dict[str, Any]:
    """The target Secret as its field manager applies it, data in base64: it holds values, so it is not for showing.

    `labels` and `annotations` are those to copy (of the resource, or of its template). `owned` adds the controller's
    ownerReference and the created-by label (creation policy Owner). `kept_data` is the others' data that stays in the
    target (Merge, CreateOrMerge): it counts for the data-hash, which is over the whole Secret.
    """
    contents = reveal_all(data)
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": owner.namespace,
        "labels": {**labels, LABEL_MANAGED: MANAGED},
        "annotations": {**annotations, ANNOTATION_DATA_HASH: data_hash({**(kept_data or {}), **contents})},
    }
    if owned:
        metadata["labels"][LABEL_CREATED_BY] = created_by(owner.namespace, owner.name)
        metadata["ownerReferences"] = [owner_reference(owner)]
    secret: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": secret_type,
        "data": {key: base64.b64encode(content).decode() for key, content in contents.items()},
    }
    if immutable:
        secret["immutable"] = True
    return secret
