"""`explain`: from a resource to all that it rests on, the first thing that is wrong, and when it is tried next."""

from adapters.cluster import Kind, Listed, Selection
from adapters.journal import Subject
from adapters.resources.kinds import (
    CLUSTER_SECRET_STORE,
    EVENT,
    EXTERNAL_SECRET,
    NAMESPACE,
    PUSH_SECRET,
    SECRET,
    SECRET_STORE,
)
from machines.outcomes import StoreObserved, StoreState
from reconciler.explaining.external_secret import external_secret_links
from reconciler.explaining.links import Explanation, Link, Mark, note, unknown
from reconciler.explaining.next_run import next_run
from reconciler.explaining.push_secret import push_secret_links
from reconciler.explaining.resource_links import deletion_links, outlook_link
from reconciler.explaining.store_links import StoreLinks
from reconciler.foresight import Foreseen, foresee
from reconciler.looking import Onlooker
from reconciler.push_triggers import needs_store
from reconciler.stores import StoreView

EXPLAINED = (EXTERNAL_SECRET, PUSH_SECRET, SECRET_STORE, CLUSTER_SECRET_STORE)
"""The kinds that can be explained."""

_STORES = (SECRET_STORE, CLUSTER_SECRET_STORE)
_EVENTS = 3  # the latest ones


class NoSuchResource(Exception):
    """There is nothing to explain. The text says what is not there."""


async def explain(onlooker: Onlooker, kind: Kind, subject: Subject) -> Explanation:
    """Look, and explain one resource. Raises NoSuchResource, CannotLook."""
    wanted = {NAMESPACE, *_STORES, PUSH_SECRET if kind in _STORES else kind}
    if kind.namespaced:
        wanted.add(SECRET)
    await onlooker.look(wanted, needed=(kind,))
    if kind in onlooker.not_installed:
        raise NoSuchResource(f"the kind {kind.name} is not installed in the cluster: apply the CRDs")
    foreseen = await foresee(onlooker, kind, subject, due=True)
    if foreseen.object is None:
        raise NoSuchResource(f"there is no {subject}")
    links = [
        unknown("cluster", f"you may not list {one.plural}: what rests on them cannot be told")
        for one in sorted(onlooker.unseen, key=lambda one: one.plural)
    ]
    links += await _links(onlooker, kind, foreseen)
    comes: tuple[str, ...]
    if _is_blind(onlooker, foreseen):
        comes = (
            "When it is tried next, and why then, cannot be told without the right to look at all of these.",
        )
    else:
        if not any(link.mark is Mark.WRONG for link in links):
            links.extend(outlook_link(foreseen))
        comes = tuple(next_run(kind.name, await foresee(onlooker, kind, subject, due=False)))
    return Explanation(
        resource=str(subject), links=tuple(links), next_run=comes, events=await _events(onlooker, subject)
    )


def _is_blind(onlooker: Onlooker, foreseen: Foreseen) -> bool:
    """Whether what a run would come to hangs on what may not be looked at."""
    stores = getattr(foreseen.run.facts.observed, "stores", ())
    unseen = {kind.name for kind in onlooker.unseen}
    return SECRET.name in unseen or any(
        store.kind in unseen and store.state is StoreState.ABSENT for store in stores
    )


async def _links(onlooker: Onlooker, kind: Kind, foreseen: Foreseen) -> list[Link]:
    if kind == EXTERNAL_SECRET:
        return [link async for link in external_secret_links(onlooker, foreseen)]
    if kind == PUSH_SECRET:
        return [link async for link in push_secret_links(onlooker, foreseen)]
    seen, view = foreseen.run.facts.observed, foreseen.payload.store
    assert isinstance(seen, StoreObserved)
    links = await StoreLinks(onlooker, view.namespace).of(seen.store, view)
    return [*deletion_links(view.object), *_needs(onlooker, view), *links]


def _needs(onlooker: Onlooker, view: StoreView) -> list[Link]:
    """Who keeps a store that is being deleted from going: PushSecrets that clean up through it."""
    if not view.object["metadata"].get("deletionTimestamp"):
        return []
    names = sorted(
        "/".join(place) for place, one in onlooker.surroundings.views.push_secrets if needs_store(one, view)
    )
    return [note("deletion", f"the PushSecrets that need it to clean up: {', '.join(names) or 'none'}")]


async def _events(onlooker: Onlooker, subject: Subject) -> tuple[str, ...]:
    """The latest events about a resource, the newest last; none where they may not be listed."""
    listed = await onlooker.cluster.list(Selection(EVENT, namespace=subject.namespace or "default"))
    if not isinstance(listed, Listed):
        return ()
    about = [
        (str(event.get("eventTime") or event.get("deprecatedLastTimestamp") or ""), event)
        for event in listed.items
        if (event.get("regarding") or {}).get("kind") == subject.kind
        and event["regarding"].get("name") == subject.name
    ]
    latest = sorted(about, key=lambda one: one[0])[-_EVENTS:]
    return tuple(
        f"{time[:19]} {event.get('type', '')} {event.get('reason', '')}: {event.get('note', '')}"
        for time, event in latest
    )


__all__ = ["EXPLAINED", "Explanation", "Mark", "NoSuchResource", "explain"]
