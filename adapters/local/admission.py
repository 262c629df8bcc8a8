"""What a cluster would refuse: names, labels, Secrets, and (by `adapters.resources`) our own kinds.

It answers with the object as the cluster would keep it (text folded into data, defaults, unknown fields
dropped), or with Refused and the path of the field at fault.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any

from adapters.cluster import Kind, Object, Refused
from adapters.resources.kinds import CONFIG_MAP, NAMESPACE, SECRET

_LABEL_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_DOMAIN_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_MAX_DATA = 2**20
_MAX_ANNOTATIONS = 256 * 2**10

# Keys that the built-in types need: all of them, except for basic-auth, where one is enough.
_NEEDED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
}
_JSON_KEYS = (".dockerconfigjson", ".dockercfg")


def without_text(object: Object) -> Object:
    """A Secret with its `stringData` folded into `data`, as the API server stores it; nulls are dropped."""
    object = _without_nulls(object)
    if object.get("kind") != "Secret" or "stringData" not in object:
        return object
    folded = dict(object)
    text = folded.pop("stringData")
    if isinstance(text, dict):
        encoded = {
            name: base64.b64encode(value.encode()).decode() if isinstance(value, str) else value
            for name, value in text.items()
        }
        folded["data"] = {**(folded.get("data") or {}), **encoded}
    return folded


def admit_metadata(kind: Kind, object: Object) -> Refused | None:
    """Names, labels, annotations, owners."""
    metadata = object["metadata"]
    name_form = _DOMAIN_LABEL if kind == NAMESPACE else _SUBDOMAIN
    name = metadata.get("name", "")
    if not isinstance(name, str) or len(name) > 253 or not name_form.fullmatch(name):
        return Refused("metadata.name")
    namespace = metadata.get("namespace", "")
    if kind.namespaced and not (isinstance(namespace, str) and _DOMAIN_LABEL.fullmatch(namespace)):
        return Refused("metadata.namespace")
    for field in ("labels", "annotations"):
        entries = metadata.get(field) or {}
        if not isinstance(entries, dict) or not all(map(_is_qualified, entries)):
            return Refused(f"metadata.{field}")
        if not all(isinstance(value, str) for value in entries.values()):
            return Refused()  # the server cannot decode it
    if not all(map(_is_label_value, (metadata.get("labels") or {}).values())):
        return Refused("metadata.labels")
    if (
        sum(len(k) + len(v.encode()) for k, v in (metadata.get("annotations") or {}).items())
        > _MAX_ANNOTATIONS
    ):
        return Refused("metadata.annotations")
    return _admit_owners(metadata.get("ownerReferences") or [])


def admit_core(kind: Kind, object: Object, live: Object | None) -> Object | Refused:
    """Kinds of the core group: the object as it is kept, or why not."""
    if kind == SECRET:
        kept = {**object, "type": object.get("type") or "Opaque"}
        refusal = _admit_secret(kept) or (_admit_secret_change(kept, live) if live is not None else None)
        return refusal or kept
    if kind == CONFIG_MAP:
        return _admit_config_map(object, live) or object
    return object


def _admit_owners(owners: list[Any]) -> Refused | None:
    controllers = 0
    for index, owner in enumerate(owners):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not isinstance(owner, dict) or not owner.get(field):
                return Refused(f"metadata.ownerReferences[{index}].{field}")
        controllers += owner.get("controller") is True
    return Refused("metadata.ownerReferences") if controllers > 1 else None


def _admit_secret(secret: Object) -> Refused | None:
    data = secret.get("data") or {}
    if not isinstance(data, dict):
        return Refused()
    size = 0
    for value in data.values():
        if not isinstance(value, str):
            return Refused()
        try:
            size += len(base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True))
        except (binascii.Error, ValueError):
            return Refused()  # the server cannot decode it, and names no field
    for name in sorted(data):
        if not _DATA_KEY.fullmatch(name) or name in (".", "..") or name.startswith(".."):
            return Refused(f"data[{name}]")
    if size > _MAX_DATA:
        return Refused("data")
    return next(_secret_type_faults(secret["type"], data, secret), None)


def _secret_type_faults(secret_type: Any, data: dict[str, str], secret: Object) -> Iterator[Refused]:
    for name in _NEEDED_KEYS.get(secret_type, ()):
        if name not in data or (name in _JSON_KEYS and not _is_json(data[name])):
            yield Refused(f"data[{name}]")
    if secret_type == "kubernetes.io/basic-auth" and not {"username", "password"} & set(data):
        yield Refused("data[username]")
    account = (secret["metadata"].get("annotations") or {}).get("kubernetes.io/service-account.name")
    if secret_type == "kubernetes.io/service-account-token" and not account:
        yield Refused("metadata.annotations[kubernetes.io/service-account.name]")


def _admit_secret_change(secret: Object, live: Object) -> Refused | None:
    if secret["type"] != live["type"]:
        return Refused("type")
    return _admit_immutable(secret, live, ("data",))


def _admit_config_map(config_map: Object, live: Object | None) -> Refused | None:
    texts, binaries = config_map.get("data") or {}, config_map.get("binaryData") or {}
    if not isinstance(texts, dict) or not all(isinstance(value, str) for value in texts.values()):
        return Refused()
    for field, entries in (("data", texts), ("binaryData", binaries)):
        for name in sorted(entries):
            if not _DATA_KEY.fullmatch(name) or name.startswith(".."):
                return Refused(f"{field}[{name}]")
    return _admit_immutable(config_map, live, ("data", "binaryData")) if live is not None else None


def _admit_immutable(object: Object, live: Object, fields: tuple[str, ...]) -> Refused | None:
    if not live.get("immutable"):
        return None
    if not object.get("immutable"):
        return Refused("immutable")
    changed = (field for field in fields if (object.get(field) or {}) != (live.get(field) or {}))
    return next((Refused(field) for field in changed), None)


def _is_json(encoded: str) -> bool:
    try:
        json.loads(base64.b64decode(encoded))
    except ValueError:
        return False
    return True


def _is_qualified(name: str) -> bool:
    prefix, slash, last = name.rpartition("/")
    if slash and not (len(prefix) <= 253 and _SUBDOMAIN.fullmatch(prefix.lower())):
        return False
    return bool(_LABEL_NAME.fullmatch(last))


def _is_label_value(value: str) -> bool:
    return value == "" or bool(_LABEL_NAME.fullmatch(value))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(below) for name, below in value.items() if below is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value


def admit_ours(kind: Kind, object: Object) -> Object | Refused:
    """Kinds of our own: the object as it is kept, or why not."""
    return object
