"""What a run of a PushSecret keeps of what it was told. See `machines.push_secret`."""

import msgspec

from machines.effects import (
    Authenticate,
    Effect,
    Release,
    RemoveFinalizer,
    Report,
    ResolveProject,
)
from machines.names import ResourceVersion
from machines.outcomes import (
    Absent,
    Conflict,
    Failure,
    LeaseRefused,
    Missing,
    Outcome,
    ProjectGone,
    Resolved,
    StoreState,
    Thing,
    Unavailable,
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
    EntryFailure,
    FinalizerAdded,
    Gathered,
    Pruned,
    Pushed,
    PushSecretObserved,
    Recorded,
)

USABLE = (StoreState.READY, StoreState.UNVALIDATED, StoreState.NOT_READY)
"""States in which a store can be tried."""

HOUR = 3600.0


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was told. None, empty or 0 until then."""

    observed: PushSecretObserved | None = None
    version: ResourceVersion | None = None  # of the resource, since the last write of this run
    withdrawn: bool = False  # nothing shall be anywhere any more
    source_gone: bool = False
    entries: tuple[int, ...] = ()
    owed: tuple[int, ...] = ()
    store: int = 0  # the number of the store whose turn it is; past the last one: all had theirs
    refusals: int = 0  # how often this store's lease was refused
    cached: bool | None = None  # whether the project's ID was remembered, so that it may be stale
    project_gone: bool = False  # the slug of this store finds no project
    compared: Compared | None = None  # at this store
    settled: tuple[int, ...] = ()  # stores where nothing is owed since their project is gone
    pending: int = 0
    failed: int = 0  # entries
    failure: Failure | None = None  # the worst so far
    failed_store: int | None = None
    # the same of the store whose turn it is: a retry begins it anew, and its release adds it to the rest
    pending_here: int = 0
    failed_here: int = 0
    failure_here: EntryFailure | None = None

    @property
    def seen(self) -> PushSecretObserved:
        """What was observed; only asked where a state lies behind an observation."""
        assert self.observed is not None
        return self.observed

    def waits(self, number: int) -> bool:
        """What goes to this store is held back until it is ready."""
        held_back = self.seen.hold_back and self.entries[number] > 0
        return held_back and self.seen.stores[number].state in (
            StoreState.UNVALIDATED,
            StoreState.NOT_READY,
        )

    def has_work(self, number: int) -> bool:
        """Something is to be done at this store, and can be tried."""
        wanted = self.entries[number] > 0 or self.owed[number] > 0
        return wanted and self.seen.stores[number].state in USABLE and not self.waits(number)


def _next(facts: Facts, first: int) -> Facts:
    """The turn goes to the first store from this number on that has work."""
    numbers = range(first, len(facts.entries))
    store = next((number for number in numbers if facts.has_work(number)), len(facts.entries))
    return msgspec.structs.replace(
        facts, store=store, refusals=0, cached=None, project_gone=False, compared=None
    )


def _worse(failure: Failure, other: Failure | None) -> bool:
    """What only a person can mend is told before what may pass."""
    return other is None or (isinstance(other, Unavailable) and not isinstance(failure, Unavailable))


def _failing(facts: Facts, failure: Failure, store: int | None) -> Facts:
    if not _worse(failure, facts.failure):
        return facts
    return msgspec.structs.replace(facts, failure=failure, failed_store=store)


def _counted(facts: Facts, outcome: Compared | Pushed | Pruned) -> Facts:
    return msgspec.structs.replace(
        facts,
        pending_here=facts.pending_here + outcome.pending,
        failed_here=facts.failed_here + outcome.failed,
        failure_here=facts.failure_here or outcome.failure,
    )


def _anew(facts: Facts) -> Facts:
    """Nothing was counted yet of the store whose turn it is."""
    return msgspec.structs.replace(facts, pending_here=0, failed_here=0, failure_here=None)


def _done(facts: Facts, store: int) -> Facts:
    """The turn of a store is over: what was counted of it is added to the rest."""
    if facts.failure_here is not None:
        facts = _failing(facts, facts.failure_here, store)
    counted = msgspec.structs.replace(
        facts, pending=facts.pending + facts.pending_here, failed=facts.failed + facts.failed_here
    )
    return _next(_anew(counted), store + 1)


def fold(facts: Facts, effect: Effect, outcome: Outcome) -> Facts:
    """Keep what an outcome told. A failure that a retry takes back is not remembered."""
    change = msgspec.structs.replace
    match effect, outcome:
        case ObservePushSecret(), PushSecretObserved(version=version):
            return change(facts, observed=outcome, version=version)
        case Gather(withdraw=withdraw), Gathered(entries=entries, owed=owed):
            return _next(change(facts, entries=entries, owed=owed, withdrawn=withdraw), 0)
        case Gather(), Absent():
            return change(facts, source_gone=True)
        case AddFinalizer(), FinalizerAdded(version=version):
            return change(facts, version=version)
        case Record(), Recorded(version=version):
            return change(facts, version=version)
        case ResolveProject(fresh=fresh), Resolved(cached=cached):
            return change(facts, cached=cached and not fresh)
        case ResolveProject(store=store), Missing(what=Thing.PROJECT) if facts.entries[store] == 0:
            return change(facts, project_gone=True, settled=(*facts.settled, store))
        case Compare(), Compared():
            return _counted(change(facts, compared=outcome), outcome)
        case Push(), Pushed():
            return _counted(facts, outcome)
        case Prune(), Pruned():
            return _counted(facts, outcome)
        case Release(tainted=True), _ if facts.refusals == 1:
            return _anew(facts)  # the same store has another turn
        case Release(store=store), _:
            return _done(facts, store)
        case _, LeaseRefused() if facts.refusals == 0:
            return change(facts, refusals=1, cached=None)
        case _, LeaseRefused():
            return _failing(change(facts, refusals=2), outcome, facts.store)
        case ((Compare() | Push() | Prune()), ProjectGone()) if facts.cached:
            return _anew(facts)
        case ((GuardStore() | AddFinalizer() | Record() | RemoveFinalizer()), Absent() | Conflict()):
            return facts  # the run is taken up again, or there is nothing left to do
        case Report(), _:
            return facts
        case GuardStore(store=store), _ if isinstance(outcome, Failure):
            return _next(_failing(facts, outcome, store), store + 1)
        case (
            (
                Authenticate(store=store)
                | ResolveProject(store=store)
                | Compare(store=store)
                | Push(store=store)
                | Prune(store=store)
            ),
            _,
        ) if isinstance(outcome, Failure):
            return _failing(facts, outcome, store)
        case _, _ if isinstance(outcome, Failure):
            return _failing(facts, outcome, None)
    return facts
