"""Conditions of a status: one list entry a type, whose time changes only when its status does."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.cluster import Object
from adapters.resources.times import time_text


def ready_of(object: Object) -> Mapping[str, Any] | None:
    """The Ready condition of an object, if it has one."""
    for condition in (object.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "Ready":
            return dict(condition)
    return None


def with_ready(
    conditions: Sequence[Mapping[str, Any]], *, status: bool, reason: str, message: str, now: float
) -> list[dict[str, Any]]:
    """The conditions with Ready as given, the others as they are."""
    ready = {
        "type": "Ready",
        "status": "True" if status else "False",
        "reason": reason,
        "message": message,
        "lastTransitionTime": time_text(now),
    }
    kept = [dict(condition) for condition in conditions if condition.get("type") != "Ready"]
    for condition in conditions:
        if condition.get("type") == "Ready" and condition.get("status") == ready["status"]:
            ready["lastTransitionTime"] = condition.get("lastTransitionTime") or ready["lastTransitionTime"]
    return [ready, *kept]
