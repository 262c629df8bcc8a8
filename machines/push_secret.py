"""What a PushSecret goes through, from being looked at to stores that hold what its source holds.

    observe -> gather -> (guard_store -> authenticate -> resolve_project -> compare -> record -> push -> prune ->
    release) for each store -> report

A store that fails does not hold up the others; the worst failure is told. What will be ours at a store is recorded
before the first write of it, and is forgotten, with the report, after its deletion succeeded.
"""

from collections.abc import Callable

import msgspec

from machines.effects import (
    Authenticate,
    Effect,
    Release,
    RemoveFinalizer,
    Report,
    ResolveProject,
    Verdict,
)
from machines.external_secret import company_window
from machines.kernel import Asking, Definition, End, Row, Run, Then
from machines.names import ResourceVersion
from machines.outcomes import (
    Absent,
    Authenticated,
    Cancelled,
    Conflict,
    Denied,
    Failure,
    FinalizerRemoved,
    Invalid,
    LeaseRefused,
    Missing,
    Outcome,
    ProjectGone,
    Refused,
    Released,
    Reported,
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
    Guarded,
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


class PushSecretRun(Run[Facts]):
    """The guards: each a question about the facts, answered by the facts alone."""

    __slots__ = ()

    def _named(self, *states: StoreState) -> bool:
        """The spec names a store in one of these states."""
        seen = self.facts.seen
        return any(
            named and store.state in states for named, store in zip(seen.named, seen.stores, strict=True)
        )

    def _waits_for(self, *states: StoreState) -> bool:
        """A store in one of these states holds back what goes to it."""
        stores = enumerate(self.facts.seen.stores)
        return any(store.state in states and self.facts.waits(number) for number, store in stores)

    # --- of the resource ---

    def is_not_ours(self) -> bool:
        """It uses, and has used, nothing but stores of another class or provider."""
        stores = self.facts.seen.stores
        return bool(stores) and all(
            store.state in (StoreState.FOREIGN, StoreState.OTHER_PROVIDER) for store in stores
        )

    def is_leaving_freely(self) -> bool:
        """It is being deleted, and does not wait for us."""
        return self.facts.seen.deleting and not self.facts.seen.finalizer

    def is_leaving_without_debts(self) -> bool:
        """It is being deleted, and nothing that it pushed has to be deleted."""
        seen = self.facts.seen
        return seen.deleting and (not seen.deletes or seen.abandons or not any(seen.recorded))

    def is_leaving(self) -> bool:
        """It is being deleted."""
        return self.facts.seen.deleting

    def breaks_rules(self) -> bool:
        """Its manifest breaks a rule, or has fields that cannot be read."""
        return bool(self.facts.seen.broken_rules or self.facts.seen.malformed)

    def is_unsupported(self) -> bool:
        """It asks for something that is not built."""
        return bool(self.facts.seen.unsupported)

    def has_a_needless_finalizer(self) -> bool:
        """Nothing that it pushes shall be deleted, so that it need not wait for us."""
        return self.facts.seen.finalizer and not self.facts.seen.deletes

    def is_not_due(self) -> bool:
        """Nothing asks for a run: neither a change, nor the time, nor the source, nor a store, nor a failure."""
        seen = self.facts.seen
        if seen.failed or seen.strangers or seen.source_changed or not seen.source_there:
            return False
        if seen.synced is None or seen.refreshed is None or seen.synced != seen.wanted:
            return False
        if seen.deletes and any(seen.recorded) and not seen.finalizer:
            return False
        if seen.deletes and not all(
            guarded or not recorded for guarded, recorded in zip(seen.guarded, seen.recorded, strict=True)
        ):
            return False
        due = seen.refreshed + seen.interval - company_window(seen.interval)
        return seen.interval == 0 or seen.refreshed <= seen.now < due

    def shall_delete(self) -> bool:
        """What was pushed of a source that is gone shall be deleted."""
        seen = self.facts.seen
        return seen.deletes and not seen.abandons and any(seen.recorded)

    def deletes_what_was_pushed(self) -> bool:
        """Its policy is to delete, and nothing is left to be deleted."""
        return self.facts.seen.deletes

    def lacks_the_finalizer(self) -> bool:
        """What it is about to push, or has pushed, shall be deleted with it."""
        seen = self.facts.seen
        return seen.deletes and not seen.finalizer and (any(self.facts.entries) or any(seen.recorded))

    # --- of the store whose turn it is ---

    def next_store_lacks_its_guard(self) -> bool:
        """What is, or will be, at the next store shall be deleted, which needs the store."""
        facts = self.facts
        return self.has_another_store() and facts.seen.deletes and not facts.seen.guarded[facts.store]

    def has_another_store(self) -> bool:
        """There is work at a store that had no turn yet."""
        return self.facts.store < len(self.facts.entries)

    def was_refused_once(self) -> bool:
        """The first time that this store's lease was refused: one new login is worth it."""
        return self.facts.refusals == 1

    def knew_the_project_by_heart(self) -> bool:
        """The project's ID was remembered: it may be stale, and asking once more is worth it."""
        return self.facts.cached is True

    def owes_to_a_project_that_is_gone(self) -> bool:
        """No project has this store's slug, and all that is to be done there is to delete what was in it."""
        return self.facts.project_gone

    def must_record_first(self) -> bool:
        """Something will be written that is not in the record."""
        compared = self.facts.compared
        return compared is not None and compared.grows and compared.writes > 0

    def has_something_to_push(self) -> bool:
        """A secret is to be created or updated."""
        return self.facts.compared is not None and self.facts.compared.writes > 0

    def has_something_to_prune(self) -> bool:
        """A secret is to be deleted, and that is the policy."""
        seen, compared = self.facts.seen, self.facts.compared
        return compared is not None and compared.deletions > 0 and seen.deletes and not seen.abandons

    # --- of the end ---

    def has_failed(self) -> bool:
        """Something failed at some store."""
        return self.facts.failure is not None

    def misses_a_store(self) -> bool:
        """A store that its spec names is not there."""
        return not self.facts.withdrawn and self._named(StoreState.ABSENT)

    def has_an_excluding_store(self) -> bool:
        """A store that its spec names does not admit this namespace."""
        return not self.facts.withdrawn and self._named(StoreState.EXCLUDING)

    def waits_for_a_first_verdict(self) -> bool:
        """All that holds it back is that stores were never judged, which takes a moment: no reason to tell yet."""
        return (
            self.waits_for_a_store()
            and not self._waits_for(StoreState.NOT_READY)
            and self.facts.seen.failures == 0
        )

    def waits_for_a_store(self) -> bool:
        """A store is not ready, and the controller holds back what uses such stores."""
        return self._waits_for(StoreState.UNVALIDATED, StoreState.NOT_READY)

    def owes_beyond_reach(self) -> bool:
        """Something shall be deleted at a store that is gone for good, or closed to this namespace."""
        stores = self.facts.seen.stores
        return any(
            owed > 0 and store.state not in USABLE
            for owed, store in zip(self.facts.owed, stores, strict=True)
        )

    def awaits_approval(self) -> bool:
        """A change waits for a person at Infisical."""
        return self.facts.pending > 0

    def lost_its_source(self) -> bool:
        """The source is gone, and what was pushed of it is deleted."""
        return self.facts.source_gone


SYNCED = (Verdict.SYNCED, Verdict.PENDING)


def _reports(verdict: Verdict, *store_states: StoreState) -> Callable[[Facts], Report]:
    """The report of a verdict: with the store in question, the failed one or the first in one of these states."""

    def report(facts: Facts) -> Report:
        seen = facts.seen
        numbers = [
            number
            for number, store in enumerate(seen.stores)
            if store.state in store_states and seen.named[number]
        ]
        return Report(
            verdict=verdict,
            failure=facts.failure,
            stores=seen.stores,
            store=numbers[0] if numbers else facts.failed_store,
            synced=seen.wanted if verdict in SYNCED else None,
            read_at=seen.now if verdict in SYNCED else None,
            source=seen.source,
            rules=seen.broken_rules,
            fields=seen.malformed or seen.unsupported,
            last_good=seen.refreshed,
            now=seen.now,
            failed=facts.failed,
            pending=facts.pending,
            settled=facts.settled,
            leaving=seen.deleting,
            keeps_existing=seen.keeps_existing,
            pushes=True,
        )

    return report


def _report_waiting(facts: Facts) -> Report:
    waiting = next(number for number in range(len(facts.entries)) if facts.waits(number))
    return msgspec.structs.replace(_reports(Verdict.STORE_NOT_READY)(facts), store=waiting)


def _report_owing(facts: Facts) -> Report:
    owing = next(
        number
        for number, store in enumerate(facts.seen.stores)
        if facts.owed[number] > 0 and store.state not in USABLE
    )
    return msgspec.structs.replace(_reports(Verdict.OWING)(facts), store=owing)


def _report_unobserved(facts: Facts) -> Report:
    return Report(verdict=Verdict.FAILED, failure=facts.failure, pushes=True)


def _version(facts: Facts) -> ResourceVersion:
    assert facts.version is not None
    return facts.version


STATES = (
    Asking("observe", ObservePushSecret, lambda facts: ObservePushSecret()),
    Asking("shed_finalizer", RemoveFinalizer, lambda facts: RemoveFinalizer(version=_version(facts))),
    Asking("gather", Gather, lambda facts: Gather()),
    Asking("withdraw", Gather, lambda facts: Gather(withdraw=True)),
    Asking("add_finalizer", AddFinalizer, lambda facts: AddFinalizer(version=_version(facts))),
    Asking("guard_store", GuardStore, lambda facts: GuardStore(store=facts.store)),
    Asking("authenticate", Authenticate, lambda facts: Authenticate(store=facts.store)),
    Asking("resolve_project", ResolveProject, lambda facts: ResolveProject(store=facts.store)),
    Asking("resolve_afresh", ResolveProject, lambda facts: ResolveProject(store=facts.store, fresh=True)),
    Asking("compare", Compare, lambda facts: Compare(store=facts.store)),
    Asking("record", Record, lambda facts: Record(store=facts.store, version=_version(facts))),
    Asking("push", Push, lambda facts: Push(store=facts.store)),
    Asking("prune", Prune, lambda facts: Prune(store=facts.store)),
    Asking("release", Release, lambda facts: Release(store=facts.store)),
    Asking("release_refused", Release, lambda facts: Release(store=facts.store, tainted=True)),
    Asking("release_refused_again", Release, lambda facts: Release(store=facts.store, tainted=True)),
    Asking("release_after_failure", Release, lambda facts: Release(store=facts.store)),
    Asking("release_unrecorded", Release, lambda facts: Release(store=facts.store)),
    Asking("release_overtaken", Release, lambda facts: Release(store=facts.store)),
    Asking("release_gone", Release, lambda facts: Release(store=facts.store)),
    Asking("release_to_stop", Release, lambda facts: Release(store=facts.store)),
    Asking("remove_finalizer", RemoveFinalizer, lambda facts: RemoveFinalizer(version=_version(facts))),
    Asking("report_synced", Report, _reports(Verdict.SYNCED)),
    Asking("report_pending", Report, _reports(Verdict.PENDING)),
    Asking("report_source_absent", Report, _reports(Verdict.SOURCE_ABSENT)),
    Asking("report_source_deleted", Report, _reports(Verdict.SOURCE_DELETED)),
    Asking("report_failed", Report, _reports(Verdict.FAILED)),
    Asking("report_unobserved", Report, _report_unobserved),
    Asking("report_rules_broken", Report, _reports(Verdict.RULES_BROKEN)),
    Asking("report_unsupported", Report, _reports(Verdict.UNSUPPORTED)),
    Asking("report_store_absent", Report, _reports(Verdict.STORE_ABSENT, StoreState.ABSENT)),
    Asking("report_store_unusable", Report, _reports(Verdict.STORE_UNUSABLE, StoreState.EXCLUDING)),
    Asking("report_store_not_ready", Report, _report_waiting),
    Asking("report_owing", Report, _report_owing),
    End("ready", Then.REFRESH, good=True),  # the stores hold what the source holds
    End("idle", Then.REFRESH, good=True),  # nothing was due
    End("pending", Then.REFRESH, good=True),  # a person must approve at Infisical
    End("bereft", Then.REFRESH),  # there is no source; it is woken when one appears
    End("error", Then.BACKOFF),  # something failed, and is tried again
    End("expectant", Then.BACKOFF),  # of a store's first verdict; where that takes long, the next run tells
    End("waiting", Then.BACKOFF),  # for a store; it is woken when the store is ready
    End("rejected", Then.REFRESH),  # for a change by a person, who is told what to change
    End("passed_over", Then.FORGET, good=True),  # another controller's
    End("gone", Then.FORGET, good=True),
    End("overtaken", Then.AGAIN),  # the resource or a store changed under the run
    End("stopped", Then.NOTHING),
)


# The table. Outcomes that mean the same wherever they come from have names of their own.

TROUBLE = (Unavailable, Denied, Missing, Invalid)
WRITE_TROUBLE = (Refused, Denied, Unavailable)
UNDER_LEASE = ("resolve_project", "resolve_afresh", "compare", "push", "prune")

REPORTS = tuple(state.name for state in STATES if isinstance(state, Asking) and state.asks is Report)


TO_A_STORE = (("guard_store", "next_store_lacks_its_guard"), ("authenticate", "has_another_store"))
BARRED = (("report_store_absent", "misses_a_store"), ("report_store_unusable", "has_an_excluding_store"))
WAITING = (("report_store_not_ready", "waits_for_a_store"), ("report_owing", "owes_beyond_reach"))
"""What comes next in the row of stores, and what keeps a PushSecret from being as it should when all had their turn."""

Choice = tuple[str, str | None]


def _choose(
    outcomes: tuple[type[Outcome], ...], sources: tuple[str, ...], *choices: Choice
) -> tuple[Row, ...]:
    """Rows to the first target whose guard holds."""
    return tuple(Row(outcomes, sources, target, guard) for target, guard in choices)


ROWS = (
    # Looking: what is not ours, not wanted any more, or not due, costs nothing more.
    Row((Absent,), ("observe",), "gone"),
    Row((Unavailable, Denied), ("observe",), "report_unobserved"),
    Row((PushSecretObserved,), ("observe",), "passed_over", "is_not_ours"),
    Row((PushSecretObserved,), ("observe",), "gone", "is_leaving_freely"),
    Row((PushSecretObserved,), ("observe",), "remove_finalizer", "is_leaving_without_debts"),
    Row((PushSecretObserved,), ("observe",), "withdraw", "is_leaving"),
    Row((PushSecretObserved,), ("observe",), "report_rules_broken", "breaks_rules"),
    Row((PushSecretObserved,), ("observe",), "report_unsupported", "is_unsupported"),
    Row((PushSecretObserved,), ("observe",), "shed_finalizer", "has_a_needless_finalizer"),
    Row((PushSecretObserved,), ("observe",), "idle", "is_not_due"),
    Row((PushSecretObserved,), ("observe",), "gather"),
    Row((FinalizerRemoved,), ("shed_finalizer",), "overtaken"),
    Row((Absent,), ("shed_finalizer",), "gone"),
    Row((Conflict,), ("shed_finalizer",), "overtaken"),
    Row(WRITE_TROUBLE, ("shed_finalizer",), "report_failed"),
    # What goes where. A source that is gone takes along what was pushed of it, where the policy says so.
    Row((Absent,), ("gather",), "withdraw", "shall_delete"),
    Row((Absent,), ("gather",), "report_source_deleted", "deletes_what_was_pushed"),
    Row((Absent,), ("gather",), "report_source_absent"),
    Row((Absent,), ("withdraw",), "report_source_absent"),
    Row((Invalid, Unavailable, Denied), ("gather", "withdraw"), "report_failed"),
    Row((Gathered,), ("gather",), "add_finalizer", "lacks_the_finalizer"),
    *_choose(
        (Gathered,),
        ("gather",),
        *TO_A_STORE,
        *BARRED,
        ("expectant", "waits_for_a_first_verdict"),
        *WAITING,
        ("report_synced", None),
    ),
    *_choose(
        (Gathered,),
        ("withdraw",),
        *TO_A_STORE,
        ("report_owing", "owes_beyond_reach"),
        ("remove_finalizer", "is_leaving"),
        ("report_source_deleted", None),
    ),
    # What stands before the first write: the finalizer of the resource, then that of the store.
    *_choose(
        (FinalizerAdded,),
        ("add_finalizer",),
        *TO_A_STORE,
        *BARRED,
        ("expectant", "waits_for_a_first_verdict"),
        *WAITING,
        ("report_synced", None),
    ),
    Row((Absent,), ("add_finalizer",), "gone"),
    Row((Conflict,), ("add_finalizer",), "overtaken"),
    Row(WRITE_TROUBLE, ("add_finalizer",), "report_failed"),
    Row((Guarded,), ("guard_store",), "authenticate"),
    Row((Absent, Conflict), ("guard_store",), "overtaken"),
    *_choose(WRITE_TROUBLE, ("guard_store",), *TO_A_STORE, ("report_failed", None)),
    # One store under a lease. Whatever authenticate answered, the lease is released.
    Row((Authenticated,), ("authenticate",), "resolve_project"),
    Row((Resolved,), ("resolve_project", "resolve_afresh"), "compare"),
    Row((Compared,), ("compare",), "record", "must_record_first"),
    Row((Compared,), ("compare",), "push", "has_something_to_push"),
    Row((Compared,), ("compare",), "prune", "has_something_to_prune"),
    Row((Compared,), ("compare",), "release"),
    Row((Recorded,), ("record",), "push"),
    Row((Pushed,), ("push",), "prune", "has_something_to_prune"),
    Row((Pushed,), ("push",), "release"),
    Row((Pruned,), ("prune",), "release"),
    *_choose(
        (Released,),
        ("release",),
        *TO_A_STORE,
        ("report_failed", "has_failed"),
        *BARRED,
        *WAITING,
        ("report_pending", "awaits_approval"),
        ("remove_finalizer", "is_leaving"),
        ("report_source_deleted", "lost_its_source"),
        ("report_synced", None),
    ),
    *_choose(
        (Released,), ("release_after_failure", "release_refused_again"), *TO_A_STORE, ("report_failed", None)
    ),
    # Without a record nothing is written.
    Row((Conflict,), ("record",), "release_overtaken"),
    Row((Absent,), ("record",), "release_gone"),
    Row(WRITE_TROUBLE, ("record",), "release_unrecorded"),
    Row((Released,), ("release_overtaken",), "overtaken"),
    Row((Released,), ("release_gone",), "gone"),
    Row((Released,), ("release_unrecorded",), "report_failed"),
    # A token that Infisical no longer takes: one new login for a store, then it is a failure.
    Row((LeaseRefused,), UNDER_LEASE, "release_refused", "was_refused_once"),
    Row((LeaseRefused,), UNDER_LEASE, "release_refused_again"),
    Row((Released,), ("release_refused",), "authenticate"),
    # A project that is gone: one more resolution where its ID was only remembered. With it is gone what was in it.
    Row((ProjectGone,), ("compare", "push", "prune"), "resolve_afresh", "knew_the_project_by_heart"),
    Row((ProjectGone,), ("compare", "push", "prune"), "release_after_failure"),
    Row((Missing,), ("resolve_project", "resolve_afresh"), "release", "owes_to_a_project_that_is_gone"),
    Row((Missing,), ("resolve_project", "resolve_afresh"), "release_after_failure"),
    Row((Unavailable, Denied, Invalid), ("resolve_project", "resolve_afresh"), "release_after_failure"),
    Row(TROUBLE, ("authenticate", "compare", "push", "prune"), "release_after_failure"),
    # Letting go of a resource that is being deleted.
    Row((FinalizerRemoved, Absent), ("remove_finalizer",), "gone"),
    Row((Conflict,), ("remove_finalizer",), "overtaken"),
    Row(WRITE_TROUBLE, ("remove_finalizer",), "report_failed"),
    # Telling. A report that does not arrive is tried again with the run.
    Row((Reported,), ("report_synced",), "ready"),
    Row((Reported,), ("report_pending",), "pending"),
    Row((Reported,), ("report_source_absent", "report_source_deleted"), "bereft"),
    Row((Reported,), ("report_failed", "report_unobserved"), "error"),
    Row(
        (Reported,),
        ("report_store_absent", "report_store_unusable", "report_store_not_ready", "report_owing"),
        "waiting",
    ),
    Row((Reported,), ("report_rules_broken", "report_unsupported"), "rejected"),
    Row((Absent,), REPORTS, "gone"),
    Row(WRITE_TROUBLE, REPORTS, "error"),
    # Being told to stop. A lease is released first; releasing itself cannot be cancelled.
    Row((Cancelled,), ("authenticate", *UNDER_LEASE, "record"), "release_to_stop"),
    Row((Released,), ("release_to_stop",), "stopped"),
    Row(
        (Cancelled,),
        (
            "observe",
            "shed_finalizer",
            "gather",
            "withdraw",
            "add_finalizer",
            "guard_store",
            "remove_finalizer",
            *REPORTS,
        ),
        "stopped",
    ),
)


def refresh_at(facts: Facts) -> float | None:
    """When a resource is due again, in seconds since 1970; None: not before something tells of it.

    One that is being deleted and waits for a person at Infisical is looked at in any case: nothing tells of that.
    """
    seen = facts.observed
    if seen is None:
        return None
    if seen.deleting and seen.interval == 0:
        return seen.now + HOUR
    if seen.interval == 0:
        return None
    idle = not facts.entries and seen.refreshed is not None and seen.refreshed <= seen.now
    begins = seen.refreshed if idle and seen.refreshed is not None else seen.now
    due = begins + seen.interval
    return due if due > seen.now else seen.now + seen.interval


PUSH_SECRET = Definition("PushSecret", PushSecretRun, Facts(), STATES, ROWS, fold, refresh_at)
