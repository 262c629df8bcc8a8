"""What the real API server makes of an object, without storing it; synchronous, for property tests."""

import http.client
import json
from typing import Self
from urllib.parse import urlsplit

import msgspec

from adapters.cluster import Kind, Object
from tests.apiserver.access import Access
from tests.apiserver.client import path_of


class Refusal(msgspec.Struct, frozen=True):
    """The server's answer to what it does not take."""

    status: int
    message: str


class DryRun:
    """One connection to the server: `with DryRun(access) as server: server.create(kind, object)`."""

    def __init__(self, access: Access) -> None:
        address = urlsplit(access.url)
        assert address.hostname is not None
        self._connection = http.client.HTTPSConnection(
            address.hostname, address.port, context=access.ssl_context(), timeout=30
        )
        self._headers = {"Authorization": f"Bearer {access.token}", "Content-Type": "application/json"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def create(self, kind: Kind, object: Object) -> Object | Refusal:
        """As `kubectl create --dry-run=server`."""
        return self._send("POST", self._path(kind, ""), object)

    def replace_status(self, kind: Kind, object: Object) -> Object | Refusal:
        """The status of an object that is there, in the namespace `default`."""
        return self._send("PUT", self._path(kind, object["metadata"]["name"], "status"), object)

    def _path(self, kind: Kind, name: str, subresource: str = "") -> str:
        resource = f"{kind.api_version}/{kind.plural}"
        return path_of(resource, "default" if kind.namespaced else "", name, subresource)

    def _send(self, method: str, path: str, object: Object) -> Object | Refusal:
        query = "?dryRun=All&fieldValidation=Ignore"
        self._connection.request(method, path + query, json.dumps(object), self._headers)
        response = self._connection.getresponse()
        answer: Object = json.loads(response.read())
        if response.status < http.client.BAD_REQUEST:
            return answer
        return Refusal(response.status, str(answer["message"]))
