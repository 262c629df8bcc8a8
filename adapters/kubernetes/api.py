"""The cluster protocol, answered by a Kubernetes API server, over kubernetes-asyncio's client.

Of the library, the client's connection settings, authentication and requests are used; objects stay plain
JSON. Its `Watch` is not used: it makes a second client, repeats an expired version after a 410, has no read
time-out and parses each event twice.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

import aiohttp
import msgspec
from kubernetes_asyncio.client import ApiClient, Configuration

from adapters.cluster import (
    Absent,
    Change,
    ChangeType,
    Conflict,
    Denied,
    Done,
    Expired,
    Kind,
    Listed,
    ListResult,
    Object,
    Read,
    Refused,
    Selection,
    Unavailable,
    WatchEvent,
    Written,
    bookmark,
)
from adapters.kubernetes.answers import Failure, Purpose, classify, classify_event
from adapters.resources.kinds import kind_of

class KubernetesCluster:
    """A Kubernetes API server. Made by `adapters.kubernetes.connect`; ended by `close`."""

    def __init__(self, configuration: Configuration, refresh: Refresh) -> None:
        """Needs a running event loop. `refresh` renews the token in `configuration`, after an answer 401; it
        raises NoCluster when it cannot."""
        self._client = ApiClient(configuration)
        _use_own_session(self._client)
        self._configuration = configuration
        self._refresh = refresh
        self._refreshing = asyncio.Lock()

    async def close(self) -> None:
        """Close all connections; open watches end."""
        await self._client.close()

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        answer = await self._call("GET", "get", kind, _path(kind, namespace, name))
        match answer:
            case dict():
                return Done(answer)
            case Conflict() | Expired():  # no server answers a GET so
                return Unavailable()
            case _:
                return answer

    async def list(self, selection: Selection) -> ListResult:
        items: list[Object] = []
        token = ""
        while True:
            query = [*_query(selection), ("limit", str(PAGE_SIZE))]
            if token:
                query.append(("continue", token))
            page = await self._call(
                "GET",
                "list",
                selection.kind,
                _path(selection.kind, selection.namespace),
                query=query,
                accept=_PARTIAL_LIST if selection.metadata_only else _JSON,
            )
            if isinstance(page, Conflict):  # no server answers a GET so
                return Unavailable()
            if not isinstance(page, dict):
                return page
            items.extend(_with_kind(item, selection) for item in page.get("items") or [])
            metadata = page.get("metadata") or {}
            token = metadata.get("continue") or ""
            if not token:
                return Listed(items, str(metadata.get("resourceVersion") or ""))

    async def watch(
        self, selection: Selection, version: str, idle: float
    ) -> AsyncGenerator[WatchEvent, None]:
        query = [
            *_query(selection),
            ("watch", "1"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
        ]
        resource = selection.kind.plural
        try:
            async with asyncio.timeout(CALL_SECONDS):
                response = await self._request(
                    "GET",
                    _path(selection.kind, selection.namespace),
                    query=query,
                    accept=_PARTIAL if selection.metadata_only else _JSON,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                )
                failure = await self._failure(response, Purpose.READ, "watch", resource)
        except _UNREACHABLE:
            yield Unavailable()
            return
        if failure is not None:
            yield _watch_end(failure)
            return
        try:
            yield bookmark(selection.kind, version)
            async for line in _lines(response.content, idle):
                event = _event(line, selection)
                yield event
                if not isinstance(event, Change):
                    return
        except TimeoutError:
            return  # silent for too long: as if the server had ended it
        except (*_UNREACHABLE, msgspec.DecodeError):
            yield Unavailable()
        finally:
            response.close()

    async def apply(
        self, object: Object, manager: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        kind, metadata = kind_of(object), object["metadata"]
        object = {**object, "metadata": {**metadata, **_preconditions(uid, version)}}
        return await self._write(
            "PATCH",
            kind,
            _path(kind, metadata.get("namespace"), metadata["name"]),
            query=[("fieldManager", manager), ("force", "true")],
            body=object,
            content_type=_APPLY,
        )

    async def create(self, object: Object, manager: str) -> Written:
        kind = kind_of(object)
        return await self._write(
            "POST",
            kind,
            _path(kind, object["metadata"].get("namespace")),
            query=[("fieldManager", manager)],
            body=object,
        )

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        return await self._write(
            "PATCH",
            kind,
            _path(kind, namespace, name),
            query=[("fieldManager", manager)],
            body=[dict(operation) for operation in operations],
            content_type=_JSON_PATCH,
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
        body: Object = {"status": dict(status)}
        if version is not None:
            body["metadata"] = {"resourceVersion": version}
        return await self._write(
            "PATCH",
            kind,
            _path(kind, namespace, name) + "/status",
            query=[("fieldManager", manager)],
            body=body,
            content_type=_MERGE_PATCH,
            resource=f"{kind.plural}/status",
        )

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        preconditions = _preconditions(uid, version)
        body: Object = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            **({"preconditions": preconditions} if preconditions else {}),
        }
        written = await self._write("DELETE", kind, _path(kind, namespace, name), query=[], body=body)
        return Done() if isinstance(written, Done) else written

    async def _write(
        self,
        method: str,
        kind: Kind,
        path: str,
        *,
        query: Query,
        body: Any,
        content_type: str = _JSON,
        resource: str | None = None,
    ) -> Written:
        verb = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}[method]
        answer = await self._call(
            method, verb, kind, path, query=query, body=body, content_type=content_type, resource=resource
        )
        match answer:
            case dict():
                return Done(answer)
            case Expired():  # no server answers a write so
                return Unavailable()
            case _:
                return answer

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
    query = []
    if selection.labels:
        query.append(("labelSelector", selection.labels))
    if selection.fields:
        query.append(("fieldSelector", selection.fields))
    return query
