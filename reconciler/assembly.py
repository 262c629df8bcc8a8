"""Putting the controller's parts together: which kinds are watched into which caches, and what the effects work with."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import structlog

from adapters.auth.registry import Methods
from adapters.auth.settings import AuthSettings
from adapters.cluster import Cluster, Object, Selection
from adapters.infisical.hosts import Changed, Connect, Hosts
from adapters.infisical.lease_terms import Unrevoked
from adapters.infisical.leases import LINGER, Leases
from adapters.infisical.projects import Projects
from adapters.infisical.readings import Readings
from adapters.infisical.writes import Writes
from adapters.resources.external_secrets import ExternalSecret
from adapters.resources.kinds import (
    CLUSTER_EXTERNAL_SECRET,
    CLUSTER_PUSH_SECRET,
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    NAMESPACE,
    OUR_KINDS,
    PUSH_SECRET,
    SECRET,
    SECRET_STORE,
)
from adapters.resources.push_secrets import PushSecret
from reconciler.caches import Cache
from reconciler.content.metadata import LABEL_MANAGED, MANAGED
from reconciler.driver import Clock
from reconciler.events import EventRecorder
from reconciler.name_locks import NameLocks
from reconciler.secret_view import view_of
from reconciler.specs import Specs
from reconciler.stores import Stores, StoreView, view_of_store
from reconciler.surroundings import PushMemory, SecretStub, StoreMemory, Surroundings, Views
from reconciler.triggers import Triggers

log = structlog.get_logger()

_NO_LABELS: dict[str, str] = {}

KINDS = {kind.name: kind for kind in OUR_KINDS}
_OTHERS = (CLUSTER_EXTERNAL_SECRET, CLUSTER_PUSH_SECRET)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a controller shall work. Times are in seconds."""

    controller_class: str = "default"
    namespace: str | None = None  # the only one to look after; None: all of them
    concurrency: int = 256
    linger: float = LINGER
    store_interval: float = 300.0
    hold_back: bool = True
    create_folders: bool = False  # whether pushing may make folders at Infisical
    organization: str | None = None  # slug of the one to log in to, where a store names none
    auth: AuthSettings = AuthSettings()
    drain: float = 5.0  # how long runs under way may go on after a stop was asked for
    revoke: float = 10.0  # how long revocations may take then


def surroundings_of(
    cluster: Cluster,
    connect: Connect,
    clock: Clock,
    chance: random.Random,
    options: Options,
    triggers: Triggers,
    needs_store: Callable[[StoreView], bool],
    unrevoked: Callable[[Unrevoked], None],
    host_changed: Changed,
    is_busy: Callable[[], bool],
) -> Surroundings:
    """What the effects of one controller work with; its caches tell the triggers."""
    views = Views(
        external_secrets=Cache(_whole, triggers.external_secret),
        stores={
            kind.name: Cache(view_of_store, triggers.store(kind))
            for kind in (SECRET_STORE, CLUSTER_SECRET_STORE)
        },
        managed=Cache(view_of, triggers.managed_secret, lambda view: view.owner_uid),
        secrets=Cache(_stub, triggers.secret),
        namespaces=Cache(_labels, triggers.namespace),
        push_secrets=Cache(_whole, triggers.push_secret),
        others={kind.name: Cache(_whole, triggers.other(kind)) for kind in _OTHERS},
    )
    readings = Readings()
    return Surroundings(
        cluster=cluster,
        views=views,
        stores=Stores(views.stores, views.namespaces, options.controller_class),
        hosts=Hosts(connect, chance, host_changed),
        leases=Leases(options.linger, unrevoked),
        projects=Projects(),
        readings=readings,
        writes=Writes(readings, create_folders=options.create_folders),
        locks=NameLocks(),
        events=EventRecorder(cluster, clock.now, lambda sentence: log.warning(sentence), is_busy),
        clock=clock,
        memory=StoreMemory(),
        pushes=PushMemory(),
        specs=Specs(ExternalSecret),
        push_specs=Specs(PushSecret),
        methods=Methods(options.auth),
        needs_store=needs_store,
        hold_back=options.hold_back,
        create_folders=options.create_folders,
        store_interval=options.store_interval,
        organization=options.organization,
    )


def selections(views: Views, only: str | None) -> Sequence[tuple[Selection, Cache[Any]]]:
    """What is watched, and which cache it goes into. `only`: a single namespace; None: all of them."""

    def of(name: str) -> Selection:
        return Selection(KINDS[name], namespace=only if KINDS[name].namespaced else None)

    return (
        (Selection(NAMESPACE, metadata_only=True), views.namespaces),
        (Selection(SECRET, namespace=only, metadata_only=True), views.secrets),
        (Selection(SECRET, namespace=only, labels=f"{LABEL_MANAGED}={MANAGED}"), views.managed),
        *((of(name), cache) for name, cache in views.stores.items()),
        (of(EXTERNAL_SECRET.name), views.external_secrets),
        (of(PUSH_SECRET.name), views.push_secrets),
        *((of(name), cache) for name, cache in views.others.items()),
    )


def _whole(object: Object) -> Object:
    """An object as it is, but for who manages its fields, which is the largest part of it."""
    metadata = {key: value for key, value in object["metadata"].items() if key != "managedFields"}
    return {**object, "metadata": metadata}


def _stub(object: Object) -> SecretStub:
    metadata = object["metadata"]
    times = [str(entry.get("time") or "") for entry in metadata.get("managedFields") or ()]
    changed = max([str(metadata.get("creationTimestamp") or ""), *times])
    labels = metadata.get("labels") or _NO_LABELS
    return SecretStub(metadata.get("uid", ""), metadata.get("resourceVersion", ""), labels, changed)


def _labels(object: Object) -> dict[str, str]:
    return dict(object["metadata"].get("labels") or {})
