"""A small world around one ExternalSecret: a cluster, an Infisical, and a process that may die.

It answers each effect as the adapters would, in the few things that matter: who owns the Secrets of two names, what
they hold, what the status says, whether the lease and the project's ID are still good, what Infisical holds.
"""

import enum
from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

from machines.effects import (
    Apply,
    Authenticate,
    DeleteFormerTarget,
    Effect,
    Fetch,
    ObserveExternalSecret,
    Release,
    RemoveFinalizer,
    Render,
    Report,
    ResolveProject,
)
from machines.names import FolderPath, KindName, RemoteName, ResourceName, ResourceVersion, SyncedVersion
from machines.outcomes import (
    Absent,
    AbsentKey,
    Applied,
    Authenticated,
    Change,
    Conflict,
    Deleted,
    Denial,
    Denied,
    Drift,
    ExternalSecretObserved,
    Fetched,
    FinalizerRemoved,
    LeaseRefused,
    NotOurs,
    Outcome,
    Ownership,
    ProjectGone,
    Released,
    Rendered,
    Reported,
    Resolved,
    Service,
    StoreFacts,
    StoreState,
    TargetFacts,
    Trouble,
    Unavailable,
)

NOW = 1_000_000.0
HOUR = 3600.0


class Content(enum.Enum):
    """What a Secret holds, seen from Infisical."""

    RIGHT = "what Infisical holds now"
    OLD = "what it held before"
    OTHERS = "what somebody else put there"


class Remote(enum.Enum):
    """What reading at Infisical gives."""

    VALUE = "values"
    NOTHING = "nothing at all"
    NO_KEY = "not this key"
    DENIED = "a refusal"
    SILENCE = "no answer"


class Memory(enum.Enum):
    """What the process has of a lease, or of a project's ID."""

    NONE = "none"
    GOOD = "good"
    STALE = "no longer good"


class Held(NamedTuple):
    """A Secret, or its absence."""

    owner: Ownership
    content: Content | None = None

    @property
    def version(self) -> ResourceVersion | None:
        """It changes with whatever is written."""
        if self.content is None:
            return None
        return ResourceVersion(f"{self.owner.value}-{self.content.name}")


NOBODYS = Held(Ownership.ABSENT)
NAMES = (ResourceName("app"), ResourceName("app-renamed"))


class World(NamedTuple):
    """Everything outside a run, and what the process remembers. `payload`: what the run under way has read."""

    exists: bool = True
    deleting: bool = False
    finalizer: bool = False
    wish: int = 0  # which of the two names the target is to have
    secrets: tuple[Held, Held] = (NOBODYS, NOBODYS)
    synced: int | None = None  # the wish that was fulfilled last
    lately: bool = False  # within the refresh interval
    store: StoreState = StoreState.READY
    remote: Remote = Remote.VALUE
    lease: Memory = Memory.NONE
    project: Memory = Memory.NONE
    payload: Content | None = None
    tried: bool = False  # this process tried it in vain just before

    @property
    def target(self) -> Held:
        """The Secret of the name that is wished for."""
        return self.secrets[self.wish]

    @property
    def former(self) -> Held:
        """The Secret of the other name."""
        return self.secrets[1 - self.wish]

    def holding(self, number: int, held: Held) -> "World":
        """The same world with another Secret of this name."""
        secrets = (held, self.secrets[1]) if number == 0 else (self.secrets[0], held)
        return self._replace(secrets=secrets)

    def collected(self) -> "World":
        """The same world after the cluster's garbage collection."""
        if self.exists:
            return self
        kept = [NOBODYS if held.owner is Ownership.OURS else held for held in self.secrets]
        return self._replace(secrets=(kept[0], kept[1]))


SILENT = Unavailable(service=Service.INFISICAL, why=Trouble.TIMED_OUT)


def _wish(number: int | None) -> SyncedVersion | None:
    return None if number is None else SyncedVersion(f"{number}-aa")


def _drift(held: Held) -> Drift:
    if held.owner is Ownership.ABSENT:
        return Drift.GONE
    if held.owner is Ownership.OURS:
        return Drift.CHANGED if held.content is Content.OTHERS else Drift.NONE
    return Drift.UNLABELLED


def _version(world: World) -> ResourceVersion:
    return ResourceVersion(f"{world.wish}.{world.deleting}.{world.finalizer}.{world.synced}")


def seen(world: World) -> ExternalSecretObserved:
    """The world as an observation."""
    wanted = _wish(world.wish)
    assert wanted is not None
    return ExternalSecretObserved(
        now=NOW,
        version=_version(world),
        deleting=world.deleting,
        finalizer=world.finalizer,
        wanted=wanted,
        synced=_wish(world.synced),
        refreshed=None if world.synced is None else NOW - 10 if world.lately else NOW - 2 * HOUR,
        interval=HOUR,
        stores=(StoreFacts(kind=KindName("SecretStore"), name=ResourceName("infisical"), state=world.store),),
        target=TargetFacts(
            name=NAMES[world.wish],
            ownership=world.target.owner,
            drift=_drift(world.target),
            version=world.target.version,
        ),
        former=NAMES[1 - world.wish] if world.former.owner is Ownership.OURS else None,
        failures=int(world.tried),
    )


def answer(world: World, effect: Effect) -> tuple[World, Outcome]:
    """What an effect makes of the world, and its outcome."""
    match effect:
        case ObserveExternalSecret():
            return world, seen(world) if world.exists else Absent()
        case Authenticate():
            lease = Memory.GOOD if world.lease is Memory.NONE else world.lease
            return world._replace(lease=lease), Authenticated(shared=world.lease is not Memory.NONE)
        case ResolveProject(fresh=fresh):
            if not fresh and world.project is not Memory.NONE:
                return world, Resolved(cached=True)
            if (trouble := _at_infisical(world)) is not None:
                return world, trouble
            return world._replace(project=Memory.GOOD), Resolved(cached=False)
        case Fetch():
            return _fetched(world)
        case Release(tainted=tainted):
            return world._replace(lease=Memory.NONE if tainted else world.lease), Released()
        case Render():
            agrees = world.target == Held(Ownership.OURS, world.payload)
            return world, Rendered(keys=0 if world.payload is None else 2, agrees=agrees)
        case _:
            return _written(world, effect)


def _at_infisical(world: World) -> Outcome | None:
    if world.remote is Remote.SILENCE:
        return SILENT
    return LeaseRefused() if world.lease is Memory.STALE else None


def _fetched(world: World) -> tuple[World, Outcome]:
    if (trouble := _at_infisical(world)) is not None:
        return world, trouble
    if world.project is Memory.STALE:
        return world, ProjectGone()
    match world.remote:
        case Remote.DENIED:
            return world, Denied(what=Denial.READ)
        case Remote.NO_KEY:
            return world, Fetched(keys=1, absent=(AbsentKey(RemoteName("FOO"), FolderPath("/")),))
        case Remote.NOTHING:
            return world._replace(payload=None), Fetched(keys=0)
    return world._replace(payload=Content.RIGHT), Fetched(keys=2)


def _written(world: World, effect: Effect) -> tuple[World, Outcome]:
    match effect:
        case Apply(target=name, version=version):
            number = NAMES.index(name)
            held = world.secrets[number]
            if held.version != version:
                return world, Conflict()
            if held.owner is Ownership.FOREIGN:
                return world, NotOurs()
            change = Change.CREATED if version is None else Change.UPDATED
            return world.holding(number, Held(Ownership.OURS, world.payload)), Applied(change=change)
        case DeleteFormerTarget(target=name):
            number = NAMES.index(name)
            owner = world.secrets[number].owner
            if owner is not Ownership.OURS:
                return world, Absent() if owner is Ownership.ABSENT else NotOurs()
            return world.holding(number, NOBODYS), Deleted()
        case RemoveFinalizer(version=version):
            if not world.exists:
                return world, Absent()
            if version != _version(world):
                return world, Conflict()
            return world._replace(exists=not world.deleting, finalizer=False), FinalizerRemoved()
        case Report(synced=synced):
            if not world.exists:
                return world, Absent()
            if synced is None:
                return world, Reported()
            return world._replace(synced=int(synced.partition("-")[0]), lately=True), Reported()
    raise TypeError(type(effect).__name__)


# --- what others do meanwhile ----------------------------------------------------------------------------------

Move = Callable[[World], World]


def _deleted(world: World) -> World:
    return world._replace(deleting=True) if world.finalizer else world._replace(exists=False)


def _edited_remotely(world: World) -> World:
    """Infisical holds other values now: what was right is old, also what a run under way has read."""

    def aged(content: Content | None) -> Content | None:
        return Content.OLD if content is Content.RIGHT else content

    first, second = (held._replace(content=aged(held.content)) for held in world.secrets)
    return world._replace(secrets=(first, second), payload=aged(world.payload))


def _stale(memory: Memory) -> Memory:
    return Memory.STALE if memory is Memory.GOOD else memory


MOVES: dict[str, Move] = {
    "the resource is deleted": _deleted,
    "its target is renamed": lambda world: world._replace(wish=1 - world.wish),
    "its target is deleted": lambda world: world.holding(world.wish, NOBODYS),
    "its target is changed": lambda world: world.holding(world.wish, Held(Ownership.OURS, Content.OTHERS)),
    "its target is disowned": lambda world: world.holding(
        world.wish, Held(Ownership.UNOWNED, Content.OTHERS)
    ),
    "its target is taken": lambda world: world.holding(world.wish, Held(Ownership.FOREIGN, Content.OTHERS)),
    "the former target is taken": lambda world: world.holding(
        1 - world.wish, Held(Ownership.FOREIGN, Content.OTHERS)
    ),
    "the values change": _edited_remotely,
    "the token is revoked": lambda world: world._replace(lease=_stale(world.lease)),
    "the project is made anew": lambda world: world._replace(project=_stale(world.project)),
    "the store is deleted": lambda world: world._replace(store=StoreState.ABSENT),
    "Infisical falls silent": lambda world: world._replace(remote=Remote.SILENCE),
}


def died(world: World) -> World:
    """The process is another: it remembers nothing."""
    return world._replace(lease=Memory.NONE, project=Memory.NONE, payload=None, tried=False)


OWNED = (*(Held(Ownership.OURS, content) for content in Content),)
OTHERS = (Held(Ownership.UNOWNED, Content.OTHERS), Held(Ownership.FOREIGN, Content.OTHERS))


def worlds() -> Iterator[World]:
    """Every world that differs in the cluster or at Infisical, with a fresh process; and every process, in some."""
    cluster = [
        World(deleting=deleting, finalizer=finalizer, secrets=(target, former), synced=synced, lately=lately)
        for (deleting, finalizer), target, former, (synced, lately) in product(
            ((False, False), (False, True), (True, True)),
            (NOBODYS, *OWNED, *OTHERS),
            (NOBODYS, OWNED[0], OWNED[2], *OTHERS),
            ((None, False), (0, True), (0, False), (1, True), (1, False)),
        )
    ]
    stores = (StoreState.READY, StoreState.NOT_READY, StoreState.UNVALIDATED, StoreState.ABSENT)
    for world, store, remote in product(cluster, stores, Remote):
        yield world._replace(store=store, remote=remote)
    for world, remote, lease, project in product(cluster[::7], Remote, Memory, Memory):
        yield world._replace(remote=remote, lease=lease, project=project)
