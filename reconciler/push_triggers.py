"""What a change in the cluster means to PushSecrets, and what a change of theirs means to their stores.

A change of a source Secret waits for quiet, so that a burst of them makes one run. Stores are woken when a PushSecret
that kept them from going away needs them no more.
"""

from collections.abc import Callable, Iterator

from adapters.cluster import Kind, Object
from adapters.journal import Subject
from adapters.resources.kinds import CLUSTER_SECRET_STORE, PUSH_SECRET, SECRET_STORE
from reconciler.caches import Place
from reconciler.conditions import ready_of
from reconciler.effects.observe_external_secret import wanted_version
from reconciler.push_references import (
    PUSH_FINALIZER,
    STORE_FINALIZER,
    StorePlace,
    choices_of,
    deletes,
    recorded_stores,
    source_of,
)
from reconciler.queue import Lane
from reconciler.settling import Settling
from reconciler.stores import StoreView, selects
from reconciler.subjects import Forget, Index, Wake, subject_of
from reconciler.surroundings import SecretStub

_KINDS = {kind.name: kind for kind in (SECRET_STORE, CLUSTER_SECRET_STORE)}
_ANY = "*"  # stands for every name of a place: what is chosen by labels


class PushTriggers:
    """Listeners of caches for the sake of PushSecrets. `push_secret` and `store` give what is known of one."""

    def __init__(
        self,
        wake: Wake,
        forget: Forget,
        push_secret: Callable[[Place], Object | None],
        store: Callable[[StorePlace], StoreView | None],
    ) -> None:
        self._wake = wake
        self._forget = forget
        self._push_secret = push_secret
        self._store = store
        self._by_store = Index()
        self._by_source = Index()
        self._settling: Settling[Subject] = Settling(lambda subject: wake(subject, Lane.CHANGE, "source"))

    # --- PushSecrets ---------------------------------------------------------------------------------------

    def push_secret(self, place: Place, before: Object | None, after: Object | None) -> None:
        """A change of a PushSecret."""
        subject = subject_of(PUSH_SECRET, place)
        self._by_store.put(subject, frozenset(_stores_of(after)) if after is not None else frozenset())
        self._by_source.put(subject, frozenset({_source_place(after)}) if after is not None else frozenset())
        if after is None:
            self._settling.forget(subject)
            self._forget(subject)
        elif before is None:
            synced = (after.get("status") or {}).get("refreshTime")
            self._wake(subject, Lane.REFRESH if synced else Lane.CHANGE, "seen")
        elif _wish_of(before) != _wish_of(after):
            self._wake(subject, Lane.CHANGE, "changed")
        self._let_stores_go(before, after)

    def _let_stores_go(self, before: Object | None, after: Object | None) -> None:
        """Wake the stores that a PushSecret may not need any more, or is about to need."""
        if before is None or (after is not None and set(_needs(before)) <= set(_needs(after))):
            return
        for kind, namespace, name in dict.fromkeys(_needs(before)):
            for view in self._chosen(kind, namespace, name):
                if STORE_FINALIZER in (view.object["metadata"].get("finalizers") or ()):
                    self._wake(
                        subject_of(_KINDS[view.kind], (view.namespace, view.name)), Lane.CHANGE, "unneeded"
                    )

    def _chosen(self, kind: str, namespace: str, name: str) -> Iterator[StoreView]:
        places = [(kind, namespace, name)] if name != _ANY else self.guarded_stores(kind, namespace)
        for place in places:
            view = self._store(place)
            if view is not None:
                yield view

    def guarded_stores(self, kind: str, namespace: str) -> list[StorePlace]:
        """Stores of a kind in a namespace that some PushSecret has pushed to by their labels."""
        return [
            place
            for subject in self._by_store.of((kind, namespace, _ANY))
            if (object := self._push_secret((subject.namespace, subject.name))) is not None
            for place in recorded_stores(object)
            if place[:2] == (kind, namespace)
        ]

    def needs(self, view: StoreView) -> bool:
        """Whether a PushSecret needs a store for the clean-up of what it pushed there, or will push."""
        place = (view.kind, view.namespace, view.name)
        subjects = (*self._by_store.of(place), *self._by_store.of((*place[:2], _ANY)))
        return any(
            object is not None and needs_store(object, view)
            for subject in subjects
            for object in (self._push_secret((subject.namespace, subject.name)),)
        )

    # --- what they refer to --------------------------------------------------------------------------------

    def store(self, kind: Kind, place: Place, before: StoreView | None, after: StoreView | None) -> None:
        """A change of a store: who waits for it tries again, and so does who chooses stores by label."""
        came_or_went = before is None or after is None
        unguarded = (
            before is not None and after is not None and _is_guarded(before) and not _is_guarded(after)
        )
        for subject in self._by_store.of((kind.name, *place)):
            if came_or_went or unguarded or self._waits(subject):
                self._wake(subject, Lane.CHANGE, "store")
        if came_or_went or _labels(before) != _labels(after) or _ready(before) != _ready(after):
            for subject in self._by_store.of((kind.name, place[0], _ANY)):
                self._wake(subject, Lane.CHANGE, "store")

    def secret(self, place: Place, before: SecretStub | None, after: SecretStub | None) -> None:
        """A change of any Secret: it may be a source."""
        for subject in self._by_source.of(place):
            self._settling.changed(subject)
        for subject in self._by_source.of((place[0], _ANY)):
            object = self._push_secret((subject.namespace, subject.name))
            selector = source_of(object)[1] if object is not None else None
            if selector is not None and any(
                stub is not None and selects(selector, stub.labels) for stub in (before, after)
            ):
                self._settling.changed(subject)

    def credentials(self, store: Subject, namespace: str) -> None:
        """Credentials that a store reads in the namespaces of its users changed in one of them."""
        for subject in self._by_store.of((store.kind, store.namespace, store.name)):
            if subject.namespace == namespace and self._waits(subject):
                self._wake(subject, Lane.CHANGE, "credentials")

    def namespace(self, name: str) -> None:
        """A change of a namespace's labels: a ClusterSecretStore may admit it now."""
        for subject in self._by_store.of(("namespace", name)):
            if self._waits(subject):
                self._wake(subject, Lane.CHANGE, "namespace")

    def _waits(self, subject: Subject) -> bool:
        object = self._push_secret((subject.namespace, subject.name))
        return object is not None and (ready_of(object) or {}).get("status") != "True"


def _stores_of(object: Object) -> Iterator[tuple[str, ...]]:
    yield ("namespace", object["metadata"].get("namespace", ""))
    yield from recorded_stores(object)
    for choice in choices_of(object):
        yield choice.kind, choice.namespace, choice.name or _ANY


def _source_place(object: Object) -> tuple[str, ...]:
    return object["metadata"].get("namespace", ""), source_of(object)[0] or _ANY


def _needs(object: Object) -> Iterator[StorePlace]:
    """The stores that must not go away before it has cleaned up; chosen ones as a whole."""
    metadata = object["metadata"]
    if not deletes(object):
        return
    if metadata.get("deletionTimestamp") and PUSH_FINALIZER not in (metadata.get("finalizers") or ()):
        return
    yield from recorded_stores(object)
    if not metadata.get("deletionTimestamp"):
        for choice in choices_of(object):
            yield choice.kind, choice.namespace, choice.name or _ANY


def needs_store(object: Object, view: StoreView) -> bool:
    """Whether a PushSecret needs a store for the clean-up of what it pushed there, or will push."""
    place = (view.kind, view.namespace, view.name)
    needed = set(_needs(object))
    if place in needed:
        return True
    return (*place[:2], _ANY) in needed and any(
        choice.kind == view.kind
        and choice.selector is not None
        and selects(choice.selector, view.object["metadata"].get("labels") or {})
        for choice in choices_of(object)
    )


def _wish_of(object: Object) -> tuple[object, ...]:
    """What differs where its author wishes something else, or its finalizer went."""
    metadata = object["metadata"]
    guarded = PUSH_FINALIZER in (metadata.get("finalizers") or ())
    deleting = bool(metadata.get("deletionTimestamp"))
    return wanted_version(object), metadata.get("uid", ""), deleting, deleting and guarded


def _is_guarded(view: StoreView) -> bool:
    return STORE_FINALIZER in (view.object["metadata"].get("finalizers") or ())


def _labels(view: StoreView | None) -> object:
    return (view.object["metadata"].get("labels") or {}) if view is not None else None


def _ready(view: StoreView | None) -> bool | None:
    return None if view is None else view.ready
