"""The cluster protocol, answered from memory, as an API server would answer it.

Everything happens within the call that causes it, garbage collection and the end of a namespace included; only
watches deliver later.
"""

import asyncio
import datetime
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from adapters.cluster import (
    Absent,
    Change,
    ChangeType,
    Conflict,
    Done,
    Expired,
    Kind,
    Listed,
    ListResult,
    Object,
    Read,
    Refused,
    Selection,
    WatchEvent,
    Written,
    bookmark,
)
from adapters.local.admission import admit_core, admit_metadata, admit_ours, without_text
from adapters.local.apply import applied, updated
from adapters.local.patches import PatchFailed, json_patch, merge_patch
from adapters.local.selectors import matches
from adapters.local.store import Key, Logged, Store, copy_of
from adapters.resources.kinds import KNOWN_KINDS, NAMESPACE, OUR_KINDS, kind_of

BOOKMARK_SECONDS = 60.0
HISTORY = 1024

_GENERATED = (
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)


def _random_uid() -> str:
    return str(uuid.uuid4())


class LocalCluster:
    """An API server in memory, with the namespace `default` in it."""

    def __init__(
        self,
        now: Callable[[], datetime.datetime],
        *,
        new_uid: Callable[[], str] = _random_uid,
        history: int = HISTORY,
        kinds: Sequence[Kind] = KNOWN_KINDS,
    ) -> None:
        """`now` gives aware times. A watch can go back `history` changes. Other kinds than `kinds` are Absent."""
        self.store = Store(history)
        self._now = now
        self._new_uid = new_uid
        self._kinds = set(kinds)
        self.ensure_namespace("default")

    # Reading

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        found = self.store.get(Key(kind, namespace, name))
        return Absent() if found is None else Done(copy_of(found))

    async def list(self, selection: Selection) -> ListResult:
        if selection.kind not in self._kinds:
            return Absent()
        try:
            items = [
                _visible(object, selection)
                for object in self.store.select(selection.kind, selection.namespace)
                if matches(object, selection)
            ]
        except ValueError:
            return Refused()
        return Listed(items, str(self.store.revision))

    async def watch(
        self, selection: Selection, version: str, idle: float
    ) -> AsyncGenerator[WatchEvent, None]:
        if selection.kind not in self._kinds:
            yield Absent()
            return
        position = int(version) if version.isdigit() else -1
        if self.store.changes_after(position) is not None:
            yield bookmark(selection.kind, version)
        while True:
            changes = self.store.changes_after(position)
            if changes is None:
                yield Expired()
                return
            for logged in changes:
                position = logged.revision
                change = _change(logged, selection)
                if change is not None:
                    yield change
            if changes:
                continue
            try:
                async with asyncio.timeout(min(idle, BOOKMARK_SECONDS)):
                    await self.store.next_change()
            except TimeoutError:
                if idle <= BOOKMARK_SECONDS:
                    return
                yield bookmark(selection.kind, str(position))

    # Writing

    async def apply(
        self, object: Object, manager: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        kind, configuration = kind_of(object), without_text(copy_of(object))
        key = _key(kind, configuration)
        live = self.store.get(key)
        if uid is not None and (live is None or live["metadata"]["uid"] != uid):
            return Conflict()
        if version is not None and live is not None and live["metadata"]["resourceVersion"] != version:
            return Conflict()
        for name in (*_GENERATED, "managedFields", "resourceVersion"):
            configuration["metadata"].pop(name, None)
        if _has_status(kind):
            configuration.pop("status", None)
        return self._save(key, live, applied(live, configuration, manager, self._time()))

    async def create(self, object: Object, manager: str) -> Written:
        kind, new = kind_of(object), without_text(copy_of(object))
        if new["metadata"].pop("resourceVersion", None):
            return Refused()
        key = _key(kind, new)
        if self.store.get(key) is not None:
            return Conflict()
        for name in _GENERATED:
            new["metadata"].pop(name, None)
        if _has_status(kind):
            new.pop("status", None)
        return self._save(key, None, updated(None, new, manager, self._time()))

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        key = Key(kind, namespace, name)
        live = self.store.get(key)
        if live is None:
            return Absent()
        try:
            new = without_text(json_patch(live, operations))
        except PatchFailed:
            return Conflict()
        if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
            return Refused()
        if _key(kind, new) != key:
            return Refused()
        if any(new["metadata"].get(field) != live["metadata"][field] for field in ("uid", "resourceVersion")):
            return Conflict()
        _copy_generated(live, new)
        if _has_status(kind):
            _copy_status(live, new)
        return self._save(key, live, updated(live, new, manager, self._time()))

    async def patch_status(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        status: Mapping[str, Any],
        manager: str,
        *,
        version: str | None = None,
    ) -> Written:
        key = Key(kind, namespace, name)
        live = self.store.get(key)
        if live is None or not _has_status(kind):
            return Absent()
        if version is not None and live["metadata"]["resourceVersion"] != version:
            return Conflict()
        new = {**live, "status": merge_patch(live.get("status"), copy_of(dict(status)))}
        if not new["status"] and "status" not in live:
            del new["status"]
        return self._save(key, live, updated(live, new, manager, self._time(), "status"))

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        key = Key(kind, namespace, name)
        live = self.store.get(key)
        if live is None:
            return Absent()
        metadata = live["metadata"]
        if uid not in (None, metadata["uid"]) or version not in (None, metadata["resourceVersion"]):
            return Conflict()
        if key == Key(NAMESPACE, "", "default"):
            return Refused(rule=True)
        self._delete(key, live)
        return Done()

    def ensure_namespace(self, name: str) -> None:
        """Make a namespace, if it is not there."""
        key = Key(NAMESPACE, "", name)
        if self.store.get(key) is None:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self._save(key, None, updated(None, namespace, "local", self._time()))

    # What every write goes through

    def _save(self, key: Key, live: Object | None, new: Object) -> Written:
        """Admit and keep an object; nothing happens where it is as it was."""
        if key.kind not in self._kinds:
            return Absent()
        if live is None and key.kind.namespaced and not self._takes_objects(key.namespace):
            return Absent()
        admitted = self._admitted(key, live, new)
        if isinstance(admitted, Refused):
            return admitted
        if admitted == live:
            return Done(copy_of(live))
        metadata = admitted["metadata"]
        if metadata.get("deletionTimestamp") and not self._held_back(key, admitted):
            self._remove(key)
            return Done(copy_of(admitted))
        saved = self.store.put(key, admitted)
        self._collect_if_orphan(key, saved)
        return Done(copy_of(saved))

    def _admitted(self, key: Key, live: Object | None, new: Object) -> Object | Refused:
        refusal = admit_metadata(key.kind, new)
        if refusal is not None:
            return refusal
        if live is not None and live["metadata"].get("deletionTimestamp"):
            before, after = (set(o["metadata"].get("finalizers") or []) for o in (live, new))
            if after - before:
                return Refused("metadata.finalizers")
        admitted = admit_ours(key.kind, new) if key.kind in OUR_KINDS else admit_core(key.kind, new, live)
        if isinstance(admitted, Refused):
            return admitted
        return self._dressed(key.kind, live, admitted)

    def _dressed(self, kind: Kind, live: Object | None, object: Object) -> Object:
        """The object with what the API server itself sets."""
        metadata = dict(object["metadata"])
        dressed = {**object, "metadata": metadata}
        if live is None:
            metadata["uid"] = self._new_uid()
            metadata["creationTimestamp"] = self._time()
            if _has_status(kind) and kind != NAMESPACE:
                metadata["generation"] = 1
            if kind == NAMESPACE:
                metadata["labels"] = {
                    **(metadata.get("labels") or {}),
                    "kubernetes.io/metadata.name": metadata["name"],
                }
                dressed.setdefault("spec", {"finalizers": ["kubernetes"]})
                dressed["status"] = {"phase": "Active"}
        else:
            _copy_generated(live, dressed)
            if "generation" in metadata and _wish(live) != _wish(dressed):
                metadata["generation"] += 1
        for empty in ("labels", "annotations", "finalizers", "ownerReferences", "managedFields"):
            if empty in metadata and not metadata[empty]:
                del metadata[empty]
        return dressed

    def _time(self) -> str:
        return self._now().astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    # Deletion

    def _delete(self, key: Key, live: Object) -> None:
        if live["metadata"].get("deletionTimestamp"):
            return
        if not self._held_back(key, live):
            self._remove(key)
            return
        metadata = {
            **live["metadata"],
            "deletionTimestamp": self._time(),
            "deletionGracePeriodSeconds": 0,
        }
        if "generation" in metadata:
            metadata["generation"] += 1
        going = {**live, "metadata": metadata}
        if key.kind == NAMESPACE:
            going["status"] = {"phase": "Terminating"}
        self.store.put(key, going)
        if key.kind == NAMESPACE:
            for inner in self.store.all_keys():
                content = self.store.get(inner)
                if inner.namespace == key.name and content is not None:
                    self._delete(inner, content)

    def _held_back(self, key: Key, object: Object) -> bool:
        """Whether something keeps a deleted object: finalizers, or what is still in a namespace."""
        if object["metadata"].get("finalizers"):
            return True
        return key.kind == NAMESPACE and any(inner.namespace == key.name for inner in self.store.all_keys())

    def _remove(self, key: Key) -> None:
        """Take an object away, and with it its dependents and a namespace that waited for it."""
        removed = self.store.get(key)
        self.store.remove(key)
        for dependent in self.store.all_keys():
            object = self.store.get(dependent)
            if (
                object is not None
                and removed is not None
                and _is_owned_by(object, removed["metadata"]["uid"])
            ):
                self._collect_if_orphan(dependent, object)
        if key.namespace:
            place = Key(NAMESPACE, "", key.namespace)
            namespace = self.store.get(place)
            if (
                namespace is not None
                and namespace["metadata"].get("deletionTimestamp")
                and not self._held_back(place, namespace)
            ):
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
            changed = updated(object, {**object, "metadata": metadata}, "garbage collector", self._time())
            self.store.put(key, changed)
        else:
            self._delete(key, object)

    def _may_exist(self, namespace: str, owner: Mapping[str, Any]) -> bool:
        for kind in self._kinds:
            if (kind.api_version, kind.name) == (owner["apiVersion"], owner["kind"]):
                there = self.store.get(Key(kind, namespace if kind.namespaced else "", owner["name"]))
                return there is not None and bool(there["metadata"]["uid"] == owner["uid"])
        return True

    def _takes_objects(self, namespace: str) -> bool:
        found = self.store.get(Key(NAMESPACE, "", namespace))
        return found is not None and not found["metadata"].get("deletionTimestamp")


def _key(kind: Kind, object: Object) -> Key:
    metadata = object["metadata"]
    return Key(kind, metadata.get("namespace", "") if kind.namespaced else "", metadata.get("name", ""))


def _has_status(kind: Kind) -> bool:
    return kind in OUR_KINDS or kind == NAMESPACE


def _wish(object: Object) -> Object:
    return {name: value for name, value in object.items() if name not in ("metadata", "status")}


def _copy_generated(live: Object, new: Object) -> None:
    for name in _GENERATED:
        new["metadata"].pop(name, None)
        if name in live["metadata"]:
            new["metadata"][name] = live["metadata"][name]


def _copy_status(live: Object, new: Object) -> None:
    new.pop("status", None)
    if "status" in live:
        new["status"] = live["status"]


def _is_owned_by(object: Object, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in object["metadata"].get("ownerReferences") or [])


def _visible(object: Object, selection: Selection) -> Object:
    if selection.metadata_only:
        object = {name: object[name] for name in ("apiVersion", "kind", "metadata")}
    return copy_of(object)


def _change(logged: Logged, selection: Selection) -> Change | None:
    """What a watch says of a change: an object that leaves the selection is deleted as far as it can see."""
    if logged.key.kind != selection.kind or selection.namespace not in (None, logged.key.namespace):
        return None
    was = logged.before is not None and matches(logged.before, selection)
    now = logged.after is not None and matches(logged.after, selection)
    if now and logged.after is not None:
        return Change(ChangeType.MODIFIED if was else ChangeType.ADDED, _visible(logged.after, selection))
    if was and logged.before is not None:
        last = _visible(logged.before, selection)
        last["metadata"]["resourceVersion"] = str(logged.revision)
        return Change(ChangeType.DELETED, last)
    return None
