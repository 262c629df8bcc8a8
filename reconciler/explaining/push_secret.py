"""The chain of a PushSecret: its manifest, its source, its stores, what it owns there and owes, what its condition tells."""

from collections.abc import AsyncIterator, Iterator

from adapters.cluster import Object
from adapters.resources.kinds import SECRET
from machines.effects import Report
from machines.outcomes import Absent, Invalid, StoreFacts, StoreState
from machines.push_facts import USABLE
from machines.push_outcomes import PushSecretObserved
from reconciler.effects.content_faults import invalid
from reconciler.explaining.links import Link, fine, near, note, unknown, wrong
from reconciler.explaining.resource_links import condition_link, deletion_links, manifest_link
from reconciler.explaining.store_links import StoreLinks
from reconciler.failure_texts import failure_text
from reconciler.foresight import Foreseen
from reconciler.looking import Onlooker
from reconciler.payload import PushSecretPayload
from reconciler.push_references import ABANDON


async def push_secret_links(onlooker: Onlooker, foreseen: Foreseen) -> AsyncIterator[Link]:
    """All links, from the resource to its record."""
    seen, object = foreseen.run.facts.observed, foreseen.object
    if object is None or not isinstance(seen, PushSecretObserved):
        return
    yield manifest_link(foreseen.report)
    for link in deletion_links(object):
        yield link
    if not seen.deleting:
        yield _source_link(onlooker, foreseen, seen, object)
    stores = StoreLinks(onlooker, object["metadata"]["namespace"])
    for number, (facts, view) in enumerate(zip(seen.stores, foreseen.payload.stores, strict=True)):
        if (seen.named[number] and not seen.deleting) or (facts.state in USABLE and seen.recorded[number]):
            for link in await stores.of(facts, view):
                yield link
        for link in _record_links(seen, number, facts):
            yield link
    yield condition_link(object)


def _source_link(onlooker: Onlooker, foreseen: Foreseen, seen: PushSecretObserved, object: Object) -> Link:
    about = f"source Secret {seen.source}" if seen.source else "source Secrets"
    payload: PushSecretPayload = foreseen.payload
    report = foreseen.report
    if SECRET in onlooker.unseen:
        return unknown(about, "may not be looked at by you")
    if not seen.source_there:
        if seen.source is None:
            return wrong(
                about, "the labels of spec.selector.secret.selector choose no Secret of this namespace"
            )
        namespace = object["metadata"]["namespace"]
        secrets = onlooker.surroundings.views.secrets
        others = (name for (space, name), _ in secrets if space == namespace)
        return wrong(
            about,
            f"does not exist in the namespace {namespace}: create it, or mend spec.selector.secret.name"
            f"{near(seen.source, others)}",
        )
    if report is not None and report.store is None and isinstance(report.failure, Invalid):
        keys = {key for source in payload.sources for key in source.data}
        named = str(report.failure.secret_key or "")
        return wrong(about, failure_text(report.failure, None) + (near(named, keys) if named else ""))
    if isinstance(report, Report) and isinstance(report.failure, Absent):
        return wrong(about, "is gone just now")
    if payload.gathered is None:
        return unknown(about, "is there; what is pushed of it was not worked out")
    faults = [
        one.entry.fault for store in payload.gathered.values() for one in store.wanted if one.entry.fault
    ]
    if faults:
        more = f" and {len(faults) - 1} more entries cannot be pushed" if len(faults) > 1 else ""
        return wrong(about, failure_text(invalid(faults[0]), None) + more)
    return fine(about, "is there, with all keys that are pushed")


def _record_links(seen: PushSecretObserved, number: int, facts: StoreFacts) -> Iterator[Link]:
    """What is ours at a store, and what is still to be deleted there."""
    recorded, about = seen.recorded[number], f"{facts.kind} {facts.name}, record"
    if not recorded:
        return
    leaves = seen.deleting or not seen.named[number]
    entries, are = ("1 entry", "is") if recorded == 1 else (f"{recorded} entries", "are")
    if not (leaves and seen.deletes):
        yield fine(about, f"{entries} there {are} owned by this resource")
    elif seen.abandons:
        yield note(about, f"{entries} there {are} given up, as {ABANDON} says")
    elif facts.state in USABLE:
        yield note(about, f"{entries} there {are} to be deleted")
    else:
        why = "is gone" if facts.state is StoreState.ABSENT else "cannot be used from here"
        yield wrong(
            about,
            f"{entries} pushed there {are} to be deleted, and the store {why}: bring it back, or give up what is left "
            f'there by the annotation {ABANDON}: "true"',
        )
