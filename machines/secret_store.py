"""What a SecretStore or ClusterSecretStore goes through, until it is known whether it can be used.

    observe -> authenticate -> resolve_project -> probe -> release -> report -> valid | unknown | invalid

The probe is one read of a secret that is not there: it lists nothing and moves no value.
"""

from collections.abc import Callable

import msgspec

from machines.effects import (
    Authenticate,
    Effect,
    ObserveStore,
    Probe,
    Release,
    RemoveFinalizer,
    Report,
    ResolveProject,
    Verdict,
)
from machines.kernel import Asking, Definition, End, Row, Run, Then
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
    Probed,
    ProjectGone,
    Refused,
    Released,
    Reported,
    Resolved,
    StoreObserved,
    StoreReason,
    StoreState,
    Unavailable,
)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was told. None or 0 until then."""

    observed: StoreObserved | None = None
    refusals: int = 0  # how often the lease was refused
    cached: bool | None = None  # whether the project's ID was remembered, so that it may be stale
    failure: Failure | None = None

    @property
    def seen(self) -> StoreObserved:
        """What was observed; only asked where a state lies behind an observation."""
        assert self.observed is not None
        return self.observed


def fold(facts: Facts, effect: Effect, outcome: Outcome) -> Facts:
    """Keep what an outcome told. A failure that a retry takes back is not remembered."""
    change = msgspec.structs.replace
    match effect, outcome:
        case ObserveStore(), StoreObserved():
            return change(facts, observed=outcome)
        case ResolveProject(fresh=fresh), Resolved(cached=cached):
            return change(facts, cached=cached and not fresh)
        case _, LeaseRefused() if facts.refusals == 0:
            return change(facts, refusals=1)
        case Probe(), ProjectGone() if facts.cached:
            return facts
        case ((Report() | RemoveFinalizer()), _):
            return facts
        case _, _ if isinstance(outcome, Failure):
            return change(facts, failure=outcome)
    return facts


class StoreRun(Run[Facts]):
    """The guards: each a question about the facts, answered by the facts alone."""

    __slots__ = ()

    def is_not_ours(self) -> bool:
        """Of another controller class, or of another provider: left alone."""
        return self.facts.seen.store.state in (StoreState.FOREIGN, StoreState.OTHER_PROVIDER)

    def has_a_needless_finalizer(self) -> bool:
        """No PushSecret needs it any more to clean up what it pushed, so that it need not stay for that."""
        return self.facts.seen.finalizer and not self.facts.seen.needed

    def is_leaving(self) -> bool:
        """It is being deleted."""
        return self.facts.seen.deleting

    def breaks_rules(self) -> bool:
        """Its manifest breaks a rule, or has fields that cannot be read."""
        return bool(self.facts.seen.broken_rules or self.facts.seen.malformed)

    def is_not_due(self) -> bool:
        """It was validated as it is, by this process, and its interval has not passed."""
        seen = self.facts.seen
        if seen.validated is None:
            return False
        return seen.interval == 0 or seen.validated <= seen.now < seen.validated + seen.interval

    def is_referent(self) -> bool:
        """Its credentials lie in the namespace of whoever uses it: nobody can tell from here."""
        return self.facts.seen.referent

    def was_refused_once(self) -> bool:
        """The first time that the lease was refused: one new login is worth it."""
        return self.facts.refusals == 1 and self.facts.failure is None

    def knew_the_project_by_heart(self) -> bool:
        """The project's ID was remembered: it may be stale, and asking once more is worth it."""
        return self.facts.cached is True

    def keeps_its_verdict(self) -> bool:
        """The host does not answer, which says nothing about the store: what was last known stands a while."""
        seen, failure = self.facts.seen, self.facts.failure
        if not isinstance(failure, Unavailable) or seen.verdict not in (
            StoreReason.VALID,
            StoreReason.VALIDATION_UNKNOWN,
        ):
            return False
        since = seen.failing_since if seen.failing_since is not None else seen.now
        return seen.now - since < seen.patience


def _reports(verdict: Verdict) -> Callable[[Facts], Report]:
    def report(facts: Facts) -> Report:
        seen = facts.seen
        return Report(
            verdict=verdict,
            now=seen.now,
            failure=facts.failure,
            stores=(seen.store,),
            store=0,
            rules=seen.broken_rules,
            fields=seen.malformed,
            failing_since=seen.failing_since,
            standing=seen.verdict if verdict is Verdict.STANDING else None,
        )

    return report


STATES = (
    Asking("observe", ObserveStore, lambda facts: ObserveStore()),
    Asking("remove_finalizer", RemoveFinalizer, lambda facts: RemoveFinalizer(version=facts.seen.version)),
    Asking("authenticate", Authenticate, lambda facts: Authenticate(store=0)),
    Asking("resolve_project", ResolveProject, lambda facts: ResolveProject(store=0)),
    Asking("resolve_afresh", ResolveProject, lambda facts: ResolveProject(store=0, fresh=True)),
    Asking("probe", Probe, lambda facts: Probe()),
    Asking("release", Release, lambda facts: Release(store=0)),
    Asking("release_undecided", Release, lambda facts: Release(store=0)),
    Asking("release_refused", Release, lambda facts: Release(store=0, tainted=True)),
    Asking("release_refused_again", Release, lambda facts: Release(store=0, tainted=True)),
    Asking("release_after_failure", Release, lambda facts: Release(store=0)),
    Asking("release_to_stop", Release, lambda facts: Release(store=0)),
    Asking("report_valid", Report, _reports(Verdict.VALID)),
    Asking("report_unknown", Report, _reports(Verdict.UNKNOWN)),
    Asking("report_standing", Report, _reports(Verdict.STANDING)),
    Asking("report_failed", Report, _reports(Verdict.FAILED)),
    Asking("report_unobserved", Report, lambda facts: Report(verdict=Verdict.FAILED, failure=facts.failure)),
    Asking("report_rules_broken", Report, _reports(Verdict.RULES_BROKEN)),
    End("valid", Then.REFRESH, good=True),
    End("unknown", Then.REFRESH, good=True),  # it cannot be told from here whether it can be used
    End("standing", Then.BACKOFF, good=True),  # the host is silent; the last verdict stands
    End("idle", Then.REFRESH, good=True),  # nothing was due
    End("invalid", Then.BACKOFF),
    End("rejected", Then.REFRESH),  # for a change by a person, who is told what to change
    End("passed_over", Then.FORGET, good=True),  # another controller's, or another provider's
    End("gone", Then.FORGET, good=True),
    End("unguarded", Then.AGAIN, good=True),  # its finalizer is off, or it changed under the run
    End("held", Then.BACKOFF),  # its finalizer could not be taken off
    End("stopped", Then.NOTHING),
)

REPORTS = tuple(state.name for state in STATES if isinstance(state, Asking) and state.asks is Report)

ROWS = (
    # Looking: what is not ours, not wanted any more, or not due, costs nothing more.
    Row((Absent,), ("observe",), "gone"),
    Row((Unavailable, Denied), ("observe",), "report_unobserved"),
    Row((StoreObserved,), ("observe",), "passed_over", "is_not_ours"),
    Row((StoreObserved,), ("observe",), "remove_finalizer", "has_a_needless_finalizer"),
    Row((FinalizerRemoved, Conflict), ("remove_finalizer",), "unguarded"),
    Row((Absent,), ("remove_finalizer",), "gone"),
    Row((Refused, Denied, Unavailable), ("remove_finalizer",), "held"),
    Row((StoreObserved,), ("observe",), "gone", "is_leaving"),
    Row((StoreObserved,), ("observe",), "report_rules_broken", "breaks_rules"),
    Row((StoreObserved,), ("observe",), "idle", "is_not_due"),
    Row((StoreObserved,), ("observe",), "report_unknown", "is_referent"),
    Row((StoreObserved,), ("observe",), "authenticate"),
    # Trying it, under a lease. Whatever authenticate answered, the lease is released.
    Row((Authenticated,), ("authenticate",), "resolve_project"),
    Row((Resolved,), ("resolve_project", "resolve_afresh"), "probe"),
    Row((Probed,), ("probe",), "release"),
    Row((Released,), ("release",), "report_valid"),
    # Rights may hang on names: not being allowed to read one name says nothing about the others.
    Row((Denied,), ("probe",), "release_undecided"),
    Row((Released,), ("release_undecided",), "report_unknown"),
    # A token that Infisical no longer takes: one new login, then it is a failure.
    Row(
        (LeaseRefused,), ("resolve_project", "resolve_afresh", "probe"), "release_refused", "was_refused_once"
    ),
    Row((LeaseRefused,), ("resolve_project", "resolve_afresh", "probe"), "release_refused_again"),
    Row((Released,), ("release_refused",), "authenticate"),
    Row((Released,), ("release_refused_again",), "report_failed"),
    # A project that is gone: one more resolution where its ID was only remembered.
    Row((ProjectGone,), ("probe",), "resolve_afresh", "knew_the_project_by_heart"),
    Row((ProjectGone,), ("probe",), "release_after_failure"),
    Row(
        (Unavailable, Denied, Missing, Invalid),
        ("authenticate", "resolve_project", "resolve_afresh"),
        "release_after_failure",
    ),
    Row((Unavailable, Missing, Invalid), ("probe",), "release_after_failure"),
    Row((Released,), ("release_after_failure",), "report_standing", "keeps_its_verdict"),
    Row((Released,), ("release_after_failure",), "report_failed"),
    # Telling. A report that does not arrive is tried again with the run.
    Row((Reported,), ("report_valid",), "valid"),
    Row((Reported,), ("report_unknown",), "unknown"),
    Row((Reported,), ("report_standing",), "standing"),
    Row((Reported,), ("report_failed", "report_unobserved"), "invalid"),
    Row((Reported,), ("report_rules_broken",), "rejected"),
    Row((Absent,), REPORTS, "gone"),
    Row((Refused, Denied, Unavailable), REPORTS, "invalid"),
    # Being told to stop. A lease is released first; releasing itself cannot be cancelled.
    Row((Cancelled,), ("authenticate", "resolve_project", "resolve_afresh", "probe"), "release_to_stop"),
    Row((Released,), ("release_to_stop",), "stopped"),
    Row((Cancelled,), ("observe", "remove_finalizer", *REPORTS), "stopped"),
)


def refresh_at(facts: Facts) -> float | None:
    """When a store is validated again, in seconds since 1970; None: when something changes."""
    seen = facts.observed
    if seen is None or seen.interval == 0:
        return None
    begins = seen.validated if seen.validated is not None and seen.validated <= seen.now else seen.now
    due = begins + seen.interval
    return due if due > seen.now else seen.now + seen.interval


SECRET_STORE = Definition("SecretStore", StoreRun, Facts(), STATES, ROWS, fold, refresh_at)
