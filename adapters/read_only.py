"""A cluster that is looked at, and that nothing is written to."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, NoReturn

from adapters.cluster import Cluster, Kind, ListResult, Object, Read, Selection, WatchEvent, Written


class NothingMayBeWritten(RuntimeError):
    """Something was about to write where only looking was asked for: a defect of the program."""


class ReadOnlyCluster:
    """Reads go through to a cluster. A write raises NothingMayBeWritten, and reaches nobody."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        return await self._cluster.get(kind, namespace, name)

    async def list(self, selection: Selection) -> ListResult:
        return await self._cluster.list(selection)

    def watch(self, selection: Selection, version: str, idle: float) -> AsyncGenerator[WatchEvent, None]:
        return self._cluster.watch(selection, version, idle)

    async def apply(
        self, object: Object, manager: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        self._refuse("apply", object["kind"])

    async def create(self, object: Object, manager: str) -> Written:
        self._refuse("create", object["kind"])

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        self._refuse("patch", kind.name)

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
        self._refuse("patch the status of", kind.name)

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        self._refuse("delete", kind.name)

    @staticmethod
    def _refuse(verb: str, kind: str) -> NoReturn:
        raise NothingMayBeWritten(f"about to {verb} a {kind}")
