"""From a write to what is kept: admission, what the server itself sets, deletion, and what a deletion takes along."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapters.cluster import Absent, Done, Kind, Object, Written
from adapters.local.admission import admitted, decoded, refusal, without_empty
from adapters.local.apply import updated
from adapters.local.store import Key, Store, copy_of
from adapters.resources.faults import Faults
from adapters.resources.kinds import NAMESPACE, OUR_KINDS

GENERATED = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)


class Lifecycle:
    """Brings objects into a store and out of it."""

    def __init__(
        self,
        store: Store,
        kinds: Sequence[Kind],
        now: Callable[[], datetime.datetime],
        identify: Callable[[], str],
    ) -> None:
        self._store = store
        self._kinds = {(kind.api_version, kind.name): kind for kind in kinds}
        self._now = now
        self._identify = identify

    def ensure_namespace(self, name: str) -> None:
        """Make a namespace, if it is not there."""
        key = Key(NAMESPACE, "", name)
        if self._store.get(key) is None:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self.save(key, None, updated(None, decoded(NAMESPACE, namespace), "local", self.time()))

    def save(self, key: Key, live: Object | None, new: Object) -> Written:
        """Admit and keep an object; nothing happens where it is as it was."""
        if live is None and not self.takes(key):
            return Absent()
        answer = admitted(key.kind, new, live)
        if isinstance(answer, Faults):
            return refusal(answer)
        kept = self._dressed(key.kind, live, answer.object)
        if live is not None and _timeless(kept) == _timeless(live):
            return Done(copy_of(live))
        if kept["metadata"].get("deletionTimestamp") and not self._held_back(key, kept):
            self._remove(key)
            return Done(copy_of(kept))
        saved = self._store.put(key, kept)
        self._collect_if_orphan(key, saved)
        return Done(copy_of(saved))

    def _dressed(self, kind: Kind, live: Object | None, object: Object) -> Object:
        """The object with what the API server itself sets."""
        metadata = dict(object["metadata"])
        dressed = {**object, "metadata": metadata}
        if live is None:
            metadata["uid"] = self._identify()
            metadata["creationTimestamp"] = self.time()
            if has_status(kind) and kind != NAMESPACE:
                metadata["generation"] = 1
            if kind == NAMESPACE:
                finalizers = (object.get("spec") or {}).get("finalizers") or []
                dressed["spec"] = {"finalizers": [*finalizers, *{"kubernetes"}.difference(finalizers)]}
                dressed["status"] = {"phase": "Active"}
        else:
            copy_generated(live, dressed)
            if kind == NAMESPACE:
                dressed["spec"] = live["spec"]
            if "generation" in metadata and _wish(live) != _wish(dressed):
                metadata["generation"] += 1
        return without_empty(dressed)

    def time(self) -> str:
        """Now, as the API writes it."""
        return self._now().astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def delete(self, key: Key, live: Object) -> None:
        """Delete an object: at once, or as soon as its finalizers are off."""
        if live["metadata"].get("deletionTimestamp"):
            return
        if not self._held_back(key, live):
            self._remove(key)
            return
        metadata = {**live["metadata"], "deletionTimestamp": self.time()}
        if key.kind != NAMESPACE:
            metadata["deletionGracePeriodSeconds"] = 0
        if "generation" in metadata:
            metadata["generation"] += 1
        going = {**live, "metadata": metadata}
        if key.kind == NAMESPACE:
            going["status"] = {"phase": "Terminating"}
        self._store.put(key, going)
        if key.kind == NAMESPACE:
            for inner, content in self._store.everything():
                if inner.namespace == key.name:
                    self.delete(inner, content)

    def collect_garbage(self) -> None:
        """Delete everything whose owners are all gone."""
        for key, object in self._store.everything():
            if self._store.get(key) is object:
                self._collect_if_orphan(key, object)

    def _held_back(self, key: Key, object: Object) -> bool:
        """Whether something keeps a deleted object: finalizers, or what is still in a namespace."""
        if object["metadata"].get("finalizers"):
            return True
        return key.kind == NAMESPACE and any(
            inner.namespace == key.name for inner, _ in self._store.everything()
        )

    def _remove(self, key: Key) -> None:
        """Take an object away, and with it its dependents and a namespace that waited for it."""
        removed = self._store.remove(key)
        for dependent, object in self._store.everything():
            if _is_owned_by(object, removed["metadata"]["uid"]):
                self._collect_if_orphan(dependent, object)
        place = Key(NAMESPACE, "", key.namespace)
        namespace = self._store.get(place)
        if namespace is None or not namespace["metadata"].get("deletionTimestamp"):
            return
        if not self._held_back(place, namespace):
            self._remove(place)

    def _collect_if_orphan(self, key: Key, object: Object) -> None:
        """Delete an object none of whose owners is there; otherwise take the lost ones off its list.

        Owners of kinds that this cluster does not have are believed to be there.
        """
        owners = object["metadata"].get("ownerReferences") or []
        present = [owner for owner in owners if self._may_exist(key.namespace, owner)]
        if not owners or present == owners:
            return
        if present:
            metadata = {**object["metadata"], "ownerReferences": present}
            changed = updated(object, {**object, "metadata": metadata}, "garbage collector", self.time())
            self._store.put(key, changed)
        else:
            self.delete(key, object)

    def _may_exist(self, namespace: str, owner: Mapping[str, Any]) -> bool:
        kind = self._kinds.get((owner["apiVersion"], owner["kind"]))
        if kind is None:
            return True
        there = self._store.get(Key(kind, namespace if kind.namespaced else "", owner["name"]))
        return there is not None and bool(there["metadata"]["uid"] == owner["uid"])

    def takes(self, key: Key) -> bool:
        """Whether objects of this kind can be made there: the namespace is there, and is not going."""
        if key.kind not in self._kinds.values():
            return False
        if not key.kind.namespaced:
            return True
        found = self._store.get(Key(NAMESPACE, "", key.namespace))
        return found is not None and not found["metadata"].get("deletionTimestamp")


def has_status(kind: Kind) -> bool:
    """Whether status is a subresource, which other writes leave alone."""
    return kind in OUR_KINDS or kind == NAMESPACE


def copy_generated(live: Object, new: Object) -> None:
    """Give the new object what the server itself set in the live one."""
    for name in GENERATED:
        new["metadata"].pop(name, None)
        if name in live["metadata"]:
            new["metadata"][name] = live["metadata"][name]


def _timeless(object: Object) -> Object:
    """Without the times of managedFields: a write that changes nothing else changes nothing."""
    entries = object["metadata"].get("managedFields") or []
    timeless = [{**entry, "time": ""} for entry in entries]
    return {**object, "metadata": {**object["metadata"], "managedFields": timeless}}


def _wish(object: Object) -> Object:
    return {name: value for name, value in object.items() if name not in ("metadata", "status")}


def _is_owned_by(object: Object, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in object["metadata"].get("ownerReferences") or [])
