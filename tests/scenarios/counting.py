"""A cluster that counts what is written to it, by verb and kind; it changes nothing of what goes through."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from adapters.cluster import Cluster, Kind, ListResult, Object, Read, Selection, WatchEvent, Written


class CountingCluster:
    """Wraps a cluster. `writes` counts requests that write, such as `apply Secret`, but for events."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.writes: Counter[str] = Counter()
        self.reads: Counter[str] = Counter()
        self.events = 0

    def _count(self, verb: str, kind: str) -> None:
        if kind == "Event":
            self.events += 1
        else:
            self.writes[f"{verb} {kind}"] += 1

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        self.reads[f"get {kind.name}"] += 1
        return await self._cluster.get(kind, namespace, name)

    async def list(self, selection: Selection) -> ListResult:
        self.reads[f"list {selection.kind.name}"] += 1
        return await self._cluster.list(selection)

    def watch(self, selection: Selection, version: str, idle: float) -> AsyncGenerator[WatchEvent, None]:
        return self._cluster.watch(selection, version, idle)

    async def apply(
        self, object: Object, manager: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        self._count("apply", object["kind"])
        return await self._cluster.apply(object, manager, uid=uid, version=version)

    async def create(self, object: Object, manager: str) -> Written:
        self._count("create", object["kind"])
        return await self._cluster.create(object, manager)

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        self._count("patch", kind.name)
        return await self._cluster.patch(kind, namespace, name, operations, manager)

    async def patch_status(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        status: Mapping[str, Any],
        manager: str,
        *,
        version: str | None = None,
    ) -> Written:
        self._count("status", kind.name)
        return await self._cluster.patch_status(kind, namespace, name, status, manager, version=version)

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        self._count("delete", kind.name)
        return await self._cluster.delete(kind, namespace, name, uid=uid, version=version)
