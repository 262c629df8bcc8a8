"""Writing the target Secret, letting go of the one that it replaces, and taking off finalizers."""

from adapters import cluster
from adapters.cluster import Object
from adapters.resources.kinds import EXTERNAL_SECRET, SECRET
from adapters.target_fields import migration
from machines.effects import Apply, DeleteFormerTarget, RemoveFinalizer
from machines.outcomes import (
    Absent,
    Applied,
    Change,
    Conflict,
    Deleted,
    Denied,
    FinalizerRemoved,
    Missing,
    NotOurs,
    Outcome,
    Refused,
    Thing,
    Unavailable,
)
from reconciler.content.metadata import field_manager
from reconciler.effects.cluster_failures import denied, refused, unavailable, unreadable
from reconciler.effects.observe_external_secret import FINALIZER
from reconciler.events import COMPONENT
from reconciler.payload import ExternalSecretPayload
from reconciler.secret_view import digest_of_desired
from reconciler.surroundings import Surroundings


class Applier:
    """Performs Apply."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, effect: Apply, payload: ExternalSecretPayload) -> Outcome:
        """Server-side apply, onto the version that was observed.

        Where the observed Secret holds entries that such an apply leaves alone, or keys of others, one JSON patch
        goes before it; a calm run has the apply alone.
        """
        assert payload.desired is not None
        desired, manager = payload.desired, field_manager(payload.subject.name)
        version = None if effect.version is None else str(effect.version)
        if effect.version is not None:
            migrated = await self._migrate(effect, payload, manager)
            if not isinstance(migrated, str):
                return migrated
            version = migrated
        answer = await self._with.cluster.apply(desired, manager, version=version)
        match answer:
            case cluster.Done(object=object) if object is not None:
                self._with.views.managed.put(object)
                self._with.views.secrets.put(object)
                return Applied(change=_change(effect, object))
            case cluster.Refused(field=field) if "ownerReferences" in field:
                return NotOurs()  # it got another controller a moment ago; there can be only one
            case cluster.Absent():
                return Conflict() if effect.version is not None else Missing(what=Thing.NAMESPACE)
        assert not isinstance(answer, cluster.Done)
        return _unwritten(answer)

    async def _migrate(
        self, effect: Apply, payload: ExternalSecretPayload, manager: str
    ) -> str | Conflict | Refused | Denied | Unavailable | Absent:
        """The version to apply onto, after what an apply cannot do was done."""
        assert payload.target is not None
        assert payload.desired is not None
        assert effect.version is not None
        if payload.observed_target is None and payload.target.digest:
            return str(effect.version)
        observed = payload.observed_target
        if observed is None:
            answer = await self._with.cluster.get(SECRET, payload.subject.namespace, effect.target)
            if isinstance(answer, cluster.Absent):
                return Conflict()
            if not isinstance(answer, cluster.Done) or answer.object is None:
                assert not isinstance(answer, cluster.Done)
                return unreadable(answer)
            observed = answer.object
        if observed["metadata"]["resourceVersion"] != effect.version:
            return Conflict()
        operations = migration(observed, manager, payload.desired["data"].keys(), exactly=True)
        if operations is None:
            return str(effect.version)
        if (
            observed.get("type", "Opaque") != payload.desired["type"]
        ):  # then all of it is refused, and nothing lost
            operations.append({"op": "replace", "path": "/type", "value": payload.desired["type"]})
        written = await self._with.cluster.patch(
            SECRET, payload.subject.namespace, effect.target, operations, manager
        )
        if isinstance(written, cluster.Done) and written.object is not None:
            return str(written.object["metadata"]["resourceVersion"])
        if isinstance(written, cluster.Absent):
            return Conflict()
        assert not isinstance(written, cluster.Done)
        return _unwritten(written)


def _change(effect: Apply, object: Object) -> Change:
    if effect.version is None:
        return Change.CREATED
    same = object["metadata"]["resourceVersion"] == effect.version
    return Change.UNCHANGED if same else Change.UPDATED


def _unwritten(
    answer: cluster.Conflict | cluster.Refused | cluster.Denied | cluster.Unavailable | cluster.Absent,
) -> Conflict | Refused | Denied | Unavailable | Absent:
    match answer:
        case cluster.Conflict():
            return Conflict()
        case cluster.Refused():
            return refused(answer)
        case cluster.Denied():
            return denied(answer)
        case cluster.Unavailable():
            return unavailable(answer)
        case cluster.Absent():
            return Absent()


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
        return _unwritten(answer)


class FinalizerRemover:
    """Performs RemoveFinalizer."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, effect: RemoveFinalizer, payload: ExternalSecretPayload) -> Outcome:
        """Takes our finalizer off, if the resource is still in the version that was observed."""
        assert payload.object is not None
        kept = [name for name in payload.object["metadata"].get("finalizers") or () if name != FINALIZER]
        answer = await self._with.cluster.patch(
            EXTERNAL_SECRET,
            payload.subject.namespace,
            payload.subject.name,
            [
                {"op": "test", "path": "/metadata/resourceVersion", "value": str(effect.version)},
                {"op": "replace", "path": "/metadata/finalizers", "value": kept},
            ],
            COMPONENT,
        )
        if isinstance(answer, cluster.Done):
            return FinalizerRemoved()
        return _unwritten(answer)


def agrees(payload: ExternalSecretPayload) -> bool:
    """Whether the target was seen to hold just what would be applied."""
    assert payload.desired is not None
    view = payload.target
    return view is not None and bool(view.digest) and view.digest == digest_of_desired(payload.desired)
