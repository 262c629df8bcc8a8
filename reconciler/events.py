"""Events: what happened to a resource, for `kubectl describe`. Written off the way, and never in heaps.

The same thing happening again within ten minutes is counted on the event that tells of it, and that count is
written at most once a minute.
"""

import asyncio
import collections
import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from adapters.cluster import Absent, Cluster, Conflict, Denied, Done, Object, Refused, Unavailable, Written
from adapters.resources.kinds import EVENT

COMPONENT = "infisical-reconciler"
_TOGETHER = 600.0  # seconds within which the same thing is one event
_APART = 60.0  # seconds between two writes of one event
_WAITING = 10_000  # events that wait for being written; more are dropped, and counted
_REMEMBERED = 10_000
_BREATH = 0.05  # seconds between two events while there is much to do
_PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds between attempts, while the API server cannot be used
_NOTE = 1024  # bytes that the API server takes
_STEM = 200  # characters of an object's name that the name of an event about it begins with


class _Told(msgspec.Struct):
    namespace: str
    name: str
    count: int
    last: float
    written: float


class _Waiting(msgspec.Struct, frozen=True):
    key: tuple[str, ...]
    body: Object | None  # a new event; None: its count


class EventRecorder:
    """Takes events, and writes them one after another in its own task; slowly while much else is to be done
    (`is_busy`), since what they tell of is worth more than they are."""

    def __init__(
        self,
        cluster: Cluster,
        now: Callable[[], float],
        complain: Callable[[str], None],
        is_busy: Callable[[], bool],
    ) -> None:
        self._cluster = cluster
        self._now = now
        self._complain = complain
        self._is_busy = is_busy
        self._told: collections.OrderedDict[tuple[str, ...], _Told] = collections.OrderedDict()
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(_WAITING)
        self._numbers = itertools.count()
        self._complaints: set[str] = set()

    def emit(self, about: Object, reason: str, message: str, *, warning: bool = False) -> None:
        """Tell that something happened to an object. Returns at once."""
        metadata = about["metadata"]
        kind = "Warning" if warning else "Normal"
        key = (metadata.get("uid", ""), kind, reason, message)
        now = self._now()
        told = self._told.get(key)
        if told is not None and now - told.last < _TOGETHER:
            told.count += 1
            told.last = now
            if now - told.written >= _APART:
                told.written = now
                self._wait(_Waiting(key, None))
            return
        namespace = metadata.get("namespace") or "default"
        stem = metadata["name"][:_STEM].rstrip("-.")
        name = f"{stem}.{int(now * 1e6):x}{next(self._numbers):03x}"
        self._told[key] = _Told(namespace, name, 1, now, now)
        self._told.move_to_end(key)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        self._wait(_Waiting(key, _body(about, namespace, name, kind, reason, message, now)))

    def _wait(self, waiting: _Waiting) -> None:
        try:
            self._waiting.put_nowait(waiting)
        except asyncio.QueueFull:
            self._grumble("more events than can be written; some are dropped")

    def _grumble(self, sentence: str) -> None:
        if sentence not in self._complaints:
            self._complaints.add(sentence)
            self._complain(sentence)

    async def run(self) -> None:
        """Write events until cancelled."""
        while True:
            waiting = await self._waiting.get()
            try:
                await self._write(waiting)
                if self._is_busy():
                    await asyncio.sleep(_BREATH)
            finally:
                self._waiting.task_done()

    async def flush(self) -> None:
        """Wait until everything told so far is written. `run` must be running."""
        await self._waiting.join()

    async def _write(self, waiting: _Waiting) -> None:
        for pause in _PAUSES:
            result = await self._write_once(waiting)
            if not isinstance(result, Unavailable):
                break
            await asyncio.sleep(max(pause, result.after or 0.0))
        else:
            result = await self._write_once(waiting)
        if result is not None and not isinstance(result, Done | Conflict):
            self._told.pop(waiting.key, None)  # it is told anew the next time
            if not isinstance(result, Absent):  # a namespace that is gone needs no events
                self._grumble(_complaint(result))

    async def _write_once(self, waiting: _Waiting) -> Written | None:
        if waiting.body is not None:
            return await self._cluster.create(waiting.body, COMPONENT)
        told = self._told.get(waiting.key)
        if told is None:
            return None
        series = {"count": told.count, "lastObservedTime": _micro_time(told.last)}
        operations = [{"op": "add", "path": "/series", "value": series}]
        return await self._cluster.patch(EVENT, told.namespace, told.name, operations, COMPONENT)


def _complaint(result: Written) -> str:
    match result:
        case Denied(verb=verb, resource=resource):
            return (
                f"events cannot be written: the controller may not {verb} {resource}; check its ClusterRole"
            )
        case Refused():
            return "events cannot be written: the API server refuses them"
    return "events cannot be written just now; some are lost"


def _body(
    about: Object, namespace: str, name: str, kind: str, reason: str, message: str, now: float
) -> dict[str, Any]:
    metadata = about["metadata"]
    regarding = {
        "apiVersion": about["apiVersion"],
        "kind": about["kind"],
        "name": metadata["name"],
        "uid": metadata.get("uid", ""),
        "resourceVersion": metadata.get("resourceVersion", ""),
    }
    if metadata.get("namespace"):
        regarding["namespace"] = metadata["namespace"]
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.name,
        "metadata": {"name": name, "namespace": namespace},
        "eventTime": _micro_time(now),
        "reportingController": COMPONENT,
        "reportingInstance": COMPONENT,
        "action": "Reconcile",
        "reason": reason,
        "regarding": regarding,
        "note": _shortened(message),
        "type": kind,
    }


def _shortened(message: str) -> str:
    content = message.encode()
    if len(content) <= _NOTE:
        return message
    end = "…"
    return content[: _NOTE - len(end.encode())].decode(errors="ignore") + end


def _micro_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
