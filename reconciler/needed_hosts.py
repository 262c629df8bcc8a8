"""Which Infisical servers a resource needs."""

import functools
from collections.abc import Iterator

from adapters.cluster import Object
from adapters.infisical import address as addresses
from adapters.infisical.address import Address
from adapters.journal import Subject
from adapters.resources.kinds import EXTERNAL_SECRET, PUSH_SECRET
from machines.names import Host
from reconciler.push_references import choices_of, recorded_stores
from reconciler.stores import StoreView
from reconciler.surroundings import Views
from reconciler.triggers import stores_of


def _pushed_to(resource: Object | None, views: Views) -> Iterator[StoreView | None]:
    """The stores that a PushSecret names, chooses or has pushed to."""
    if resource is None:
        return
    for kind, namespace, name in recorded_stores(resource):
        yield views.stores[kind].get((namespace, name))
    for choice in choices_of(resource):
        if choice.name is not None:
            yield views.stores[choice.kind].get((choice.namespace, choice.name))


@functools.lru_cache(maxsize=1000)
def _host_of(host_api: str) -> Host | None:
    address = addresses.parsed(host_api)
    return address.host if isinstance(address, Address) else None


def hosts_of(subject: Subject, views: Views) -> Iterator[Host]:
    """The hosts that a resource needs, as far as watches told of it and of its stores."""
    place = (subject.namespace, subject.name)
    if subject.kind in views.stores:
        found: list[StoreView | None] = [views.stores[subject.kind].get(place)]
    elif subject.kind == PUSH_SECRET.name:
        found = list(_pushed_to(views.push_secrets.get(place), views))
    else:
        resource = views.external_secrets.get(place) if subject.kind == EXTERNAL_SECRET.name else None
        found = [
            views.stores[kind].get((namespace, name))
            for kind, namespace, name in (stores_of(resource, place[0]) if resource is not None else ())
        ]
    for view in found:
        infisical = (
            view.store.spec.provider.infisical if view is not None and view.store is not None else None
        )
        host = _host_of(infisical.host_api) if infisical is not None else None
        if host is not None:
            yield host
