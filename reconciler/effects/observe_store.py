"""Looking at a store, and at a resource of a kind that has no machine of its own yet."""

from collections.abc import Iterator
from typing import Any

from adapters.auth.registry import Chosen, chosen
from adapters.cluster import Object
from adapters.resources import durations
from adapters.resources.kinds import CLUSTER_EXTERNAL_SECRET
from adapters.resources.references import StoreKind, StoreReference
from adapters.resources.stores import InfisicalProvider
from machines.effects import ObserveKind, ObserveStore
from machines.names import ResourceVersion
from machines.outcomes import Absent, Invalid, KindObserved, Outcome, StoreFacts, StoreObserved
from reconciler.effects.observe_external_secret import broken_rules_of, malformed_of
from reconciler.payload import Notice, Payload
from reconciler.push_references import STORE_FINALIZER
from reconciler.stores import Connection, StoreView, connection_of
from reconciler.surroundings import Surroundings


class StoreObserver:
    """Performs ObserveStore."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, effect: ObserveStore, payload: Payload) -> Outcome:
        """The facts of a store, from what watches told."""
        subject = payload.subject
        view = self._with.views.stores[subject.kind].get((subject.namespace, subject.name))
        if view is None:
            self._with.memory.forget(subject)
            return Absent()
        payload.object, payload.store = view.object, view
        metadata = view.object["metadata"]
        now, version = self._with.clock.now(), ResourceVersion(metadata["resourceVersion"])
        deleting = bool(metadata.get("deletionTimestamp"))
        facts = self._with.stores.facts_of(view, subject.namespace)
        finalizer = STORE_FINALIZER in (metadata.get("finalizers") or ())
        needed = self._with.needs_store(view)
        if view.store is None or view.store.spec.provider.infisical is None:
            return StoreObserved(
                now=now,
                version=version,
                deleting=deleting,
                finalizer=finalizer,
                needed=needed,
                broken_rules=broken_rules_of(view.faults) if view.faults else (),
                malformed=malformed_of(view.faults) if view.faults else (),
                store=facts,
            )
        infisical = view.store.spec.provider.infisical
        connection = connection_of(view, subject.namespace)
        payload.fingerprint = self._fingerprint(view, connection)
        payload.notices += _notices(infisical, connection, subject.namespace)
        memory = self._with.memory
        validation = memory.validated.get(subject)
        unchanged = validation is not None and validation.fingerprint == payload.fingerprint
        interval = durations.store_interval(view.store.spec.refresh_interval) or self._with.store_interval
        return StoreObserved(
            now=now,
            version=version,
            deleting=deleting,
            finalizer=finalizer,
            needed=needed,
            store=facts,
            referent=isinstance(connection, Connection) and connection.referent,
            verdict=view.reason if view.ready else None,
            validated=validation.at if validation is not None and unchanged else None,
            failing_since=memory.failing_since.get(subject),
            interval=interval,
        )

    def _fingerprint(self, view: StoreView, connection: Connection | Invalid) -> tuple[str, ...]:
        """What a validation is about: the store's generation, and the versions of what it refers to."""
        metadata = view.object["metadata"]
        parts = [str(metadata.get("uid", "")), str(metadata.get("generation", 0))]
        if isinstance(connection, Connection):
            places = [(str(source.namespace), str(source.name)) for source in connection.auth.sources]
            if connection.ca_provider is not None:
                places.append((str(connection.ca_namespace), connection.ca_provider.name))
            for place in places:
                stub = self._with.views.secrets.get(place)
                parts.append(f"{stub.uid}/{stub.version}" if stub else "absent")
        return tuple(parts)


def _notices(
    infisical: InfisicalProvider, connection: Connection | Invalid, namespace: str
) -> Iterator[Notice]:
    """What an author may not have meant, though it works."""
    if not isinstance(connection, Connection):
        return
    if connection.auth.several:
        yield Notice("SeveralAuthMethods", f"several blocks in auth: {connection.auth.name.value} is used")
    written = chosen(infisical.auth)
    if namespace and isinstance(written, Chosen):
        for source in written.sources:
            if source.namespace is not None and source.namespace != namespace:
                yield Notice(
                    "Ignored",
                    f"{source.path}.namespace has no effect: a SecretStore reads credentials in its own namespace",
                )


class KindObserver:
    """Performs ObserveKind."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, effect: ObserveKind, payload: Payload) -> Outcome:
        """The facts of a resource, from what watches told."""
        subject = payload.subject
        payload.object = self._with.views.others[subject.kind].get((subject.namespace, subject.name))
        if payload.object is None:
            return Absent()
        metadata = payload.object["metadata"]
        return KindObserved(
            now=self._with.clock.now(),
            version=ResourceVersion(metadata["resourceVersion"]),
            deleting=bool(metadata.get("deletionTimestamp")),
            stores=self._stores(payload.object),
        )

    def _stores(self, object: Object) -> tuple[StoreFacts, ...]:
        """The stores that it names, as far as they can be told from where it is."""
        spec: dict[str, Any] = object.get("spec") or {}
        inner = spec.get("pushSecretSpec") or spec.get("externalSecretSpec") or spec
        references = list(inner.get("secretStoreRefs") or ())
        if object["kind"] == CLUSTER_EXTERNAL_SECRET.name and inner.get("secretStoreRef"):
            references.append(inner["secretStoreRef"])
        namespace = object["metadata"].get("namespace", "")
        found = []
        for reference in references:
            cluster_wide = reference.get("kind") == StoreKind.CLUSTER_SECRET_STORE
            if reference.get("name") and (namespace or cluster_wide):
                kind = StoreKind.CLUSTER_SECRET_STORE if cluster_wide else StoreKind.SECRET_STORE
                found.append(
                    self._with.stores.facts(StoreReference(name=reference["name"], kind=kind), namespace)
                )
        return tuple(found)
