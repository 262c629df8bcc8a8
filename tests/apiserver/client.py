"""A thin client of the Kubernetes API for the tests: plain JSON in and out, over aiohttp.

It shares no code with the program's own client, so that the tests do not judge that client by itself. A kind of
resource is named by its part of the path: `v1/secrets`, `external-secrets.io/v1/externalsecrets`.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Self

import aiohttp

from tests.apiserver.access import Access

Object = dict[str, Any]
Rule = Mapping[str, Sequence[str]]

FIELD_MANAGER = "test"
SECONDS_BETWEEN_LOOKS = 0.03

APPLY = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class ApiError(Exception):
    """The server said no: `status` is the HTTP code, `reason` its word for it (`NotFound`, `Forbidden`)."""

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {answer.get('reason', '')}: {answer.get('message', '')}")
        self.status = status
        self.reason = str(answer.get("reason", ""))
        self.message = str(answer.get("message", ""))


class ApiClient:
    """Requests in the name of one user: `async with ApiClient(server.access) as api`."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._plurals: dict[tuple[str, str], tuple[str, bool]] = {}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            self.access.url,
            connector=aiohttp.TCPConnector(ssl=self.access.ssl_context()),
            headers={"Authorization": f"Bearer {self.access.token}"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    @asynccontextmanager
    async def as_user(self, name: str, token: str) -> "AsyncIterator[ApiClient]":
        """The same server, by the holder of another token."""
        async with ApiClient(self.access.as_user(name, token)) as client:
            yield client

    async def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Object:
        """Any request; raises ApiError unless the answer is 2xx."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        async with self._session.request(method, path, data=data, headers=headers, params=query) as response:
            answer = await response.read()
            content = json.loads(answer) if response.content_type == "application/json" else answer.decode()
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise ApiError(
                    response.status, content if isinstance(content, dict) else {"message": content}
                )
            return content if isinstance(content, dict) else {"text": content}

    async def get(self, resource: str, name: str, namespace: str = "") -> Object:
        return await self.request("GET", path_of(resource, namespace, name))

    async def find(self, resource: str, name: str, namespace: str = "") -> Object | None:
        """As get; None where there is none."""
        try:
            return await self.get(resource, name, namespace)
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def list(self, resource: str, namespace: str = "", **query: str) -> list[Object]:
        """All of a namespace, or of all; `query` as the API has it (`labelSelector`, `fieldSelector`)."""
        items: list[Object] = (await self.request("GET", path_of(resource, namespace), query=query))["items"]
        return items

    async def create(self, object: Object) -> Object:
        """A manifest, as it is."""
        return await self.request("POST", await self._path_of_object(object, named=False), object)

    async def apply(self, object: Object, manager: str = FIELD_MANAGER) -> Object:
        """Server-side apply of a manifest, forced."""
        query = {"fieldManager": manager, "force": "true"}
        path = await self._path_of_object(object, named=True)
        return await self.request("PATCH", path, object, content_type=APPLY, query=query)

    async def merge(
        self, resource: str, name: str, namespace: str, patch: object, subresource: str = ""
    ) -> Object:
        """A merge patch: None removes a field."""
        path = path_of(resource, namespace, name, subresource)
        return await self.request("PATCH", path, patch, content_type=MERGE_PATCH)

    async def delete(self, resource: str, name: str, namespace: str = "", policy: str = "Background") -> None:
        await self.request("DELETE", path_of(resource, namespace, name), {"propagationPolicy": policy})

    async def watch_opens(self, resource: str) -> bool:
        """Whether the server takes a watch of this resource now; ApiError where it refuses it."""
        query = {"watch": "true", "timeoutSeconds": "1"}
        async with self._session.get(path_of(resource), params=query) as response:
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise ApiError(response.status, {"message": await response.text()})
            if response.connection is not None and response.connection.transport is not None:
                # The watch goes on. A farewell on the wire might outlive the event loop, and leave an open socket.
                response.connection.transport.abort()
            return True

    async def secret(self, name: str, namespace: str) -> dict[str, str] | None:
        """The decoded data of a Secret; None where there is none."""
        found = await self.find("v1/secrets", name, namespace)
        if found is None:
            return None
        return {key: base64.b64decode(value).decode() for key, value in found.get("data", {}).items()}

    async def until(
        self,
        resource: str,
        name: str,
        namespace: str,
        holds: Callable[[Object | None], bool],
        within: float = 10.0,
    ) -> Object | None:
        """Reads an object until `holds` (None: it is not there); AssertionError after `within` seconds."""
        found: Object | None = None

        async def looks_right() -> bool:
            nonlocal found
            found = await self.find(resource, name, namespace)
            return holds(found)

        try:
            await eventually(looks_right, within)
        except TimeoutError:
            raise AssertionError(
                f"after {within} s, {resource} {namespace}/{name} is {_safe(found)}"
            ) from None
        return found

    async def _path_of_object(self, object: Object, *, named: bool) -> str:
        version, kind = object["apiVersion"], object["kind"]
        if (version, kind) not in self._plurals:
            for found in (await self.request("GET", path_of(version)))["resources"]:
                if "/" not in found["name"]:
                    self._plurals[version, found["kind"]] = (found["name"], found["namespaced"])
        if (version, kind) not in self._plurals:
            raise ApiError(HTTPStatus.NOT_FOUND, {"reason": "NoSuchKind", "message": f"{version} {kind}"})
        plural, namespaced = self._plurals[version, kind]
        metadata = object["metadata"]
        namespace = metadata.get("namespace", "default") if namespaced else ""
        return path_of(f"{version}/{plural}", namespace, metadata["name"] if named else "")


def path_of(resource: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """`v1/secrets`, `ns`, `a` -> `/api/v1/namespaces/ns/secrets/a`."""
    version_parts = 1 if _is_core(resource) else 2
    parts = resource.split("/")
    version, plural = parts[:version_parts], parts[version_parts:]
    scope = ["namespaces", namespace] if namespace else []
    path = ["api" if _is_core(resource) else "apis", *version, *scope, *plural, name, subresource]
    return "/" + "/".join(part for part in path if part)


def _is_core(resource: str) -> bool:
    return resource.split("/")[0] == "v1"


def _safe(found: Object | None) -> str:
    """Without the data of a Secret."""
    return "absent" if found is None else json.dumps({**found, "data": "..."} if "data" in found else found)


async def eventually(holds: Callable[[], Awaitable[bool]], within: float = 10.0) -> None:
    """Asks again and again until it holds; TimeoutError after `within` seconds."""
    async with asyncio.timeout(within):
        while True:
            if await holds():
                return
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
