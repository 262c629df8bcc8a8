"""Writing into the status what will be ours at a store, before anything of it is written there."""

from adapters import cluster
from machines.names import ResourceVersion
from machines.outcomes import Outcome
from machines.push_effects import Record
from machines.push_outcomes import Recorded
from reconciler.effects.cluster_writes import unwritten
from reconciler.events import COMPONENT
from reconciler.payload import PushSecretPayload
from reconciler.push_record import growth
from reconciler.push_references import record_of
from reconciler.surroundings import Surroundings


class Recorder:
    """Performs Record."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, effect: Record, payload: PushSecretPayload) -> Outcome:
        """Adds entries to the record, onto the version that was observed or written last."""
        answer = await self._with.cluster.patch_status(
            payload.kind,
            payload.subject.namespace,
            payload.subject.name,
            {"syncedPushSecrets": growth(payload, effect.store)},
            COMPONENT,
            version=str(effect.version),
        )
        if not isinstance(answer, cluster.Done):
            return unwritten(answer)
        assert answer.object is not None
        self._with.views.push_secrets.put(answer.object)
        payload.object, payload.record = answer.object, record_of(answer.object)
        return Recorded(version=ResourceVersion(answer.object["metadata"]["resourceVersion"]))
