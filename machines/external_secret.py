"""What an ExternalSecret goes through, from being looked at to a Secret that holds what Infisical holds.

    observe -> (authenticate -> resolve_project -> fetch -> release) for each store -> render -> apply -> report

The first store that fails ends the reading: a Secret is written whole or not at all. What happened before is a
state, never a flag: whoever reads `release_after_failure` knows that a failure is still to be reported.
"""

from collections.abc import Callable

import msgspec

from machines.effects import (
    Apply,
    Authenticate,
    DeleteFormerTarget,
    Effect,
    Fetch,
    ObserveExternalSecret,
    Release,
    RemoveFinalizer,
    Render,
    Report,
    ResolveProject,
    Verdict,
)
from machines.kernel import Asking, Definition, End, Row, Run, Then
from machines.outcomes import (
    Absent,
    AbsentKey,
    Applied,
    Authenticated,
    Cancelled,
    Change,
    Conflict,
    Deleted,
    Denied,
    Drift,
    ExternalSecretObserved,
    Failure,
    Fetched,
    FinalizerRemoved,
    Invalid,
    LeaseRefused,
    Missing,
    NotOurs,
    Outcome,
    Ownership,
    ProjectGone,
    RefreshPolicy,
    Refused,
    Released,
    Rendered,
    Reported,
    Resolved,
    StoreState,
    Unavailable,
)

MAY_CONFLICT = 3
"""How often a run looks again, at once, because someone else wrote in between."""


def company_window(interval: float) -> float:
    """How much before its time a resource may be refreshed in the company of others, so that all share a login and a
    listing: a tenth of its interval, 30 s at the most. All are seconds."""
    return min(interval / 10.0, 30.0)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was told. None, empty or 0 until then."""

    observed: ExternalSecretObserved | None = None
    overtaken: bool = False  # the resource changed under the run
    store: int = 0  # the number of the store that is being read
    refusals: int = 0  # how often this store's lease was refused
    cached: bool | None = None  # whether the project's ID was remembered, so that it may be stale
    absent: tuple[AbsentKey, ...] = ()
    read_at: float | None = None  # when the oldest of what was read was read
    keys: int | None = None
    agrees: bool = False
    change: Change | None = None
    conflicts: int = 0
    failure: Failure | None = None
    failed_store: int | None = None

    @property
    def seen(self) -> ExternalSecretObserved:
        """What was observed; only asked where a state lies behind an observation."""
        assert self.observed is not None
        return self.observed


def fold(facts: Facts, effect: Effect, outcome: Outcome) -> Facts:
    """Keep what an outcome told. A failure that a retry takes back is not remembered."""
    change = msgspec.structs.replace
    match effect, outcome:
        case ObserveExternalSecret(), ExternalSecretObserved():
            before = facts.observed
            overtaken = before is not None and (before.wanted, before.stores) != (
                outcome.wanted,
                outcome.stores,
            )
            return change(facts, observed=outcome, overtaken=overtaken)
        case ResolveProject(fresh=fresh), Resolved(cached=cached):
            return change(facts, cached=cached and not fresh)
        case Fetch(), Fetched(absent=absent, read_at=read_at):
            times = [time for time in (facts.read_at, read_at) if time is not None]
            return change(facts, absent=facts.absent + absent, read_at=min(times, default=None))
        case Release(tainted=False), _:
            return change(facts, store=facts.store + 1, refusals=0, cached=None)
        case Render(), Rendered(keys=keys, agrees=agrees):
            return change(facts, keys=keys, agrees=agrees)
        case Apply(), Applied(change=what):
            return change(facts, change=what)
        case _, LeaseRefused() if facts.refusals == 0:
            return change(facts, refusals=1)
        case Fetch(), ProjectGone() if facts.cached:
            return facts
        case Apply(), Conflict() if facts.conflicts < MAY_CONFLICT:
            return change(facts, conflicts=facts.conflicts + 1)
        case DeleteFormerTarget(), Absent() | NotOurs():
            return facts  # there is nothing to let go of
        case Report(), _:
            return facts
        case ((Authenticate(store=store) | ResolveProject(store=store) | Fetch(store=store)), _) if (
            isinstance(outcome, Failure)
        ):
            return change(facts, failure=outcome, failed_store=store)
        case _, _ if isinstance(outcome, Failure):
            return change(facts, failure=outcome)
    return facts


class ExternalSecretRun(Run[Facts]):
    """The guards: each a question about the facts, answered by the facts alone."""

    __slots__ = ()

    def _has_store(self, *states: StoreState) -> bool:
        return any(store.state in states for store in self.facts.seen.stores)

    def is_not_ours(self) -> bool:
        """A store of another class is another controller's business, and so is what uses it; so are resources
        that use nothing but other providers."""
        stores = self.facts.seen.stores
        return self._has_store(StoreState.FOREIGN) or (
            bool(stores) and all(store.state is StoreState.OTHER_PROVIDER for store in stores)
        )

    def is_leaving_with_finalizer(self) -> bool:
        """It is being deleted, and waits for our finalizer. Its target goes by garbage collection."""
        return self.facts.seen.deleting and self.facts.seen.finalizer

    def is_leaving(self) -> bool:
        """It is being deleted, and does not wait for us."""
        return self.facts.seen.deleting

    def breaks_rules(self) -> bool:
        """Its manifest breaks a rule, or has fields that cannot be read."""
        return bool(self.facts.seen.broken_rules or self.facts.seen.malformed)

    def is_unsupported(self) -> bool:
        """It asks for something that is not built."""
        return bool(self.facts.seen.unsupported)

    def is_overtaken(self) -> bool:
        """The resource, or a store of it, changed while the run was under way: what was read is not what is
        wanted now."""
        return self.facts.overtaken

    def is_not_due(self) -> bool:
        """Nothing asks for a refresh: neither a change, nor the time, nor the target, nor a failure that was told."""
        seen = self.facts.seen
        if (
            seen.failed
            or seen.target.drift is not Drift.NONE
            or seen.synced is None
            or seen.refreshed is None
        ):
            return False
        if seen.policy is RefreshPolicy.CREATED_ONCE:
            return True
        if seen.policy is RefreshPolicy.ON_CHANGE:
            return seen.synced == seen.wanted
        if seen.interval == 0:
            return True
        due = seen.refreshed + seen.interval - company_window(seen.interval)
        return seen.synced == seen.wanted and seen.refreshed <= seen.now < due

    def misses_a_store(self) -> bool:
        """A store that it names is not there."""
        return self._has_store(StoreState.ABSENT)

    def has_an_unusable_store(self) -> bool:
        """A store is of another provider, or does not admit this namespace."""
        return self._has_store(StoreState.OTHER_PROVIDER, StoreState.EXCLUDING)

    def waits_for_a_store(self) -> bool:
        """A store is not ready, and the controller holds back what uses such stores."""
        return self.facts.seen.hold_back and self._has_store(StoreState.UNVALIDATED, StoreState.NOT_READY)

    def waits_for_its_first_verdict(self) -> bool:
        """What holds it back is only that stores were never judged, which takes a moment: no reason to tell yet."""
        return (
            self.waits_for_a_store()
            and not self._has_store(StoreState.NOT_READY)
            and self.facts.seen.failures == 0
        )

    def has_a_foreign_target(self) -> bool:
        """The target belongs to another resource or controller."""
        return self.facts.seen.target.ownership is Ownership.FOREIGN

    def has_another_store(self) -> bool:
        """A store is still to be read."""
        return self.facts.store < len(self.facts.seen.stores)

    def was_refused_once(self) -> bool:
        """The first time that this store's lease was refused: one new login is worth it."""
        return self.facts.refusals == 1 and self.facts.failure is None

    def knew_the_project_by_heart(self) -> bool:
        """The project's ID was remembered: it may be stale, and asking once more is worth it."""
        return self.facts.cached is True

    def lacks_keys(self) -> bool:
        """A key that it names is verifiably not there."""
        return bool(self.facts.absent)

    def is_empty(self) -> bool:
        """Infisical holds nothing of what was asked for."""
        return self.facts.keys == 0

    def agrees(self) -> bool:
        """The target holds just the desired content already."""
        return self.facts.agrees

    def agrees_but_has_a_former_target(self) -> bool:
        """Nothing is to be written, but the one of before is still there."""
        return self.facts.agrees and self.facts.seen.former is not None

    def has_a_former_target(self) -> bool:
        """The target was renamed; the one of before is still there."""
        return self.facts.seen.former is not None

    def may_look_again(self) -> bool:
        """Someone wrote in between, not more often than is worth an immediate new look."""
        return self.facts.failure is None


SYNCED = (Verdict.SYNCED, Verdict.RETAINED)


def _fresh_as_of(facts: Facts) -> float:
    """As of when the target is as Infisical has it: the time that counts for the next refresh."""
    return facts.seen.now if facts.read_at is None else min(facts.read_at, facts.seen.now)


def _reports(verdict: Verdict, *store_states: StoreState) -> Callable[[Facts], Report]:
    """The report of a verdict: with the store in question, the failed one or the first in one of these states."""

    def report(facts: Facts) -> Report:
        seen = facts.seen
        numbers = [number for number, store in enumerate(seen.stores) if store.state in store_states]
        return Report(
            verdict=verdict,
            failure=facts.failure,
            stores=seen.stores,
            store=numbers[0] if numbers else facts.failed_store,
            target=seen.target,
            change=facts.change,
            keys=facts.keys,
            absent=facts.absent,
            synced=seen.wanted if verdict in SYNCED else None,
            read_at=_fresh_as_of(facts) if verdict in SYNCED else None,
            former=seen.former,
            rules=seen.broken_rules,
            fields=seen.malformed or seen.unsupported,
            last_good=seen.refreshed,
            now=seen.now,
        )

    return report


def _delete_former_target(facts: Facts) -> DeleteFormerTarget:
    former = facts.seen.former
    assert former is not None
    return DeleteFormerTarget(target=former)


def _report_unobserved(facts: Facts) -> Report:
    return Report(verdict=Verdict.FAILED, failure=facts.failure)


STATES = (
    Asking("observe", ObserveExternalSecret, lambda facts: ObserveExternalSecret()),
    Asking("authenticate", Authenticate, lambda facts: Authenticate(store=facts.store)),
    Asking("resolve_project", ResolveProject, lambda facts: ResolveProject(store=facts.store)),
    Asking("resolve_afresh", ResolveProject, lambda facts: ResolveProject(store=facts.store, fresh=True)),
    Asking("fetch", Fetch, lambda facts: Fetch(store=facts.store)),
    Asking("release", Release, lambda facts: Release(store=facts.store)),
    Asking("release_refused", Release, lambda facts: Release(store=facts.store, tainted=True)),
    Asking("release_refused_again", Release, lambda facts: Release(store=facts.store, tainted=True)),
    Asking("release_after_failure", Release, lambda facts: Release(store=facts.store)),
    Asking("release_to_stop", Release, lambda facts: Release(store=facts.store)),
    Asking("render", Render, lambda facts: Render()),
    Asking(
        "apply", Apply, lambda facts: Apply(target=facts.seen.target.name, version=facts.seen.target.version)
    ),
    Asking("observe_again", ObserveExternalSecret, lambda facts: ObserveExternalSecret(fresh=True)),
    Asking("delete_former_target", DeleteFormerTarget, _delete_former_target),
    Asking("remove_finalizer", RemoveFinalizer, lambda facts: RemoveFinalizer(version=facts.seen.version)),
    Asking("report_synced", Report, _reports(Verdict.SYNCED)),
    Asking("report_retained", Report, _reports(Verdict.RETAINED)),
    Asking("report_keys_absent", Report, _reports(Verdict.KEYS_ABSENT)),
    Asking("report_failed", Report, _reports(Verdict.FAILED)),
    Asking("report_unobserved", Report, _report_unobserved),
    Asking("report_rules_broken", Report, _reports(Verdict.RULES_BROKEN)),
    Asking("report_unsupported", Report, _reports(Verdict.UNSUPPORTED)),
    Asking("report_foreign_target", Report, _reports(Verdict.TARGET_FOREIGN)),
    Asking("report_store_absent", Report, _reports(Verdict.STORE_ABSENT, StoreState.ABSENT)),
    Asking(
        "report_store_unusable",
        Report,
        _reports(Verdict.STORE_UNUSABLE, StoreState.OTHER_PROVIDER, StoreState.EXCLUDING),
    ),
    Asking(
        "report_store_not_ready",
        Report,
        _reports(Verdict.STORE_NOT_READY, StoreState.UNVALIDATED, StoreState.NOT_READY),
    ),
    End("ready", Then.REFRESH, good=True),  # the target holds what Infisical holds
    End("idle", Then.REFRESH, good=True),  # nothing was due
    End("error", Then.BACKOFF),  # something failed, and is tried again
    End("expectant", Then.BACKOFF),  # of a store's first verdict; where that takes long, the next run tells
    End("waiting", Then.BACKOFF),  # for a store; it is woken when the store is ready
    End("rejected", Then.REFRESH),  # for a change by a person, who is told what to change
    End("passed_over", Then.FORGET, good=True),  # another controller's
    End("gone", Then.FORGET, good=True),
    End("overtaken", Then.AGAIN),  # the resource changed under the run
    End("stopped", Then.NOTHING),
)


# The table. Outcomes that mean the same wherever they come from have names of their own.

TROUBLE = (Unavailable, Denied, Missing, Invalid)
WRITE_TROUBLE = (Refused, Denied, Unavailable)

REPORTS = tuple(state.name for state in STATES if isinstance(state, Asking) and state.asks is Report)

ROWS = (
    # Looking: what is not ours, not wanted any more, or not due, costs nothing more.
    Row((Absent,), ("observe", "observe_again"), "gone"),
    Row((Unavailable, Denied), ("observe",), "report_unobserved"),
    Row((Unavailable, Denied), ("observe_again",), "report_failed"),
    Row((ExternalSecretObserved,), ("observe", "observe_again"), "passed_over", "is_not_ours"),
    Row(
        (ExternalSecretObserved,),
        ("observe", "observe_again"),
        "remove_finalizer",
        "is_leaving_with_finalizer",
    ),
    Row((ExternalSecretObserved,), ("observe", "observe_again"), "gone", "is_leaving"),
    Row((ExternalSecretObserved,), ("observe",), "report_rules_broken", "breaks_rules"),
    Row((ExternalSecretObserved,), ("observe",), "report_unsupported", "is_unsupported"),
    Row((ExternalSecretObserved,), ("observe",), "idle", "is_not_due"),
    Row((ExternalSecretObserved,), ("observe",), "report_store_absent", "misses_a_store"),
    Row((ExternalSecretObserved,), ("observe",), "report_store_unusable", "has_an_unusable_store"),
    Row((ExternalSecretObserved,), ("observe",), "expectant", "waits_for_its_first_verdict"),
    Row((ExternalSecretObserved,), ("observe",), "report_store_not_ready", "waits_for_a_store"),
    Row((ExternalSecretObserved,), ("observe",), "report_foreign_target", "has_a_foreign_target"),
    Row((ExternalSecretObserved,), ("observe",), "authenticate", "has_another_store"),
    Row((ExternalSecretObserved,), ("observe",), "render"),
    # Reading one store under a lease. Whatever authenticate answered, the lease is released.
    Row((Authenticated,), ("authenticate",), "resolve_project"),
    Row((Resolved,), ("resolve_project", "resolve_afresh"), "fetch"),
    Row((Fetched,), ("fetch",), "release"),
    Row((Released,), ("release",), "report_keys_absent", "lacks_keys"),
    Row((Released,), ("release",), "authenticate", "has_another_store"),
    Row((Released,), ("release",), "render"),
    # A token that Infisical no longer takes: one new login for a store, then it is a failure.
    Row(
        (LeaseRefused,), ("resolve_project", "resolve_afresh", "fetch"), "release_refused", "was_refused_once"
    ),
    Row((LeaseRefused,), ("resolve_project", "resolve_afresh", "fetch"), "release_refused_again"),
    Row((Released,), ("release_refused",), "authenticate"),
    Row((Released,), ("release_refused_again",), "report_failed"),
    # A project that is gone: one more resolution where its ID was only remembered.
    Row((ProjectGone,), ("fetch",), "resolve_afresh", "knew_the_project_by_heart"),
    Row((ProjectGone,), ("fetch",), "release_after_failure"),
    Row(TROUBLE, ("authenticate", "resolve_project", "resolve_afresh", "fetch"), "release_after_failure"),
    Row((Released,), ("release_after_failure",), "report_failed"),
    # Writing the target, and only then letting go of the one that it replaces.
    Row((Rendered,), ("render",), "report_retained", "is_empty"),
    Row((Rendered,), ("render",), "delete_former_target", "agrees_but_has_a_former_target"),
    Row((Rendered,), ("render",), "report_synced", "agrees"),
    Row((Rendered,), ("render",), "apply"),
    Row((Invalid,), ("render",), "report_failed"),
    Row((Applied,), ("apply",), "delete_former_target", "has_a_former_target"),
    Row((Applied,), ("apply",), "report_synced"),
    Row((Conflict,), ("apply",), "observe_again", "may_look_again"),
    Row((Conflict,), ("apply",), "report_failed"),
    Row((NotOurs,), ("apply",), "report_foreign_target"),
    Row((Missing, *WRITE_TROUBLE), ("apply",), "report_failed"),
    Row((ExternalSecretObserved,), ("observe_again",), "overtaken", "is_overtaken"),
    Row((ExternalSecretObserved,), ("observe_again",), "report_foreign_target", "has_a_foreign_target"),
    Row((ExternalSecretObserved,), ("observe_again",), "render"),
    Row((Deleted, Absent, NotOurs), ("delete_former_target",), "report_synced"),
    Row((Conflict, *WRITE_TROUBLE), ("delete_former_target",), "report_failed"),
    # Letting go of a resource that is being deleted.
    Row((FinalizerRemoved, Absent), ("remove_finalizer",), "gone"),
    Row((Conflict,), ("remove_finalizer",), "overtaken"),
    Row(WRITE_TROUBLE, ("remove_finalizer",), "report_failed"),
    # Telling. A report that does not arrive is tried again with the run.
    Row((Reported,), ("report_synced", "report_retained"), "ready"),
    Row((Reported,), ("report_keys_absent", "report_failed", "report_unobserved"), "error"),
    Row((Reported,), ("report_store_absent", "report_store_unusable", "report_store_not_ready"), "waiting"),
    Row((Reported,), ("report_rules_broken", "report_unsupported", "report_foreign_target"), "rejected"),
    Row((Absent,), REPORTS, "gone"),
    Row(WRITE_TROUBLE, REPORTS, "error"),
    # Being told to stop. A lease is released first; releasing itself cannot be cancelled.
    Row((Cancelled,), ("authenticate", "resolve_project", "resolve_afresh", "fetch"), "release_to_stop"),
    Row((Released,), ("release_to_stop",), "stopped"),
    Row(
        (Cancelled,),
        ("observe", "observe_again", "render", "apply", "delete_former_target", "remove_finalizer", *REPORTS),
        "stopped",
    ),
)


def refresh_at(facts: Facts) -> float | None:
    """When a resource is due again, in seconds since 1970; None: not before something tells of it."""
    seen = facts.observed
    if seen is None or seen.policy is not RefreshPolicy.PERIODIC or seen.interval == 0:
        return None
    nothing_was_done = facts.keys is None and seen.refreshed is not None and seen.refreshed <= seen.now
    begins = seen.refreshed if nothing_was_done and seen.refreshed is not None else _fresh_as_of(facts)
    due = begins + seen.interval
    # What was due and could not be done (somebody else's target) is not tried again at once, but an interval later.
    return due if due > seen.now else seen.now + seen.interval


EXTERNAL_SECRET = Definition("ExternalSecret", ExternalSecretRun, Facts(), STATES, ROWS, fold, refresh_at)
