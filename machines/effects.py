"""Effects: what a machine asks for.

An effect is a frozen value that says what is wanted, with its precondition ("apply, at this version"), so that
whoever performs it has nothing to decide. Its type names the outcomes that it can give, and whether it writes.
"""

import enum
from typing import ClassVar

import msgspec

from machines.names import FieldPath, ResourceName, ResourceVersion, SyncedVersion
from machines.outcomes import (
    Absent,
    AbsentKey,
    Applied,
    Authenticated,
    BrokenRule,
    Cancelled,
    Change,
    Conflict,
    Deleted,
    Denied,
    ExternalSecretObserved,
    Failure,
    Fetched,
    FinalizerRemoved,
    Invalid,
    KindObserved,
    LeaseRefused,
    Missing,
    NotOurs,
    Outcome,
    Probed,
    ProjectGone,
    Refused,
    Released,
    Rendered,
    Reported,
    Resolved,
    StoreFacts,
    StoreObserved,
    StoreReason,
    TargetFacts,
    Unavailable,
)


class Writes(enum.Enum):
    """Where an effect may change something."""

    NOWHERE = "nowhere"
    CLUSTER = "cluster"
    INFISICAL = "infisical"


class Effect(msgspec.Struct, frozen=True, kw_only=True, tag_field="effect", omit_defaults=True):
    """What is asked for. Subclasses declare `outcomes`, all that it can give, and `writes`."""

    outcomes: ClassVar[tuple[type[Outcome], ...]] = ()
    writes: ClassVar[Writes] = Writes.NOWHERE


class ObserveExternalSecret(Effect, frozen=True, kw_only=True):
    """Look at the resource, its target and its stores. `fresh`: at the API server, not at what watches told."""

    outcomes = (ExternalSecretObserved, Absent, Unavailable, Denied, Cancelled)

    fresh: bool = False


class ObserveStore(Effect, frozen=True, kw_only=True):
    """Look at a store and at what it refers to."""

    outcomes = (StoreObserved, Absent, Unavailable, Denied, Cancelled)


class ObserveKind(Effect, frozen=True, kw_only=True):
    """Look at a resource of a kind that has no machine of its own yet."""

    outcomes = (KindObserved, Absent, Unavailable, Denied, Cancelled)


class Authenticate(Effect, frozen=True, kw_only=True):
    """Obtain a lease on a token for the store of this number (from 0, in the order of `Observed.stores`)."""

    outcomes = (Authenticated, Unavailable, Denied, Missing, Invalid, Cancelled)

    store: int


class ResolveProject(Effect, frozen=True, kw_only=True):
    """Find the ID of the store's project. `fresh`: forget what is remembered, ask."""

    outcomes = (Resolved, LeaseRefused, Unavailable, Denied, Missing, Invalid, Cancelled)

    store: int
    fresh: bool = False


class Fetch(Effect, frozen=True, kw_only=True):
    """Read all that the resource wants of this store."""

    outcomes = (Fetched, LeaseRefused, ProjectGone, Unavailable, Denied, Missing, Invalid, Cancelled)

    store: int


class Probe(Effect, frozen=True, kw_only=True):
    """Ask for a secret that is not there, to see that the store's folder could be read."""

    outcomes = (Probed, LeaseRefused, ProjectGone, Unavailable, Denied, Missing, Invalid, Cancelled)


class Release(Effect, frozen=True, kw_only=True):
    """Give the lease back. `tainted`: Infisical refused its token, so that nobody else should use it."""

    outcomes = (Released,)

    store: int
    tainted: bool = False


class Render(Effect, frozen=True, kw_only=True):
    """Make the desired content of what was read."""

    outcomes = (Rendered, Invalid, Cancelled)


class Apply(Effect, frozen=True, kw_only=True):
    """Bring the target to the desired content, if it is still at `version` (None: if it is still absent)."""

    outcomes = (Applied, Conflict, NotOurs, Refused, Missing, Denied, Unavailable, Cancelled)
    writes = Writes.CLUSTER

    target: ResourceName
    version: ResourceVersion | None = None


class DeleteFormerTarget(Effect, frozen=True, kw_only=True):
    """Delete the Secret that was the target before it was renamed, if it is ours."""

    outcomes = (Deleted, Absent, NotOurs, Conflict, Refused, Denied, Unavailable, Cancelled)
    writes = Writes.CLUSTER

    target: ResourceName


class RemoveFinalizer(Effect, frozen=True, kw_only=True):
    """Take our finalizer off a resource that nothing is owed for any more."""

    outcomes = (FinalizerRemoved, Absent, Conflict, Refused, Denied, Unavailable, Cancelled)
    writes = Writes.CLUSTER

    version: ResourceVersion


class Verdict(enum.Enum):
    """What a report says. Each has its own condition, message and end."""

    SYNCED = "synced"
    RETAINED = "retained"  # the provider holds nothing, and the target is kept as it is
    KEYS_ABSENT = "keys-absent"
    STORE_ABSENT = "store-absent"
    STORE_UNUSABLE = "store-unusable"
    STORE_NOT_READY = "store-not-ready"
    TARGET_FOREIGN = "target-foreign"
    RULES_BROKEN = "rules-broken"
    UNSUPPORTED = "unsupported"
    FAILED = "failed"
    VALID = "valid"
    UNKNOWN = "unknown"  # of a store: it cannot be told
    STANDING = "standing"  # of a store: the host does not answer, the last verdict stands
    PENDING = "pending"  # changes at Infisical wait for a person's approval
    SOURCE_ABSENT = "source-absent"
    SOURCE_DELETED = "source-deleted"  # and what was pushed of it is deleted too
    OWING = (
        "owing"  # what was pushed cannot be deleted: its store is gone for good, or closed to this namespace
    )


class Report(Effect, frozen=True, kw_only=True):
    """Write the status, and tell of it in an event. Holds all that the message is made of."""

    outcomes = (Reported, Absent, Refused, Denied, Unavailable, Cancelled)
    writes = Writes.CLUSTER

    verdict: Verdict
    now: float | None = None
    failure: Failure | None = None
    stores: tuple[StoreFacts, ...] = ()
    store: int | None = None
    target: TargetFacts | None = None
    change: Change | None = None
    keys: int | None = None
    absent: tuple[AbsentKey, ...] = ()
    synced: SyncedVersion | None = None
    read_at: float | None = None  # when the oldest of what is in the target was read, with `synced`
    former: ResourceName | None = None
    rules: tuple[BrokenRule, ...] = ()
    fields: tuple[FieldPath, ...] = ()
    last_good: float | None = None
    failing_since: float | None = None
    standing: StoreReason | None = None
    source: ResourceName | None = None
    failed: int = 0  # entries that could not be pushed or deleted, with `failure` of one of them
    pending: int = 0  # entries whose change waits for a person
    settled: tuple[
        int, ...
    ] = ()  # stores where nothing is left of what was owed, for the project itself is gone
    leaving: bool = False  # the resource is being deleted
    keeps_existing: bool = False  # what was there already is left as it is
    pushes: bool = False  # it is about a PushSecret
