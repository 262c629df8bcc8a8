"""What the effects work with: the cluster and what is known of it, the Infisical servers, time and settings."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from adapters.auth.registry import Methods
from adapters.cluster import Cluster, Object
from adapters.infisical.hosts import Hosts
from adapters.infisical.leases import Leases
from adapters.infisical.projects import Projects
from adapters.infisical.readings import Readings
from adapters.infisical.writes import Writes
from adapters.journal import Subject
from adapters.resources.external_secrets import ExternalSecret
from adapters.resources.kinds import EXTERNAL_SECRET, PUSH_SECRET
from adapters.resources.push_secrets import PushSecret
from reconciler.caches import Cache, Place
from reconciler.driver import Clock
from reconciler.events import EventRecorder
from reconciler.name_locks import NameLocks
from reconciler.secret_view import SecretView
from reconciler.specs import Specs
from reconciler.stores import Stores, StoreView


class SecretStub(msgspec.Struct, frozen=True):
    """That there is a Secret, in which version, and with which labels.

    `changed`: when something of it last changed, as the API server's clock has it, for what happened while nobody
    watched; "" where that is not told.
    """

    uid: str
    version: str
    labels: Mapping[str, str] = {}
    changed: str = ""


class Views(msgspec.Struct, frozen=True):
    """What watches told of the cluster."""

    external_secrets: Cache[Object]
    stores: Mapping[str, Cache[StoreView]]  # by the name of their kind
    managed: Cache[SecretView]  # Secrets that carry the managed label
    secrets: Cache[SecretStub]  # all Secrets
    namespaces: Cache[dict[str, str]]  # their labels
    push_secrets: Cache[Object]
    others: Mapping[str, Cache[Object]]  # kinds without a machine of their own, by name

    def of(self, kind: str) -> Cache[Any]:
        """The cache of one of our kinds, by its name."""
        own: dict[str, Cache[Any]] = {
            EXTERNAL_SECRET.name: self.external_secrets,
            PUSH_SECRET.name: self.push_secrets,
            **self.stores,
            **self.others,
        }
        return own[kind]

    def object(self, kind: str, place: Place) -> Object | None:
        """One of our resources as watches told of it."""
        found = self.of(kind).get(place)
        return found.object if isinstance(found, StoreView) else found


class Validation(msgspec.Struct, frozen=True):
    """When a store was validated by this process, as it was then."""

    at: float
    fingerprint: tuple[str, ...]


class StoreMemory:
    """What this process remembers of its stores' validations. Losing it costs one validation each."""

    def __init__(self) -> None:
        self.validated: dict[Subject, Validation] = {}
        self.failing_since: dict[Subject, float] = {}

    def forget(self, subject: Subject) -> None:
        """The store is gone."""
        self.validated.pop(subject, None)
        self.failing_since.pop(subject, None)


SourceVersions = tuple[tuple[str, str, str], ...]
"""Name, UID and resource version of each Secret that is pushed."""


class PushMemory:
    """Which versions of their sources this process last pushed. Losing it costs a comparison for what changed since."""

    def __init__(self) -> None:
        self.pushed: dict[Subject, SourceVersions] = {}

    def forget(self, subject: Subject) -> None:
        """The resource is gone."""
        self.pushed.pop(subject, None)


class Surroundings(msgspec.Struct, frozen=True):
    """Everything that the effects need, in one place."""

    cluster: Cluster
    views: Views
    stores: Stores
    hosts: Hosts
    leases: Leases
    projects: Projects
    readings: Readings
    writes: Writes
    locks: NameLocks
    events: EventRecorder
    clock: Clock
    memory: StoreMemory
    pushes: PushMemory
    specs: Specs[ExternalSecret]
    push_specs: Specs[PushSecret]
    methods: Methods
    needs_store: Callable[[StoreView], bool]  # whether a PushSecret needs it for a clean-up
    hold_back: bool
    create_folders: bool  # whether pushing may make folders at Infisical
    store_interval: float  # seconds, for stores that name none
    organization: str | None  # slug of the one to log in to, where a store names none
