"""What watches told: the newest that is known of each object, reduced to what is needed.

A cache is the sink of a watcher. It tells one listener what became of each object, with what was known before, so
that the listener can see whether the change matters. What the controller wrote itself is put into the cache as
the API server answered it: the next run sees it, and the watch telling of it again is no news.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from adapters.cluster import Change, ChangeType, Object

ItemT = TypeVar("ItemT")

Place = tuple[str, str]
"""Namespace ("" for cluster-wide kinds) and name."""


def place_of(object: Object) -> Place:
    """Where an object is."""
    metadata = object["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _number(version: str) -> int:
    return int(version) if version.isdigit() else 0


class Cache(Generic[ItemT]):
    """Objects of one selection by place. `listener(place, before, after)` hears of every difference.

    `group` says what `places_of` finds items by: some text of theirs, such as an owner's UID.
    """

    def __init__(
        self,
        reduce: Callable[[Object], ItemT],
        listener: Callable[[Place, ItemT | None, ItemT | None], None],
        group: Callable[[ItemT], str] = lambda item: "",
    ) -> None:
        self._reduce = reduce
        self._listen = listener
        self._group = group
        self._groups: dict[str, set[Place]] = {}
        self._items: dict[Place, ItemT] = {}
        self._versions: dict[Place, str] = {}
        self._heard = 0  # the newest version that the watch has told of

    def replaced(self, objects: Iterable[Object], version: str) -> None:
        """A whole list as of a version, swapped in one move; then the listener hears of what came, changed and vanished."""
        before, known = self._items, self._versions
        items: dict[Place, ItemT] = {}
        versions: dict[Place, str] = {}
        for object in objects:
            place = place_of(object)
            own = object["metadata"].get("resourceVersion", "")
            items[place] = before[place] if known.get(place) == own else self._reduce(object)
            versions[place] = own
        self._items, self._versions = items, versions
        self._heard = _number(version)
        differing = [
            place for place in dict.fromkeys((*items, *before)) if known.get(place) != versions.get(place)
        ]
        for place in differing:
            self._regroup(place, before.get(place), items.get(place))
        for place in differing:
            self._listen(place, before.get(place), items.get(place))

    def changed(self, change: Change) -> None:
        """One change that a watch told."""
        if change.type is ChangeType.BOOKMARK:
            return
        place = place_of(change.object)
        version = change.object["metadata"].get("resourceVersion", "")
        known = self._versions.get(place)
        self._heard = max(self._heard, _number(version))
        if change.type is ChangeType.DELETED:
            if known is not None and _number(known) <= _number(version):
                self.drop(place)
        elif known is None or _number(known) < _number(
            version
        ):  # else the answer to a write of ours came first
            self._take(place, version, change.object)

    def put(self, object: Object) -> None:
        """An object as the API server answered it to a write of ours; it may hold what others changed meanwhile.

        One that is not known, in a version that the watch has come past already, was deleted since.
        """
        place = place_of(object)
        version = object["metadata"].get("resourceVersion", "")
        known = self._versions.get(place)
        if _number(version) > (self._heard if known is None else _number(known)):
            self._take(place, version, object)

    def _take(self, place: Place, version: str, object: Object) -> None:
        before, after = self._items.get(place), self._reduce(object)
        self._items[place], self._versions[place] = after, version
        self._tell(place, before, after)

    def vanished(self, object: Object) -> None:
        """The API server answered that an object, known as this, is not there: the watch is behind. One that was made
        anew meanwhile stays."""
        place = place_of(object)
        if self._versions.get(place) == object["metadata"].get("resourceVersion", ""):
            self.drop(place)

    def drop(self, place: Place) -> None:
        """An object that is gone."""
        before = self._items.pop(place, None)
        self._versions.pop(place, None)
        if before is not None:
            self._tell(place, before, None)

    def _tell(self, place: Place, before: ItemT | None, after: ItemT | None) -> None:
        self._regroup(place, before, after)
        self._listen(place, before, after)

    def _regroup(self, place: Place, before: ItemT | None, after: ItemT | None) -> None:
        former = self._group(before) if before is not None else ""
        present = self._group(after) if after is not None else ""
        if former != present:
            if former:
                self._groups[former].discard(place)
                if not self._groups[former]:
                    del self._groups[former]
            if present:
                self._groups.setdefault(present, set()).add(place)

    def places_of(self, group: str) -> list[Place]:
        """Where the items of a group are, in order."""
        return sorted(self._groups.get(group, ()))

    def get(self, place: Place) -> ItemT | None:
        """What is known of an object; None: there is none."""
        return self._items.get(place)

    def __iter__(self) -> Iterator[tuple[Place, ItemT]]:
        return iter(list(self._items.items()))

    def __len__(self) -> int:
        return len(self._items)
