"""What a resource waits for, when it is tried next, and why then: from what the cluster tells."""

from collections.abc import Iterator

from adapters.resources import durations
from adapters.resources.times import time_text
from machines.effects import Verdict
from machines.kernel import Then
from machines.outcomes import Drift, ExternalSecretObserved, RefreshPolicy, StoreObserved, StoreState
from machines.push_outcomes import PushSecretObserved
from reconciler.backoff import CAP, FIRST
from reconciler.conditions import ready_of
from reconciler.controller import MACHINE_OF
from reconciler.foresight import Foreseen
from reconciler.push_reasons import PENDING

_BACKOFF = (
    f"after a delay that doubles with each failure, from {FIRST:.0f} s to {CAP:.0f} s and never longer than its "
    "interval; how long that is just now only the running controller knows (`trace` shows when it last tried)"
)


def next_run(kind: str, foreseen: Foreseen) -> Iterator[str]:
    """Sentences: what it waits for, and when it comes next."""
    seen, end, report = foreseen.run.facts.observed, foreseen.end, foreseen.report
    if seen is None:
        return
    if isinstance(seen, StoreObserved):
        yield from _of_store(seen, foreseen)
        return
    if foreseen.object is not None and (ready_of(foreseen.object) or {}).get("reason") == PENDING:
        yield "It waits for a person to approve its change at Infisical, and does not file it again until then."
    yield from _waits(seen)
    if end is None or (report is not None and report.verdict is Verdict.SYNCED):
        yield f"It is due now{_why_due(seen)}."
        if seen.failed:
            yield f"While it fails, it is tried again {_BACKOFF}."
        return
    match end.then:
        case Then.REFRESH:
            due = MACHINE_OF[kind].refresh_at(foreseen.run.facts)
            yield _at(due, seen)
        case Then.BACKOFF:
            yield f"It is tried again at once when what it needs changes; otherwise {_BACKOFF}."
        case Then.AGAIN:
            yield "It is run again at once."
        case _ if end.name == "gone":
            yield "It is being deleted: nothing is left to do for it."
        case _:
            yield "It is not run by this controller: its stores are others'."


def _waits(seen: ExternalSecretObserved | PushSecretObserved) -> Iterator[str]:
    """For which stores."""
    for store in seen.stores:
        if store.state is StoreState.ABSENT:
            yield f"It waits for {store.kind} {store.name} to appear, and runs at once then."
        elif store.state in (StoreState.UNVALIDATED, StoreState.NOT_READY) and seen.hold_back:
            yield f"It waits for {store.kind} {store.name} to be ready, and runs at once then."


def _why_due(seen: ExternalSecretObserved | PushSecretObserved) -> str:
    """Why a run would do something now."""
    if seen.deleting:
        return ", since it is being deleted"
    if seen.failed:
        return ", since it failed the last time"
    if seen.synced is None or seen.refreshed is None:
        return ", since it was never synced"
    if isinstance(seen, ExternalSecretObserved) and seen.target.drift is not Drift.NONE:
        return ", since its target is not as it was written"
    if isinstance(seen, PushSecretObserved) and seen.source_changed:
        return ", since its source may have changed after it was last pushed"
    if seen.synced != seen.wanted:
        return ", since it changed after it was last synced"
    return f", since its interval of {durations.formatted(seen.interval)} has passed"


def _at(due: float | None, seen: ExternalSecretObserved | PushSecretObserved) -> str:
    if due is None:
        if isinstance(seen, ExternalSecretObserved) and seen.policy is not RefreshPolicy.PERIODIC:
            return f"It comes next when something changes: its refreshPolicy is {seen.policy.value}."
        return "It comes next when something changes: its refreshInterval is 0."
    interval = durations.formatted(seen.interval)
    begun = f"{time_text(seen.refreshed)} and " if seen.refreshed is not None else ""
    return (
        f"It comes next at {time_text(due)}: {begun}its interval of {interval}, up to a tenth of it earlier in company "
        "with others; and at once when something changes."
    )


def _of_store(seen: StoreObserved, foreseen: Foreseen) -> Iterator[str]:
    assert foreseen.object is not None
    if foreseen.end is not None and foreseen.end.then is Then.FORGET:
        yield "It is not run by this controller."
        return
    ready = ready_of(foreseen.object)
    if ready is not None and ready.get("status") != "True":
        yield f"It is tried again at once when it, or a Secret that it names, changes; otherwise {_BACKOFF}."
    elif seen.interval:
        yield (
            f"It is validated every {durations.formatted(seen.interval)}, and at once when it, or a Secret that it "
            "names, changes; when the last time was only the running controller knows."
        )
    else:
        yield "It is validated when it, or a Secret that it names, changes."
