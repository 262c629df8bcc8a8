"""A small world around one PushSecret: two entries, their stores, an Infisical, and a process that may die.

It answers each effect as the adapters would, in the few things that matter: what is at Infisical and whether it is
ours, what the record says, which finalizers stand. It protests itself where something is written or deleted that is
not on record, or forgotten before it is deleted.
"""

import enum
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

from machines.effects import Authenticate, Effect, Release, RemoveFinalizer, Report, ResolveProject, Verdict
from machines.names import KindName, ResourceName, ResourceVersion, SyncedVersion
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
from tests.machines.world import HOUR, NOW, SILENT, Memory

Both = tuple[bool, bool]
"""Of each of the two entries."""

NEITHER: Both = (False, False)
ENTRIES = (0, 1)


class Content(enum.Enum):
    """What a secret at Infisical holds, seen from the source."""

    RIGHT = "what the source holds now"
    OLD = "what it held before"
    OTHERS = "what somebody else put there"


class Remote(NamedTuple):
    """A secret at Infisical, or its absence. `ours`: it was written for this PushSecret, and is to be deleted with it."""

    content: Content | None = None
    ours: bool = False


class Store(NamedTuple):
    """A store that the PushSecret uses, or used."""

    there: bool = True
    ready: bool = True
    deleting: bool = False
    guarded: bool = False


class Infisical(enum.Enum):
    """How it is disposed."""

    FINE = "it does what it is asked"
    SILENT = "it does not answer"
    EMPTY = "there is no such project"
    CAREFUL = "a person must approve changes"


class Act(enum.Enum):
    """What is to become of an entry in a run."""

    WANT = "put"
    OWE = "delete"
    FORGET = "leave alone from now on"


Acts = tuple[Act | None, Act | None]


class Resource(NamedTuple):
    """The PushSecret as the cluster has it."""

    exists: bool = True
    deleting: bool = False
    finalizer: bool = False
    deletes: bool = False
    abandons: bool = False
    wanted: Both = (True, True)
    recorded: Both = NEITHER
    filed: Acts = (None, None)  # what of it, as it is wanted now, waits for a person
    synced: tuple[Both, bool] | None = None  # the wish that was fulfilled last
    lately: bool = False  # within the refresh interval
    failed: bool = False

    @property
    def wish(self) -> tuple[Both, bool]:
        """What a change of makes it due."""
        return self.wanted, self.deletes

    @property
    def may_delete(self) -> bool:
        """Whether what it pushed is to be deleted when it is wanted no more."""
        return self.deletes and not self.abandons

    @property
    def version(self) -> ResourceVersion:
        """It changes with whatever is written."""
        filed = (each is not None for each in self.filed)
        parts = (*self[:5], *self.wanted, *self.recorded, *filed, self.synced is not None, self.failed)
        return ResourceVersion("".join(str(int(part)) for part in parts))


class Under(NamedTuple):
    """What a run holds. Of stores it knows the numbers of its own row of them."""

    seen: Resource = Resource()
    row: tuple[int, ...] = ()
    acts: Acts | None = None
    value: Content = Content.RIGHT  # what was read of the source, seen from the source as it is now
    steps: Both = NEITHER  # entries of which something is to be written or deleted
    owned: Both = NEITHER
    removed: Both = NEITHER
    marked: Both = NEITHER  # a change of it waits for a person


class PushWorld(NamedTuple):
    """Everything outside a run, what the process remembers, and what the run under way holds."""

    resource: Resource = Resource()
    remotes: tuple[Remote, Remote] = (Remote(), Remote())
    stores: tuple[Store, Store] = (Store(), Store())
    apart: bool = False  # each entry has a store of its own; else both go to the first
    source: bool = True
    known: bool = False  # the source is as it was when it was pushed last
    infisical: Infisical = Infisical.FINE
    lease: Memory = Memory.NONE
    project: Memory = Memory.NONE
    tried: bool = False
    run: Under = Under()

    def home(self, entry: int) -> int:
        """The store that an entry goes to."""
        return entry if self.apart else 0

    def at(self, store: int) -> list[int]:
        """The entries that go to a store."""
        return [entry for entry in ENTRIES if self.home(entry) == store]

    def names(self, store: int) -> bool:
        """Whether the spec names a store."""
        return any(self.resource.wanted[entry] for entry in self.at(store)) or (not self.apart and store == 0)

    def needs(self, store: int) -> bool:
        """Whether a store must not go away."""
        resource = self.resource
        if not resource.exists or not resource.deletes or (resource.deleting and not resource.finalizer):
            return False
        if any(resource.recorded[entry] for entry in self.at(store)):
            return True
        return not resource.deleting and self.names(store)

    def collected(self) -> "PushWorld":
        """The same world after the stores' own machine, and after the cluster let go of what may go."""
        stores = tuple(self._kept(number, store) for number, store in enumerate(self.stores))
        return self._replace(stores=(stores[0], stores[1]))

    def _kept(self, number: int, store: Store) -> Store:
        store = store._replace(guarded=store.guarded and self.needs(number))
        gone = store.deleting and not store.guarded
        return Store(there=False, ready=store.ready) if gone else store


def changed(pair: Both, entry: int, value: bool) -> Both:
    """The pair with another value for one entry."""
    return (value, pair[1]) if entry == 0 else (pair[0], value)


def _filed(pair: Acts, entry: int, value: Act | None) -> Acts:
    return (value, pair[1]) if entry == 0 else (pair[0], value)


def _put(world: PushWorld, entry: int, remote: Remote) -> PushWorld:
    first, second = world.remotes
    return world._replace(remotes=(remote, second) if entry == 0 else (first, remote))


def _guard(world: PushWorld, number: int) -> PushWorld:
    first, second = world.stores
    if number == 0:
        return world._replace(stores=(first._replace(guarded=True), second))
    return world._replace(stores=(first, second._replace(guarded=True)))


# --- looking ---------------------------------------------------------------------------------------------------


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
            return _guard(world, world.run.row[number]), Guarded()
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
            world = _put(world, entry, Remote(world.run.value, ours=True))
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
            world = _put(world, entry, Remote())
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
            resource = resource._replace(filed=_filed(resource.filed, entry, filed if recorded else None))
            if gone:
                lost = world.remotes[entry].ours and run.seen.may_delete
                assert not lost, "forgotten before it was deleted"
                world = _put(world, entry, world.remotes[entry]._replace(ours=False))
            elif recorded and world.remotes[entry].content is run.value:
                world = _put(
                    world, entry, world.remotes[entry]._replace(ours=True)
                )  # found equal, taken over
    if report.synced is not None:
        resource = resource._replace(synced=run.seen.wish, lately=True)
    known = good and run.value is Content.RIGHT if good else world.known
    return world._replace(resource=resource._replace(failed=not good), known=known)


# --- what others do meanwhile ----------------------------------------------------------------------------------

Move = Callable[[PushWorld], PushWorld]


def _with(**fields: Any) -> Move:
    def move(world: PushWorld) -> PushWorld:
        return world._replace(resource=world.resource._replace(**fields)) if world.resource.exists else world

    return move


def _deleted(world: PushWorld) -> PushWorld:
    gone = not world.resource.finalizer
    return _with(exists=False)(world) if gone else _with(deleting=True)(world)


def _toggled(entry: int) -> Move:
    def move(world: PushWorld) -> PushWorld:
        resource = world.resource
        wanted = changed(resource.wanted, entry, not resource.wanted[entry])
        filed = _filed(resource.filed, entry, None)
        return _with(wanted=wanted, filed=filed)(world)

    return move


def _source_changes(world: PushWorld) -> PushWorld:
    """What was right is old now, also what a run under way has read."""

    def aged(content: Content | None) -> Content | None:
        return Content.OLD if content is Content.RIGHT else content

    first, second = (remote._replace(content=aged(remote.content)) for remote in world.remotes)
    value = Content.OLD if world.run.acts is not None else world.run.value
    return _with(filed=(None, None))(world)._replace(
        remotes=(first, second), known=False, run=world.run._replace(value=value)
    )


def _of_first_store(change: Callable[[Store], Store]) -> Move:
    return lambda world: world._replace(stores=(change(world.stores[0]), world.stores[1]))


def _emptied(world: PushWorld) -> PushWorld:
    return world._replace(remotes=(Remote(), Remote()), project=_stale(world.project))


def _approved(world: PushWorld) -> PushWorld:
    """A person approved all that was filed, and no more is asked for it."""
    run = world.run
    for entry in ENTRIES:
        acts = (
            run.acts[entry] if run.acts is not None and run.marked[entry] else None,
            world.resource.filed[entry],
        )
        if Act.WANT in acts:
            world = _put(world, entry, Remote(Content.RIGHT, ours=True))
        elif Act.OWE in acts:
            world = _put(world, entry, Remote())
    return world._replace(infisical=Infisical.FINE)


def _stale(memory: Memory) -> Memory:
    return Memory.STALE if memory is Memory.GOOD else memory


MOVES: dict[str, Move] = {
    "the resource is deleted": _deleted,
    "its first entry is taken out or put back": _toggled(0),
    "its second entry is taken out or put back": _toggled(1),
    "its policy changes": lambda world: _with(deletes=not world.resource.deletes)(world),
    "what is left is given up": _with(abandons=True),
    "the source changes": _source_changes,
    "the source is deleted": lambda world: world._replace(source=False),
    "the source appears": lambda world: world._replace(source=True, known=world.known and world.source),
    "a store is deleted": _of_first_store(
        lambda store: store._replace(deleting=store.guarded, there=store.guarded and store.there)
    ),
    "a store is gone for good": _of_first_store(lambda store: Store(there=False)),
    "a store is not ready": _of_first_store(lambda store: store._replace(ready=False)),
    "a store is as it should be": _of_first_store(
        lambda store: store._replace(there=True, ready=True, deleting=store.deleting and store.there)
    ),
    "somebody changes it at Infisical": lambda world: _put(
        world, 0, world.remotes[0]._replace(content=Content.OTHERS)
    ),
    "somebody deletes it at Infisical": lambda world: _put(world, 0, Remote()),
    "the token is revoked": lambda world: world._replace(lease=_stale(world.lease)),
    "the project is made anew": _emptied,
    "the project is gone": lambda world: _emptied(world)._replace(infisical=Infisical.EMPTY),
    "Infisical falls silent": lambda world: world._replace(infisical=Infisical.SILENT),
    "a person approves": _approved,
}


def died(world: PushWorld) -> PushWorld:
    """The process is another: it remembers nothing."""
    return world._replace(known=False, lease=Memory.NONE, project=Memory.NONE, tried=False, run=Under())


RECORDS = (
    (NEITHER, (Remote(), Remote())),
    ((True, True), (Remote(Content.RIGHT, ours=True), Remote(Content.OLD, ours=True))),
    ((True, True), (Remote(Content.OLD, ours=True), Remote(Content.RIGHT, ours=True))),
    ((True, False), (Remote(), Remote(Content.OTHERS))),
    ((False, True), (Remote(Content.RIGHT), Remote(Content.OTHERS, ours=True))),
)
"""What is on record, and what is at Infisical: nothing, all, and what a crash or somebody else left."""

ROWS_OF_STORES = (
    (Store(), Store()),
    (Store(guarded=True), Store(guarded=True)),
    (Store(there=False), Store(guarded=True)),
    (Store(guarded=True, ready=False), Store()),
    (Store(guarded=True, deleting=True), Store(guarded=True)),
)


def worlds() -> Iterator[PushWorld]:
    """Every world that differs in the cluster or at Infisical, with a fresh process; and every process, in some."""
    beings = (
        *((False, False, False), (False, False, True), (False, True, True), (False, True, False)),
        *((True, True, True), (True, True, False)),
    )
    cluster = [
        PushWorld(
            resource=Resource(
                deleting=deleting,
                finalizer=finalizer,
                deletes=deletes,
                wanted=wanted,
                recorded=recorded,
                synced=synced,
                lately=synced is not None,
            ),
            remotes=remotes,
            known=synced is not None,
        )
        for (deleting, finalizer, deletes), wanted, (recorded, remotes), synced in product(
            beings,
            ((True, True), (True, False), (False, False)),
            RECORDS,
            (None, ((True, True), True), ((True, False), False)),
        )
    ]
    for world, stores, apart, infisical, source in product(
        cluster, ROWS_OF_STORES, (False, True), Infisical, (True, False)
    ):
        empty = infisical is Infisical.EMPTY
        yield world._replace(
            stores=stores,
            apart=apart,
            infisical=infisical,
            source=source,
            remotes=(Remote(), Remote()) if empty else world.remotes,
        )
    for world, lease, project, abandons in product(cluster[::3], Memory, Memory, (False, True)):
        resource = world.resource._replace(abandons=abandons)
        yield world._replace(resource=resource, lease=lease, project=project, apart=True)
