"""What a run would come to, as far as it can be told without writing and without asking Infisical."""

from typing import Any

import msgspec

from adapters.cluster import Kind, Object
from adapters.journal import Subject
from machines.effects import Authenticate, DeleteFormerTarget, Effect, RemoveFinalizer, Report, Writes
from machines.kernel import End, Run
from machines.outcomes import (
    Deleted,
    ExternalSecretObserved,
    FinalizerRemoved,
    Outcome,
    RefreshPolicy,
    Reported,
)
from machines.push_effects import AddFinalizer, GuardStore, Prune, Push, Record
from machines.push_outcomes import FinalizerAdded, Guarded, Pruned, Pushed, PushSecretObserved, Recorded
from reconciler.controller import MACHINE_OF
from reconciler.looking import Onlooker


class Foreseen(msgspec.Struct, frozen=True):
    """How far a run came: its payload, the report that it would write (None: none, or not before Infisical is asked),
    and the end that it would come to (None: not before Infisical is asked)."""

    run: Run[Any]
    payload: Any
    report: Report | None
    end: End | None

    @property
    def object(self) -> Object | None:
        """The resource as it was observed."""
        found: Object | None = self.payload.object
        return found


def as_if_done(effect: Effect) -> Outcome:
    """The outcome of a writing effect that succeeds, but for an Apply, which says what it changed."""
    match effect:
        case Report():
            return Reported()
        case DeleteFormerTarget():
            return Deleted()
        case RemoveFinalizer():
            return FinalizerRemoved()
        case AddFinalizer(version=version):
            return FinalizerAdded(version=version)
        case GuardStore():
            return Guarded()
        case Record(version=version):
            return Recorded(version=version)
        case Push():
            return Pushed()
        case Prune():
            return Pruned()
    raise LookupError(f"nobody knows what {type(effect).__name__} would come to")


def as_if_due(outcome: Outcome) -> Outcome:
    """An observation as it is when the time of the next refresh has come. What has no such time stays as it is."""
    periodic = isinstance(outcome, PushSecretObserved) or (
        isinstance(outcome, ExternalSecretObserved) and outcome.policy is RefreshPolicy.PERIODIC
    )
    if not periodic or outcome.interval == 0:  # type: ignore[attr-defined]  # both have one
        return outcome
    return msgspec.structs.replace(outcome, refreshed=None)


async def foresee(onlooker: Onlooker, kind: Kind, subject: Subject, *, due: bool) -> Foreseen:
    """Take a run up to where it would ask Infisical, or change a Secret. `due`: as if its time had come."""
    definition = MACHINE_OF[kind.name]
    payload = onlooker.payload(kind, subject)
    run = definition.start()
    report: Report | None = None
    while (effect := definition.asks(run)) is not None:
        if isinstance(effect, Authenticate) or effect.writes is Writes.INFISICAL:
            break
        if isinstance(effect, Report):
            report = effect
        if effect.writes is Writes.NOWHERE:
            outcome = await onlooker.perform(effect, payload)
        else:
            try:
                outcome = as_if_done(effect)
            except LookupError:
                break
        definition.step(run, effect, as_if_due(outcome) if due else outcome)
    state = definition.state(run)
    return Foreseen(run, payload, report, state if isinstance(state, End) else None)
