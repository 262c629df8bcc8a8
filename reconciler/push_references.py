"""What a PushSecret refers to, read from the object as it stands: its stores, by name, by label and in its record, and
its source. What cannot be read refers to nothing: the run that looks at the resource says what is wrong.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from adapters.cluster import Object
from adapters.resources.kinds import CLUSTER_SECRET_STORE, SECRET_STORE
from adapters.resources.references import LabelSelector

StorePlace = tuple[str, str, str]
"""Kind, namespace ("" for a ClusterSecretStore) and name."""

PUSH_FINALIZER = "pushsecret.externalsecrets.io/finalizer"
STORE_FINALIZER = "secretstore.externalsecrets.io/finalizer"
ABANDON = "reconcile.external-secrets.io/abandon-remote"
"""With this annotation, of value "true", what was pushed and is to be deleted is given up instead."""

_KINDS = (SECRET_STORE.name, CLUSTER_SECRET_STORE.name)


class StoreChoice(NamedTuple):
    """An entry of secretStoreRefs: a place, or a selector of stores of a kind in a namespace."""

    kind: str
    namespace: str
    name: str | None
    selector: LabelSelector | None


def selector_of(raw: object) -> LabelSelector | None:
    """A label selector as it stands in a manifest; None where it is none."""
    try:
        return msgspec.convert(raw, LabelSelector) if isinstance(raw, Mapping) else None
    except msgspec.ValidationError:
        return None


def choices_of(object: Object) -> Iterator[StoreChoice]:
    """The stores that the spec names or chooses."""
    namespace = object["metadata"].get("namespace", "")
    for reference in _mappings((object.get("spec") or {}).get("secretStoreRefs")):
        kind = reference.get("kind") or SECRET_STORE.name
        if kind in _KINDS:
            within = "" if kind == CLUSTER_SECRET_STORE.name else namespace
            name = reference.get("name")
            yield StoreChoice(
                kind, within, name or None, None if name else selector_of(reference.get("labelSelector"))
            )


def recorded_stores(object: Object) -> Iterator[StorePlace]:
    """The stores that the record knows: what was pushed there is ours."""
    namespace = object["metadata"].get("namespace", "")
    for key in record_of(object):
        kind, _, name = key.partition("/")
        if kind in _KINDS and name:
            yield kind, "" if kind == CLUSTER_SECRET_STORE.name else namespace, name


def record_of(object: Object) -> dict[str, dict[str, Any]]:
    """status.syncedPushSecrets: entries by `<Kind>/<store>` and name."""
    record = (object.get("status") or {}).get("syncedPushSecrets")
    if not isinstance(record, Mapping):
        return {}
    return {store: dict(entries) for store, entries in record.items() if isinstance(entries, Mapping)}


def record_key(kind: str, name: str) -> str:
    """By which name the record knows a store."""
    return f"{kind}/{name}"


def deletes(object: Object) -> bool:
    """Whether what was pushed is to be deleted when it is pushed no more."""
    return bool((object.get("spec") or {}).get("deletionPolicy") == "Delete")


def abandons(object: Object) -> bool:
    """Whether what is to be deleted is given up instead."""
    return bool((object["metadata"].get("annotations") or {}).get(ABANDON) == "true")


def source_of(object: Object) -> tuple[str | None, LabelSelector | None]:
    """The source Secret by name, or the selector of several."""
    secret = ((object.get("spec") or {}).get("selector") or {}).get("secret") or {}
    name = secret.get("name") if isinstance(secret, Mapping) else None
    selector = selector_of(secret.get("selector")) if isinstance(secret, Mapping) and not name else None
    return name, selector


def _mappings(raw: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(raw, list):
        yield from (entry for entry in raw if isinstance(entry, Mapping))
