"""What really happened in a run, kept from effects and outcomes alone: the witness that the invariants ask.

It shares nothing with the machines' own facts, so that a mistake there cannot hide itself here.
"""

from typing import NamedTuple

from machines.effects import (
    Apply,
    Authenticate,
    DeleteFormerTarget,
    Effect,
    Fetch,
    ObserveExternalSecret,
    ObserveKind,
    ObserveStore,
    Probe,
    Release,
    RemoveFinalizer,
    Render,
    Report,
    ResolveProject,
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
    Denied,
    ExternalSecretObserved,
    Fetched,
    FinalizerRemoved,
    LeaseRefused,
    NotOurs,
    Observed,
    Outcome,
    Probed,
    ProjectGone,
    Rendered,
    Reported,
    Resolved,
    StoreObserved,
)
from tests.machines.sights import WITHOUT_WORK, Sight, sight

LOOKS_AGAIN = 3
"""How often a conflict is answered by looking again, by the design."""


class History(NamedTuple):
    """What happened until now."""

    begun: bool = False
    sight: Sight | None = None
    looks_again: int = 0
    overtaken: bool = False  # it is not as it was seen: another wish, other stores, or without its finalizer
    owes_a_look: bool = False  # a conflict is to be answered
    # the lease under way
    holding: int | None = None  # the store whose lease was asked for and not released
    authenticated: bool = False
    resolved: bool = False
    remembered: bool = False  # the project's ID was given without a request
    project_gone: bool = False  # a remembered ID turned out to be stale, and was not asked for since
    afresh: int = 0  # resolutions past what is remembered, under this lease
    refused: bool = False  # Infisical refused this lease's token
    read: bool = False  # all was read that is wanted of this store
    # the stores
    logins: int = 0  # asked for the store under way
    owes_a_login: bool = False  # a first refusal is to be answered
    finished: int = 0  # stores read and released
    undecided: Denied | None = None  # what the probe of a store was denied
    absent: tuple[AbsentKey, ...] = ()
    oldest: float | None = None  # when the oldest of all that was read was read
    # the target
    made: Rendered | None = None  # the content that was made last
    made_since_look: bool = False
    change: Change | None = None
    former_is_gone: bool = False
    # how it ended
    let_go: bool = False  # nothing is left to be looked after
    trouble: Outcome | None = None  # the failure that has to be told
    trouble_store: int | None = None
    cancelled: bool = False
    report: Report | None = None
    report_failed: bool = False

    @property
    def rendered(self) -> Rendered | None:
        """The content that was made for the target as it was seen last."""
        return self.made if self.made_since_look else None

    @property
    def stands(self) -> bool:
        """The target was written, or found to be as desired."""
        return self.change is not None or (self.rendered is not None and self.rendered.agrees)


def told(history: History, effect: Effect, outcome: Outcome) -> History:
    """The history with one more effect and its outcome."""
    history = history._replace(begun=True)
    if isinstance(outcome, Cancelled):
        history = history._replace(cancelled=True)
    match effect:
        case ObserveExternalSecret() | ObserveStore() | ObserveKind():
            return _looked(history, outcome)
        case Authenticate(store=store):
            history = history._replace(
                holding=store, logins=history.logins + 1, owes_a_login=False, refused=False
            )
            if isinstance(outcome, Authenticated):
                return history._replace(authenticated=True)
            return _troubled(history, outcome)
        case ResolveProject() | Fetch() | Probe():
            return _read(history, effect, outcome)
        case Release():
            return _released(history)
        case Render() | Apply() | DeleteFormerTarget():
            return _written(history, effect, outcome)
        case RemoveFinalizer():
            stays = history.sight is not None and isinstance(history.sight.observed, StoreObserved)
            if isinstance(outcome, Absent) or (isinstance(outcome, FinalizerRemoved) and not stays):
                return history._replace(let_go=True)
            if isinstance(outcome, Conflict | FinalizerRemoved):
                return history._replace(overtaken=True)
            return _troubled(history, outcome)
        case Report():
            return history._replace(
                report=effect,
                let_go=isinstance(outcome, Absent),
                report_failed=not isinstance(outcome, Reported | Absent | Cancelled),
            )
    raise TypeError(type(effect).__name__)


def _troubled(history: History, outcome: Outcome) -> History:
    if isinstance(outcome, Cancelled):
        return history
    return history._replace(trouble=outcome, trouble_store=history.holding)


def _looked(history: History, outcome: Outcome) -> History:
    again = history.sight is not None
    history = history._replace(
        owes_a_look=False, made_since_look=False, looks_again=history.looks_again + again
    )
    if isinstance(outcome, Absent):
        return history._replace(let_go=True)
    if not isinstance(outcome, Observed):
        return _troubled(history, outcome)
    before = history.sight.observed if history.sight is not None else None
    overtaken = (
        sight(outcome).calls not in WITHOUT_WORK
        and isinstance(before, ExternalSecretObserved)
        and isinstance(outcome, ExternalSecretObserved)
        and (before.wanted != outcome.wanted or before.stores != outcome.stores)
    )
    return history._replace(sight=sight(outcome), overtaken=overtaken)


def _read(history: History, effect: Effect, outcome: Outcome) -> History:
    if isinstance(effect, ResolveProject) and effect.fresh:
        history = history._replace(afresh=history.afresh + 1)
    match outcome:
        case Resolved(cached=cached):
            remembered = cached and not history.project_gone
            return history._replace(resolved=True, remembered=remembered, project_gone=False)
        case Fetched(absent=absent, read_at=read_at):
            oldest = history.oldest
            if read_at is not None and (oldest is None or read_at < oldest):
                oldest = read_at
            return history._replace(read=True, absent=history.absent + absent, oldest=oldest)
        case Probed():
            return history._replace(read=True)
        case Denied() if isinstance(effect, Probe):
            return history._replace(read=True, undecided=outcome)
        case LeaseRefused():
            history = history._replace(refused=True)
            return history if history.logins == 1 else _troubled(history, outcome)
        case ProjectGone() if history.remembered:
            return history._replace(project_gone=True, resolved=False)
    return _troubled(history, outcome)


def _released(history: History) -> History:
    finished = history.finished + history.read
    return history._replace(
        holding=None,
        authenticated=False,
        resolved=False,
        remembered=False,
        project_gone=False,
        afresh=0,
        read=False,
        refused=False,
        owes_a_login=history.refused and history.trouble is None,
        logins=history.logins if history.refused else 0,
        finished=finished,
    )


def _written(history: History, effect: Effect, outcome: Outcome) -> History:
    match effect, outcome:
        case _, Rendered():
            return history._replace(made=outcome, made_since_look=True)
        case _, Applied(change=change):
            return history._replace(change=change)
        case DeleteFormerTarget(), Deleted() | Absent() | NotOurs():
            return history._replace(former_is_gone=True)
        case Apply(), Conflict() if history.looks_again < LOOKS_AGAIN:
            return history._replace(owes_a_look=True)
    return _troubled(history, outcome)
