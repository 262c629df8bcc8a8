"""Writing the target Secret, and letting go of the one that it replaces."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters import cluster
from adapters.cluster import Object
from adapters.resources.kinds import SECRET
from adapters.target_fields import migration
from machines.effects import Apply, DeleteFormerTarget
from machines.outcomes import (
    Absent,
    Applied,
    Change,
    Conflict,
    Deleted,
    Denied,
    Missing,
    NotOurs,
    Outcome,
    Refused,
    Thing,
    Unavailable,
)
from reconciler.content.metadata import field_manager
from reconciler.effects.cluster_failures import unreadable
from reconciler.effects.cluster_writes import unwritten
from reconciler.payload import ExternalSecretPayload
from reconciler.secret_view import digest_of_desired
from reconciler.surroundings import Surroundings


class Applier:
    """Performs Apply."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, effect: Apply, payload: ExternalSecretPayload) -> Outcome:
        """Server-side apply, onto the version that was observed.

        Where the observed Secret has entries that an apply leaves alone, one JSON patch that touches no data goes before
        it; where it holds keys of others, another one takes them off after it. So a Secret never lacks what it shall
        hold, and a calm run has the apply alone.
        """
        assert payload.desired is not None
        desired, manager, keys = payload.desired, field_manager(payload.subject.name), payload.desired["data"]
        version = None if effect.version is None else str(effect.version)
        observed = await self._observed(effect, payload)
        if observed is not None and not isinstance(observed, dict):
            return observed
        if observed is not None and (before := migration(observed, manager, keys, exactly=False)) is not None:
            migrated = await self._patch(effect, payload, before, manager)
            if not isinstance(migrated, dict):
                return migrated
            version = str(migrated["metadata"]["resourceVersion"])
        answer = await self._with.cluster.apply(desired, manager, version=version)
        match answer:
            case cluster.Done(object=object) if object is not None:
                if (
                    observed is not None
                    and (after := migration(object, manager, keys, exactly=True)) is not None
                ):
                    cleared = await self._patch(effect, payload, after, manager)
                    if not isinstance(cleared, dict):
                        return cleared
                    object = cleared
                self._with.views.managed.put(object)
                self._with.views.secrets.put(object)
                return Applied(change=_change(effect, object))
            case cluster.Refused(field=field) if "ownerReferences" in field:
                return NotOurs()  # it got another controller a moment ago; there can be only one
            case cluster.Absent():
                return Conflict() if effect.version is not None else Missing(what=Thing.NAMESPACE)
        assert not isinstance(answer, cluster.Done)
        return unwritten(answer)

    async def _observed(
        self, effect: Apply, payload: ExternalSecretPayload
    ) -> Object | Conflict | Denied | Unavailable | None:
        """The whole Secret as it was observed; None where it holds nothing but what an apply of ours put there."""
        if effect.version is None:
            return None
        assert payload.target is not None
        observed = payload.observed_target
        if observed is None and payload.target.digest:
            return None
        if observed is None:
            answer = await self._with.cluster.get(SECRET, payload.subject.namespace, effect.target)
            if isinstance(answer, cluster.Absent):
                return Conflict()
            if not isinstance(answer, cluster.Done) or answer.object is None:
                assert not isinstance(answer, cluster.Done)
                return unreadable(answer)
            observed = answer.object
        return observed if observed["metadata"]["resourceVersion"] == effect.version else Conflict()

    async def _patch(
        self,
        effect: Apply,
        payload: ExternalSecretPayload,
        operations: Sequence[Mapping[str, Any]],
        manager: str,
    ) -> Object | Conflict | Refused | Denied | Unavailable | Absent:
        """The Secret after a JSON patch."""
        written = await self._with.cluster.patch(
            SECRET, payload.subject.namespace, effect.target, operations, manager
        )
        if isinstance(written, cluster.Done) and written.object is not None:
            return written.object
        if isinstance(written, cluster.Absent):
            return Conflict()
        assert not isinstance(written, cluster.Done)
        return unwritten(written)


def _change(effect: Apply, object: Object) -> Change:
    if effect.version is None:
        return Change.CREATED
    same = object["metadata"]["resourceVersion"] == effect.version
    return Change.UNCHANGED if same else Change.UPDATED


class FormerTargetDeleter:
    """Performs DeleteFormerTarget."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, effect: DeleteFormerTarget, payload: ExternalSecretPayload) -> Outcome:
        """Deletes what watches told is ours, if it is still in that version."""
        assert payload.object is not None
        place = (payload.subject.namespace, effect.target)
        view = self._with.views.managed.get(place)
        if view is None:
            return Absent()
        if view.owner_uid != payload.object["metadata"]["uid"]:
            return NotOurs()
        answer = await self._with.cluster.delete(SECRET, *place, uid=view.uid, version=view.version)
        if isinstance(answer, cluster.Done):
            self._with.views.managed.drop(place)
            return Deleted()
        return unwritten(answer)


def agrees(payload: ExternalSecretPayload) -> bool:
    """Whether the target was seen to hold just what would be applied."""
    assert payload.desired is not None
    view = payload.target
    return view is not None and bool(view.digest) and view.digest == digest_of_desired(payload.desired)
