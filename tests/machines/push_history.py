"""What really happened in a run of a PushSecret, kept from effects and outcomes alone (see `history`)."""

from typing import NamedTuple

from machines.effects import Authenticate, Effect, Release, RemoveFinalizer, Report, ResolveProject
from machines.names import ResourceVersion
from machines.outcomes import (
    Absent,
    Authenticated,
    Cancelled,
    Conflict,
    FinalizerRemoved,
    LeaseRefused,
    Missing,
    Outcome,
    ProjectGone,
    Reported,
    Resolved,
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
    Guarded,
    Pruned,
    Pushed,
    PushSecretObserved,
    Recorded,
)
from tests.machines.push_sights import have_a_turn


class Turn(NamedTuple):
    """What happened at the store whose turn it is, since its lease was asked for or its project asked for anew."""

    compared: Compared | None = None
    recorded: bool = False
    pushed: bool = False
    pruned: bool = False
    pending: int = 0
    failed: int = 0
    failure: EntryFailure | None = None  # of the first entry that failed


class Lease(NamedTuple):
    """The lease under way."""

    store: int
    authenticated: bool = False
    resolved: bool = False
    remembered: bool = False  # the project's ID was given without a request
    stale: bool = False  # a remembered ID turned out to be so, and was not asked for since
    afresh: int = 0
    refused: bool = False
    over: bool = (
        False  # a failure, a cancellation or a project that is gone: nothing more can be done under it
    )
    turn: Turn = Turn()


class PushHistory(NamedTuple):
    """What happened until now."""

    begun: bool = False
    seen: PushSecretObserved | None = None
    version: ResourceVersion | None = None  # of the resource, as it was seen or written last
    finalizer: bool = False  # it stands on the resource
    guarded: frozenset[int] = frozenset()  # the stores that stay for the clean-up
    source_gone: bool = False
    withdrawn: bool = False  # it was asked for that nothing goes anywhere
    gathered: Gathered | None = None
    lease: Lease | None = None
    logins: int = 0  # at the store whose turn it is
    owes_a_login: bool = False  # a first refusal is to be answered
    turns: int = 0  # how many stores had theirs
    worked: bool = False  # a store was logged in to
    settled: tuple[int, ...] = ()
    pending: int = 0
    failed: int = 0
    lasting: Outcome | None = None  # the first failure that does not pass by itself
    lasting_store: int | None = None
    passing: Outcome | None = None  # the first that may
    passing_store: int | None = None
    broken_off: bool = False  # a failure of the resource itself: no store has a turn any more
    let_go: bool = False
    overtaken: bool = False
    cancelled: bool = False
    report: Report | None = None
    report_failed: bool = False

    @property
    def observed(self) -> PushSecretObserved:
        """What was seen; only asked where something was."""
        assert self.seen is not None
        return self.seen

    @property
    def trouble(self) -> Outcome | None:
        """The failure that has to be told: rather one that a person must mend."""
        return self.lasting or self.passing

    @property
    def trouble_store(self) -> int | None:
        """The store of that failure."""
        return self.lasting_store if self.lasting is not None else self.passing_store

    @property
    def next_turn(self) -> int | None:
        """The store whose turn it is, or would be next; None: all had theirs."""
        if self.gathered is None:
            return None
        turns = have_a_turn(self.observed, self.gathered)
        return turns[self.turns] if self.turns < len(turns) else None


def told(history: PushHistory, effect: Effect, outcome: Outcome) -> PushHistory:
    """The history with one more effect and its outcome."""
    history = history._replace(begun=True)
    if isinstance(outcome, Cancelled):
        history = history._replace(cancelled=True)
    match effect:
        case ObservePushSecret() | Gather():
            return _looked(history, effect, outcome)
        case AddFinalizer() | GuardStore() | RemoveFinalizer():
            return _guarded(history, effect, outcome)
        case Authenticate(store=store):
            good = isinstance(outcome, Authenticated)
            lease = Lease(store, authenticated=good, over=not good)
            history = history._replace(
                lease=lease, logins=history.logins + 1, owes_a_login=False, worked=True
            )
            return history if good else _troubled(history, outcome, store)
        case ResolveProject() | Compare() | Push() | Prune() | Record():
            assert history.lease is not None
            return _at_store(history, history.lease, effect, outcome)
        case Release():
            return _released(history)
        case Report():
            return history._replace(
                report=effect,
                let_go=isinstance(outcome, Absent),
                report_failed=not isinstance(outcome, Reported | Absent | Cancelled),
            )
    raise TypeError(type(effect).__name__)


def _troubled(history: PushHistory, outcome: Outcome, store: int | None) -> PushHistory:
    if isinstance(outcome, Cancelled):
        return history
    if not isinstance(outcome, Unavailable):
        first = history.lasting is None
        return history._replace(lasting=outcome, lasting_store=store) if first else history
    first = history.passing is None
    return history._replace(passing=outcome, passing_store=store) if first else history


def _broken_off(history: PushHistory, outcome: Outcome) -> PushHistory:
    return _troubled(history, outcome, None)._replace(broken_off=not isinstance(outcome, Cancelled))


def _looked(history: PushHistory, effect: Effect, outcome: Outcome) -> PushHistory:
    withdrawing = isinstance(effect, Gather) and effect.withdraw
    history = history._replace(withdrawn=withdrawing)
    match outcome:
        case PushSecretObserved():
            stay = frozenset(number for number, guarded in enumerate(outcome.guarded) if guarded)
            return history._replace(
                seen=outcome, version=outcome.version, finalizer=outcome.finalizer, guarded=stay
            )
        case Gathered():
            return history._replace(gathered=outcome)
        case Absent() if isinstance(effect, Gather):
            return history._replace(source_gone=True)
        case Absent():
            return history._replace(let_go=True)
    return _broken_off(history, outcome)


def _guarded(history: PushHistory, effect: Effect, outcome: Outcome) -> PushHistory:
    match effect, outcome:
        case _, FinalizerAdded(version=version):
            return history._replace(finalizer=True, version=version)
        case GuardStore(store=store), Guarded():
            return history._replace(guarded=history.guarded | {store})
        case RemoveFinalizer(), FinalizerRemoved():
            leaves = history.observed.deleting
            return history._replace(let_go=leaves, overtaken=not leaves)
        case _, Conflict():
            return history._replace(overtaken=True)
        case GuardStore(), Absent():
            return history._replace(overtaken=True)
        case _, Absent():
            return history._replace(let_go=True)
        case GuardStore(store=store), _ if not isinstance(outcome, Cancelled):
            return _troubled(history, outcome, store)._replace(turns=history.turns + 1)
    return _broken_off(history, outcome)


def _at_store(history: PushHistory, lease: Lease, effect: Effect, outcome: Outcome) -> PushHistory:
    if isinstance(effect, ResolveProject) and effect.fresh:
        lease = lease._replace(afresh=lease.afresh + 1)
    match outcome:
        case Resolved(cached=cached):
            remembered = cached and not lease.stale
            return history._replace(lease=lease._replace(resolved=True, remembered=remembered, stale=False))
        case Compared() | Pushed() | Pruned():
            return history._replace(lease=lease._replace(turn=_counted(lease.turn, outcome)))
        case Recorded(version=version):
            turn = lease.turn._replace(recorded=True)
            return history._replace(lease=lease._replace(turn=turn), version=version)
        case LeaseRefused():
            history = history._replace(lease=lease._replace(refused=True, over=True))
            return history if history.logins == 1 else _troubled(history, outcome, lease.store)
        case ProjectGone() if lease.remembered:
            return history._replace(lease=lease._replace(stale=True, resolved=False, turn=Turn()))
    history = history._replace(lease=lease._replace(over=True))
    if isinstance(effect, Record):
        if isinstance(outcome, Absent | Conflict):
            return history._replace(
                let_go=isinstance(outcome, Absent), overtaken=isinstance(outcome, Conflict)
            )
        return _broken_off(history, outcome)
    assert history.gathered is not None
    is_gone = isinstance(outcome, Missing) and outcome.what is Thing.PROJECT
    if isinstance(effect, ResolveProject) and is_gone and not history.gathered.entries[lease.store]:
        return history._replace(settled=(*history.settled, lease.store))
    return _troubled(history, outcome, lease.store)


def _counted(turn: Turn, outcome: Compared | Pushed | Pruned) -> Turn:
    match outcome:
        case Compared():
            turn = Turn(compared=outcome)
        case Pushed():
            turn = turn._replace(pushed=True)
        case Pruned():
            turn = turn._replace(pruned=True)
    return turn._replace(
        pending=turn.pending + outcome.pending,
        failed=turn.failed + outcome.failed,
        failure=turn.failure or outcome.failure,
    )


def _released(history: PushHistory) -> PushHistory:
    lease = history.lease
    if lease is None:
        return history
    if lease.refused and history.logins == 1:
        return history._replace(lease=None, owes_a_login=True)
    turn = lease.turn
    if turn.failure is not None:
        history = _troubled(history, turn.failure, lease.store)
    return history._replace(
        lease=None,
        logins=0,
        turns=history.turns + 1,
        pending=history.pending + turn.pending,
        failed=history.failed + turn.failed,
    )
