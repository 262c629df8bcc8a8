"""What is kept of a Secret that was seen: whose it is and whether it is as we left it, never what it holds."""

import base64
import binascii
import hashlib
from typing import Any

import msgspec

from adapters.cluster import Object
from machines.outcomes import Drift
from reconciler.content.hashes import data_hash
from reconciler.content.metadata import ANNOTATION_DATA_HASH, LABEL_MANAGED, MANAGED

_encoder = msgspec.json.Encoder(order="deterministic")


class SecretView(msgspec.Struct, frozen=True, kw_only=True):
    """A Secret without its values. `digest` is over all that an apply of ours would write."""

    uid: str
    version: str
    drift: Drift
    owner_kind: str = ""
    owner_name: str = ""
    owner_uid: str = ""
    immutable: bool = False
    digest: bytes = b""


def digest_of(secret: Object, labels: set[str], annotations: set[str]) -> bytes:
    """A digest of type, data, owner references, and those labels and annotations. Kept in memory only."""
    metadata = secret["metadata"]
    content = {
        "type": secret.get("type", "Opaque"),
        "immutable": secret.get("immutable", False),
        "data": secret.get("data") or {},
        "labels": _only(metadata.get("labels"), labels),
        "annotations": _only(metadata.get("annotations"), annotations),
        "owners": metadata.get("ownerReferences") or [],
    }
    return hashlib.blake2b(_encoder.encode(content), digest_size=16).digest()


def _only(entries: dict[str, str] | None, keys: set[str]) -> dict[str, str]:
    return {key: text for key, text in (entries or {}).items() if key in keys}


def controller_of(secret: Object) -> dict[str, Any]:
    """The owner reference of the controller of an object; empty where it has none."""
    for reference in secret["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return dict(reference)
    return {}


def drift_of(secret: Object) -> Drift:
    """Whether a Secret is as it was last written: labelled, and its data as its data-hash annotation says."""
    metadata = secret["metadata"]
    if (metadata.get("labels") or {}).get(LABEL_MANAGED) != MANAGED:
        return Drift.UNLABELLED
    try:
        data = {key: base64.b64decode(text or "") for key, text in (secret.get("data") or {}).items()}
    except binascii.Error:
        return Drift.CHANGED
    recorded = (metadata.get("annotations") or {}).get(ANNOTATION_DATA_HASH)
    return Drift.NONE if recorded == data_hash(data) else Drift.CHANGED


def view_of(secret: Object) -> SecretView:
    """What is kept of a Secret."""
    metadata = secret["metadata"]
    owner = controller_of(secret)
    return SecretView(
        uid=metadata.get("uid", ""),
        version=metadata.get("resourceVersion", ""),
        drift=drift_of(secret),
        owner_kind=owner.get("kind", ""),
        owner_name=owner.get("name", ""),
        owner_uid=owner.get("uid", ""),
        immutable=bool(secret.get("immutable")),
        digest=_held_digest(secret),
    )


_PREFIX = "externalsecrets.external-secrets.io/"


def _held_digest(secret: Object) -> bytes:
    """The digest of what our field manager holds; empty where an apply has to come, whatever it would write: other
    managers hold data too, or entries of our manager are of the kind that a server-side apply leaves alone."""
    labels: set[str] = set()
    annotations: set[str] = set()
    data: set[str] = set()
    for entry in secret["metadata"].get("managedFields") or ():
        if not str(entry.get("manager", "")).startswith(_PREFIX):
            continue
        if entry.get("operation") != "Apply":
            return b""
        fields = entry.get("fieldsV1") or {}
        metadata = fields.get("f:metadata") or {}
        labels |= _keys(metadata.get("f:labels"))
        annotations |= _keys(metadata.get("f:annotations"))
        data |= _keys(fields.get("f:data"))
    if data != set(secret.get("data") or {}):
        return b""
    return digest_of(secret, labels, annotations)


def _keys(fields: dict[str, Any] | None) -> set[str]:
    return {name.removeprefix("f:") for name in fields or {} if name != "."}


def digest_of_desired(secret: Object) -> bytes:
    """The digest that a Secret has once this has been applied to it."""
    metadata = secret["metadata"]
    return digest_of(secret, set(metadata.get("labels") or ()), set(metadata.get("annotations") or ()))
