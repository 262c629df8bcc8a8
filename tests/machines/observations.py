"""Observations to tell the machines: products of what can be told apart in them, and the worlds made of these.

The products are cut where two things cannot meet: how a resource that is passed by would be read, and what of an
author's mistakes there is when it is not.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import combinations, product
from typing import Any, TypeVar

import msgspec

from machines.effects import Effect
from machines.names import (
    FieldPath,
    KindName,
    ResourceName,
    ResourceVersion,
    RuleName,
    Slug,
    SyncedVersion,
)
from machines.outcomes import (
    BrokenRule,
    Drift,
    ExternalSecretObserved,
    KindObserved,
    Observed,
    Ownership,
    RefreshPolicy,
    StoreFacts,
    StoreObserved,
    StoreReason,
    StoreState,
    TargetFacts,
)
from tests.machines.exploration import Samples
from tests.machines.history import History
from tests.machines.samples import BRIEF, NARROW, WIDE, answers
from tests.machines.sights import sight

# --- observations ----------------------------------------------------------------------------------------------

NOW = 1_000_000.0
HOUR = 3600.0


def store(state: StoreState, number: int = 0) -> StoreFacts:
    """A store of this state; its name tells its number."""
    return StoreFacts(
        kind=KindName("SecretStore"), name=ResourceName(f"store-{number}"), state=state, project=Slug("shop")
    )


def stores(*states: StoreState) -> tuple[StoreFacts, ...]:
    """Stores in a row."""
    return tuple(store(state, number) for number, state in enumerate(states))


def target(ownership: Ownership, drift: Drift, version: str = "7") -> TargetFacts:
    """A target Secret; an absent one has no version."""
    return TargetFacts(
        name=ResourceName("app"),
        ownership=ownership,
        drift=drift,
        version=None if ownership is Ownership.ABSENT else ResourceVersion(version),
    )


NEW = ExternalSecretObserved(
    now=NOW,
    version=ResourceVersion("1"),
    wanted=SyncedVersion("1-aa"),
    stores=stores(StoreState.READY),
    target=target(Ownership.ABSENT, Drift.GONE),
)
"""An ExternalSecret that was never synced, with one store and without a target."""

SETTLED = msgspec.structs.replace(
    NEW,
    synced=SyncedVersion("1-aa"),
    refreshed=NOW - 10,
    target=target(Ownership.OURS, Drift.NONE),
)
"""One that was synced ten seconds ago."""

Fields = dict[str, Any]
Seen = TypeVar("Seen", bound=Observed)
STORES = tuple(stores(*states) for number in range(4) for states in product(StoreState, repeat=number))
"""No store, one, two or three, each in every state."""

TIMES = tuple(
    {"synced": synced, "refreshed": refreshed, "policy": policy, "interval": interval}
    for synced, refreshed, policy, interval in product(
        (None, SyncedVersion("1-aa"), SyncedVersion("2-bb")),
        (
            *(None, NOW - 2 * HOUR, NOW - HOUR, NOW - HOUR + 30, NOW - HOUR + 31),
            *(NOW - 91, NOW - 90, NOW - 89, NOW - 10, NOW, NOW + 10, NOW + 2 * HOUR),
        ),
        RefreshPolicy,
        (HOUR, 100.0, 0.0),
    )
)
TARGETS = tuple({"target": target(ownership, drift)} for ownership in Ownership for drift in Drift)
STATES_OF_BEING: tuple[tuple[Fields, ...], ...] = (
    ({"deleting": True}, {"finalizer": True}, {"deleting": True, "finalizer": True}),
    ({"broken_rules": (BrokenRule(RuleName("some-data"), FieldPath("spec.data")),)},),
    ({"malformed": (FieldPath("spec.target"),)},),
    ({"unsupported": (FieldPath("spec.target.manifest"),)},),
    ({"former": ResourceName("app-before")},),
    ({"hold_back": False},),
    ({"failures": 1}, {"failures": 2}),
    ({"failed": True},),
)


def _deviations(dimensions: Sequence[Sequence[Fields]], number: int) -> Iterator[Fields]:
    """All ways to deviate in at most so many dimensions at once."""
    for count in range(number + 1):
        for chosen in combinations(dimensions, count):
            for changes in product(*chosen):
                yield {name: value for change in changes for name, value in change.items()}


def _of(base: Seen, changes: Iterable[Fields]) -> tuple[Seen, ...]:
    return tuple(dict.fromkeys(msgspec.structs.replace(base, **change) for change in changes))


@cache
def all_external_secrets() -> tuple[ExternalSecretObserved, ...]:
    """Every kind of sight: times and targets in full, the rest in threes, stores in full with pairs of the rest."""
    times_and_targets = [{**times, **where} for times in TIMES for where in TARGETS]
    in_threes = [*STATES_OF_BEING, TARGETS, [{"stores": some} for some in STORES[:8]]]
    with_stores = [*STATES_OF_BEING, [{"stores": some} for some in STORES], TARGETS[12:13]]
    return tuple(
        dict.fromkeys(
            (
                *_of(NEW, times_and_targets),
                *_of(NEW, _deviations(in_threes, 3)),
                *_of(SETTLED, _deviations(in_threes, 3)),
                *_of(NEW, _deviations(with_stores, 2)),
                *_of(SETTLED, _deviations(with_stores, 2)),
            )
        )
    )


@cache
def looks_again(before: ExternalSecretObserved, number: int) -> tuple[ExternalSecretObserved, ...]:
    """What a look after a conflict can show: the same, another target, another wish, other stores, a farewell."""
    now: Fields = {"now": NOW + 5.0 * number, "version": ResourceVersion(str(1 + number))}
    others: list[Fields] = [
        {},
        *({"target": target(ownership, Drift.CHANGED, str(7 + number))} for ownership in Ownership),
        {"former": None},
        {"former": ResourceName("app-before")},
        {"wanted": SyncedVersion("2-bb")},
        {"stores": stores(StoreState.READY, StoreState.NOT_READY, StoreState.READY)},
        {"stores": (*before.stores, store(StoreState.FOREIGN, 3))},
        {"deleting": True},
        {"deleting": True, "finalizer": True},
        # two of them at once
        {"deleting": True, "finalizer": True, "stores": (*before.stores, store(StoreState.FOREIGN, 3))},
        {"deleting": True, "finalizer": True, "wanted": SyncedVersion("2-bb")},
        {"deleting": True, "wanted": SyncedVersion("2-bb")},
        {"wanted": SyncedVersion("2-bb"), "target": target(Ownership.FOREIGN, Drift.CHANGED)},
    ]
    return _of(before, ({**now, **other} for other in others))


@cache
def external_secrets_to_be_read() -> tuple[ExternalSecretObserved, ...]:
    """Those that come through: none to three stores, each kind of target, with and without a former one."""
    rows: list[Fields] = [{"stores": stores(*[StoreState.READY] * number)} for number in range(4)]
    rows.append({"stores": stores(StoreState.NOT_READY, StoreState.UNVALIDATED), "hold_back": False})
    renamed: list[Fields] = [
        {},
        {"former": ResourceName("app-before"), "target": target(Ownership.OURS, Drift.CHANGED)},
        {"target": target(Ownership.UNOWNED, Drift.UNLABELLED), "refreshed": NOW - 2 * HOUR},
    ]
    return _of(NEW, ({**row, **change} for row in rows for change in renamed))


def _external_secrets(
    first: Sequence[ExternalSecretObserved],
) -> Callable[[Effect, History], Sequence[Observed]]:
    def observations(effect: Effect, history: History) -> Sequence[Observed]:
        before = history.sight.observed if history.sight is not None else None
        if isinstance(before, ExternalSecretObserved):
            return looks_again(before, history.looks_again + 1)
        return first

    return observations


STORE = StoreObserved(now=NOW, version=ResourceVersion("1"), store=store(StoreState.READY))
"""A SecretStore that was never validated."""

TRUSTED = msgspec.structs.replace(STORE, verdict=StoreReason.VALID, validated=NOW - 400)
"""One that was valid when it was validated last."""


@cache
def all_stores() -> tuple[StoreObserved, ...]:
    """Every kind of sight: what is remembered of it in full, once due and once not, the rest in threes."""
    remembered = [
        {
            "validated": validated,
            "verdict": verdict,
            "failing_since": since,
            "interval": interval,
            "patience": patience,
        }
        for validated, verdict, since, interval, patience in product(
            (None, NOW - 301, NOW - 300, NOW - 299, NOW, NOW + 10),
            (None, StoreReason.VALID, StoreReason.VALIDATION_UNKNOWN, StoreReason.INVALID_PROVIDER_CONFIG),
            (None, NOW - 900, NOW - 899, NOW),
            (300.0, 0.0),
            (900.0, 0.0),
        )
        if (validated is None or validated <= NOW - 300 or (since, patience) == (None, 900.0))
    ]
    states: tuple[tuple[Fields, ...], ...] = (
        *STATES_OF_BEING[:3],
        ({"referent": True},),
        ({"needed": True},),
        ({"several_auth": True},),
        tuple({"store": store(state)} for state in StoreState),
        tuple({"verdict": reason, "validated": NOW - 400} for reason in StoreReason),
        ({"validated": NOW - 10}, {"validated": NOW - 400}, {"validated": NOW + 10}, {"interval": 0.0}),
    )
    return (*_of(STORE, remembered), *_of(STORE, _deviations(states, 3)))


@cache
def all_kinds() -> tuple[KindObserved, ...]:
    """Every kind of sight of a resource without a machine of its own."""
    kind = KindObserved(now=NOW, version=ResourceVersion("1"), unsupported=(FieldPath("kind"),))
    return _of(kind, _deviations([*STATES_OF_BEING[:3], [{"stores": some} for some in STORES]], 4))


def one_of_each_call(observations: Sequence[Any]) -> tuple[Any, ...]:
    """The first of these observations for each thing that one can call for."""
    return tuple({sight(observed).calls: observed for observed in reversed(observations)}.values())


WORLDS: dict[str, dict[str, Samples]] = {
    "ExternalSecret": {
        "every answer": answers(WIDE, _external_secrets(external_secrets_to_be_read()[:12:4])),
        "every way": answers(NARROW, _external_secrets(external_secrets_to_be_read())),
        "every call": answers(WIDE, _external_secrets(one_of_each_call(all_external_secrets()))),
        "every sight": answers(BRIEF, _external_secrets(all_external_secrets())),
    },
    "SecretStore": {
        "every answer": answers(WIDE, lambda *_: (TRUSTED, *one_of_each_call(all_stores()))),
        "every sight": answers((*BRIEF, *WIDE[4:5]), lambda *_: all_stores()),
    },
    "Unsupported": {"everything": answers(WIDE, lambda *_: all_kinds())},
}
"""For each machine the worlds that are explored in full, by name."""
