"""Effects that only pushing asks for. See `machines.effects`."""

from machines.effects import Effect, Writes
from machines.names import ResourceVersion
from machines.outcomes import (
    Absent,
    Cancelled,
    Conflict,
    Denied,
    Invalid,
    LeaseRefused,
    Missing,
    ProjectGone,
    Refused,
    Unavailable,
)
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


class ObservePushSecret(Effect, frozen=True, kw_only=True):
    """Look at the resource, its source and its stores, as watches told of them."""

    outcomes = (PushSecretObserved, Absent, Unavailable, Denied, Cancelled)


class Gather(Effect, frozen=True, kw_only=True):
    """Read the source and work out which entry goes to which store. Absent: there is no source.

    `withdraw`: nothing is read, and nothing goes anywhere any more.
    """

    outcomes = (Gathered, Absent, Invalid, Unavailable, Denied, Cancelled)

    withdraw: bool = False


class AddFinalizer(Effect, frozen=True, kw_only=True):
    """Let the resource stay, when it is deleted, until what was pushed is cleaned up; if it is still at `version`."""

    outcomes = (FinalizerAdded, Absent, Conflict, Refused, Denied, Unavailable, Cancelled)
    writes = Writes.CLUSTER

    version: ResourceVersion


class GuardStore(Effect, frozen=True, kw_only=True):
    """Let the store stay, when it is deleted, until what was pushed to it is cleaned up."""

    outcomes = (Guarded, Absent, Conflict, Refused, Denied, Unavailable, Cancelled)
    writes = Writes.CLUSTER

    store: int


class Compare(Effect, frozen=True, kw_only=True):
    """Read what is there of all that shall be, or shall not be, at a store, and say what differs."""

    outcomes = (Compared, LeaseRefused, ProjectGone, Unavailable, Denied, Missing, Invalid, Cancelled)

    store: int


class Record(Effect, frozen=True, kw_only=True):
    """Write into the status what will be ours at this store, if the resource is still at `version`."""

    outcomes = (Recorded, Absent, Conflict, Refused, Denied, Unavailable, Cancelled)
    writes = Writes.CLUSTER

    store: int
    version: ResourceVersion


class Push(Effect, frozen=True, kw_only=True):
    """Create and update what differs at a store."""

    outcomes = (Pushed, LeaseRefused, ProjectGone, Unavailable, Denied, Missing, Invalid, Cancelled)
    writes = Writes.INFISICAL

    store: int


class Prune(Effect, frozen=True, kw_only=True):
    """Delete what shall not be at a store any more."""

    outcomes = (Pruned, LeaseRefused, ProjectGone, Unavailable, Denied, Missing, Invalid, Cancelled)
    writes = Writes.INFISICAL

    store: int
