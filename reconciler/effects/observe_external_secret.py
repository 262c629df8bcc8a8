"""Looking at an ExternalSecret: the resource, its target, the stores that it uses."""

from adapters import cluster
from adapters.cluster import Object
from adapters.resources import durations
from adapters.resources.external_secrets import ExternalSecret
from adapters.resources.faults import Faults
from adapters.resources.kinds import EXTERNAL_SECRET, SECRET
from adapters.resources.references import StoreReference
from adapters.resources.times import seconds_of
from machines.effects import ObserveExternalSecret
from machines.names import FieldPath, KindName, ResourceName, ResourceVersion, RuleName, SyncedVersion
from machines.outcomes import (
    Absent,
    BrokenRule,
    Denied,
    Drift,
    ExternalSecretObserved,
    Outcome,
    Ownership,
    RefreshPolicy,
    TargetFacts,
    Unavailable,
)
from reconciler.conditions import ready_of
from reconciler.content.hashes import synced_resource_version
from reconciler.effects.cluster_failures import unreadable
from reconciler.payload import ExternalSecretPayload
from reconciler.secret_view import SecretView, view_of
from reconciler.support import unsupported_of_external_secret
from reconciler.surroundings import Surroundings

FINALIZER = "externalsecrets.external-secrets.io/externalsecret-cleanup"
"""External Secrets Operator puts it on every ExternalSecret; it is taken off when the resource is deleted."""


def wanted_version(object: Object) -> SyncedVersion:
    """Which state of the resource this is: its generation, and a hash of its labels and annotations."""
    metadata = object["metadata"]
    return SyncedVersion(
        synced_resource_version(
            metadata.get("generation", 0),
            annotations=metadata.get("annotations"),
            labels=metadata.get("labels"),
        )
    )


def references_of(resource: ExternalSecret) -> tuple[StoreReference, ...]:
    """The stores that a resource uses, each once, in the order in which its entries name them."""
    default = resource.spec.secret_store_ref
    found: dict[tuple[str, str | None], StoreReference] = {}
    sources = [entry.source_ref for entry in resource.spec.data_from]
    sources += [entry.source_ref for entry in resource.spec.data]
    for source in sources:
        reference = reference_of(source.store_ref if source else None, default)
        if reference is not None:
            found.setdefault((reference.kind, reference.name), reference)
    return tuple(found.values())


def reference_of(own: StoreReference | None, default: StoreReference | None) -> StoreReference | None:
    """The store of one entry: its own, else the resource's."""
    return own if own is not None and own.name else default


class ExternalSecretObserver:
    """Performs ObserveExternalSecret."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, effect: ObserveExternalSecret, payload: ExternalSecretPayload) -> Outcome:
        """The facts of a resource, from what watches told, or with `fresh` from the API server."""
        namespace, name = payload.subject.namespace, payload.subject.name
        views = self._with.views
        if effect.fresh:
            answer = await self._with.cluster.get(EXTERNAL_SECRET, namespace, name)
            if isinstance(answer, cluster.Absent):
                if payload.object is not None:
                    views.external_secrets.vanished(payload.object)
                return Absent()
            if not isinstance(answer, cluster.Done) or answer.object is None:
                assert not isinstance(answer, cluster.Done)
                return unreadable(answer)
            views.external_secrets.put(answer.object)
            payload.object = answer.object
        else:
            payload.object = views.external_secrets.get((namespace, name))
        if payload.object is None:
            return Absent()
        parsed = self._with.specs.of(payload.object)
        payload.resource = parsed if isinstance(parsed, ExternalSecret) else None
        target = payload.resource.spec.target.name if payload.resource else None
        seen = await self._target(target or name, payload, effect.fresh)
        if not isinstance(seen, TargetFacts):
            return seen
        return self._facts(payload, payload.object, parsed, seen)

    async def _target(
        self, name: str, payload: ExternalSecretPayload, fresh: bool
    ) -> TargetFacts | Unavailable | Denied:
        """The target Secret. One without our label is read only where watches told that it exists."""
        place = (payload.subject.namespace, name)
        views = self._with.views
        view = None if fresh else views.managed.get(place)
        if fresh or (view is None and views.secrets.get(place) is not None):
            answer = await self._with.cluster.get(SECRET, *place)
            if isinstance(answer, cluster.Done) and answer.object is not None:
                payload.observed_target = answer.object
                view = view_of(answer.object)
            elif not isinstance(answer, cluster.Absent):
                assert not isinstance(answer, cluster.Done)
                return unreadable(answer)
        payload.target = view
        if view is None:
            return TargetFacts(name=ResourceName(name), ownership=Ownership.ABSENT, drift=Drift.GONE)
        return TargetFacts(
            name=ResourceName(name),
            ownership=_ownership(view, payload),
            drift=view.drift,
            version=ResourceVersion(view.version),
            owner_kind=KindName(view.owner_kind) if view.owner_kind else None,
            owner_name=ResourceName(view.owner_name) if view.owner_name else None,
        )

    def _facts(
        self,
        payload: ExternalSecretPayload,
        object: Object,
        parsed: ExternalSecret | Faults,
        target: TargetFacts,
    ) -> ExternalSecretObserved:
        metadata, status = object["metadata"], object.get("status") or {}
        now = self._with.clock.now()
        version = ResourceVersion(metadata["resourceVersion"])
        wanted = wanted_version(object)
        deleting = bool(metadata.get("deletionTimestamp"))
        finalizer = FINALIZER in (metadata.get("finalizers") or ())
        if isinstance(parsed, Faults):
            return ExternalSecretObserved(
                now=now,
                version=version,
                deleting=deleting,
                finalizer=finalizer,
                broken_rules=broken_rules_of(parsed),
                malformed=malformed_of(parsed),
                wanted=wanted,
                target=target,
            )
        references = payload.references = references_of(parsed)
        stores, namespace = self._with.stores, payload.subject.namespace
        payload.stores = tuple(stores.find(reference, namespace) for reference in references)
        synced, refreshed = status.get("syncedResourceVersion"), status.get("refreshTime")
        return ExternalSecretObserved(
            now=now,
            version=version,
            deleting=deleting,
            finalizer=finalizer,
            unsupported=unsupported_of_external_secret(parsed),
            wanted=wanted,
            synced=_synced(synced),
            refreshed=seconds_of(refreshed) if refreshed else None,
            interval=durations.seconds(parsed.spec.refresh_interval),
            policy=RefreshPolicy(parsed.spec.refresh_policy.value),
            stores=tuple(stores.facts(reference, namespace) for reference in references),
            target=target,
            former=self._former(payload, target),
            hold_back=self._with.hold_back,
            failures=payload.failures,
            failed=(ready_of(object) or {}).get("status") == "False",
        )

    def _former(self, payload: ExternalSecretPayload, target: TargetFacts) -> ResourceName | None:
        """A Secret of ours by another name: the target of before a renaming, whoever else remembers it."""
        assert payload.object is not None
        for namespace, name in self._with.views.managed.places_of(payload.object["metadata"]["uid"]):
            if namespace == payload.subject.namespace and name != target.name:
                return ResourceName(name)
        return None


def _synced(text: str | None) -> SyncedVersion | None:
    try:
        return SyncedVersion(text) if text else None
    except ValueError:
        return None  # not of our making: synced anew


def _ownership(view: SecretView, payload: ExternalSecretPayload) -> Ownership:
    if not view.owner_uid:
        return Ownership.UNOWNED
    assert payload.object is not None
    return Ownership.OURS if view.owner_uid == payload.object["metadata"].get("uid") else Ownership.FOREIGN


def broken_rules_of(faults: Faults) -> tuple[BrokenRule, ...]:
    """The rules among what is wrong with a resource."""
    return tuple(BrokenRule(RuleName(fault.rule), _path(fault.path)) for fault in faults.faults if fault.rule)


def malformed_of(faults: Faults) -> tuple[FieldPath, ...]:
    """The fields among what is wrong with a resource that no schema of ours would take."""
    return tuple(dict.fromkeys(_path(fault.path) for fault in faults.faults if not fault.rule))


def _path(text: str) -> FieldPath:
    """A path, as far as it has the form of one: keys of free-form maps can be anything."""
    while True:
        try:
            return FieldPath(text or "spec")
        except ValueError:
            text = text.rpartition(".")[0]
