"""The cluster protocol, answered from memory, as an API server would answer it.

Everything happens within the call that causes it, garbage collection and the end of a namespace included; only
watches deliver later.
"""

import asyncio
import datetime
import uuid
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
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
    Unavailable,
    WatchEvent,
    Written,
    applicable,
    bookmark,
)
from adapters.local.admission import (
    Undecodable,
    admitted,
    as_stored,
    decoded,
    refusal,
    with_empty_texts,
    without_empty,
    without_nulls,
)
from adapters.local.apply import applied, updated
from adapters.local.forms import drop_unknown, fits
from adapters.local.lifecycle import GENERATED, Lifecycle, copy_generated, has_status
from adapters.local.patches import PatchFailed, json_patch, merge_patch
from adapters.local.selectors import check, matches
from adapters.local.store import Keeper, Key, Logged, Store, copy_of
from adapters.resources.faults import Faults
from adapters.resources.kinds import KNOWN_KINDS, NAMESPACE, OUR_KINDS, kind_of

BOOKMARK_SECONDS = 60.0
HISTORY = 1024


class LocalCluster:
    """An API server in memory, with the namespace `default` in it."""

    def __init__(
        self,
        now: Callable[[], datetime.datetime],
        *,
        history: int = HISTORY,
        kinds: Sequence[Kind] = KNOWN_KINDS,
        identify: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        """`now` gives aware times, `identify` a UID for each new object. A watch can go back `history` changes. Other
        kinds than `kinds` are Absent."""
        self.store = Store(history)
        self._kinds = set(kinds)
        self._lifecycle = Lifecycle(self.store, kinds, now, identify)
        self.ensure_namespace("default")

    def ensure_namespace(self, name: str) -> None:
        """Make a namespace, if it is not there."""
        self._lifecycle.ensure_namespace(name)

    def restore(self, objects: Iterable[tuple[Key, Object]], keeper: Keeper) -> None:
        """Put back objects as they were kept, uids, finalizers and managers included; `keeper` is told of each
        change from now on. What has lost its owner meanwhile is collected. Raises OSError."""
        for key, object in objects:
            if key.namespace:
                self.ensure_namespace(key.namespace)
            self.store.put(key, object)
        self.store.keeper = keeper
        self._lifecycle.collect_garbage()

    # Reading

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        found = self.store.get(Key(kind, namespace, name))
        return Absent() if found is None else Done(copy_of(found))

    async def list(self, selection: Selection) -> ListResult:
        if selection.kind not in self._kinds:
            return Absent()
        try:
            check(selection)
        except ValueError:
            return Refused()
        items = [
            _visible(object, selection)
            for object in self.store.select(selection.kind, selection.namespace)
            if matches(object, selection)
        ]
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
        kind, configuration = kind_of(object), applicable(copy_of(object))
        if not fits(kind, configuration):
            return Refused()
        key = _key(kind, configuration)
        live = self.store.get(key)
        if uid is not None and live is None:
            return Conflict()
        if version is not None and live is not None and live["metadata"]["resourceVersion"] != version:
            return Conflict()
        for name in (*GENERATED, "managedFields", "resourceVersion"):
            configuration["metadata"].pop(name, None)
        if has_status(kind):
            configuration.pop("status", None)
        # A Secret's stringData is folded afterwards, as there: its manager does not own the data that come of it
        new = with_empty_texts(applied(live, configuration, manager, self._lifecycle.time()))
        if kind not in OUR_KINDS:
            new = without_nulls(new)
        new = as_stored({**new, "metadata": without_nulls(new["metadata"])})
        if uid is not None:
            new["metadata"]["uid"] = uid
        return self._save(key, live, new)

    async def create(self, object: Object, manager: str) -> Written:
        kind, new = kind_of(object), without_empty(decoded(kind_of(object), copy_of(object)))
        drop_unknown(kind, new)
        version = new["metadata"].pop("resourceVersion", None)
        key = _key(kind, new)
        for name in GENERATED:
            new["metadata"].pop(name, None)
        if has_status(kind):
            new.pop("status", None)
        answer = admitted(kind, new, None)  # before the manager is noted, because it manages the defaults too
        if not isinstance(answer, Undecodable) and not self._lifecycle.takes(key):
            return Absent()
        if isinstance(answer, Faults):
            return refusal(answer)
        if version:
            return Refused()
        if self.store.get(key) is not None:
            return Conflict()
        return self._save(key, None, updated(None, answer.object, manager, self._lifecycle.time()))

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        key = Key(kind, namespace, name)
        live = self.store.get(key)
        if live is None:
            return Absent()
        try:
            new = json_patch(live, operations)
        except PatchFailed:
            return Conflict()
        if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
            return Refused()
        new = decoded(kind, new)
        if _key(kind, new) != key or new.get("apiVersion") != kind.api_version:
            return Refused()
        if new.get("kind") != kind.name:
            return Refused("kind" if kind in OUR_KINDS else "")
        drop_unknown(kind, new)
        if new["metadata"].get("resourceVersion") != live["metadata"]["resourceVersion"]:
            return Conflict()
        if has_status(kind):
            _copy_status(live, new)
        answer = admitted(kind, new, live)  # while what is empty can be told from what is absent
        if isinstance(answer, Faults):
            return refusal(answer)
        new = without_empty(answer.object)
        copy_generated(live, new)
        return self._save(key, live, updated(live, new, manager, self._lifecycle.time()))

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
        if live is None or not has_status(kind):
            return Absent()
        if version is not None and live["metadata"]["resourceVersion"] != version:
            return Conflict()
        new = decoded(kind, {**live, "status": merge_patch(live.get("status"), copy_of(dict(status)))})
        drop_unknown(kind, new)
        if kind == NAMESPACE:
            new["status"].setdefault("phase", "Active")
        answer = admitted(kind, new, live)
        if isinstance(answer, Faults):
            return refusal(answer)
        time = self._lifecycle.time()
        return self._save(key, live, updated(live, answer.object, manager, time, "status"))

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
        try:
            self._lifecycle.delete(key, live)
        except OSError:
            return Unavailable()
        return Done()

    def _save(self, key: Key, live: Object | None, new: Object) -> Written:
        try:
            return self._lifecycle.save(key, live, new)
        except OSError:  # where the store keeps its objects cannot be written
            return Unavailable()


def _key(kind: Kind, object: Object) -> Key:
    metadata = object["metadata"]
    return Key(kind, metadata.get("namespace", "") if kind.namespaced else "", metadata.get("name", ""))


def _copy_status(live: Object, new: Object) -> None:
    new.pop("status", None)
    if "status" in live:
        new["status"] = live["status"]


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
