"""The routes of secrets in both versions, with all parameters always said: their defaults differ between ages."""

import enum
import urllib.parse

from adapters.infisical.places import Place, View
from adapters.infisical.secret_text import SecretText
from adapters.infisical.transport import Request


class Version(enum.Enum):
    """A version of the routes of secrets."""

    V4 = "v4"
    V3 = "v3"


_ROUTES = {Version.V4: "/api/v4/secrets", Version.V3: "/api/v3/secrets/raw"}
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
