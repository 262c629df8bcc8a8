"""All changes at Infisical, as they happen, and what must never be among them: where PushSecrets push to it."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from adapters.cluster import Object
from adapters.local.store import Key, Store
from adapters.resources.kinds import PUSH_SECRET, SECRET_STORE
from reconciler.push_references import PUSH_FINALIZER, STORE_FINALIZER, deletes, record_of
from reconciler.standin import Project

Remote = dict[str, tuple[str, int]]
"""Value and version of each secret, by the path that leads to it."""


Pushed = tuple[str, str, str | None]
"""Store, path of the secret, and property."""


def remote_of(project: Project) -> Remote:
    """What a project holds in its first environment."""
    found: Remote = {}
    for path in sorted(project.environments["dev"].folders):
        for name, value in project.values("dev", path).items():
            version = project.version("dev", path, name)
            found[f"{path.rstrip('/')}/{name}"] = (_ordered(value), version or 0)
    return found


def _ordered(value: str) -> str:
    """Who was first among several who merge properties into one secret does not count."""
    try:
        return json.dumps(json.loads(value), sort_keys=True)
    except ValueError:
        return value


class RemoteChanges:
    """The log of a project's changes, each with what stood in the cluster just then."""

    def __init__(
        self, project: Project, store: Store, watching: Callable[[], bool], wrongs: list[str]
    ) -> None:
        """`watching`: whether changes count just now."""
        self._project = project
        self._store = store
        self._watching = watching
        self._wrongs = wrongs
        self._last = remote_of(project)
        self._pushed = False  # whether there ever was a PushSecret
        self.by_user = False  # what happens just now is a user's own doing
        self.counts: Counter[str] = Counter()
        told = project.services.changed

        def changed(*arguments: Any) -> None:
            self._look()
            told(*arguments)

        project.services.changed = changed

    def _look(self) -> None:
        before, after = self._last, remote_of(self._project)
        self._last = after
        if self.by_user or not self._pushed or not self._watching():
            return
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) == after.get(name):
                continue
            verb = "create" if name not in before else "delete" if name not in after else "update"
            self.counts[f"{verb} {name}"] += 1
            if verb == "update" and before[name][0] == after[name][0]:
                self._wrongs.append(f"{name} was written, and was equal before")
            self._look_for_record(verb, name)

    def _look_for_record(self, verb: str, name: str) -> None:
        """Whatever is written or deleted is in a record, and what is owed at a deletion stands before."""
        resources = self._store.select(PUSH_SECRET, "default")
        ours = [one for one in resources if name in {place for _, place, _ in self._recorded(one)}]
        if not ours:
            self._wrongs.append(f"{verb} {name}: it is in no record")
        for one in ours:
            if not deletes(one):
                continue
            if PUSH_FINALIZER not in (one["metadata"].get("finalizers") or ()):
                self._wrongs.append(f"{verb} {name}: its PushSecret has no finalizer")
            for store in self._store.select(SECRET_STORE, "default"):
                named = f"SecretStore/{store['metadata']['name']}" in record_of(one)
                if named and STORE_FINALIZER not in (store["metadata"].get("finalizers") or ()):
                    self._wrongs.append(f"{verb} {name}: its store has no finalizer")

    def look_at(self, before: Object | None, after: Object | None) -> None:
        """A PushSecret is about to change: nothing is forgotten that is still there and is to be deleted."""
        self._pushed = True
        if before is None or not deletes(before) or not self._watching():
            return
        after_all = {*self._recorded(after), *self._wanted(after)} if after is not None else set()
        for place in self._recorded(before):
            _, name, path = place
            if place in after_all:
                continue
            value = self._last.get(name, (None, 0))[0]
            if value is not None and (path is None or f'"{path}"' in value):
                self._wrongs.append(f"{name} {path or ''} was forgotten, and is still there")

    def _recorded(self, object: Object) -> Iterator[Pushed]:
        """What the record says."""
        for store, entries in record_of(object).items():
            for entry in entries.values():
                yield self._place(store, (entry or {}).get("match") or {})

    def _wanted(self, object: Object) -> Iterator[Pushed]:
        """Where each entry of the spec goes."""
        if object["metadata"].get("deletionTimestamp"):
            return
        for reference in object["spec"]["secretStoreRefs"]:
            for entry in object["spec"].get("data") or ():
                yield self._place(f"SecretStore/{reference['name']}", entry["match"])

    def _place(self, store: str, match: Any) -> Pushed:
        reference, folder = match["remoteRef"], ""
        there = self._store.get(Key(SECRET_STORE, "default", store.partition("/")[2]))
        if there is not None and not reference["remoteKey"].startswith("/"):
            folder = there["spec"]["provider"]["infisical"]["secretsScope"].get("secretsPath") or ""
        return store, f"{folder.rstrip('/')}/{reference['remoteKey'].lstrip('/')}", reference.get("property")
