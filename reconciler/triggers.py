"""What a change in the cluster wakes: the resource itself, and whoever waits for what has changed.

One's own writes coming back wake nothing: a status says nothing about a wish, and a Secret that is as it should be
needs nobody.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from adapters.cluster import Kind, Object
from adapters.journal import Subject
from adapters.resources.kinds import CLUSTER_SECRET_STORE, EXTERNAL_SECRET, SECRET_STORE
from machines.outcomes import Drift
from reconciler.caches import Place
from reconciler.conditions import ready_of
from reconciler.effects.observe_external_secret import wanted_version
from reconciler.push_triggers import PushTriggers
from reconciler.queue import Lane
from reconciler.secret_view import SecretView
from reconciler.stores import Connection, StoreView, connection_of
from reconciler.subjects import Forget, Index, Wake, subject_of
from reconciler.surroundings import SecretStub

STORE_TURNED = "store turned"
"""The reason of those whose store became ready, or ceased to be."""


class Triggers:
    """Listeners of the caches: each decides whom a change concerns."""

    def __init__(
        self,
        wake: Wake,
        forget: Forget,
        external_secret: Callable[[Place], Object | None],
        pushes: PushTriggers,
    ) -> None:
        self._wake = wake
        self._forget = forget
        self._external_secret = external_secret
        self._pushes = pushes
        self.push_secret = pushes.push_secret
        self._by_store = Index()
        self._by_target = Index()
        self._by_reference = Index()  # stores by the Secrets and ConfigMaps that they refer to

    # --- ExternalSecrets -----------------------------------------------------------------------------------

    def external_secret(self, place: Place, before: Object | None, after: Object | None) -> None:
        """A change of an ExternalSecret."""
        subject = subject_of(EXTERNAL_SECRET, place)
        if after is None:
            self._by_store.put(subject, frozenset())
            self._by_target.put(subject, frozenset())
            self._forget(subject)
            return
        self._by_store.put(subject, frozenset(_places_of(after, place[0])))
        target = (((after.get("spec") or {}).get("target") or {}).get("name")) or place[1]
        self._by_target.put(subject, frozenset({(place[0], target)}))
        if before is None:
            synced = (after.get("status") or {}).get("refreshTime")
            self._wake(subject, Lane.REFRESH if synced else Lane.CHANGE, "seen")
        elif wanted_version(before) != wanted_version(after) or _is_another(before, after):
            self._wake(subject, Lane.CHANGE, "changed")

    def _wake_waiting(self, subjects: Iterable[Subject], reason: str) -> None:
        for subject in subjects:
            resource = self._external_secret((subject.namespace, subject.name))
            if resource is not None and (ready_of(resource) or {}).get("status") != "True":
                self._wake(subject, Lane.CHANGE, reason)

    # --- stores --------------------------------------------------------------------------------------------

    def store(self, kind: Kind) -> Callable[[Place, StoreView | None, StoreView | None], None]:
        """The listener for stores of a kind."""

        def listener(place: Place, before: StoreView | None, after: StoreView | None) -> None:
            subject = subject_of(kind, place)
            changed = before is None or after is None or _wish_of(before.object) != _wish_of(after.object)
            if after is None:
                self._by_reference.put(subject, frozenset())
                self._forget(subject)
            else:
                self._by_reference.put(subject, frozenset(_references_of(after)))
                if changed:
                    self._wake(subject, Lane.CHANGE, "seen" if before is None else "changed")
            if changed or _ready(before) != _ready(after):
                reason = "store" if changed else STORE_TURNED
                self._wake_waiting(self._by_store.of((kind.name, *place)), reason)
            self._pushes.store(kind, place, before, after)

        return listener

    # --- Secrets, ConfigMaps and namespaces ----------------------------------------------------------------

    def managed_secret(self, place: Place, before: SecretView | None, after: SecretView | None) -> None:
        """A change of a Secret that carries the managed label: its owner is woken where it is not as it should be."""
        as_it_should_be = after is not None and after.drift is Drift.NONE
        if as_it_should_be and (before is None or after is None or before.owner_uid == after.owner_uid):
            return
        view = after or before
        if view is not None and view.owner_kind == EXTERNAL_SECRET.name:
            owner = (place[0], view.owner_name)
            if self._external_secret(owner) is not None:
                self._wake(subject_of(EXTERNAL_SECRET, owner), Lane.CHANGE, "target")
        self._wake_waiting(self._by_target.of(place), "target")

    def secret(self, place: Place, before: SecretStub | None, after: SecretStub | None) -> None:
        """A change of any Secret: stores whose credentials or certificates it holds are validated again, and who reads
        credentials of this name in its own namespace tries again."""
        for subject in self._by_reference.of(place):
            self._wake(subject, Lane.CHANGE, "credentials")
        for store in self._by_reference.of(("", place[1])):
            users = self._by_store.of((store.kind, store.namespace, store.name))
            self._wake_waiting((user for user in users if user.namespace == place[0]), "credentials")
            self._pushes.credentials(store, place[0])
        self._pushes.secret(place, before, after)
        if after is None:
            self._wake_waiting(self._by_target.of(place), "target")

    def namespace(
        self, place: Place, before: Mapping[str, str] | None, after: Mapping[str, str] | None
    ) -> None:
        """A change of a namespace's labels: a ClusterSecretStore may admit it now."""
        if after is not None and before != after:
            self._wake_waiting(self._by_store.of(("namespace", place[1])), "namespace")
            self._pushes.namespace(place[1])

    def other(self, kind: Kind) -> Callable[[Place, Object | None, Object | None], None]:
        """The listener for a kind without a machine of its own."""

        def listener(place: Place, before: Object | None, after: Object | None) -> None:
            subject = subject_of(kind, place)
            if after is None:
                self._forget(subject)
            elif before is None or _wish_of(before) != _wish_of(after):
                self._wake(subject, Lane.CHANGE, "seen" if before is None else "changed")

        return listener


def _is_another(before: Object, after: Object) -> bool:
    """Whether it was made anew, or is on its way out."""
    return _wish_of(before)[1:] != _wish_of(after)[1:]


def _wish_of(object: Object) -> tuple[int, str, bool]:
    """What differs where somebody wishes something else; one that was deleted and made anew has another UID."""
    metadata = object["metadata"]
    return metadata.get("generation", 0), metadata.get("uid", ""), bool(metadata.get("deletionTimestamp"))


def _ready(view: StoreView | None) -> bool | None:
    return None if view is None else view.ready


def _places_of(object: Object, namespace: str) -> set[tuple[str, ...]]:
    """What an ExternalSecret refers to: its stores, and the namespace that stores may admit."""
    return {("namespace", namespace), *stores_of(object, namespace)}


def stores_of(object: Object, namespace: str) -> set[tuple[str, str, str]]:
    """The stores that an ExternalSecret names: kind, namespace and name."""
    spec: dict[str, Any] = object.get("spec") or {}
    references = [spec.get("secretStoreRef")]
    for entry in (*(spec.get("data") or ()), *(spec.get("dataFrom") or ())):
        references.append((entry.get("sourceRef") or {}).get("storeRef"))
    found = set()
    for reference in references:
        if not reference or not reference.get("name"):
            continue
        if reference.get("kind") == CLUSTER_SECRET_STORE.name:
            found.add((CLUSTER_SECRET_STORE.name, "", reference["name"]))
        else:
            found.add((SECRET_STORE.name, namespace, reference["name"]))
    return found


def _references_of(view: StoreView) -> set[Place]:
    """The Secrets and ConfigMaps that a store refers to; without a namespace where that is its users'."""
    if view.store is None or view.store.spec.provider.infisical is None:
        return set()
    connection = connection_of(view, view.namespace)
    if not isinstance(connection, Connection):
        return set()
    places = {(str(source.namespace or ""), str(source.name)) for source in connection.auth.sources}
    if connection.ca_provider is not None:
        places.add((str(connection.ca_namespace), connection.ca_provider.name))
    return places
