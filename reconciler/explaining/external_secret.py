"""The chain of an ExternalSecret: its manifest, its stores, its target, what its condition tells."""

from collections.abc import AsyncIterator

from adapters.resources.kinds import SECRET
from machines.effects import Report, Verdict
from machines.outcomes import Drift, ExternalSecretObserved, Ownership
from reconciler.explaining.links import Link, fine, note, unknown, wrong
from reconciler.explaining.resource_links import condition_link, deletion_links, manifest_link
from reconciler.explaining.store_links import StoreLinks
from reconciler.foresight import Foreseen
from reconciler.looking import Onlooker
from reconciler.messages import message_of


async def external_secret_links(onlooker: Onlooker, foreseen: Foreseen) -> AsyncIterator[Link]:
    """All links, from the resource to its target."""
    seen, object = foreseen.run.facts.observed, foreseen.object
    if object is None or not isinstance(seen, ExternalSecretObserved):
        return
    yield manifest_link(foreseen.report)
    for link in deletion_links(object):
        yield link
    stores = StoreLinks(onlooker, object["metadata"]["namespace"])
    for facts, view in zip(seen.stores, foreseen.payload.stores, strict=True):
        for link in await stores.of(facts, view):
            yield link
    if SECRET in onlooker.unseen:
        yield unknown(f"target Secret {seen.target.name}", "may not be looked at by you")
    else:
        yield _target_link(seen)
    if seen.former is not None:
        yield note(
            "target", f"the Secret {seen.former} of before a renaming is still there: it is deleted next"
        )
    yield condition_link(object)


def _target_link(seen: ExternalSecretObserved) -> Link:
    target = seen.target
    about = f"target Secret {target.name}"
    match target.ownership:
        case Ownership.FOREIGN:
            return wrong(about, message_of(Report(verdict=Verdict.TARGET_FOREIGN, target=target)))
        case Ownership.ABSENT:
            return note(about, "is not there")
        case Ownership.UNOWNED:
            return note(about, "is there and belongs to nobody: it is taken over when it is written")
    if target.drift is not Drift.NONE:
        return note(about, "was changed by somebody else since it was written: it is mended by the next run")
    return fine(about, "is there, belongs to this resource, and is as it was written")
