"""What the world around a PushSecret answers to effects, as the adapters would, in the few things that matter.

It protests itself where something is written or deleted that is not on record, or forgotten before it is deleted.
"""

from machines.effects import Authenticate, Effect, Release, RemoveFinalizer, Report, ResolveProject, Verdict
from machines.names import KindName, ResourceName, SyncedVersion
from machines.outcomes import (
    Absent,
    Authenticated,
    Conflict,
    FinalizerRemoved,
    LeaseRefused,
    Missing,
    Outcome,
    ProjectGone,
    Refused,
    Released,
    Reported,
    Resolved,
    StoreFacts,
    StoreState,
    Thing,
)
from machines.push_effects import (
    AddFinalizer,
    Compare,
    Gather,
    GuardStore,
    ObservePushSecret,
    Prune,
    Push,
    Record,
)
from machines.push_outcomes import (
    Compared,
    FinalizerAdded,
    Gathered,
    Guarded,
    Pruned,
    Pushed,
    PushSecretObserved,
    Recorded,
)
from tests.machines.push_world import (
    ENTRIES,
    Act,
    Both,
    Content,
    Infisical,
    PushWorld,
    Remote,
    Store,
    Under,
    changed,
    guard,
    put,
    refiled,
)
from tests.machines.world import HOUR, NOW, SILENT, Memory


def _row(world: PushWorld) -> tuple[int, ...]:
    named = [store for store in ENTRIES if world.names(store)]
    recorded = [world.home(entry) for entry in ENTRIES if world.resource.recorded[entry]]
    return tuple(dict.fromkeys((*named, *recorded)))


def _state(store: Store) -> StoreState:
    if not store.there:
        return StoreState.ABSENT
    return StoreState.READY if store.ready else StoreState.NOT_READY


def _wish(wish: tuple[Both, bool] | None) -> SyncedVersion | None:
    if wish is None:
        return None
    wanted, deletes = wish
    return SyncedVersion(f"{int(wanted[0])}{int(wanted[1])}-{int(deletes)}")


def seen(world: PushWorld) -> PushSecretObserved:
    """The world as an observation."""
    resource, row = world.resource, _row(world)
    wanted = _wish(resource.wish)
    assert wanted is not None
    return PushSecretObserved(
        now=NOW,
        version=resource.version,
        deleting=resource.deleting,
        finalizer=resource.finalizer,
        wanted=wanted,
        synced=_wish(resource.synced),
        refreshed=None if resource.synced is None else NOW - 10 if resource.lately else NOW - 2 * HOUR,
        deletes=resource.deletes,
        abandons=resource.abandons,
        source=ResourceName("app"),
        source_there=world.source,
        source_changed=not world.known,
        stores=tuple(
            StoreFacts(
                kind=KindName("SecretStore"),
                name=ResourceName(f"store-{store}"),
                state=_state(world.stores[store]),
                deleting=world.stores[store].deleting,
            )
            for store in row
        ),
        named=tuple(world.names(store) for store in row),
        recorded=tuple(sum(resource.recorded[entry] for entry in world.at(store)) for store in row),
        guarded=tuple(
            not world.stores[store].there or world.stores[store].deleting or world.stores[store].guarded
            for store in row
        ),
        failures=int(world.tried),
        failed=resource.failed,
    )


def _gathered(world: PushWorld, *, withdraw: bool) -> tuple[PushWorld, Outcome]:
    if not withdraw and not world.source:
        return world, Absent()
    run, acts = world.run, []
    for entry in ENTRIES:
        act: Act | None = None
        if run.seen.wanted[entry] and not withdraw:
            store = world.stores[world.home(entry)]
            act = Act.WANT if store.there and not store.deleting else None
        elif run.seen.recorded[entry]:
            act = Act.OWE if run.seen.may_delete else Act.FORGET
        acts.append(act)
    world = world._replace(run=run._replace(acts=(acts[0], acts[1]), value=Content.RIGHT))

    def count(store: int, act: Act) -> int:
        return sum(acts[entry] is act for entry in world.at(store))

    return world, Gathered(
        entries=tuple(count(store, Act.WANT) for store in run.row),
        owed=tuple(count(store, Act.OWE) for store in run.row),
    )


# --- answers ---------------------------------------------------------------------------------------------------


def answer(world: PushWorld, effect: Effect) -> tuple[PushWorld, Outcome]:
    """What an effect makes of the world, and its outcome."""
    match effect:
        case ObservePushSecret():
            if not world.resource.exists:
                return world, Absent()
            return world._replace(run=Under(seen=world.resource, row=_row(world))), seen(world)
        case Gather(withdraw=withdraw):
            return _gathered(world, withdraw=withdraw)
        case GuardStore(store=number):
            store = world.stores[world.run.row[number]]
            if not store.there or store.deleting:
                return world, Refused() if store.there else Absent()
            return guard(world, world.run.row[number]), Guarded()
        case Authenticate():
            if world.lease is Memory.NONE and world.infisical is Infisical.SILENT:
                return world, SILENT
            lease = Memory.GOOD if world.lease is Memory.NONE else world.lease
            return world._replace(lease=lease), Authenticated(shared=world.lease is not Memory.NONE)
        case Release(tainted=tainted):
            return world._replace(lease=Memory.NONE if tainted else world.lease), Released()
        case ResolveProject() | Compare() | Push() | Prune():
            return _at_infisical(world, effect)
    return _in_cluster(world, effect)


def _at_infisical(
    world: PushWorld, effect: ResolveProject | Compare | Push | Prune
) -> tuple[PushWorld, Outcome]:
    known = world.project is not Memory.NONE
    if isinstance(effect, ResolveProject) and known and not effect.fresh:
        return world, Resolved(cached=True)
    if world.infisical is Infisical.SILENT:
        return world, SILENT
    if world.lease is Memory.STALE:
        return world, LeaseRefused()
    gone = world.infisical is Infisical.EMPTY
    if isinstance(effect, ResolveProject):
        if gone:
            return world._replace(project=Memory.NONE), Missing(what=Thing.PROJECT)
        return world._replace(project=Memory.GOOD), Resolved(cached=False)
    if gone or world.project is Memory.STALE:
        return world, ProjectGone()
    store = world.run.row[effect.store]
    if isinstance(effect, Compare):
        return _compared(world, store)
    return _pushed(world, store) if isinstance(effect, Push) else _pruned(world, store)


def _compared(world: PushWorld, store: int) -> tuple[PushWorld, Outcome]:
    run = world.run
    assert run.acts is not None
    counts = {Act.WANT: 0, Act.OWE: 0}
    pending, grows = 0, False
    for entry in world.at(store):
        act, remote = run.acts[entry], world.remotes[entry]
        if act is Act.WANT:
            run = run._replace(owned=changed(run.owned, entry, True))
            grows = grows or not run.seen.recorded[entry]
            differs = remote.content is not run.value
        else:
            differs = act is Act.OWE and remote.content is not None
            gone = act is Act.OWE and not differs
            run = run._replace(removed=changed(run.removed, entry, run.removed[entry] or gone))
        filed = differs and run.seen.filed[entry] is act
        pending += filed
        run = run._replace(
            steps=changed(run.steps, entry, differs and not filed),
            marked=changed(run.marked, entry, filed),
        )
        if act is not None and act is not Act.FORGET:
            counts[act] += differs and not filed
    compared = Compared(writes=counts[Act.WANT], deletions=counts[Act.OWE], grows=grows, pending=pending)
    return world._replace(run=run), compared


def _pushed(world: PushWorld, store: int) -> tuple[PushWorld, Outcome]:
    pending = 0
    assert world.run.acts is not None
    for entry in world.at(store):
        if world.run.acts[entry] is not Act.WANT or not world.run.steps[entry]:
            continue
        assert world.resource.recorded[entry] or not world.resource.exists, "written before it is on record"
        if world.infisical is Infisical.CAREFUL:
            pending += 1
            world = world._replace(run=world.run._replace(marked=changed(world.run.marked, entry, True)))
        else:
            world = put(world, entry, Remote(world.run.value, ours=True))
    return world, Pushed(pending=pending)


def _pruned(world: PushWorld, store: int) -> tuple[PushWorld, Outcome]:
    pending = 0
    assert world.run.acts is not None
    for entry in world.at(store):
        run = world.run
        if run.acts is None or run.acts[entry] is not Act.OWE or not run.steps[entry]:
            continue
        assert run.seen.recorded[entry], "deleted without having been on record"
        assert run.seen.may_delete, "deleted against its policy"
        if world.infisical is Infisical.CAREFUL:
            pending += 1
            world = world._replace(run=run._replace(marked=changed(run.marked, entry, True)))
        else:
            world = put(world, entry, Remote())
            world = world._replace(run=run._replace(removed=changed(run.removed, entry, True)))
    return world, Pruned(pending=pending)


def _in_cluster(world: PushWorld, effect: Effect) -> tuple[PushWorld, Outcome]:
    resource = world.resource
    if not resource.exists:
        return world, Absent()
    match effect:
        case Report():
            return _reported(world, effect), Reported()
        case AddFinalizer(version=version) | Record(version=version) | RemoveFinalizer(version=version):
            if version != resource.version:
                return world, Conflict()
    match effect:
        case AddFinalizer():
            if resource.deleting:
                return world, Refused()
            resource = resource._replace(finalizer=True)
            return world._replace(resource=resource), FinalizerAdded(version=resource.version)
        case RemoveFinalizer():
            if resource.deleting and resource.may_delete:
                assert not any(remote.ours for remote in world.remotes), (
                    "it goes, and leaves something behind"
                )
            resource = resource._replace(finalizer=False, exists=not resource.deleting)
            return world._replace(resource=resource), FinalizerRemoved()
        case Record(store=number):
            recorded = resource.recorded
            for entry in world.at(world.run.row[number]):
                recorded = changed(recorded, entry, recorded[entry] or world.run.owned[entry])
            resource = resource._replace(recorded=recorded)
            under = world.run._replace(seen=world.run.seen._replace(recorded=recorded))
            return world._replace(resource=resource, run=under), Recorded(version=resource.version)
    raise TypeError(type(effect).__name__)


def _reported(world: PushWorld, report: Report) -> PushWorld:
    resource, run = world.resource, world.run
    good = report.verdict in (Verdict.SYNCED, Verdict.PENDING)
    if run.acts is not None:
        settled = {run.row[number] for number in report.settled}
        for entry in ENTRIES:
            owes = run.acts[entry] is Act.OWE
            gone = run.removed[entry] or run.acts[entry] is Act.FORGET
            gone = gone or (owes and world.home(entry) in settled)
            recorded = (run.seen.recorded[entry] or run.owned[entry]) and not gone
            if recorded != run.seen.recorded[entry]:
                resource = resource._replace(recorded=changed(resource.recorded, entry, recorded))
            filed = None if run.owned[entry] else resource.filed[entry]
            filed = run.acts[entry] if run.marked[entry] else filed
            resource = resource._replace(filed=refiled(resource.filed, entry, filed if recorded else None))
            if gone:
                lost = world.remotes[entry].ours and run.seen.may_delete
                assert not lost, "forgotten before it was deleted"
                world = put(world, entry, world.remotes[entry]._replace(ours=False))
            elif recorded and world.remotes[entry].content is run.value:
                world = put(world, entry, world.remotes[entry]._replace(ours=True))  # found equal, taken over
    if report.synced is not None:
        resource = resource._replace(synced=run.seen.wish, lately=True)
    known = good and run.value is Content.RIGHT if good else world.known
    return world._replace(resource=resource._replace(failed=not good), known=known)
