"""How a run must end, told from its history alone: the verdict of its report, its end, and what the end means."""

from machines.effects import Verdict
from machines.kernel import Then
from machines.outcomes import (
    ExternalSecretObserved,
    NotOurs,
    Ownership,
    RefreshPolicy,
    StoreObserved,
    StoreReason,
    Unavailable,
)
from tests.machines.history import History
from tests.machines.sights import WITHOUT_WORK, Calls

ENDS: dict[str, dict[str, tuple[Then, bool]]] = {
    "ExternalSecret": {
        "ready": (Then.REFRESH, True),
        "idle": (Then.REFRESH, True),
        "error": (Then.BACKOFF, False),
        "expectant": (Then.BACKOFF, False),
        "waiting": (Then.BACKOFF, False),
        "rejected": (Then.REFRESH, False),
        "passed_over": (Then.FORGET, True),
        "gone": (Then.FORGET, True),
        "overtaken": (Then.AGAIN, False),
        "stopped": (Then.NOTHING, False),
    },
    "SecretStore": {
        "valid": (Then.REFRESH, True),
        "unknown": (Then.REFRESH, True),
        "standing": (Then.BACKOFF, True),
        "idle": (Then.REFRESH, True),
        "invalid": (Then.BACKOFF, False),
        "rejected": (Then.REFRESH, False),
        "passed_over": (Then.FORGET, True),
        "gone": (Then.FORGET, True),
        "unguarded": (Then.AGAIN, True),
        "held": (Then.BACKOFF, False),
        "stopped": (Then.NOTHING, False),
    },
    "Unsupported": {
        "error": (Then.FORGET, False),
        "unreported": (Then.BACKOFF, False),
        "passed_over": (Then.FORGET, True),
        "gone": (Then.FORGET, True),
        "stopped": (Then.NOTHING, False),
    },
}
"""What each end means: when the resource is looked at again, and whether it is as its author wishes."""

AFTER_REPORT: dict[str, dict[Verdict, str]] = {
    "ExternalSecret": {
        Verdict.SYNCED: "ready",
        Verdict.RETAINED: "ready",
        Verdict.KEYS_ABSENT: "error",
        Verdict.FAILED: "error",
        Verdict.STORE_ABSENT: "waiting",
        Verdict.STORE_UNUSABLE: "waiting",
        Verdict.STORE_NOT_READY: "waiting",
        Verdict.TARGET_FOREIGN: "rejected",
        Verdict.RULES_BROKEN: "rejected",
        Verdict.UNSUPPORTED: "rejected",
    },
    "SecretStore": {
        Verdict.VALID: "valid",
        Verdict.UNKNOWN: "unknown",
        Verdict.STANDING: "standing",
        Verdict.FAILED: "invalid",
        Verdict.RULES_BROKEN: "rejected",
    },
    "Unsupported": {Verdict.UNSUPPORTED: "error", Verdict.FAILED: "unreported"},
}

WITHOUT_REPORT = {"ExternalSecret": "error", "SecretStore": "invalid", "Unsupported": "unreported"}

OVERTAKEN = {"ExternalSecret": "overtaken", "SecretStore": "unguarded", "Unsupported": "overtaken"}

VERDICTS = {
    Calls.FOR_RULES: Verdict.RULES_BROKEN,
    Calls.FOR_WHAT_IS_NOT_BUILT: Verdict.UNSUPPORTED,
    Calls.FOR_A_STORE: Verdict.STORE_ABSENT,
    Calls.FOR_ANOTHER_STORE: Verdict.STORE_UNUSABLE,
    Calls.FOR_A_READY_STORE: Verdict.STORE_NOT_READY,
    Calls.FOR_ITS_OWN_TARGET: Verdict.TARGET_FOREIGN,
    Calls.FOR_ITS_USERS: Verdict.UNKNOWN,
}


def calls_of(history: History) -> Calls | None:
    """What the resource calls for, as far as it was seen.

    A look after a conflict finishes what was begun: it asks only whether that is still wanted, and possible.
    """
    if history.sight is None:
        return None
    calls, observed = history.sight.calls, history.sight.observed
    if not history.looks_again or calls in WITHOUT_WORK:
        return calls
    foreign = isinstance(observed, ExternalSecretObserved) and (
        observed.target.ownership is Ownership.FOREIGN
    )
    return Calls.FOR_ITS_OWN_TARGET if foreign else Calls.FOR_WORK


def verdict_of(history: History) -> Verdict | None:
    """What a report must say now; None: there is nothing to be reported yet."""
    if isinstance(history.trouble, NotOurs):
        return Verdict.TARGET_FOREIGN
    if history.trouble is not None:
        return Verdict.STANDING if _last_verdict_stands(history) else Verdict.FAILED
    calls = calls_of(history)
    if calls in VERDICTS:
        return VERDICTS[calls]
    if calls is not Calls.FOR_WORK or history.sight is None:
        return None
    if isinstance(history.sight.observed, StoreObserved):
        if not history.finished:
            return None
        return Verdict.UNKNOWN if history.undecided is not None else Verdict.VALID
    if history.absent:
        return Verdict.KEYS_ABSENT
    if history.rendered is None:
        return None
    if history.rendered.keys == 0:
        return Verdict.RETAINED
    former = isinstance(history.sight.observed, ExternalSecretObserved) and history.sight.observed.former
    return Verdict.SYNCED if history.stands and (not former or history.former_is_gone) else None


def _last_verdict_stands(history: History) -> bool:
    """A host that does not answer says nothing about a store that was good, for as long as its patience."""
    observed = history.sight.observed if history.sight is not None else None
    if not isinstance(observed, StoreObserved) or not isinstance(history.trouble, Unavailable):
        return False
    if observed.verdict not in (StoreReason.VALID, StoreReason.VALIDATION_UNKNOWN):
        return False
    silent_for = 0.0 if observed.failing_since is None else observed.now - observed.failing_since
    return silent_for < observed.patience


def end_of(machine: str, history: History) -> str | None:
    """Where a run of this machine must end after this history; None: it must not end yet."""
    if history.let_go:
        return "gone"
    if history.cancelled:
        return "stopped"
    if history.report_failed:
        return WITHOUT_REPORT[machine]
    if history.report is not None:
        return AFTER_REPORT[machine].get(history.report.verdict)
    match calls_of(history):
        case Calls.FOR_NOBODY:
            return "passed_over"
        case Calls.FOR_NOTHING_MORE:
            return "gone"
        case Calls.FOR_SILENCE:
            return "idle"
        case Calls.FOR_A_VERDICT:
            return "expectant"
        case Calls.FOR_LETTING_GO if machine == "SecretStore" and history.trouble is not None:
            return "held"
    return OVERTAKEN[machine] if history.overtaken else None


def refresh_is_sane(history: History, end: str, at: float | None) -> bool:
    """Whether an end that waits for its time waits for a good one: never past, never past the next interval."""
    observed = history.sight.observed if history.sight is not None else None
    if not isinstance(observed, ExternalSecretObserved | StoreObserved):
        return at is None
    policy = observed.policy if isinstance(observed, ExternalSecretObserved) else RefreshPolicy.PERIODIC
    if policy is not RefreshPolicy.PERIODIC or observed.interval == 0:
        return at is None
    if at is None:
        return False
    last = observed.refreshed if isinstance(observed, ExternalSecretObserved) else observed.validated
    if end == "idle":
        return last is not None and at == last + observed.interval
    if end != "rejected":
        oldest = observed.now if history.oldest is None else history.oldest
        return at == min(oldest, observed.now) + observed.interval
    return observed.now < at <= observed.now + observed.interval
