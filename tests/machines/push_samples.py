"""What a PushSecret's machine is told: what is gathered, what differs, what came of writing.

It goes further than what the adapters tell: what shall be deleted, for instance, is told under every policy.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import product

from machines.effects import Effect
from machines.names import (
    FolderPath,
    RemoteName,
    ResourceVersion,
)
from machines.outcomes import (
    Absent,
    Authenticated,
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
from tests.machines.push_history import PushHistory
from tests.machines.samples import NARROW, WIDE

Samples = Callable[[Effect, PushHistory], Sequence[Outcome]]

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
