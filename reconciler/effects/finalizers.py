"""Finalizers: what is owed at a deletion stands before the first write, and is taken off when nothing is owed."""

import asyncio
from typing import Any

import structlog

from adapters import cluster
from adapters.cluster import Kind, Object
from adapters.resources.kinds import CLUSTER_SECRET_STORE, EXTERNAL_SECRET, PUSH_SECRET, SECRET_STORE
from machines.effects import RemoveFinalizer
from machines.names import ResourceVersion
from machines.outcomes import Absent, Conflict, Denied, FinalizerRemoved, Outcome, Refused, Unavailable
from machines.push_effects import AddFinalizer, GuardStore
from machines.push_outcomes import FinalizerAdded, Guarded
from reconciler.caches import place_of
from reconciler.effects.cluster_writes import unwritten
from reconciler.effects.observe_external_secret import FINALIZER
from reconciler.events import COMPONENT
from reconciler.failure_texts import failure_text
from reconciler.payload import Payload, PushSecretPayload
from reconciler.push_references import PUSH_FINALIZER, STORE_FINALIZER
from reconciler.surroundings import Surroundings

log = structlog.get_logger()

_STORE_KINDS = {kind.name: kind for kind in (SECRET_STORE, CLUSTER_SECRET_STORE)}

Unwritten = Conflict | Refused | Denied | Unavailable | Absent


class _Patcher:
    """Replaces the finalizers of an object, if it is still in a version; what comes back goes into its cache."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def _replace(
        self, kind: Kind, object: Object, version: str, finalizers: list[str]
    ) -> Object | Unwritten:
        operations: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": version},
            {"op": "add", "path": "/metadata/finalizers", "value": finalizers},
        ]
        answer = await self._with.cluster.patch(kind, *place_of(object), operations, COMPONENT)
        if not isinstance(answer, cluster.Done):
            return unwritten(answer)
        assert answer.object is not None
        if not answer.object["metadata"].get("deletionTimestamp") or finalizers:
            self._with.views.of(kind.name).put(answer.object)
        return answer.object


class FinalizerRemover(_Patcher):
    """Performs RemoveFinalizer."""

    async def __call__(self, effect: RemoveFinalizer, payload: Payload) -> Outcome:
        """Takes our finalizer off, if the object is still in the version that was observed or written last."""
        assert payload.object is not None
        ours = {EXTERNAL_SECRET: FINALIZER, PUSH_SECRET: PUSH_FINALIZER}.get(payload.kind, STORE_FINALIZER)
        kept = [name for name in payload.object["metadata"].get("finalizers") or () if name != ours]
        answer = await self._replace(payload.kind, payload.object, str(effect.version), kept)
        if isinstance(answer, dict):
            return FinalizerRemoved()
        if isinstance(answer, Denied | Refused) and ours == STORE_FINALIZER:
            log.warning(
                "the finalizer of a store cannot be taken off",
                kind=payload.subject.kind,
                namespace=payload.subject.namespace,
                name=payload.subject.name,
                why=failure_text(answer, None),
            )
        return answer


class FinalizerAdder(_Patcher):
    """Performs AddFinalizer."""

    async def __call__(self, effect: AddFinalizer, payload: PushSecretPayload) -> Outcome:
        """Puts our finalizer on, if the resource is still in the version that was observed."""
        assert payload.object is not None
        finalizers = [*(payload.object["metadata"].get("finalizers") or ()), PUSH_FINALIZER]
        answer = await self._replace(payload.kind, payload.object, str(effect.version), finalizers)
        if not isinstance(answer, dict):
            return answer
        payload.object = answer
        return FinalizerAdded(version=ResourceVersion(answer["metadata"]["resourceVersion"]))


class StoreGuard(_Patcher):
    """Performs GuardStore."""

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, effect: GuardStore, payload: PushSecretPayload) -> Outcome:
        """Puts our finalizer on the store, once for all who push to it at the same time."""
        observed = payload.stores[effect.store]
        assert observed is not None
        kind, place = payload.references[effect.store].kind, (observed.namespace, observed.name)
        async with self._one_at_a_time:
            view = self._with.views.stores[kind].get(place)
            if view is None:
                return Absent()
            metadata = view.object["metadata"]
            finalizers = list(metadata.get("finalizers") or ())
            if STORE_FINALIZER in finalizers:
                return Guarded()
            answer = await self._replace(
                _STORE_KINDS[kind],
                view.object,
                str(metadata["resourceVersion"]),
                [*finalizers, STORE_FINALIZER],
            )
        return Guarded() if isinstance(answer, dict) else answer
