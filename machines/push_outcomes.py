"""Outcomes that only pushing gives. See `machines.outcomes`."""

from machines.names import FieldPath, ResourceName, ResourceVersion, SyncedVersion
from machines.outcomes import Denied, Invalid, Missing, Observed, Outcome, StoreFacts

EntryFailure = Invalid | Denied | Missing
"""What can be wrong with one entry, so that the others are pushed all the same."""


class PushSecretObserved(Observed, frozen=True, kw_only=True, tag="observed"):
    """A PushSecret and its stores: those that its spec names, then those that only its record knows.

    `named`, `recorded` and `guarded` say for each store whether the spec names it, how many entries the record has
    of it, and whether it cannot go away before its clean-up.
    """

    unsupported: tuple[FieldPath, ...] = ()  # asked for, and not built
    wanted: SyncedVersion  # of the resource as it is now
    synced: SyncedVersion | None = None
    refreshed: float | None = None  # status.refreshTime
    interval: float = 3600.0  # 0: not periodically
    deletes: bool = False  # deletionPolicy Delete
    keeps_existing: bool = False  # updatePolicy IfNotExists
    abandons: bool = False  # its author gave up what is left at stores
    source: ResourceName | None = None  # the Secret that is pushed; None: those that labels choose
    source_there: bool = True
    source_changed: bool = False  # the source is not what this process, or the status, last knew of
    stores: tuple[StoreFacts, ...] = ()
    named: tuple[bool, ...] = ()
    recorded: tuple[int, ...] = ()
    guarded: tuple[bool, ...] = ()
    strangers: bool = False  # the stores that it names or chooses are not those that the record knows
    hold_back: bool = True  # a store that is not ready holds back what uses it
    failures: int = 0  # how often in a row this process tried it in vain
    failed: bool = False  # its status tells of a failure


class Gathered(Outcome, frozen=True, kw_only=True):
    """The source was read and expanded. For each store: how many entries shall be there, and how many of the record
    shall not be there any more."""

    entries: tuple[int, ...]
    owed: tuple[int, ...]


class FinalizerAdded(Outcome, frozen=True, kw_only=True):
    """Our finalizer is on the resource; its version since then."""

    version: ResourceVersion


class Guarded(Outcome, frozen=True, kw_only=True):
    """The store stays until what was pushed to it is cleaned up."""


class Compared(Outcome, frozen=True, kw_only=True):
    """What differs between what shall be at a store and what is there. All are numbers, of secrets or of entries."""

    writes: int = 0  # secrets to create or to update
    deletions: int = 0  # secrets to delete
    grows: bool = False  # the record lacks an entry that will be ours
    pending: int = 0  # entries whose change was filed already, and waits for a person
    failed: int = 0  # entries that cannot be pushed
    failure: EntryFailure | None = None  # of the first of them


class Recorded(Outcome, frozen=True, kw_only=True):
    """The status names all that will be ours; the resource's version since then."""

    version: ResourceVersion


class Pushed(Outcome, frozen=True, kw_only=True):
    """Secrets were created and updated, as far as the failed entries go."""

    pending: int = 0
    failed: int = 0
    failure: EntryFailure | None = None


class Pruned(Outcome, frozen=True, kw_only=True):
    """Secrets were deleted, or were gone already, as far as the failed entries go."""

    pending: int = 0
    failed: int = 0
    failure: EntryFailure | None = None
