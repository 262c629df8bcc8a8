"""A small world around one PushSecret: two entries, their stores, an Infisical, and a process that may die."""

import enum
from typing import NamedTuple

from machines.names import ResourceVersion
from tests.machines.world import Memory

Both = tuple[bool, bool]
"""Of each of the two entries."""

NEITHER: Both = (False, False)
ENTRIES = (0, 1)


class Content(enum.Enum):
    """What a secret at Infisical holds, seen from the source."""

    RIGHT = "what the source holds now"
    OLD = "what it held before"
    OTHERS = "what somebody else put there"


class Remote(NamedTuple):
    """A secret at Infisical, or its absence. `ours`: it was written for this PushSecret, and is to be deleted with it."""

    content: Content | None = None
    ours: bool = False


class Store(NamedTuple):
    """A store that the PushSecret uses, or used."""

    there: bool = True
    ready: bool = True
    deleting: bool = False
    guarded: bool = False


class Infisical(enum.Enum):
    """How it is disposed."""

    FINE = "it does what it is asked"
    SILENT = "it does not answer"
    EMPTY = "there is no such project"
    CAREFUL = "a person must approve changes"


class Act(enum.Enum):
    """What is to become of an entry in a run."""

    WANT = "put"
    OWE = "delete"
    FORGET = "leave alone from now on"


Acts = tuple[Act | None, Act | None]


class Resource(NamedTuple):
    """The PushSecret as the cluster has it."""

    exists: bool = True
    deleting: bool = False
    finalizer: bool = False
    deletes: bool = False
    abandons: bool = False
    wanted: Both = (True, True)
    recorded: Both = NEITHER
    filed: Acts = (None, None)  # what of it, as it is wanted now, waits for a person
    synced: tuple[Both, bool] | None = None  # the wish that was fulfilled last
    lately: bool = False  # within the refresh interval
    failed: bool = False

    @property
    def wish(self) -> tuple[Both, bool]:
        """What a change of makes it due."""
        return self.wanted, self.deletes

    @property
    def may_delete(self) -> bool:
        """Whether what it pushed is to be deleted when it is wanted no more."""
        return self.deletes and not self.abandons

    @property
    def version(self) -> ResourceVersion:
        """It changes with whatever is written."""
        filed = (each is not None for each in self.filed)
        parts = (*self[:5], *self.wanted, *self.recorded, *filed, self.synced is not None, self.failed)
        return ResourceVersion("".join(str(int(part)) for part in parts))


class Under(NamedTuple):
    """What a run holds. Of stores it knows the numbers of its own row of them."""

    seen: Resource = Resource()
    row: tuple[int, ...] = ()
    acts: Acts | None = None
    value: Content = Content.RIGHT  # what was read of the source, seen from the source as it is now
    steps: Both = NEITHER  # entries of which something is to be written or deleted
    owned: Both = NEITHER
    removed: Both = NEITHER
    marked: Both = NEITHER  # a change of it waits for a person


class PushWorld(NamedTuple):
    """Everything outside a run, what the process remembers, and what the run under way holds."""

    resource: Resource = Resource()
    remotes: tuple[Remote, Remote] = (Remote(), Remote())
    stores: tuple[Store, Store] = (Store(), Store())
    apart: bool = False  # each entry has a store of its own; else both go to the first
    source: bool = True
    known: bool = False  # the source is as it was when it was pushed last
    infisical: Infisical = Infisical.FINE
    lease: Memory = Memory.NONE
    project: Memory = Memory.NONE
    tried: bool = False
    run: Under = Under()

    def home(self, entry: int) -> int:
        """The store that an entry goes to."""
        return entry if self.apart else 0

    def at(self, store: int) -> list[int]:
        """The entries that go to a store."""
        return [entry for entry in ENTRIES if self.home(entry) == store]

    def names(self, store: int) -> bool:
        """Whether the spec names a store."""
        return any(self.resource.wanted[entry] for entry in self.at(store)) or (not self.apart and store == 0)

    def needs(self, store: int) -> bool:
        """Whether a store must not go away."""
        resource = self.resource
        if not resource.exists or not resource.deletes or (resource.deleting and not resource.finalizer):
            return False
        if any(resource.recorded[entry] for entry in self.at(store)):
            return True
        return not resource.deleting and self.names(store)

    def collected(self) -> "PushWorld":
        """The same world after the stores' own machine, and after the cluster let go of what may go."""
        stores = tuple(self._kept(number, store) for number, store in enumerate(self.stores))
        return self._replace(stores=(stores[0], stores[1]))

    def _kept(self, number: int, store: Store) -> Store:
        store = store._replace(guarded=store.guarded and self.needs(number))
        gone = store.deleting and not store.guarded
        return Store(there=False, ready=store.ready) if gone else store


def changed(pair: Both, entry: int, value: bool) -> Both:
    """The pair with another value for one entry."""
    return (value, pair[1]) if entry == 0 else (pair[0], value)


def refiled(pair: Acts, entry: int, value: Act | None) -> Acts:
    """The pair with another value for one entry."""
    return (value, pair[1]) if entry == 0 else (pair[0], value)


def put(world: PushWorld, entry: int, remote: Remote) -> PushWorld:
    """The world with another secret at Infisical."""
    first, second = world.remotes
    return world._replace(remotes=(remote, second) if entry == 0 else (first, remote))


def guard(world: PushWorld, number: int) -> PushWorld:
    """The world with our finalizer on a store."""
    first, second = world.stores
    if number == 0:
        return world._replace(stores=(first._replace(guarded=True), second))
    return world._replace(stores=(first, second._replace(guarded=True)))
