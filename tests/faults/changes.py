"""All changes of a local cluster, as they happen, and what must never be among them."""

import base64
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from adapters.cluster import Kind, Object
from adapters.local.store import Key, Store
from adapters.resources.kinds import EVENT, EXTERNAL_SECRET, PUSH_SECRET, SECRET
from reconciler.content.metadata import LABEL_MANAGED, MANAGED

NOISE = "elsewhere"
"""A namespace in which things happen that are of no concern."""

Content = tuple[tuple[str, str], ...] | None
"""The data of a Secret; None: there is none."""


class Changed(NamedTuple):
    """One change: the object before (None: it was made) and after (None: it is gone)."""

    revision: int
    key: Key
    before: Object | None
    after: Object | None


class Changes:
    """The log of a cluster's changes. `keep` is told of each before it is made."""

    def __init__(self, store: Store, watching: Callable[[], bool]) -> None:
        """`watching`: whether changes count just now."""
        self._store = store
        self._watching = watching
        self._last: dict[Key, Changed] = {}
        self._last_of_kind: dict[Kind, Changed] = {}
        self.log: list[Changed] = []
        self.wrongs: list[str] = []
        self.push_secret: Callable[[Object | None, Object | None], None] | None = (
            None  # told of their changes
        )
        self.by_user = False  # what happens just now is a user's own doing
        store.keeper = self.keep

    def keep(self, key: Key, object: Object | None) -> None:
        """A change is about to be made."""
        change = Changed(self._store.revision + 1, key, self._store.get(key), object)
        self._last[key] = self._last_of_kind[key.kind] = change
        if self._watching():
            self.log.append(change)
            if key.kind == SECRET and not self.by_user:
                self._look_at_secret(change)
        if key.kind == PUSH_SECRET and self.push_secret is not None:
            self.push_secret(change.before, object)

    def last(self, kind: Kind, namespace: str = "", name: str = "") -> Changed | None:
        """The last change of an object, or without a name of any object of a kind."""
        return self._last.get(Key(kind, namespace, name)) if name else self._last_of_kind.get(kind)

    def _look_at_secret(self, change: Changed) -> None:
        before, after = change.before, change.after
        if content_of(before) and after is not None and not content_of(after):
            self.wrongs.append(f"Secret {change.key.name} was emptied")
        if before is None or after is not None:
            return
        if not is_managed(before):
            self.wrongs.append(f"Secret {change.key.name}, which is not the controller's, was deleted")
        for owner in before["metadata"].get("ownerReferences") or ():
            there = self._store.get(Key(EXTERNAL_SECRET, change.key.namespace, owner["name"]))
            if there is None or there["metadata"]["uid"] != owner["uid"]:
                continue
            stands = any(
                is_managed(other) and content_of(other) and _has_owner(other, owner["uid"])
                for other in self._store.select(SECRET, change.key.namespace)
                if other["metadata"]["name"] != change.key.name
            )
            if not stands and not there["metadata"].get("deletionTimestamp"):
                self.wrongs.append(f"Secret {change.key.name} was deleted, and nothing stands in its place")

    def counts(self) -> Counter[str]:
        """How many creations, changes and deletions there were, by kind, but for events and noise."""
        return Counter(
            f"{_verb(change)} {change.key.kind.name}"
            for change in self.log
            if change.key.kind != EVENT and change.key.namespace != NOISE
        )

    def contents(self) -> dict[str, list[Content]]:
        """What each Secret held, one after the other."""
        found: dict[str, list[Content]] = {}
        for change in self.log:
            if change.key.kind == SECRET:
                held = found.setdefault(change.key.name, [content_of(change.before)])
                after = content_of(change.after)
                if after != held[-1]:
                    held.append(after)
        return found


def is_managed(secret: Object) -> bool:
    """Whether the controller made it what it is."""
    return bool((secret["metadata"].get("labels") or {}).get(LABEL_MANAGED) == MANAGED)


def content_of(secret: Object | None) -> Content:
    """What a Secret holds."""
    if secret is None:
        return None
    data = secret.get("data") or {}
    return tuple(sorted((name, base64.b64decode(text).decode()) for name, text in data.items()))


def _has_owner(secret: Object, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in secret["metadata"].get("ownerReferences") or ())


def _verb(change: Changed) -> str:
    if change.before is None:
        return "create"
    return "change" if change.after is not None else "delete"
