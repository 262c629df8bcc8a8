"""What a PushSecret's machine is told: sights of it, what is gathered, what differs; and the worlds made of these.

The answers go further than the adapters do: what shall be deleted, for instance, is told under every policy.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import combinations, product
from typing import Any

import msgspec

from machines.effects import Effect
from machines.names import (
    FieldPath,
    FolderPath,
    RemoteName,
    ResourceName,
    ResourceVersion,
    RuleName,
    SyncedVersion,
)
from machines.outcomes import (
    Absent,
    Authenticated,
    BrokenRule,
    Cancelled,
    Denial,
    Denied,
    Fault,
    FinalizerRemoved,
    Invalid,
    LeaseRefused,
    Missing,
    Outcome,
    Released,
    Reported,
    Resolved,
    Service,
    StoreState,
    Thing,
    Trouble,
    Unavailable,
)
from machines.push_effects import Gather, ObservePushSecret
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
from tests.machines.observations import HOUR, NOW, Fields, stores
from tests.machines.push_history import PushHistory
from tests.machines.push_sights import calls_for
from tests.machines.samples import NARROW, WIDE

Samples = Callable[[Effect, PushHistory], Sequence[Outcome]]

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


# --- answers ---------------------------------------------------------------------------------------------------

CLUSTER_SILENT = Unavailable(service=Service.CLUSTER, why=Trouble.TIMED_OUT)
NO_SUCH_KEY = Invalid(what=Fault.NO_SOURCE_KEY, key=RemoteName("FOO"))
NOT_ALLOWED = Denied(what=Denial.WRITE, folder=FolderPath("/"), key=RemoteName("BAR"))
NO_PROJECT = Missing(what=Thing.PROJECT)
NO_FOLDER = Missing(what=Thing.FOLDER, folder=FolderPath("/team"))

PLANS: tuple[Outcome, ...] = tuple(
    Compared(writes=writes, deletions=deletions, grows=grows)
    for writes, deletions, grows in product((0, 2), (0, 1), (False, True))
)
"""All that a comparison can lead to."""

COUNTS: tuple[Outcome, ...] = (
    Compared(pending=1),
    Compared(writes=1, failed=2, failure=NO_SUCH_KEY),
    Pushed(),
    Pushed(pending=1),
    Pushed(failed=1, failure=NOT_ALLOWED),
    Pruned(),
    Pruned(pending=1),
    Pruned(failed=1, failure=NO_FOLDER),
)
WRITTEN: tuple[Outcome, ...] = (
    FinalizerAdded(version=ResourceVersion("2")),
    Guarded(),
    Recorded(version=ResourceVersion("3")),
    Recorded(version=ResourceVersion("4")),
)

PUSH_WIDE = (*WIDE, NO_PROJECT, *PLANS, *COUNTS, *WRITTEN)
"""Two or more of whatever can differ."""

PUSH_NARROW = (*NARROW, NO_PROJECT, *PLANS, *COUNTS[1:2], *COUNTS[2:3], *COUNTS[5:6], *WRITTEN[:3])
"""One of each type, and all that leads to different places."""

FEW_PLANS = tuple(outcome for outcome in PUSH_NARROW if outcome not in PLANS[1:-1])
"""What is told where the stores differ and fail."""

IN_A_ROW = tuple(
    outcome
    for outcome in (*FEW_PLANS, NO_PROJECT)
    if not isinstance(outcome, Invalid | Missing) or outcome is NO_PROJECT
)
"""What is told where the stores are several."""

BRIEF: tuple[Outcome, ...] = (
    *(CLUSTER_SILENT, NOT_ALLOWED, LeaseRefused(), Absent(), Cancelled()),
    *(Authenticated(), Resolved(), PLANS[0], COUNTS[1], Pushed(), Released(), Reported()),
    *(FinalizerAdded(version=ResourceVersion("2")), Guarded(), FinalizerRemoved()),
)
"""What is told where the stores are three."""

AT_A_GLANCE: tuple[Outcome, ...] = (Absent(), CLUSTER_SILENT, FinalizerRemoved(), Reported())
"""What is told where the sights are many and what follows is seen elsewhere."""

SMOOTH: tuple[Outcome, ...] = (
    *(FinalizerAdded(version=ResourceVersion("2")), Guarded(), Authenticated(), Resolved(), PLANS[0]),
    *(COUNTS[0], Released(), FinalizerRemoved(), Reported(), Absent()),
)
"""What is told where the stores differ."""


@cache
def gatherings(number: int, withdraw: bool) -> tuple[Gathered, ...]:
    """All that can be gathered for so many stores: nothing, something wanted, something owed, or both."""
    each = ((0, 0), (0, 1)) if withdraw else ((0, 0), (1, 0), (0, 1), (1, 1))
    rows = product(each, repeat=number)
    return tuple(
        Gathered(entries=tuple(wanted for wanted, _ in row), owed=tuple(owed for _, owed in row))
        for row in rows
    )


Gatherings = Callable[[int, bool], Sequence[Gathered]]


def answers(
    outcomes: Sequence[Outcome],
    observations: Sequence[PushSecretObserved],
    gathered: Gatherings = gatherings,
) -> Samples:
    """To each effect all of these outcomes that it declares, these observations, and what is gathered then."""

    @cache
    def declared(effect: type[Effect]) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in outcomes if type(outcome) in effect.outcomes)

    def samples(effect: Effect, history: PushHistory) -> Sequence[Outcome]:
        if isinstance(effect, ObservePushSecret):
            return (*declared(type(effect)), *observations)
        if isinstance(effect, Gather):
            return (*declared(Gather), *gathered(len(history.observed.stores), effect.withdraw))
        return declared(type(effect))

    return samples


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
