"""How a run of a PushSecret must go on and end, told from its history alone."""

from machines.effects import Effect, Verdict
from machines.kernel import Then
from machines.outcomes import StoreState
from machines.push_effects import Compare, Prune, Push, Record
from tests.machines.push_history import Lease, PushHistory
from tests.machines.push_sights import (
    Calls,
    beyond_reach,
    calls_for,
    held_back,
    may_delete,
)

HOUR = 3600.0

ENDS: dict[str, tuple[Then, bool]] = {
    "ready": (Then.REFRESH, True),
    "idle": (Then.REFRESH, True),
    "pending": (Then.REFRESH, True),
    "bereft": (Then.REFRESH, False),
    "error": (Then.BACKOFF, False),
    "expectant": (Then.BACKOFF, False),
    "waiting": (Then.BACKOFF, False),
    "rejected": (Then.REFRESH, False),
    "passed_over": (Then.FORGET, True),
    "gone": (Then.FORGET, True),
    "overtaken": (Then.AGAIN, False),
    "stopped": (Then.NOTHING, False),
}
"""What each end means: when the resource is looked at again, and whether it is as its author wishes."""

AFTER_REPORT = {
    Verdict.SYNCED: "ready",
    Verdict.PENDING: "pending",
    Verdict.SOURCE_ABSENT: "bereft",
    Verdict.SOURCE_DELETED: "bereft",
    Verdict.FAILED: "error",
    Verdict.STORE_ABSENT: "waiting",
    Verdict.STORE_UNUSABLE: "waiting",
    Verdict.STORE_NOT_READY: "waiting",
    Verdict.OWING: "waiting",
    Verdict.RULES_BROKEN: "rejected",
    Verdict.UNSUPPORTED: "rejected",
}


def calls_of(history: PushHistory) -> Calls | None:
    """What the resource calls for; None: it was not seen."""
    return calls_for(history.seen) if history.seen is not None else None


def left_to_do(history: PushHistory, lease: Lease) -> type[Effect] | None:
    """What comes next at the store under this lease, its project known; None: nothing is left."""
    turn = lease.turn
    if turn.compared is None:
        return Compare
    if turn.compared.writes and not turn.pushed:
        return Record if turn.compared.grows and not turn.recorded else Push
    prunes = turn.compared.deletions > 0 and may_delete(history.observed)
    return Prune if prunes and not turn.pruned else None


def must_withdraw(history: PushHistory) -> bool:
    """Nothing shall be anywhere any more, and it is known what is owed."""
    if calls_of(history) is Calls.FOR_CLEANING_UP:
        return True
    seen = history.seen
    owes = seen is not None and may_delete(seen) and any(seen.recorded)
    return calls_of(history) is Calls.FOR_WORK and history.source_gone and owes


def waits_for_a_first_verdict(history: PushHistory) -> bool:
    """Stores were never judged, which takes a moment, and nothing else is to be told."""
    seen, gathered = history.observed, history.gathered
    waiting = held_back(seen, gathered) if gathered is not None else []
    return (
        bool(waiting)
        and all(seen.stores[number].state is StoreState.UNVALIDATED for number in waiting)
        and seen.failures == 0
        and not history.worked
    )


def named_in(history: PushHistory, state: StoreState) -> list[int]:
    """The stores in this state that the spec names."""
    return [
        number
        for number, store in enumerate(history.observed.stores)
        if store.state is state and history.observed.named[number]
    ]


def is_clean(history: PushHistory) -> bool:
    """All stores had their turn, nothing failed, nothing waits for anybody, nothing is owed."""
    if history.gathered is None or history.next_turn is not None or history.trouble is not None:
        return False
    seen, gathered = history.observed, history.gathered
    named = named_in(history, StoreState.ABSENT) or named_in(history, StoreState.EXCLUDING)
    if held_back(seen, gathered) or (named and not history.withdrawn):
        return False
    return not beyond_reach(seen, gathered) and history.pending == 0


def verdict_of(history: PushHistory) -> Verdict | None:
    """What a report must say now; None: it is not time for one."""
    if history.broken_off:
        return Verdict.FAILED
    match calls_of(history):
        case Calls.FOR_RULES:
            return Verdict.RULES_BROKEN
        case Calls.FOR_WHAT_IS_NOT_BUILT:
            return Verdict.UNSUPPORTED
        case Calls.FOR_WORK | Calls.FOR_CLEANING_UP:
            return _after_stores(history) if history.gathered is not None else _without_source(history)
    return None


def _without_source(history: PushHistory) -> Verdict | None:
    if not history.source_gone or (must_withdraw(history) and not history.withdrawn):
        return None
    deletes = history.observed.deletes and not history.withdrawn
    return Verdict.SOURCE_DELETED if deletes else Verdict.SOURCE_ABSENT


def _after_stores(history: PushHistory) -> Verdict | None:
    assert history.gathered is not None
    if history.next_turn is not None:
        return None
    if history.trouble is not None:
        return Verdict.FAILED
    if not history.withdrawn and named_in(history, StoreState.ABSENT):
        return Verdict.STORE_ABSENT
    if not history.withdrawn and named_in(history, StoreState.EXCLUDING):
        return Verdict.STORE_UNUSABLE
    if held_back(history.observed, history.gathered):
        return None if waits_for_a_first_verdict(history) else Verdict.STORE_NOT_READY
    if beyond_reach(history.observed, history.gathered):
        return Verdict.OWING
    if history.pending:
        return Verdict.PENDING
    if history.observed.deleting:
        return None
    return Verdict.SOURCE_DELETED if history.source_gone else Verdict.SYNCED


def end_of(history: PushHistory) -> str | None:
    """Where a run must end after this history; None: it must not end yet."""
    if history.cancelled:
        return "stopped"
    if history.let_go:
        return "gone"
    if history.overtaken:
        return "overtaken"
    if history.report_failed:
        return "error"
    if history.report is not None:
        return AFTER_REPORT.get(history.report.verdict)
    match calls_of(history):
        case Calls.FOR_NOBODY:
            return "passed_over"
        case Calls.FOR_NOTHING_MORE:
            return "gone"
        case Calls.FOR_SILENCE:
            return "idle"
    if history.gathered is None or history.next_turn is not None or history.trouble is not None:
        return None
    missed = named_in(history, StoreState.ABSENT) or named_in(history, StoreState.EXCLUDING)
    return "expectant" if waits_for_a_first_verdict(history) and not missed else None


def refresh_is_sane(history: PushHistory, end: str, at: float | None) -> bool:
    """Whether an end that waits for its time waits for a good one: never past, never past the next interval."""
    seen = history.observed
    if seen.interval == 0:
        return at == (seen.now + HOUR if seen.deleting else None)
    if at is None:
        return False
    if end == "idle":
        return seen.refreshed is not None and at == seen.refreshed + seen.interval
    if history.gathered is not None and seen.stores:
        return at == seen.now + seen.interval
    return seen.now < at <= seen.now + seen.interval
