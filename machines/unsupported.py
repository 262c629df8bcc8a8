"""What a resource goes through whose kind has no machine of its own yet: it is told so, and nothing else."""

import msgspec

from machines.effects import Effect, ObserveKind, Report, Verdict
from machines.kernel import Asking, Definition, End, Row, Run, Then
from machines.outcomes import (
    Absent,
    Cancelled,
    Denied,
    Failure,
    KindObserved,
    Outcome,
    Refused,
    Reported,
    StoreState,
    Unavailable,
)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was told. None until then."""

    observed: KindObserved | None = None
    failure: Failure | None = None


def fold(facts: Facts, effect: Effect, outcome: Outcome) -> Facts:
    """Keep what an outcome told."""
    match effect, outcome:
        case ObserveKind(), KindObserved():
            return msgspec.structs.replace(facts, observed=outcome)
        case ObserveKind(), _ if isinstance(outcome, Failure):
            return msgspec.structs.replace(facts, failure=outcome)
    return facts


class KindRun(Run[Facts]):
    """The guards: each a question about the facts, answered by the facts alone."""

    __slots__ = ()

    def is_not_ours(self) -> bool:
        """It uses nothing but stores of another class or provider."""
        seen = self.facts.observed
        return (
            seen is not None
            and bool(seen.stores)
            and all(store.state in (StoreState.FOREIGN, StoreState.OTHER_PROVIDER) for store in seen.stores)
        )

    def is_leaving(self) -> bool:
        """It is being deleted."""
        return self.facts.observed is not None and self.facts.observed.deleting


def _report(facts: Facts) -> Report:
    seen = facts.observed
    return Report(
        verdict=Verdict.UNSUPPORTED, now=seen.now if seen else None, fields=seen.unsupported if seen else ()
    )


STATES = (
    Asking("observe", ObserveKind, lambda facts: ObserveKind()),
    Asking("report_unsupported", Report, _report),
    Asking("report_unobserved", Report, lambda facts: Report(verdict=Verdict.FAILED, failure=facts.failure)),
    End("error", Then.FORGET),  # nothing here can mend it
    End("unreported", Then.BACKOFF),
    End("passed_over", Then.FORGET, good=True),  # another controller's
    End("gone", Then.FORGET, good=True),
    End("stopped", Then.NOTHING),
)

REPORTS = ("report_unsupported", "report_unobserved")

ROWS = (
    Row((Absent,), ("observe", *REPORTS), "gone"),
    Row((Unavailable, Denied), ("observe",), "report_unobserved"),
    Row((KindObserved,), ("observe",), "passed_over", "is_not_ours"),
    Row((KindObserved,), ("observe",), "gone", "is_leaving"),
    Row((KindObserved,), ("observe",), "report_unsupported"),
    Row((Reported,), ("report_unsupported",), "error"),
    Row((Reported,), ("report_unobserved",), "unreported"),
    Row((Refused, Denied, Unavailable), REPORTS, "unreported"),
    Row((Cancelled,), ("observe", *REPORTS), "stopped"),
)


def refresh_at(facts: Facts) -> None:
    """Never: only a change of the resource can make a difference."""


UNSUPPORTED = Definition("Unsupported", KindRun, Facts(), STATES, ROWS, fold, refresh_at)
