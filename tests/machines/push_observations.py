"""What a PushSecret can look like, and the worlds made of that and of what its machine is told."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import combinations, product
from typing import Any

import msgspec

from machines.names import (
    FieldPath,
    ResourceName,
    ResourceVersion,
    RuleName,
    SyncedVersion,
)
from machines.outcomes import (
    BrokenRule,
    StoreState,
)
from machines.push_outcomes import (
    Gathered,
    PushSecretObserved,
)
from tests.machines.observations import HOUR, NOW, Fields, stores
from tests.machines.push_samples import (
    AT_A_GLANCE,
    BRIEF,
    FEW_PLANS,
    IN_A_ROW,
    PUSH_WIDE,
    SMOOTH,
    Samples,
    answers,
)
from tests.machines.push_sights import calls_for

READY, NOT_READY, UNVALIDATED = StoreState.READY, StoreState.NOT_READY, StoreState.UNVALIDATED


def seen_with(*states: StoreState, **fields: Any) -> PushSecretObserved:
    """A PushSecret that was never pushed, with stores in these states, all named; and with other fields."""
    number = len(states)
    observed = PushSecretObserved(
        now=NOW,
        version=ResourceVersion("1"),
        wanted=SyncedVersion("1-aa"),
        source=ResourceName("app"),
        stores=stores(*states),
        named=(True,) * number,
        recorded=(0,) * number,
        guarded=(False,) * number,
    )
    return msgspec.structs.replace(observed, **fields)


NEW = seen_with(READY)
"""One that was never pushed, to one store."""

PUSHED = seen_with(
    READY, deletes=True, finalizer=True, recorded=(2,), guarded=(True,),
    synced=SyncedVersion("1-aa"), refreshed=NOW - 10,
)  # fmt: skip
"""One that was pushed ten seconds ago, to be deleted with the resource."""

LEAVING = msgspec.structs.replace(PUSHED, deleting=True)

# --- sights ----------------------------------------------------------------------------------------------------

TIMES: tuple[Fields, ...] = tuple(
    {"synced": synced, "refreshed": refreshed, "interval": interval}
    for synced, refreshed, interval in product(
        (None, SyncedVersion("1-aa"), SyncedVersion("2-bb")),
        (
            *(None, NOW - 2 * HOUR, NOW - HOUR, NOW - HOUR + 30, NOW - HOUR + 31),
            *(NOW - 91, NOW - 90, NOW - 89, NOW - 10, NOW, NOW + 10, NOW + 2 * HOUR),
        ),
        (HOUR, 100.0, 0.0),
    )
)
POLICIES: tuple[Fields, ...] = tuple(
    {"deletes": deletes, "abandons": abandons} for deletes, abandons in product((False, True), repeat=2)
)
BEINGS: tuple[Fields, ...] = tuple(
    {"deleting": deleting, "finalizer": finalizer} for deleting, finalizer in product((False, True), repeat=2)
)
ROWS_OF_STORES: tuple[Fields, ...] = tuple(
    {
        "stores": stores(*states),
        "named": (True,) * len(states),
        "recorded": (recorded,) * len(states),
        "guarded": (guarded,) * len(states),
    }
    for number in range(3)
    for states in product(StoreState, repeat=number)
    for recorded, guarded in ((0, False), (1, False), (1, True))
)
ONE_OF_TWO: tuple[Fields, ...] = tuple(
    {
        "stores": stores(*states),
        "named": named,
        "recorded": recorded,
        "guarded": guarded,
    }
    for states in (
        (READY, READY),
        (READY, StoreState.ABSENT),
        (StoreState.FOREIGN, READY),
        (NOT_READY, UNVALIDATED),
    )
    for named in ((True, False), (False, True))
    for recorded in ((1, 0), (0, 1))
    for guarded in ((True, False), (False, True))
)
"""Two stores that differ in what is recorded of them, or in whether the spec names them."""

OTHERWISE: tuple[tuple[Fields, ...], ...] = (
    ({"broken_rules": (BrokenRule(RuleName("one-source"), FieldPath("spec.selector")),)},),
    ({"malformed": (FieldPath("spec.data"),)},),
    ({"unsupported": (FieldPath("spec.selector.generatorRef"),)},),
    ({"source_there": False},),
    ({"source_changed": True},),
    ({"strangers": True},),
    ({"failed": True},),
    ({"hold_back": False},),
    ({"failures": 1}, {"failures": 2}),
    ({"keeps_existing": True},),
    ({"source": None},),
)


def _deviations(dimensions: Sequence[Sequence[Fields]], number: int) -> Iterator[Fields]:
    """All ways to deviate in at most so many dimensions at once."""
    for count in range(number + 1):
        for chosen in combinations(dimensions, count):
            for changes in product(*chosen):
                yield {name: value for change in changes for name, value in change.items()}


def _of(base: PushSecretObserved, changes: Iterable[Fields]) -> tuple[PushSecretObserved, ...]:
    return tuple(dict.fromkeys(msgspec.structs.replace(base, **change) for change in changes))


@cache
def all_push_secrets() -> tuple[PushSecretObserved, ...]:
    """Every kind of sight: times in full, rows of stores with each policy, the rest in threes."""
    times = [{**time, **being, **policy} for time in TIMES for being in BEINGS for policy in POLICIES[1:3]]
    rest = [BEINGS, POLICIES, *OTHERWISE]
    return tuple(
        dict.fromkeys(
            (
                *_of(PUSHED, times),
                *_of(NEW, _deviations([*rest, ROWS_OF_STORES[:6]], 3)),
                *_of(PUSHED, _deviations([*rest, ROWS_OF_STORES[:6]], 3)),
                *_of(NEW, _deviations([BEINGS, POLICIES, ROWS_OF_STORES], 3)),
                *_of(PUSHED, _deviations([BEINGS, POLICIES, ROWS_OF_STORES], 3)),
                *_of(PUSHED, _deviations([*rest, ONE_OF_TWO], 2)),
                *_of(LEAVING, _deviations([*rest, ONE_OF_TWO], 2)),
            )
        )
    )


def one_of_each_call() -> tuple[PushSecretObserved, ...]:
    """The first sight for each thing that one can call for."""
    return tuple({calls_for(observed): observed for observed in reversed(all_push_secrets())}.values())


# --- worlds ----------------------------------------------------------------------------------------------------


def full(number: int, withdraw: bool) -> Sequence[Gathered]:
    """Each store has something to be done."""
    owed = Gathered(entries=(0,) * number, owed=(1,) * number)
    return (owed,) if withdraw else (Gathered(entries=(1,) * number, owed=(1,) * number), owed)


def in_a_row(number: int) -> tuple[PushSecretObserved, ...]:
    """So many stores: new ones, one that lacks its finalizers, one that leaves, one whose source is gone."""
    names: Fields = {"stores": stores(*[READY] * number), "named": (True,) * number}
    new = msgspec.structs.replace(NEW, **names, recorded=(0,) * number, guarded=(False,) * number)
    known: Fields = {"recorded": (1,) * number, "guarded": (True,) * number}
    return (
        new,
        msgspec.structs.replace(new, deletes=True),
        msgspec.structs.replace(LEAVING, **names, **known),
        msgspec.structs.replace(PUSHED, **names, **known, source_changed=True),
    )


ONE_UNGUARDED = seen_with(READY, READY, deletes=True, guarded=(False, True), recorded=(0, 1))


IN_DOUBT = (
    seen_with(READY, StoreState.ABSENT, StoreState.EXCLUDING),
    seen_with(READY, StoreState.EXCLUDING, NOT_READY),
    seen_with(READY, NOT_READY, StoreState.ABSENT, named=(True, True, False), recorded=(0, 0, 1)),
    seen_with(StoreState.FOREIGN, READY),
)
"""Several stores that are each in the way, for another reason."""


def one_of_each_store() -> tuple[PushSecretObserved, ...]:
    """One store in each state, of a resource that is new and of one that leaves."""
    rows: list[Fields] = [
        {"stores": stores(READY, state), "named": (True, True), "recorded": (0, 1), "guarded": (True, True)}
        for state in StoreState
        if state is not READY
    ]
    alone: list[Fields] = [{"stores": stores(state)} for state in StoreState]
    return (*_of(NEW, alone), *_of(NEW, rows[3:5]), *_of(LEAVING, alone), *IN_DOUBT, *in_a_row(2)[2:3])


@cache
def rows_of_stores() -> tuple[PushSecretObserved, ...]:
    """No store, one or two, in every state, of resources that are new, pushed and leaving."""
    rows = [*ROWS_OF_STORES, *ONE_OF_TWO]
    others: list[Fields] = [{"hold_back": False}, {"failures": 1}]
    return tuple(
        dict.fromkeys(
            (
                *_of(NEW, rows),
                *_of(NEW, ({**row, **other} for row in rows[::3] for other in others)),
                *_of(NEW, ({**row, "deletes": True} for row in rows[::2])),
                *_of(PUSHED, ({**row, "source_changed": True} for row in rows)),
                *_of(LEAVING, rows),
            )
        )
    )


WORLDS: dict[str, Samples] = {
    "every answer": answers(PUSH_WIDE, in_a_row(1)),
    "every call": answers(PUSH_WIDE, one_of_each_call(), full),
    "every store": answers(FEW_PLANS, one_of_each_store(), full),
    "two stores": answers(IN_A_ROW, (*in_a_row(0), *in_a_row(2)[:2], ONE_UNGUARDED), full),
    "three stores": answers(BRIEF, in_a_row(3)[1:], full),
    "every sight": answers(AT_A_GLANCE, all_push_secrets(), lambda *_: ()),
    "every row of stores": answers(SMOOTH, rows_of_stores()),
}
"""The worlds that are explored in full, by name."""
