"""What an observation calls for, by the description of the resources: independently of the machines' guards."""

import enum
from functools import cache

from machines.outcomes import (
    Drift,
    ExternalSecretObserved,
    KindObserved,
    Observed,
    Ownership,
    RefreshPolicy,
    StoreFacts,
    StoreObserved,
    StoreState,
)


class Calls(enum.Enum):
    """What is to be done about a resource that looks so. Of several, the first of this list."""

    FOR_NOBODY = "it is not ours: leave it alone"
    FOR_LETTING_GO = "it holds our finalizer, and does not need it any more"
    FOR_NOTHING_MORE = "it is being deleted without us"
    FOR_RULES = "its author broke a rule"
    FOR_WHAT_IS_NOT_BUILT = "it asks for what is not built"
    FOR_SILENCE = "nothing is due"
    FOR_A_STORE = "a store is not there"
    FOR_ANOTHER_STORE = "a store cannot serve it"
    FOR_A_VERDICT = "a store was never judged, and it is the first time that this holds it back"
    FOR_A_READY_STORE = "a store is not ready, and that holds it back"
    FOR_ITS_OWN_TARGET = "its target is somebody else's"
    FOR_ITS_USERS = "its credentials lie with its users: it cannot be tried"
    FOR_WORK = "read, write, tell"


WITHOUT_WORK = (Calls.FOR_NOBODY, Calls.FOR_LETTING_GO, Calls.FOR_NOTHING_MORE)
"""Calls that end a run whatever it was about."""

CANNOT_SERVE = (StoreState.OTHER_PROVIDER, StoreState.EXCLUDING)
NOT_READY = (StoreState.UNVALIDATED, StoreState.NOT_READY)


class Sight:
    """One observation and what it calls for. Equal observations give the same sight."""

    __slots__ = ("calls", "observed", "stores")

    def __init__(self, observed: Observed, stores: tuple[StoreFacts, ...], calls: Calls) -> None:
        self.observed = observed
        self.stores = stores
        self.calls = calls


@cache
def sight(observed: Observed) -> Sight:
    """What this observation shows."""
    match observed:
        case ExternalSecretObserved():
            return Sight(observed, observed.stores, _external_secret(observed))
        case StoreObserved():
            return Sight(observed, (observed.store,), _store(observed))
        case KindObserved():
            return Sight(observed, observed.stores, _kind(observed))
    raise TypeError(type(observed).__name__)


def _in_any_case(observed: Observed) -> Calls | None:
    if observed.deleting:
        return Calls.FOR_NOTHING_MORE
    if observed.broken_rules or observed.malformed:
        return Calls.FOR_RULES
    is_lacking = isinstance(observed, ExternalSecretObserved | KindObserved) and observed.unsupported
    return Calls.FOR_WHAT_IS_NOT_BUILT if is_lacking else None


def _external_secret(observed: ExternalSecretObserved) -> Calls:
    states = {store.state for store in observed.stores}
    if StoreState.FOREIGN in states or states == {StoreState.OTHER_PROVIDER}:
        return Calls.FOR_NOBODY
    if observed.deleting and observed.finalizer:
        return Calls.FOR_LETTING_GO
    if (call := _in_any_case(observed)) is not None:
        return call
    if not _wants_a_refresh(observed):
        return Calls.FOR_SILENCE
    if StoreState.ABSENT in states:
        return Calls.FOR_A_STORE
    if not states.isdisjoint(CANNOT_SERVE):
        return Calls.FOR_ANOTHER_STORE
    if observed.hold_back and not states.isdisjoint(NOT_READY):
        judged = StoreState.NOT_READY in states
        return Calls.FOR_A_READY_STORE if judged or observed.failures else Calls.FOR_A_VERDICT
    if observed.target.ownership is Ownership.FOREIGN:
        return Calls.FOR_ITS_OWN_TARGET
    return Calls.FOR_WORK


def _wants_a_refresh(observed: ExternalSecretObserved) -> bool:
    never = observed.synced is None or observed.refreshed is None
    if never or observed.failed or observed.target.drift is not Drift.NONE:
        return True
    assert observed.refreshed is not None
    age = observed.now - observed.refreshed
    periodic = observed.policy is RefreshPolicy.PERIODIC and observed.interval > 0
    changes_count = periodic or observed.policy is RefreshPolicy.ON_CHANGE
    if changes_count and observed.synced != observed.wanted:
        return True
    soonest = observed.interval * 0.9 if observed.interval <= 300 else observed.interval - 30
    return periodic and (age < 0 or age >= soonest)


def _store(observed: StoreObserved) -> Calls:
    if observed.store.state in (StoreState.FOREIGN, StoreState.OTHER_PROVIDER):
        return Calls.FOR_NOBODY
    if observed.finalizer and not observed.needed:
        return Calls.FOR_LETTING_GO
    if (call := _in_any_case(observed)) is not None:
        return call
    if observed.validated is not None:
        age = observed.now - observed.validated
        if observed.interval == 0 or 0 <= age < observed.interval:
            return Calls.FOR_SILENCE
    return Calls.FOR_ITS_USERS if observed.referent else Calls.FOR_WORK


def _kind(observed: KindObserved) -> Calls:
    elsewhere = {StoreState.FOREIGN, StoreState.OTHER_PROVIDER}
    states = {store.state for store in observed.stores}
    if states and states <= elsewhere:
        return Calls.FOR_NOBODY
    return Calls.FOR_NOTHING_MORE if observed.deleting else Calls.FOR_WHAT_IS_NOT_BUILT
