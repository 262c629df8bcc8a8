"""Outcomes to tell the machines: for each type a few that differ in all that anybody could look at."""

from collections.abc import Callable, Sequence
from functools import cache

from machines.effects import Effect, ObserveExternalSecret, ObserveKind, ObserveStore
from machines.names import (
    FieldPath,
    FolderPath,
    KindName,
    PluralName,
    RemoteName,
    ResourceName,
    SecretKey,
    Verb,
)
from machines.outcomes import (
    Absent,
    AbsentKey,
    Applied,
    Authenticated,
    Cancelled,
    Change,
    Conflict,
    Deleted,
    Denial,
    Denied,
    Fault,
    Fetched,
    FinalizerRemoved,
    Invalid,
    LeaseRefused,
    Missing,
    NotOurs,
    Observed,
    Outcome,
    Probed,
    ProjectGone,
    Refused,
    Released,
    Rendered,
    Reported,
    Resolved,
    Service,
    Thing,
    Trouble,
    Unavailable,
)
from tests.machines.exploration import Samples
from tests.machines.history import History

ABSENT_KEYS = (
    AbsentKey(RemoteName("FOO"), FolderPath("/")),
    AbsentKey(RemoteName("BAR"), FolderPath("/team/api")),
)

WIDE: tuple[Outcome, ...] = (
    Unavailable(service=Service.INFISICAL, why=Trouble.TIMED_OUT),
    Unavailable(service=Service.CLUSTER, why=Trouble.LIMITED, status=429, after=7.0),
    Denied(what=Denial.READ, folder=FolderPath("/team"), key=RemoteName("FOO")),
    Denied(what=Denial.CLUSTER, verb=Verb("patch"), resource=PluralName("secrets")),
    Missing(what=Thing.FOLDER, folder=FolderPath("/team")),
    Missing(what=Thing.CREDENTIALS_KEY, name=ResourceName("login"), key=SecretKey("clientSecret")),
    Invalid(what=Fault.BAD_KEY, field=FieldPath("spec.data[0].remoteRef.key"), key=RemoteName("a/../b")),
    Invalid(what=Fault.NO_JSON, secret_key=SecretKey("config")),
    Refused(field=FieldPath("data")),
    Refused(webhook=True),
    Conflict(),
    Absent(),
    NotOurs(owner_kind=KindName("ExternalSecret"), owner_name=ResourceName("other")),
    LeaseRefused(),
    ProjectGone(),
    Cancelled(),
    Authenticated(shared=False),
    Authenticated(shared=True),
    Resolved(cached=False),
    Resolved(cached=True),
    Fetched(keys=2, read_at=1_000_002.0),
    Fetched(keys=0, read_at=999_990.0),
    Fetched(keys=1, absent=ABSENT_KEYS[:1]),
    Fetched(keys=0, absent=ABSENT_KEYS),
    Released(),
    Rendered(keys=2, agrees=False),
    Rendered(keys=2, agrees=True),
    Rendered(keys=0, agrees=False),
    Rendered(keys=0, agrees=True),
    Applied(change=Change.CREATED),
    Applied(change=Change.UPDATED),
    Applied(change=Change.UNCHANGED),
    Deleted(),
    FinalizerRemoved(),
    Reported(),
    Probed(),
)
"""Two or more of whatever can differ. Observations come from the worlds below."""

NARROW: tuple[Outcome, ...] = tuple(
    outcome
    for outcome in WIDE
    if isinstance(outcome, Resolved | Rendered)
    or outcome == next(other for other in WIDE if type(other) is type(outcome))
    or outcome == Fetched(keys=1, absent=ABSENT_KEYS[:1])
)
"""One of each type, and all that leads to different places."""

BRIEF: tuple[Outcome, ...] = (
    WIDE[0],
    Authenticated(),
    Resolved(),
    Fetched(keys=2),
    Released(),
    Rendered(keys=2),
    Applied(change=Change.CREATED),
    Deleted(),
    FinalizerRemoved(),
    Reported(),
    Probed(),
)
"""What is told where the looks are many and the rest is seen elsewhere."""


def answers(
    outcomes: Sequence[Outcome], observations: Callable[[Effect, History], Sequence[Observed]]
) -> Samples:
    """To each effect all of these outcomes that it declares, and these observations."""

    @cache
    def declared(effect: type[Effect]) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in outcomes if type(outcome) in effect.outcomes)

    def samples(effect: Effect, history: History) -> Sequence[Outcome]:
        if isinstance(effect, ObserveExternalSecret | ObserveStore | ObserveKind):
            return (*declared(type(effect)), *observations(effect, history))
        return declared(type(effect))

    return samples
