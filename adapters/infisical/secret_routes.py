"""The routes of secrets in both versions, with all parameters always said: their defaults differ between ages.

No write says `skipMultilineEncoding`: set, it spoils values of several lines; left out, it stays as it was.
"""

import enum
import urllib.parse
from collections.abc import Sequence

import msgspec

from adapters.infisical.places import Place, View, judged_by_list
from adapters.infisical.secret_text import SecretText
from adapters.infisical.transport import Request
from adapters.infisical.write_terms import Write, WriteKind
from machines.names import FolderPath


class Version(enum.Enum):
    """A version of the routes of secrets."""

    V4 = "v4"
    V3 = "v3"


_ROUTES = {Version.V4: "/api/v4/secrets", Version.V3: "/api/v3/secrets/raw"}
_BATCHES = {Version.V4: "/api/v4/secrets/batch", Version.V3: "/api/v3/secrets/batch/raw"}
_METHODS = {WriteKind.CREATE: "POST", WriteKind.UPDATE: "PATCH", WriteKind.DELETE: "DELETE"}
_WORDS = {True: "true", False: "false"}


def authorization(token: SecretText) -> dict[str, str]:
    """The headers that carry a token."""
    return {"authorization": f"Bearer {token.reveal()}", "accept": "application/json"}


def list_request(version: Version, token: SecretText, place: Place, view: View, recursive: bool) -> Request:
    """All secrets of a folder, `recursive`: and of those below."""
    return Request(
        method="GET",
        path=_ROUTES[version],
        query=(*_place(version, place), *_view(version, view), ("recursive", _WORDS[recursive])),
        headers=authorization(token),
    )


def read_request(version: Version, token: SecretText, place: Place, view: View, name: str) -> Request:
    """One shared secret by its name."""
    return Request(
        method="GET",
        path=f"{_ROUTES[version]}/{urllib.parse.quote(name, safe='')}",
        query=(*_place(version, place), *_view(version, view), ("type", "shared")),
        headers=authorization(token),
    )


def written_in_batches_only(place: Place, name: str) -> bool:
    """Whether a secret cannot be written by a request of its own: what stands in its path would be another route, or
    the project is known by its slug alone."""
    return judged_by_list(name) or name == "batch" or place.project.by_slug


def write_request(version: Version, token: SecretText, place: Place, write: Write) -> Request:
    """One write by a request of its own."""
    fields = {**_fields(version, place), **_value(write)}
    path = f"{_ROUTES[version]}/{urllib.parse.quote(write.name, safe='')}"
    return _writing(_METHODS[write.kind], path, token, fields)


def batch_request(
    version: Version, token: SecretText, place: Place, kind: WriteKind, writes: Sequence[Write]
) -> Request:
    """Several writes of one kind, all or nothing. A v3 one names the project by ID and slug: servers differ in which they want."""
    fields: dict[str, object] = {
        **_fields(version, place),
        "secrets": [{"secretKey": str(write.name), **_value(write)} for write in writes],
    }
    if version is Version.V3 and place.project.slug is not None:
        fields["projectSlug"] = str(place.project.slug)
    return _writing(_METHODS[kind], _BATCHES[version], token, fields)


def folder_request(token: SecretText, place: Place, parent: FolderPath, name: str) -> Request:
    """The creation of a folder, in one that is there."""
    fields: dict[str, object] = {
        "workspaceId": place.project.id,
        "environment": str(place.environment),
        "name": name,
        "path": str(parent),
    }
    return _writing("POST", "/api/v1/folders", token, fields)


def size_in_batch(write: Write) -> int:
    """How many bytes a write adds to a batch's body, at most."""
    return len(msgspec.json.encode({"secretKey": str(write.name), **_value(write)})) + 1


def _writing(method: str, path: str, token: SecretText, fields: dict[str, object]) -> Request:
    headers = {**authorization(token), "content-type": "application/json"}
    return Request(method=method, path=path, headers=headers, body=msgspec.json.encode(fields))


def _fields(version: Version, place: Place) -> dict[str, object]:
    fields: dict[str, object] = {"environment": str(place.environment), "secretPath": str(place.folder)}
    if not place.project.by_slug:
        fields["projectId" if version is Version.V4 else "workspaceId"] = str(place.project.id)
    return fields


def _value(write: Write) -> dict[str, str]:
    return {} if write.value is None else {"secretValue": str(write.value.reveal())}


def _place(version: Version, place: Place) -> tuple[tuple[str, str], ...]:
    project = "projectId" if version is Version.V4 else "workspaceId"
    if place.project.by_slug:
        project = "workspaceSlug"
    return (
        (project, place.project.id),
        ("environment", place.environment),
        ("secretPath", place.folder),
    )


def _view(version: Version, view: View) -> tuple[tuple[str, str], ...]:
    shown = (
        ("expandSecretReferences", _WORDS[view.expand]),
        ("include_imports", _WORDS[view.imports]),
    )
    if version is Version.V3:
        return shown
    return (
        *shown,
        ("includeImports", _WORDS[view.imports]),
        ("includePersonalOverrides", "false"),
        ("viewSecretValue", "true"),
    )
