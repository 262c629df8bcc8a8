"""A small world around one store: its status, what this process remembers of it, and what Infisical answers."""

import enum
from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

from machines.effects import (
    Authenticate,
    Effect,
    ObserveStore,
    Probe,
    Release,
    RemoveFinalizer,
    Report,
    ResolveProject,
    Verdict,
)
from machines.names import KindName, ResourceName, ResourceVersion
from machines.outcomes import (
    Absent,
    Authenticated,
    Conflict,
    Denial,
    Denied,
    FinalizerRemoved,
    LeaseRefused,
    Missing,
    Outcome,
    Probed,
    ProjectGone,
    Released,
    Reported,
    Resolved,
    StoreFacts,
    StoreObserved,
    StoreReason,
    StoreState,
    Thing,
)
from tests.machines.world import NOW, SILENT, Memory


class Answer(enum.Enum):
    """What trying the store at Infisical gives."""

    FINE = "it can be read"
    NOT_THIS_NAME = "this name may not be read"
    WRONG_CREDENTIALS = "the login is refused"
    NO_PROJECT = "there is no such project"
    SILENCE = "no answer"


class When(enum.Enum):
    """How long ago something was."""

    NEVER = None
    LATELY = NOW - 10
    LONG_AGO = NOW - 2000


class StoreWorld(NamedTuple):
    """Everything outside a run: the store, what the process remembers, Infisical."""

    exists: bool = True
    deleting: bool = False
    finalizer: bool = False
    needed: bool = False  # for the clean-up of what a PushSecret pushed
    referent: bool = False
    verdict: StoreReason | None = None
    validated: When = When.NEVER
    failing: When = When.NEVER
    lease: Memory = Memory.NONE
    project: Memory = Memory.NONE
    answer: Answer = Answer.FINE


def answer(world: StoreWorld, effect: Effect) -> tuple[StoreWorld, Outcome]:
    """What an effect makes of the world, and its outcome."""
    match effect:
        case ObserveStore():
            return world, _seen(world) if world.exists else Absent()
        case Authenticate():
            if world.lease is not Memory.NONE:
                return world, Authenticated(shared=True)
            if world.answer is Answer.SILENCE:
                return world, SILENT
            if world.answer is Answer.WRONG_CREDENTIALS:
                return world, Denied(what=Denial.CREDENTIALS)
            return world._replace(lease=Memory.GOOD), Authenticated()
        case ResolveProject(fresh=fresh):
            if not fresh and world.project is not Memory.NONE:
                return world, Resolved(cached=True)
            if (trouble := _trouble(world)) is not None:
                return world, trouble
            if world.answer is Answer.NO_PROJECT:
                return world, Missing(what=Thing.PROJECT)
            return world._replace(project=Memory.GOOD), Resolved(cached=False)
        case Probe():
            if (trouble := _trouble(world)) is not None:
                return world, trouble
            if world.project is Memory.STALE or world.answer is Answer.NO_PROJECT:
                return world, ProjectGone()
            denied = world.answer is Answer.NOT_THIS_NAME
            return world, Denied(what=Denial.READ) if denied else Probed()
        case Release(tainted=tainted):
            return world._replace(lease=Memory.NONE if tainted else world.lease), Released()
        case RemoveFinalizer(version=version):
            if not world.exists:
                return world, Absent()
            if version != _version(world):
                return world, Conflict()
            return world._replace(exists=not world.deleting, finalizer=False), FinalizerRemoved()
        case Report():
            return (_reported(world, effect), Reported()) if world.exists else (world, Absent())
    raise TypeError(type(effect).__name__)


def _trouble(world: StoreWorld) -> Outcome | None:
    if world.answer is Answer.SILENCE:
        return SILENT
    return LeaseRefused() if world.lease is Memory.STALE else None


def _version(world: StoreWorld) -> ResourceVersion:
    return ResourceVersion(f"{world.deleting}.{world.finalizer}")


def _seen(world: StoreWorld) -> StoreObserved:
    return StoreObserved(
        now=NOW,
        version=_version(world),
        deleting=world.deleting,
        finalizer=world.finalizer,
        needed=world.needed,
        store=StoreFacts(kind=KindName("SecretStore"), name=ResourceName("shop"), state=StoreState.READY),
        referent=world.referent,
        verdict=world.verdict,
        validated=world.validated.value,
        failing_since=world.failing.value,
        interval=300.0,
        patience=900.0,
    )


def _reported(world: StoreWorld, report: Report) -> StoreWorld:
    if report.verdict in (Verdict.VALID, Verdict.UNKNOWN):
        valid = report.verdict is Verdict.VALID
        reason = StoreReason.VALID if valid else StoreReason.VALIDATION_UNKNOWN
        return world._replace(verdict=reason, validated=When.LATELY, failing=When.NEVER)
    failing = When.LATELY if world.failing is When.NEVER else world.failing
    stands = report.verdict is Verdict.STANDING
    verdict = world.verdict if stands else StoreReason.INVALID_PROVIDER_CONFIG
    return world._replace(verdict=verdict, validated=When.NEVER, failing=failing)


def _stale(memory: Memory) -> Memory:
    return Memory.STALE if memory is Memory.GOOD else memory


def _deleted(world: StoreWorld) -> StoreWorld:
    return world._replace(deleting=world.finalizer, exists=world.exists and world.finalizer)


MOVES: dict[str, Callable[[StoreWorld], StoreWorld]] = {
    "the store is deleted": _deleted,
    "a PushSecret needs it": lambda world: world._replace(
        needed=True, finalizer=world.finalizer or (world.exists and not world.deleting)
    ),
    "no PushSecret needs it": lambda world: world._replace(needed=False),
    "the store or its credentials change": lambda world: world._replace(
        validated=When.NEVER, lease=Memory.NONE
    ),
    "the token is revoked": lambda world: world._replace(lease=_stale(world.lease)),
    "the project is made anew": lambda world: world._replace(project=_stale(world.project)),
    "Infisical falls silent": lambda world: world._replace(answer=Answer.SILENCE),
    "Infisical answers": lambda world: world._replace(answer=Answer.FINE),
    "the credentials are withdrawn": lambda world: world._replace(
        answer=Answer.WRONG_CREDENTIALS, lease=_stale(world.lease)
    ),
}


def died(world: StoreWorld) -> StoreWorld:
    """The process is another: it remembers nothing."""
    return world._replace(validated=When.NEVER, failing=When.NEVER, lease=Memory.NONE, project=Memory.NONE)


BEINGS = (
    *((False, False, True), (False, True, False), (False, True, True), (True, True, False)),
    (True, True, True),
)
"""How a store can be: being deleted or not, with our finalizer or not, needed or not."""


def worlds() -> Iterator[StoreWorld]:
    """Every world."""
    for referent, verdict, validated, failing, lease, project, said in product(
        (False, True),
        (None, StoreReason.VALID, StoreReason.VALIDATION_UNKNOWN, StoreReason.INVALID_PROVIDER_CONFIG),
        When,
        When,
        Memory,
        Memory,
        Answer,
    ):
        if not (said is Answer.WRONG_CREDENTIALS and lease is Memory.GOOD):
            world = StoreWorld(
                referent=referent,
                verdict=verdict,
                validated=validated,
                failing=failing,
                lease=lease,
                project=project,
                answer=said,
            )
            yield world
            for deleting, finalizer, needed in BEINGS if failing is When.NEVER else ():
                yield world._replace(deleting=deleting, finalizer=finalizer, needed=needed)
