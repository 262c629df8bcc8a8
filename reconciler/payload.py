"""What a run works on: objects, leases and values. It lives as long as the run, and nobody else refers to it.

The machine and the journal never see a payload. Its types show no value.
"""

from typing import Any

from adapters.cluster import Kind, Object
from adapters.infisical.client import Client
from adapters.infisical.leases import Lease
from adapters.infisical.places import Project
from adapters.journal import Subject
from adapters.resources.external_secrets import ExternalSecret
from adapters.resources.push_secrets import PushSecret
from adapters.resources.references import StoreReference
from reconciler.content.push_entries import Entry, Source
from reconciler.content.push_plan import Plan, Removal, Step, Wanted
from reconciler.content.values import Value
from reconciler.name_locks import RemoteSecret
from reconciler.secret_view import SecretView
from reconciler.stores import Connection, StoreView
from reconciler.surroundings import SourceVersions


class Session:
    """One store in one run: how to reach it, the lease while it is held, the project, the secrets that only this run
    may write meanwhile."""

    __slots__ = ("client", "connection", "lease", "locked", "project")

    def __init__(self) -> None:
        self.connection: Connection | None = None
        self.client: Client | None = None
        self.lease: Lease | None = None
        self.project: Project | None = None
        self.locked: tuple[RemoteSecret, ...] = ()


class Notice:
    """Something that an event shall tell besides the verdict."""

    __slots__ = ("message", "reason")

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        self.message = message


class Payload:
    """What every run has. `since`: from when on it must see the world, in the event loop's time."""

    __slots__ = ("fingerprint", "kind", "notices", "object", "sessions", "since", "store", "subject")

    def __init__(self, kind: Kind, subject: Subject, since: float) -> None:
        self.kind = kind
        self.subject = subject
        self.since = since
        self.object: Object | None = None
        self.store: StoreView | None = None  # of a run that validates a store
        self.fingerprint: tuple[str, ...] = ()  # of what a validation is about
        self.sessions: dict[int, Session] = {}
        self.notices: list[Notice] = []

    def session(self, number: int) -> Session:
        """The store of this number."""
        return self.sessions.setdefault(number, Session())

    def __repr__(self) -> str:
        return f"<Payload of {self.subject}>"


class ExternalSecretPayload(Payload):
    """What a run of an ExternalSecret has besides."""

    __slots__ = (
        *("desired", "failures", "observed_target", "read", "references"),
        *("resource", "stores", "target"),
    )

    def __init__(self, kind: Kind, subject: Subject, since: float, failures: int = 0) -> None:
        super().__init__(kind, subject, since)
        self.failures = failures  # how often in a row it was tried in vain
        self.resource: ExternalSecret | None = None
        self.references: tuple[StoreReference, ...] = ()
        self.stores: tuple[StoreView | None, ...] = ()  # of the same numbers as the references
        self.target: SecretView | None = None
        self.observed_target: Object | None = None  # whole, where it was read for this run
        self.read: dict[tuple[str, int], Value | dict[str, Value]] = {}  # by section and number of the entry
        self.desired: Object | None = None


class StorePush:
    """What one store is to hold, and what became of it in this run."""

    __slots__ = (
        *("done", "entries", "forgotten", "marked", "names", "plan"),
        *("removals", "removed", "steps", "wanted"),
    )

    def __init__(self) -> None:
        self.wanted: tuple[Wanted, ...] = ()
        self.entries: dict[str, Entry] = {}  # of `wanted`, by their names in the record
        self.names: frozenset[str] = frozenset()  # of all entries that the spec has for it, sent or not
        self.removals: tuple[Removal, ...] = ()
        self.forgotten: frozenset[str] = (
            frozenset()
        )  # of the record: not wanted, and nothing to be deleted for them
        self.plan: Plan | None = None
        self.steps: tuple[Step, ...] = ()  # of the plan, those that are to be done now
        self.done: set[str] = set()  # entries that were written or deleted
        self.removed: set[str] = set()  # of the record: deleted at Infisical
        self.marked: set[str] = set()  # whose change waits for a person


class PushSecretPayload(Payload):
    """What a run of a PushSecret has besides."""

    __slots__ = (
        *("failures", "gathered", "named", "record", "references", "resource"),
        *("sources", "stores", "versions"),
    )

    def __init__(self, kind: Kind, subject: Subject, since: float, failures: int = 0) -> None:
        super().__init__(kind, subject, since)
        self.failures = failures  # how often in a row it was tried in vain
        self.resource: PushSecret | None = None
        self.references: tuple[StoreReference, ...] = ()
        self.named: tuple[bool, ...] = ()  # of the same numbers: whether the spec names it
        self.stores: tuple[StoreView | None, ...] = ()
        self.record: dict[str, dict[str, Any]] = {}  # as the status has it now
        self.versions: SourceVersions = ()  # of the source, as watches told of it
        self.sources: tuple[Source, ...] = ()
        self.gathered: dict[int, StorePush] | None = None  # by the number of the store

    def entry(self, number: int, name: str) -> Entry | None:
        """The entry of a store by its name in the record."""
        assert self.gathered is not None
        return self.gathered[number].entries.get(name)
