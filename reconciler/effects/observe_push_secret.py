"""Looking at a PushSecret: the facts of it, of its source, and of the stores that it names, chooses or has pushed to."""

from adapters.cluster import Object
from adapters.resources import durations
from adapters.resources.faults import Faults
from adapters.resources.push_secrets import PushSecret, UpdatePolicy
from adapters.resources.references import StoreKind, StoreReference
from adapters.resources.times import seconds_of
from machines.names import ResourceName, ResourceVersion, SyncedVersion
from machines.outcomes import Absent, Outcome, StoreFacts
from machines.push_effects import ObservePushSecret
from machines.push_facts import USABLE
from machines.push_outcomes import PushSecretObserved
from reconciler.conditions import ready_of
from reconciler.effects.observe_external_secret import broken_rules_of, malformed_of, wanted_version
from reconciler.payload import PushSecretPayload
from reconciler.push_reasons import PENDING
from reconciler.push_references import (
    PUSH_FINALIZER,
    STORE_FINALIZER,
    abandons,
    choices_of,
    deletes,
    record_key,
    record_of,
    recorded_stores,
    source_of,
)
from reconciler.stores import StoreView, selects
from reconciler.support import unsupported_of_push_secret
from reconciler.surroundings import SecretStub, SourceVersions, Surroundings


class PushSecretObserver:
    """Performs ObservePushSecret."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, effect: ObservePushSecret, payload: PushSecretPayload) -> Outcome:
        """The facts of a resource, from what watches told."""
        place = (payload.subject.namespace, payload.subject.name)
        payload.object = self._with.views.push_secrets.get(place)
        if payload.object is None:
            return Absent()
        object, metadata = payload.object, payload.object["metadata"]
        parsed = self._with.push_specs.of(object)
        payload.resource = parsed if isinstance(parsed, PushSecret) else None
        payload.record = record_of(object)
        self._find_stores(payload, object)
        sources = self._sources(object)
        payload.versions = tuple((name, stub.uid, stub.version) for name, stub in sources)
        stores = tuple(self._with.stores.facts(one, place[0]) for one in payload.references)
        status = object.get("status") or {}
        refreshed = status.get("refreshTime")
        ready = ready_of(object) or {}
        return PushSecretObserved(
            now=self._with.clock.now(),
            version=ResourceVersion(metadata["resourceVersion"]),
            deleting=bool(metadata.get("deletionTimestamp")),
            finalizer=PUSH_FINALIZER in (metadata.get("finalizers") or ()),
            broken_rules=broken_rules_of(parsed) if isinstance(parsed, Faults) else (),
            malformed=malformed_of(parsed) if isinstance(parsed, Faults) else (),
            unsupported=() if isinstance(parsed, Faults) else unsupported_of_push_secret(parsed),
            wanted=wanted_version(object),
            synced=_synced(status.get("syncedResourceVersion")),
            refreshed=seconds_of(refreshed) if refreshed else None,
            interval=(
                durations.seconds(parsed.spec.refresh_interval) if isinstance(parsed, PushSecret) else 0.0
            ),
            deletes=deletes(object),
            keeps_existing=(
                isinstance(parsed, PushSecret) and parsed.spec.update_policy is UpdatePolicy.IF_NOT_EXISTS
            ),
            abandons=abandons(object),
            source=_name(source_of(object)[0]),
            source_there=bool(sources),
            source_changed=self._is_changed(payload, sources, refreshed),
            stores=stores,
            named=payload.named,
            recorded=tuple(
                len(payload.record.get(record_key(one.kind, one.name or ""), ()))
                for one in payload.references
            ),
            guarded=tuple(
                _is_guarded(view, facts) for view, facts in zip(payload.stores, stores, strict=True)
            ),
            strangers=self._has_strangers(payload, object),
            hold_back=self._with.hold_back,
            failures=payload.failures,
            failed=ready.get("status") == "False" and ready.get("reason") != PENDING,
        )

    def _find_stores(self, payload: PushSecretPayload, object: Object) -> None:
        """Those that the spec names or chooses, each once and in its order, then those that only the record knows."""
        found: dict[tuple[str, str], StoreReference] = {}
        for choice in choices_of(object):
            if choice.selector is None:
                found.setdefault(
                    (choice.kind, choice.name or ""),
                    StoreReference(name=choice.name, kind=StoreKind(choice.kind)),
                )
                continue
            for view in self._with.stores.matching(choice.kind, choice.namespace, choice.selector):
                found.setdefault(
                    (choice.kind, view.name), StoreReference(name=view.name, kind=StoreKind(choice.kind))
                )
        named = len(found)
        for kind, _, name in recorded_stores(object):
            found.setdefault((kind, name), StoreReference(name=name, kind=StoreKind(kind)))
        payload.references = tuple(found.values())
        payload.named = tuple(number < named for number in range(len(found)))
        payload.stores = tuple(
            self._with.stores.find(one, payload.subject.namespace) for one in payload.references
        )

    def _sources(self, object: Object) -> list[tuple[str, SecretStub]]:
        """The Secrets that are pushed, as far as they are there."""
        namespace = object["metadata"]["namespace"]
        name, selector = source_of(object)
        secrets = self._with.views.secrets
        if name is not None:
            stub = secrets.get((namespace, name))
            return [] if stub is None else [(name, stub)]
        if selector is None:
            return []
        return sorted(
            (place[1], stub)
            for place, stub in secrets
            if place[0] == namespace and selects(selector, stub.labels)
        )

    def _is_changed(
        self, payload: PushSecretPayload, sources: list[tuple[str, SecretStub]], refreshed: str | None
    ) -> bool:
        """Whether the source is not what was pushed last: by its version, or where another process pushed it, by
        when it changed. Times are of whole seconds."""
        pushed: SourceVersions | None = self._with.pushes.pushed.get(payload.subject)
        if pushed is not None:
            return pushed != payload.versions
        last = seconds_of(refreshed) if refreshed else None
        if last is None:
            return True
        changes = [seconds_of(stub.changed) for _, stub in sources if stub.changed]
        return any(change is not None and change >= int(last) for change in changes)

    def _has_strangers(self, payload: PushSecretPayload, object: Object) -> bool:
        """Whether labels choose other stores than those that were pushed to."""
        if not all(payload.named):
            return True
        chosen = {
            (choice.kind, view.name)
            for choice in choices_of(object)
            if choice.selector is not None
            for view in self._with.stores.matching(choice.kind, choice.namespace, choice.selector)
        }
        return any(
            (one.kind, one.name or "") in chosen
            and record_key(one.kind, one.name or "") not in payload.record
            and self._with.stores.facts(one, payload.subject.namespace).state in USABLE
            for one in payload.references
        )


def _is_guarded(view: StoreView | None, facts: StoreFacts) -> bool:
    """Whether a store stays for the clean-up, or is none that could be made to stay."""
    if view is None or facts.deleting or facts.state not in USABLE:
        return True
    return STORE_FINALIZER in (view.object["metadata"].get("finalizers") or ())


def _name(text: str | None) -> ResourceName | None:
    try:
        return ResourceName(text) if text else None
    except ValueError:
        return None  # the schema says what is wrong with it


def _synced(text: str | None) -> SyncedVersion | None:
    try:
        return SyncedVersion(text) if text else None
    except ValueError:
        return None  # not of our making: synced anew
