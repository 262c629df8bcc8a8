"""The cluster protocol, answered by a Kubernetes API server, over kubernetes-asyncio's client.

Objects stay plain JSON. The library's `Watch` is not used: it makes a second client, repeats an expired version
after a 410, has no read time-out and parses each event twice.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from adapters.cluster import (
    Conflict,
    Done,
    Expired,
    Kind,
    Listed,
    ListResult,
    Object,
    Read,
    Selection,
    Unavailable,
    WatchEvent,
    Written,
    applicable,
)
from adapters.kubernetes.requests import APPLY, JSON, JSON_PATCH, MERGE_PATCH, PAUSES, Connection, Request
from adapters.kubernetes.watching import events, with_kind
from adapters.resources.kinds import kind_of

PAGE_SIZE = 500

_PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class KubernetesCluster:
    """A Kubernetes API server. Made by `adapters.kubernetes.connect`; ended by `close`."""

    def __init__(self, connection: Connection, namespace: str = "") -> None:
        """`namespace` is that of the pod, or the one that the kubeconfig names; "" where there is none."""
        self._connection = connection
        self.namespace = namespace

    async def close(self) -> None:
        """Close all connections; open watches end."""
        await self._connection.close()

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        request = Request("GET", _path(kind, namespace, name), "get", kind.plural)
        match await self._connection.call(request, PAUSES):
            case dict() as object:
                return Done(object)
            case Conflict() | Expired():  # no server answers a GET so
                return Unavailable()
            case failure:
                return failure

    async def list(self, selection: Selection) -> ListResult:
        items: list[Object] = []
        request = Request(
            "GET",
            _path(selection.kind, selection.namespace),
            "list",
            selection.kind.plural,
            accept=_PARTIAL_LIST if selection.metadata_only else JSON,
        )
        rest: dict[str, str] = {}
        while True:
            query = [*_query(selection), ("limit", str(PAGE_SIZE)), *rest.items()]
            page = await self._connection.call(msgspec.structs.replace(request, query=query))
            if isinstance(page, Conflict):  # no server answers a GET so
                return Unavailable()
            if not isinstance(page, dict):
                return page
            metadata, found = page["metadata"], page.get("items")
            found = [] if found is None else found
            if not metadata.get("resourceVersion") or not isinstance(found, list):
                return Unavailable()  # an answer, but no list: it must not pass for an empty cluster
            items.extend(with_kind(item, selection) for item in found)
            if not metadata.get("continue"):
                return Listed(items, str(metadata["resourceVersion"]))
            rest["continue"] = metadata["continue"]

    def watch(self, selection: Selection, version: str, idle: float) -> AsyncGenerator[WatchEvent, None]:
        options = [("watch", "1"), ("allowWatchBookmarks", "true"), ("resourceVersion", version)]
        request = Request(
            "GET",
            _path(selection.kind, selection.namespace),
            "watch",
            selection.kind.plural,
            query=[*_query(selection), *options],
            accept=_PARTIAL if selection.metadata_only else JSON,
        )
        return events(self._connection, request, selection, version, idle)

    async def apply(
        self, object: Object, manager: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        kind, object = kind_of(object), applicable(object)
        metadata = object["metadata"]
        return await self._write(
            Request(
                "PATCH",
                _path(kind, metadata.get("namespace"), metadata["name"]),
                "patch",
                kind.plural,
                query=[("fieldManager", manager), ("force", "true")],
                body={**object, "metadata": {**metadata, **_preconditions(uid, version)}},
                content_type=APPLY,
            )
        )

    async def create(self, object: Object, manager: str) -> Written:
        kind = kind_of(object)
        path = _path(kind, object["metadata"].get("namespace"))
        query = [("fieldManager", manager)]
        return await self._write(Request("POST", path, "create", kind.plural, query=query, body=object))

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        return await self._write(
            Request(
                "PATCH",
                _path(kind, namespace, name),
                "patch",
                kind.plural,
                query=[("fieldManager", manager)],
                body=[dict(operation) for operation in operations],
                content_type=JSON_PATCH,
            )
        )

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
        return await self._write(
            Request(
                "PATCH",
                _path(kind, namespace, name) + "/status",
                "patch",
                f"{kind.plural}/status",
                query=[("fieldManager", manager)],
                body={"status": dict(status), "metadata": _preconditions(None, version)},
                content_type=MERGE_PATCH,
            )
        )

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": _preconditions(uid, version),
        }
        path = _path(kind, namespace, name)
        written = await self._write(Request("DELETE", path, "delete", kind.plural, body=options))
        return Done() if isinstance(written, Done) else written

    async def _write(self, request: Request) -> Written:
        match await self._connection.call(request, PAUSES):
            case dict() as object:
                return Done(object)
            case Expired():  # no server answers a write so
                return Unavailable()
            case failure:
                return failure


def _preconditions(uid: str | None, version: str | None) -> dict[str, str]:
    given = (("uid", uid), ("resourceVersion", version))
    return {field: value for field, value in given if value is not None}


def _path(kind: Kind, namespace: str | None, name: str | None = None) -> str:
    path = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    if kind.namespaced and namespace:
        path += f"/namespaces/{quote(namespace, safe='')}"
    path += f"/{kind.plural}"
    return path if name is None else f"{path}/{quote(name, safe='')}"


def _query(selection: Selection) -> list[tuple[str, str]]:
    selectors = (("labelSelector", selection.labels), ("fieldSelector", selection.fields))
    return [(name, selector) for name, selector in selectors if selector]
