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
    Release,
    RemoveFinalizer,
    Report,
    ResolveProject,
    Verdict,
)
from machines.kernel import Asking, Definition, End, Row, Then
from machines.names import ResourceVersion
from machines.outcomes import (
    Absent,
    Authenticated,
    Cancelled,
    Conflict,
    Denied,
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
from machines.push_facts import HOUR, USABLE, Facts, fold
from machines.push_guards import PushSecretRun
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
