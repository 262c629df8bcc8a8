"""Resources as the queue knows them, and an index of which of them refers to what."""

from collections import defaultdict
from collections.abc import Callable

from adapters.cluster import Kind
from adapters.journal import Subject
from machines.names import KindName, NamespaceName, ResourceName
from reconciler.caches import Place
from reconciler.queue import Lane

Wake = Callable[[Subject, Lane, str], None]
"""`wake(subject, lane, reason)`: it shall run now."""

Forget = Callable[[Subject], None]
"""It is gone."""


def subject_of(kind: Kind, place: Place) -> Subject:
    """The resource of a kind at a place."""
    return Subject(KindName(kind.name), NamespaceName(place[0]), ResourceName(place[1]))


class Index:
    """Which resources refer to a place: each resource tells all its places anew."""

    def __init__(self) -> None:
        self._places: dict[Subject, frozenset[tuple[str, ...]]] = {}
        # In the order in which they came: what follows from a change follows in the same order in every process
        self._subjects: dict[tuple[str, ...], dict[Subject, None]] = defaultdict(dict)

    def put(self, subject: Subject, places: frozenset[tuple[str, ...]]) -> None:
        """These are the places that a resource refers to now; none: it is gone."""
        for place in self._places.pop(subject, frozenset()) - places:
            self._subjects[place].pop(subject, None)
            if not self._subjects[place]:
                del self._subjects[place]
        for place in places:
            self._subjects[place][subject] = None
        if places:
            self._places[subject] = places

    def of(self, place: tuple[str, ...]) -> tuple[Subject, ...]:
        """Who refers to a place."""
        return tuple(self._subjects.get(place, ()))
