"""What an observation of a PushSecret calls for, by the description of the resource: without the machine's guards."""

import enum
from functools import cache

from machines.outcomes import StoreState
from machines.push_outcomes import Gathered, PushSecretObserved


class Calls(enum.Enum):
    """What is to be done about a PushSecret that looks so. Of several, the first of this list."""

    FOR_NOBODY = "it is not ours: leave it alone"
    FOR_NOTHING_MORE = "it is being deleted without us"
    FOR_LETTING_GO = "it is being deleted, and nothing of it is to be deleted at Infisical"
    FOR_CLEANING_UP = "it is being deleted, and so is what it pushed"
    FOR_RULES = "its author broke a rule"
    FOR_WHAT_IS_NOT_BUILT = "it asks for what is not built"
    FOR_SHEDDING = "it holds a finalizer that its policy does not need"
    FOR_SILENCE = "nothing is due"
    FOR_WORK = "gather, compare, push, tell"


CLEAN = (Calls.FOR_CLEANING_UP, Calls.FOR_WORK)
"""Calls that lead to stores."""

ELSEWHERE = (StoreState.FOREIGN, StoreState.OTHER_PROVIDER)
UNTRIED = (StoreState.UNVALIDATED, StoreState.NOT_READY)
REACHABLE = (StoreState.READY, *UNTRIED)


@cache
def calls_for(observed: PushSecretObserved) -> Calls:
    """What this observation calls for."""
    states = {store.state for store in observed.stores}
    if states and states <= set(ELSEWHERE):
        return Calls.FOR_NOBODY
    if observed.deleting:
        if not observed.finalizer:
            return Calls.FOR_NOTHING_MORE
        owes = may_delete(observed) and sum(observed.recorded) > 0
        return Calls.FOR_CLEANING_UP if owes else Calls.FOR_LETTING_GO
    if observed.broken_rules or observed.malformed:
        return Calls.FOR_RULES
    if observed.unsupported:
        return Calls.FOR_WHAT_IS_NOT_BUILT
    if observed.finalizer and not observed.deletes:
        return Calls.FOR_SHEDDING
    return Calls.FOR_WORK if _wants_a_run(observed) else Calls.FOR_SILENCE


def may_delete(observed: PushSecretObserved) -> bool:
    """Whether anything at Infisical may be deleted for it."""
    return observed.deletes and not observed.abandons


def _wants_a_run(observed: PushSecretObserved) -> bool:
    if observed.failed or observed.strangers or observed.source_changed or not observed.source_there:
        return True
    if observed.synced is None or observed.refreshed is None or observed.synced != observed.wanted:
        return True
    if observed.deletes:
        for number, recorded in enumerate(observed.recorded):
            if recorded and not (observed.finalizer and observed.guarded[number]):
                return True
    if observed.interval == 0:
        return False
    age = observed.now - observed.refreshed
    soonest = observed.interval * 0.9 if observed.interval <= 300 else observed.interval - 30
    return age < 0 or age >= soonest


def held_back(observed: PushSecretObserved, gathered: Gathered) -> list[int]:
    """The stores that are not ready, and therefore hold back what goes to them."""
    return [
        number
        for number, store in enumerate(observed.stores)
        if observed.hold_back and gathered.entries[number] and store.state in UNTRIED
    ]


@cache
def have_a_turn(observed: PushSecretObserved, gathered: Gathered) -> tuple[int, ...]:
    """The stores at which something is to be done now, in their order."""
    waiting = held_back(observed, gathered)
    return tuple(
        number
        for number, store in enumerate(observed.stores)
        if (gathered.entries[number] or gathered.owed[number])
        and store.state in REACHABLE
        and number not in waiting
    )


def beyond_reach(observed: PushSecretObserved, gathered: Gathered) -> list[int]:
    """The stores where something is owed and cannot be paid."""
    return [
        number
        for number, store in enumerate(observed.stores)
        if gathered.owed[number] and store.state not in REACHABLE
    ]
