"""Objects as an API server shows them, for tests that need no cluster."""

import base64
import copy
from typing import Any

from adapters.cluster import Kind, Object
from adapters.resources.kinds import CLUSTER_SECRET_STORE, EXTERNAL_SECRET, SECRET_STORE
from reconciler.content.metadata import Owner, desired_secret, field_manager
from reconciler.content.values import Value
from tests.resources.manifests import manifest

NAMESPACE = "team"


def seen(object: Object, **metadata: Any) -> Object:
    """The object with what a server adds."""
    shown = copy.deepcopy(object)
    defaults = {"uid": f"uid-{shown['metadata']['name']}", "resourceVersion": "1", "generation": 1}
    shown["metadata"] = {**defaults, **shown["metadata"], **metadata}
    return shown


def external_secret(name: str = "wanted", spec: dict[str, Any] | None = None, **metadata: Any) -> Object:
    """An ExternalSecret of the store `infisical`; `spec` is put over the usual one."""
    object = manifest(EXTERNAL_SECRET, name=name)
    object["spec"] |= spec or {}
    return seen(object, **{"namespace": NAMESPACE, **metadata})


def store(name: str = "infisical", kind: Kind = SECRET_STORE, **metadata: Any) -> Object:
    """A store; a SecretStore is in the usual namespace."""
    place = {} if kind == CLUSTER_SECRET_STORE else {"namespace": NAMESPACE}
    return seen(manifest(kind, name=name), **{**place, **metadata})


def with_ready(object: Object, status: str | None, reason: str = "") -> Object:
    """The object with a Ready condition of this status; None: without any status."""
    shown = copy.deepcopy(object)
    shown.pop("status", None)
    if status is not None:
        shown["status"] = {"conditions": [{"type": "Ready", "status": status, "reason": reason}]}
    return shown


def target(owner: Object, **data: str) -> Object:
    """The Secret that was made for an ExternalSecret, as its apply left it."""
    metadata = owner["metadata"]
    desired = desired_secret(
        metadata["name"],
        {key: Value.of_text(text) for key, text in data.items()},
        Owner(metadata["namespace"], metadata["name"], metadata["uid"]),
        owned=True,
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
    )
    return seen(desired, managedFields=[applied_entry(desired, field_manager(metadata["name"]))])


def applied_entry(desired: Object, manager: str) -> Object:
    """What the API server notes of a first apply."""
    metadata = desired["metadata"]
    fields = {
        "f:data": {f"f:{key}": {} for key in desired["data"]},
        "f:metadata": {
            part: {f"f:{key}": {} for key in metadata[name]}
            for part, name in (("f:labels", "labels"), ("f:annotations", "annotations"))
        },
        "f:type": {},
    }
    return {"manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields}


def encoded(text: str) -> str:
    """A value as a Secret holds it."""
    return base64.b64encode(text.encode()).decode()
