"""The routes of the server, and which age knows which."""

from collections.abc import Callable, Generator, Mapping
from functools import partial
from urllib.parse import unquote

import msgspec

from adapters.infisical.transport import Answer
from reconciler.standin import (
    administration,
    aws_login,
    azure_login,
    batches,
    federated,
    gcp_login,
    ldap_login,
    oci_login,
    projects,
    reading,
    sessions,
    writing,
)
from reconciler.standin.ages import Age
from reconciler.standin.calls import Call
from reconciler.standin.outbound import Outbound
from reconciler.standin.places import V3, V4, Style
from reconciler.standin.record import Kind
from reconciler.standin.world import World

Reply = Mapping[str, object]
Handler = Callable[[World, Call], Reply | Generator[Outbound, Answer, Reply]]

_LONGEST_PARAMETER = 100
_ALL = frozenset(Age)
_NEW = frozenset({Age.CURRENT})


class Route(msgspec.Struct, frozen=True):
    """One route. `path` is below `/api`; `{name}` stands for one segment. `public`: without a token."""

    method: str
    path: str
    kind: Kind
    handler: Handler
    ages: frozenset[Age] = _ALL
    public: bool = False

    @property
    def group(self) -> str:
        """The class of requests that it counts as against the limits; "": it does not count."""
        if self.kind is Kind.STATUS:
            return ""
        if "/secrets" in self.path:
            return "secrets"
        return "reads" if self.method == "GET" else "writes"

    def match(self, method: str, segments: tuple[str, ...]) -> dict[str, str] | None:
        """The parameters of a path that this route serves, else None."""
        template = tuple(self.path.split("/")[1:])
        if method != self.method or len(template) != len(segments):
            return None
        found: dict[str, str] = {}
        for wanted, given in zip(template, segments, strict=True):
            if wanted.startswith("{"):
                text = unquote(given)
                if not text or len(text) > _LONGEST_PARAMETER:
                    return None
                found[wanted[1:-1]] = text
            elif wanted != given:
                return None
        return found


_SINCE_2025 = frozenset({Age.CURRENT, Age.YEAR_2025})
_OLD = frozenset({Age.YEAR_2025, Age.YEAR_2024})

_IDENTITY = "identities/{identity}"


def _login(method: str, handler: Handler, ages: frozenset[Age] = _ALL) -> Route:
    return Route("POST", f"/v1/auth/{method}/login", Kind.LOGIN, handler, ages, public=True)


def _administration(method: str, path: str, handler: Handler) -> Route:
    return Route(method, path, Kind.ADMINISTRATION, handler)


def _attach(method: str) -> Route:
    handler = partial(administration.attach_method, method=method)
    return _administration("POST", f"/v1/auth/{method}/{_IDENTITY}", handler)


_LOGINS = (
    _login("universal-auth", sessions.log_in),
    _login(federated.KUBERNETES, federated.log_in_by_kubernetes),
    _login(federated.OIDC, federated.log_in_by_oidc),
    _login(federated.JWT, federated.log_in_by_jwt, _SINCE_2025),
    _login(ldap_login.LDAP, ldap_login.log_in_by_ldap, _SINCE_2025),
    _login(azure_login.METHOD, azure_login.log_in),
    _login(gcp_login.METHOD, gcp_login.log_in),
    _login(aws_login.METHOD, aws_login.log_in),
    _login(oci_login.METHOD, oci_login.log_in, _SINCE_2025),
    Route("GET", "/status", Kind.STATUS, administration.status, public=True),
    Route("POST", "/v1/auth/token/renew", Kind.RENEWAL, sessions.renew, public=True),
    Route("POST", "/v1/auth/token/revoke", Kind.REVOCATION, sessions.revoke, public=True),
)

_PROJECTS = (
    Route("GET", "/v1/projects/slug/{slug}", Kind.RESOLUTION, projects.by_slug, _NEW),
    Route("GET", "/v2/workspace/{slug}", Kind.RESOLUTION, projects.by_slug),
    Route("POST", "/v1/folders", Kind.FOLDER, administration.create_folder),
    Route("DELETE", "/v1/folders/{folder}", Kind.FOLDER, administration.delete_folder),
    _administration("POST", "/v1/secret-imports", administration.create_import),
    Route("POST", "/v1/events/subscribe/project-events", Kind.EVENTS, administration.subscribe, _NEW),
    _administration("GET", "/v1/workspace", projects.listed),
    _administration("GET", "/v1/workspace/{id}", projects.by_id),
    _administration("POST", "/v2/workspace", projects.create),
    _administration("DELETE", "/v2/workspace/{slug}", projects.delete),
    _administration("POST", "/v2/workspace/{id}/identity-memberships/{identity}", administration.add_member),
    _administration("POST", "/v1/webhooks", administration.create_webhook),
    _administration("POST", "/v1/webhooks/{webhook}/test", administration.test_webhook),
)

_IDENTITIES = (
    _administration("POST", "/v1/identities", administration.create_identity),
    _administration("DELETE", f"/v1/{_IDENTITY}", administration.delete_identity),
    _administration("POST", f"/v1/auth/universal-auth/{_IDENTITY}", administration.attach_universal_auth),
    _administration(
        "POST",
        f"/v1/auth/universal-auth/{_IDENTITY}/client-secrets",
        administration.create_client_secret,
    ),
    _attach(federated.KUBERNETES),
    _attach(federated.OIDC),
    _attach(federated.JWT),
    _attach(ldap_login.LDAP),
    _attach(aws_login.METHOD),
    _attach(azure_login.METHOD),
    _attach(gcp_login.METHOD),
    _attach(oci_login.METHOD),
)


def _secrets(style: Style, one: str, many: str, ages: frozenset[Age]) -> tuple[Route, ...]:
    """The routes on secrets below `one`, and the batches at `many`, which are found first."""
    name = f"{one}/{{name}}"
    return (
        Route("POST", many, Kind.BATCH_CREATION, partial(batches.create, style=style), ages),
        Route("PATCH", many, Kind.BATCH_UPDATE, partial(batches.update, style=style), ages),
        Route("DELETE", many, Kind.BATCH_DELETION, partial(batches.delete, style=style), ages),
        Route("GET", one, Kind.LISTING, partial(reading.list_secrets, style=style), ages),
        Route("GET", name, Kind.SINGLE, partial(reading.get_secret, style=style), ages),
        Route("POST", name, Kind.CREATION, partial(writing.create, style=style), ages),
        Route("PATCH", name, Kind.UPDATE, partial(writing.update, style=style), ages),
        Route("DELETE", name, Kind.DELETION, partial(writing.delete, style=style), ages),
    )


_SECRETS = (
    *_secrets(V4, "/v4/secrets", "/v4/secrets/batch", _NEW),
    *_secrets(V3, "/v3/secrets/raw", "/v3/secrets/batch/raw", _ALL),
    Route("POST", "/v3/secrets/{name}", Kind.CREATION, writing.create_encrypted, _OLD),
    Route("DELETE", "/v3/secrets/{name}", Kind.DELETION, writing.delete_encrypted, _OLD),
)

_TABLE = (*_LOGINS, *_PROJECTS, *_IDENTITIES, *_SECRETS)


def find_route(age: Age, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a path that begins with `/api`, and its parameters. One slash at the end is ignored."""
    if not path.startswith("/api/"):
        return None
    below = path[len("/api/") :]
    segments = tuple((below[:-1] if below.endswith("/") else below).split("/"))
    for route in _TABLE:
        if age in route.ages:
            parameters = route.match(method, segments)
            if parameters is not None:
                return route, parameters
    return None
