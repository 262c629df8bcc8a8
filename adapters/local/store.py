"""Objects, their revisions, and a bounded log of changes: what etcd and the watch cache are to an API server."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from adapters.cluster import Kind, Object


class Key(NamedTuple):
    """Where an object is: `namespace` is "" for cluster-wide kinds."""

    kind: Kind
    namespace: str
    name: str


class Logged(NamedTuple):
    """One change: the object before (None: it was made) and after (None: it is gone)."""

    revision: int
    key: Key
    before: Object | None
    after: Object | None


Keeper = Callable[[Key, Object | None], None]
"""Told of an object that is about to be saved, or removed (None). May raise OSError."""


def copy_of(object: Object) -> Object:
    """A copy that shares nothing with the original."""
    copied: Object = msgspec.json.decode(msgspec.json.encode(object))
    return copied


def _keep_nothing(key: Key, object: Object | None) -> None:
    """In memory only."""


class Store:
    """All objects of a cluster. What it is given and hands out is shared: nobody may change it afterwards.

    `keeper` is told of each change before it is made; what it raises prevents the change.
    """

    def __init__(self, history: int) -> None:
        """`history` is the number of changes that a watch can go back."""
        self.revision = 0
        self.keeper: Keeper = _keep_nothing
        self._objects: dict[Kind, dict[tuple[str, str], Object]] = {}
        self._log: deque[Logged] = deque(maxlen=history)
        self._bell = asyncio.Event()

    def get(self, key: Key) -> Object | None:
        return self._objects.get(key.kind, {}).get((key.namespace, key.name))

    def put(self, key: Key, object: Object) -> Object:
        """Save an object at the next revision, and return it as saved."""
        before = self.get(key)
        saved = {**object, "metadata": {**object["metadata"], "resourceVersion": str(self.revision + 1)}}
        self.keeper(key, saved)
        self.revision += 1
        self._objects.setdefault(key.kind, {})[key.namespace, key.name] = saved
        self._note(Logged(self.revision, key, before, saved))
        return saved

    def remove(self, key: Key) -> Object:
        """Take an object away, and return it. Raises LookupError where there is none."""
        before = self._objects[key.kind][key.namespace, key.name]
        self.keeper(key, None)
        del self._objects[key.kind][key.namespace, key.name]
        self.revision += 1
        self._note(Logged(self.revision, key, before, None))
        return before

    def everything(self) -> list[tuple[Key, Object]]:
        """All objects of all kinds."""
        return [
            (Key(kind, *place), object)
            for kind, objects in self._objects.items()
            for place, object in objects.items()
        ]

    def select(self, kind: Kind, namespace: str | None) -> Iterator[Object]:
        """The objects of a kind, in one namespace or all (None), in the order of namespace and name."""
        objects = self._objects.get(kind, {})
        for place in sorted(objects):
            if namespace is None or place[0] == namespace:
                yield objects[place]

    def changes_after(self, revision: int) -> list[Logged] | None:
        """All changes after a revision, oldest first; None where the log does not reach back so far."""
        missed = self.revision - revision
        if missed == 0:
            return []
        if missed < 0 or missed > len(self._log):
            return None
        return [self._log[index] for index in range(len(self._log) - missed, len(self._log))]

    async def next_change(self) -> None:
        """Return when something has changed from now on."""
        await self._bell.wait()

    def _note(self, change: Logged) -> None:
        self._log.append(change)
        rung, self._bell = self._bell, asyncio.Event()
        rung.set()
