"""The links that every resource has: its manifest, whether it is going away, and what its condition tells."""

from collections.abc import Iterator

from adapters.cluster import Object
from machines.effects import Report, Verdict
from reconciler.conditions import ready_of
from reconciler.explaining.links import Link, fine, note, unknown, wrong
from reconciler.foresight import Foreseen
from reconciler.messages import message_of
from reconciler.push_reasons import PENDING

GOOD = frozenset(
    {
        *(Verdict.SYNCED, Verdict.RETAINED, Verdict.VALID, Verdict.UNKNOWN, Verdict.STANDING),
        *(Verdict.PENDING, Verdict.SOURCE_DELETED),
    }
)
"""Verdicts under which nothing is wrong."""


def manifest_link(report: Report | None) -> Link:
    """Whether the manifest can be worked on as it stands."""
    if report is not None and report.verdict in (Verdict.RULES_BROKEN, Verdict.UNSUPPORTED):
        return wrong("manifest", message_of(report))
    return fine("manifest", "keeps all rules, and asks for nothing that is not built")


def deletion_links(object: Object) -> Iterator[Link]:
    """That it is being deleted, and what it waits for."""
    metadata = object["metadata"]
    if metadata.get("deletionTimestamp"):
        held = ", ".join(metadata.get("finalizers") or ()) or "nothing but a moment"
        yield note("deletion", f"asked for at {metadata['deletionTimestamp']}; it waits for {held}")


def condition_link(object: Object) -> Link:
    """What the controller told of it the last time."""
    ready = ready_of(object)
    if ready is None:
        return unknown(
            "condition", "there is none: it was not looked at yet. Does a controller run, for its namespace?"
        )
    since = f" (since {ready['lastTransitionTime']})" if ready.get("lastTransitionTime") else ""
    told = f"{ready.get('reason') or 'no reason'}: {ready.get('message') or 'no message'}"
    refreshed = (object.get("status") or {}).get("refreshTime")
    if ready.get("status") == "True":
        return fine("condition", told + (f", as of {refreshed}" if refreshed else ""))
    return (note if ready.get("reason") == PENDING else wrong)("condition", f"{told}{since}")


def outlook_link(foreseen: Foreseen) -> Iterator[Link]:
    """What the next run would tell, where it would not be well and needs nobody to be asked."""
    report = foreseen.report
    if report is not None and report.verdict not in GOOD:
        yield wrong("next run", f"would say: {message_of(report)}")
