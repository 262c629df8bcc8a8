"""What a cluster would refuse: names, labels, owners, Secrets, ConfigMaps, and our own kinds by their schemas.

It answers with the object as the cluster would keep it (defaults filled in, unknown fields dropped), or with
everything that is wrong.
"""

import base64
import binascii
import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.cluster import Conflict, Kind, Object, Refused
from adapters.local.forms import drop_unknown, null_faults, without_useless_nulls
from adapters.resources.faults import Fault, Faults
from adapters.resources.kinds import CONFIG_MAP, NAMESPACE, OUR_KINDS, SECRET
from adapters.resources.schema import Admitted, admit

_LABEL_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_DOMAIN_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_MAX_NAME = 253
_UID = "metadata.uid"
_MAX_DATA = 2**20
_MAX_ANNOTATIONS = 256 * 2**10

_FINALIZERS_WITHOUT_DOMAIN = ("kubernetes", "orphan", "foregroundDeletion")
_OF_TEXTS = ("Secret", "ConfigMap")
_TEXTS = "must be an object of texts"
_QUALIFIED = "must be a name of letters, digits, '-', '_' and '.', perhaps after a domain and a slash"

# Keys that the built-in types need; for basic-auth, one of two is enough.
_NEEDED_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
}
_JSON_KEYS = (".dockerconfigjson", ".dockercfg")


def without_empty(object: Object) -> Object:
    """An object as it is encoded: the API leaves out what is empty of its own types."""
    metadata = {
        name: value
        for name, value in object["metadata"].items()
        if name == "managedFields"
        or value not in ({}, [], "")  # no entries at all are an order to forget them
    }
    kept = {**object, "metadata": metadata}
    if kept.get("kind") == "Namespace":
        for field in ("spec", "status"):
            below = kept.get(field) or {}
            kept[field] = {name: value for name, value in below.items() if value not in ([], "")}
    if kept.get("kind") in ("Secret", "ConfigMap", "Namespace"):
        kept = {name: value for name, value in kept.items() if value not in ({}, "")}
    return kept


def decoded(kind: Kind, object: Object) -> Object:
    """An object as it comes out of decoding: without nulls, and a Secret's `stringData` folded into its `data`."""
    object = with_empty_texts(object)
    if kind not in OUR_KINDS:
        return as_stored(without_nulls(object))
    if isinstance(object.get("metadata"), dict):
        object = {**object, "metadata": without_nulls(object["metadata"])}
    kept: Object = without_useless_nulls(kind, object)
    return kept


def with_empty_texts(object: Object) -> Object:
    """An object where nulls in maps of texts are empty texts."""
    fields = ("data", "stringData", "binaryData") if object.get("kind") in _OF_TEXTS else ()
    filled = {**object, **{name: _filled(object[name]) for name in fields if name in object}}
    metadata = filled.get("metadata")
    if isinstance(metadata, dict):
        texts = {name: _filled(metadata[name]) for name in ("labels", "annotations") if name in metadata}
        filled["metadata"] = {**metadata, **texts}
    return filled


def as_stored(object: Object) -> Object:
    """An object with what decoding makes of its fields: a Secret's data of its texts, a namespace's own label."""
    if object.get("kind") == "Namespace" and isinstance(object.get("metadata"), dict):
        return _named(object)
    if object.get("kind") != "Secret" or not isinstance(object.get("stringData"), dict):
        return object
    encoded = {
        name: base64.b64encode(value.encode()).decode() if isinstance(value, str) else value
        for name, value in object["stringData"].items()
    }
    folded = {name: value for name, value in object.items() if name != "stringData"}
    if encoded:
        folded["data"] = {**(folded.get("data") or {}), **encoded}
    return folded


def _filled(texts: Any) -> Any:
    if not isinstance(texts, dict):
        return texts
    return {name: "" if value is None else value for name, value in texts.items()}


def _named(namespace: Object) -> Object:
    """A namespace with the label that each has, whatever its author wishes."""
    metadata = namespace["metadata"]
    labels = metadata.get("labels", {})
    if not metadata.get("name") or not isinstance(labels, dict):
        return namespace
    labels = {**labels, "kubernetes.io/metadata.name": metadata["name"]}
    return {**namespace, "metadata": {**metadata, "labels": labels}}


def without_unknown(kind: Kind, object: Object) -> Object:
    """An object without the fields that its kind does not know."""
    known = copy.deepcopy(object)
    drop_unknown(kind, known)
    return known


class Undecodable(Faults, frozen=True):
    """Among the faults is one that an API server meets while it decodes; it then names no field."""


def refusal(faults: Faults) -> Refused | Conflict:
    """How a cluster says it: what is wrong first counts."""
    if isinstance(faults, Undecodable):
        return Refused()
    first = faults.faults[0].path
    return Conflict() if first == _UID else Refused(first)


def admitted(kind: Kind, object: Object, live: Object | None) -> Admitted | Faults:
    """A decoded object as it is kept, to be made (`live` None) or to replace the object that is there."""
    undecodable = [*_decoding_faults(kind, object)]
    broken = {re.split(r"[.\[]", fault.path)[0] for fault in undecodable}
    if kind == SECRET:
        object = {**object, "type": object.get("type") or "Opaque"}
    found: list[Fault] = []
    if "metadata" not in broken:
        found += _metadata_faults(kind, object["metadata"])
    if live is not None and not broken:
        found += _change_faults(kind, object, live)
    if "metadata" not in broken and kind not in OUR_KINDS:
        found += _domain_faults(object["metadata"])
    if kind == SECRET and not broken:
        found += _secret_faults(object)
    elif kind == CONFIG_MAP and not broken:
        found += _config_map_faults(object)
    elif kind == NAMESPACE and live is not None:
        found += _phase_faults(object, live)
    if kind in OUR_KINDS:
        found += null_faults(kind, object)
    answer = admit(kind, object)
    if isinstance(answer, Faults):
        found += answer.faults
    if undecodable:
        return Undecodable((*undecodable, *found))
    return Faults(tuple(found)) if found else answer


def _decoding_faults(kind: Kind, object: Object) -> Iterator[Fault]:
    """Fields of another type than the API has."""
    for field in ("labels", "annotations"):
        if not _is_texts(object["metadata"].get(field) or {}):
            yield Fault(f"metadata.{field}", _TEXTS)
    if kind == SECRET:
        if "stringData" in object:  # otherwise it was folded into the data
            yield Fault("stringData", _TEXTS)
        data = object.get("data") or {}
        if not isinstance(data, dict):
            yield Fault("data", _TEXTS)
            return
        for name, value in sorted(data.items()):
            if not isinstance(value, str) or not _is_base64(value):
                yield Fault(f"data[{name}]", "must be a text in base64")
    elif kind == CONFIG_MAP:
        for field in ("data", "binaryData"):
            if not _is_texts(object.get(field) or {}):
                yield Fault(field, _TEXTS)
        binary = object.get("binaryData") or {}
        if isinstance(binary, dict):
            for name, value in sorted(binary.items()):
                if isinstance(value, str) and not _is_base64(value):
                    yield Fault(f"binaryData[{name}]", "must be a text in base64")


def _metadata_faults(kind: Kind, metadata: Mapping[str, Any]) -> Iterator[Fault]:
    form = _DOMAIN_LABEL if kind == NAMESPACE else _SUBDOMAIN
    name, namespace = metadata.get("name", ""), metadata.get("namespace", "")
    if not isinstance(name, str) or len(name) > _MAX_NAME or not form.fullmatch(name):
        yield Fault("metadata.name", "must be a name of lower-case letters, digits, '-' and '.'")
    if kind.namespaced and not (isinstance(namespace, str) and _DOMAIN_LABEL.fullmatch(namespace)):
        yield Fault("metadata.namespace", "must be a name of up to 63 lower-case letters, digits and '-'")
    for field in ("labels", "annotations"):
        entries = metadata.get(field) or {}
        if not all(map(_is_qualified, entries)):
            yield Fault(f"metadata.{field}", f"each {_QUALIFIED}")
        elif field == "labels" and not all(map(_is_label_value, entries.values())):
            yield Fault("metadata.labels", "each value must be up to 63 letters, digits, '-', '_' and '.'")
        elif sum(len(key) + len(value.encode()) for key, value in entries.items()) > _MAX_ANNOTATIONS:
            yield Fault(f"metadata.{field}", "must not be larger than 256 KiB in all")
    yield from _owner_faults(metadata.get("ownerReferences") or [])
    if not all(isinstance(name, str) and _is_qualified(name) for name in metadata.get("finalizers") or []):
        yield Fault("metadata.finalizers", f"each {_QUALIFIED}")


def _domain_faults(metadata: Mapping[str, Any]) -> Iterator[Fault]:
    """Finalizers that a built-in kind does not take."""
    for index, name in enumerate(metadata.get("finalizers") or []):
        if isinstance(name, str) and "/" not in name and name not in _FINALIZERS_WITHOUT_DOMAIN:
            yield Fault(f"metadata.finalizers[{index}]", "must begin with a domain and a slash")


def _owner_faults(owners: list[Any]) -> Iterator[Fault]:
    controllers = 0
    for owner in owners:
        for field in ("apiVersion", "kind", "name", "uid"):
            if not isinstance(owner, dict) or not owner.get(field):
                yield Fault(f"metadata.ownerReferences.{field}", "required")
        controllers += isinstance(owner, dict) and owner.get("controller") is True
    if controllers > 1:
        yield Fault("metadata.ownerReferences", "only one owner can be the controller")


def _secret_faults(secret: Object) -> Iterator[Fault]:
    data = secret.get("data") or {}
    yield from _key_faults("data", data)
    if sum(len(_from_base64(value)) for value in data.values()) > _MAX_DATA:
        yield Fault("data", "must not be larger than 1 MiB in all")
    yield from _secret_type_faults(secret, data)


def _secret_type_faults(secret: Object, data: Mapping[str, str]) -> Iterator[Fault]:
    for name in _NEEDED_KEYS.get(secret["type"], ()):
        if name not in data:
            yield Fault(f"data[{name}]", "required by the Secret's type")
        elif name in _JSON_KEYS and not _is_json(data[name]):
            yield Fault(f"data[{name}]", "must be JSON, by the Secret's type")
    if secret["type"] == "kubernetes.io/basic-auth" and not {"username", "password"} & set(data):
        yield Fault("data[username]", "this or the password is required by the Secret's type")
    account = "kubernetes.io/service-account.name"
    annotations = secret["metadata"].get("annotations") or {}
    if secret["type"] == "kubernetes.io/service-account-token" and not annotations.get(account):
        yield Fault(f"metadata.annotations[{account}]", "required by the Secret's type")


def _config_map_faults(config_map: Object) -> Iterator[Fault]:
    data, binary = config_map.get("data") or {}, config_map.get("binaryData") or {}
    yield from _key_faults("data", data)
    for name in sorted(data.keys() & binary.keys()):
        yield Fault(f"data[{name}]", "is in binaryData too")
    yield from _key_faults("binaryData", binary)


def _change_faults(kind: Kind, object: Object, live: Object) -> Iterator[Fault]:
    """What of a change is not allowed, in the order in which an API server looks at it."""
    had, has = (set(each["metadata"].get("finalizers") or []) for each in (live, object))
    if live["metadata"].get("deletionTimestamp") and has - had:
        yield Fault("metadata.finalizers", "none can be added to what is being deleted")
    if object["metadata"].get("uid", live["metadata"]["uid"]) != live["metadata"]["uid"]:
        yield Fault(_UID, "is another object's")
    if kind == SECRET and object["type"] != live["type"]:
        yield Fault("type", "cannot be changed")
    if kind in (SECRET, CONFIG_MAP) and live.get("immutable"):
        if not object.get("immutable"):
            yield Fault("immutable", "cannot be taken back")
        for field in ("data", "binaryData"):
            before, after = live.get(field), object.get(field)
            # No data and empty data are the same for a ConfigMap, and are not for a Secret
            if before != after and (kind == SECRET or before or after):
                yield Fault(field, "cannot be changed, because the object is immutable")


def _phase_faults(namespace: Object, live: Object) -> Iterator[Fault]:
    wanted = "Terminating" if live["metadata"].get("deletionTimestamp") else "Active"
    if (namespace.get("status") or {}).get("phase") != wanted:
        yield Fault("status.Phase", f"must be {wanted}")


def _key_faults(field: str, entries: Mapping[str, Any]) -> Iterator[Fault]:
    for name in sorted(entries):
        if not _DATA_KEY.fullmatch(name) or name == "." or name.startswith(".."):
            yield Fault(f"{field}[{name}]", "a key is up to 253 letters, digits, '-', '_' and '.'")


def _is_texts(entries: Any) -> bool:
    return isinstance(entries, dict) and all(isinstance(value, str) for value in entries.values())


def _from_base64(value: str) -> bytes:
    return base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)


def _is_base64(value: str) -> bool:
    try:
        _from_base64(value)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_json(encoded: str) -> bool:
    try:
        json.loads(_from_base64(encoded))
    except ValueError:
        return False
    return True


def _is_qualified(name: str) -> bool:
    prefix, slash, last = name.rpartition("/")
    if slash and not (len(prefix) <= _MAX_NAME and _SUBDOMAIN.fullmatch(prefix.lower())):
        return False
    return bool(_LABEL_NAME.fullmatch(last))


def _is_label_value(value: str) -> bool:
    return value == "" or bool(_LABEL_NAME.fullmatch(value))


def without_nulls(value: Any) -> Any:
    """A JSON value with all members that are null left out."""
    if isinstance(value, dict):
        return {name: without_nulls(below) for name, below in value.items() if below is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value
