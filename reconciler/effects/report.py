"""Telling: the status of a resource, and events about it. Nothing is written that stands there already."""

from collections.abc import Mapping
from typing import Any

import structlog

from adapters import cluster
from adapters.cluster import Object
from adapters.resources.kinds import (
    CLUSTER_EXTERNAL_SECRET,
    CLUSTER_PUSH_SECRET,
    EXTERNAL_SECRET,
    PUSH_SECRET,
)
from adapters.resources.times import time_text
from machines.effects import Report, Verdict
from machines.outcomes import (
    Absent,
    Change,
    Denied,
    Outcome,
    Refused,
    Reported,
    Service,
    StoreState,
    Trouble,
    Unavailable,
)
from reconciler.conditions import ready_of, with_ready
from reconciler.effects.cluster_failures import denied, refused, unavailable
from reconciler.events import COMPONENT
from reconciler.failure_texts import failure_text
from reconciler.messages import message_of
from reconciler.payload import Payload, PushSecretPayload
from reconciler.push_reasons import ERRORED, reason_of_push
from reconciler.push_record import change
from reconciler.store_reasons import reason_of_store
from reconciler.surroundings import Surroundings, Validation

log = structlog.get_logger()

_GOOD = frozenset({Verdict.SYNCED, Verdict.RETAINED, Verdict.VALID, Verdict.UNKNOWN, Verdict.STANDING})


class Reporter:
    """Performs Report for every kind: what the status becomes is a function of the report."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings
        self._complaint = ""

    async def __call__(self, effect: Report, payload: Payload) -> Outcome:
        """Patches the status where it changes, then tells events."""
        if payload.object is None:  # it could not even be observed: there is nothing to write to
            return Unavailable(service=Service.CLUSTER, why=Trouble.FAULT)
        before = payload.object
        message = message_of(effect)
        now = effect.now if effect.now is not None else self._with.clock.now()
        status = _status(effect, payload, message, now)
        written = await self._write(payload, before, status, effect.settled)
        self._complain(written)
        if not isinstance(written, Reported):
            return written
        self._remember(effect, payload)
        self._tell(effect, payload, before, message)
        return written

    async def _write(
        self, payload: Payload, before: Object, status: Mapping[str, Any], settled: tuple[int, ...]
    ) -> Outcome:
        standing = before.get("status") or {}
        changed = {name: value for name, value in status.items() if standing.get(name) != value}
        if isinstance(payload, PushSecretPayload) and (record := change(payload, settled)):
            changed["syncedPushSecrets"] = record
        if not changed:
            return Reported()
        answer = await self._with.cluster.patch_status(
            payload.kind, payload.subject.namespace, payload.subject.name, changed, COMPONENT
        )
        match answer:
            case cluster.Done(object=object) if object is not None:
                self._with.views.of(payload.kind.name).put(object)
                return Reported()
            case cluster.Absent():
                self._with.views.of(payload.kind.name).vanished(before)
                return Absent()
            case cluster.Refused():
                return refused(answer)
            case cluster.Denied():
                return denied(answer)
            case cluster.Unavailable():
                return unavailable(answer)
        return Unavailable(service=Service.CLUSTER, why=Trouble.FAULT)  # a conflict inside the API server

    def _complain(self, written: Outcome) -> None:
        """What cannot be told in a status is told in the log: once, until something else is the matter."""
        complaint = failure_text(written, None) if isinstance(written, Refused | Denied | Unavailable) else ""
        if complaint and complaint != self._complaint:
            log.warning("statuses cannot be written", why=complaint)
        self._complaint = complaint

    def _remember(self, effect: Report, payload: Payload) -> None:
        if isinstance(payload, PushSecretPayload) and effect.synced is not None:
            self._with.pushes.pushed[payload.subject] = payload.versions
        if payload.kind.name not in self._with.views.stores or effect.now is None:
            return
        memory, subject = self._with.memory, payload.subject
        if effect.verdict in (Verdict.VALID, Verdict.UNKNOWN):
            memory.validated[subject] = Validation(effect.now, payload.fingerprint)
        else:
            memory.validated.pop(subject, None)
        if effect.failure is None or effect.verdict is Verdict.UNKNOWN:
            memory.failing_since.pop(subject, None)
        else:
            memory.failing_since.setdefault(subject, effect.now)

    def _tell(self, effect: Report, payload: Payload, before: Object, message: str) -> None:
        events, about = self._with.events, before
        for notice in payload.notices:
            events.emit(about, notice.reason, notice.message, warning=True)
        if payload.kind == EXTERNAL_SECRET:
            if effect.verdict not in _GOOD and not _is_passing(effect):
                events.emit(about, "UpdateFailed", message, warning=True)
            elif effect.change in (Change.CREATED, Change.UPDATED):
                target = effect.target.name if effect.target is not None else ""
                events.emit(about, effect.change.value.capitalize(), f"Secret {target} {effect.change.value}")
            return
        reason = _reason(effect, payload)
        standing = ready_of(before) or {}
        if (standing.get("reason"), standing.get("message")) != (reason, message):
            events.emit(about, reason, message, warning=effect.verdict not in _GOOD)


def _is_passing(effect: Report) -> bool:
    """A store that is about to be validated is no event: its resources are woken in a moment."""
    states = {store.state for store in effect.stores}
    return effect.verdict is Verdict.STORE_NOT_READY and StoreState.NOT_READY not in states


def _reason(effect: Report, payload: Payload) -> str:
    if payload.kind == EXTERNAL_SECRET:
        return "SecretSynced" if effect.verdict in _GOOD else "SecretSyncedError"
    if payload.kind == PUSH_SECRET:
        return reason_of_push(effect.verdict)
    if payload.kind == CLUSTER_PUSH_SECRET:
        return ERRORED
    if payload.kind == CLUSTER_EXTERNAL_SECRET:
        return "Unsupported"
    return reason_of_store(effect).value


def _status(effect: Report, payload: Payload, message: str, now: float) -> dict[str, Any]:
    """The fields of the status that are ours to write, whole."""
    assert payload.object is not None
    standing = (payload.object.get("status") or {}).get("conditions") or ()
    good = effect.verdict in _GOOD
    conditions = with_ready(standing, status=good, reason=_reason(effect, payload), message=message, now=now)
    if payload.kind == CLUSTER_EXTERNAL_SECRET:  # its conditions have no more fields than these
        fields = ("type", "status", "message")
        conditions = [{name: one[name] for name in fields if name in one} for one in conditions]
    status: dict[str, Any] = {"conditions": conditions}
    if effect.synced is not None:
        status["refreshTime"] = time_text(effect.read_at if effect.read_at is not None else now)
        status["syncedResourceVersion"] = str(effect.synced)
        if effect.verdict is Verdict.SYNCED and effect.target is not None:
            status["binding"] = {"name": str(effect.target.name)}
    if effect.verdict in (Verdict.VALID, Verdict.UNKNOWN):
        status["capabilities"] = "ReadWrite"
    return status
