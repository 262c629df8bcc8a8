"""What the program asks of an Infisical server, answered by typed outcomes; no call raises for what a server does."""

import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from adapters.auth.login import LoginRequest
from adapters.infisical.address import Address
from adapters.infisical.answers import (
    ListBody,
    Listing,
    LoginBody,
    OneBody,
    ProjectBody,
    RemoteSecret,
    decoded,
    listing,
    project_of,
    remote_secret,
)
from adapters.infisical.exchange import Exchange, Reply, Retry
from adapters.infisical.failures import (
    LoginFailure,
    ProjectFailure,
    SecretsFailure,
    login_failure,
    not_infisical,
    project_failure,
    secrets_failure,
)
from adapters.infisical.places import ABSENT_NAME, Place, Project, View
from adapters.infisical.refusals import Asked, Meaning, Refusal
from adapters.infisical.routes import Routes
from adapters.infisical.secret_routes import Version, authorization, list_request, read_request
from adapters.infisical.secret_text import SecretText
from adapters.infisical.secret_writes import SecretWrites
from adapters.infisical.transport import Answer, Request
from machines.names import FolderPath
from machines.outcomes import Invalid, Missing, Thing


class Token(msgspec.Struct, frozen=True):
    """An access token, and the seconds until it expires (0: never, as far as the server says)."""

    value: SecretText
    expires_in: float


class Revoked(msgspec.Struct, frozen=True):
    """The token is no good any more."""


class NoSuchSecret(msgspec.Struct, frozen=True):
    """The folder is there and may be read, a secret of this name is not in it."""


class Readable(msgspec.Struct, frozen=True):
    """The folder is there and may be read."""


_JSON: Final = {"content-type": "application/json", "accept": "application/json"}
_PROJECT_ROUTES: Final = ("/api/v1/projects/slug/", "/api/v2/workspace/")
_ROOT: Final = FolderPath("/")


class Client:
    """One server, with the routes that it turned out to have."""

    def __init__(self, address: Address, exchange: Exchange, routes: Routes) -> None:
        self.address = address
        self.routes = routes
        self.writes = SecretWrites(exchange, routes)
        self._exchange = exchange

    async def login(
        self, request: LoginRequest, organisation: str | None, retry: Retry
    ) -> Token | LoginFailure:
        """A token for credentials; `organisation` (slug) where the identity is in several."""
        fields = request.revealed()
        if organisation:
            fields["organizationSlug"] = organisation
        reply = await self._exchange.send(_post(request.route, fields), Asked.LOGIN, retry)
        if not isinstance(reply, Answer):
            return login_failure(reply)
        body = decoded(reply, LoginBody)
        if body is None or not body.access_token:
            return not_infisical(reply.status)
        return Token(SecretText(body.access_token), max(0.0, body.expires_in))

    async def revoke(self, token: SecretText, retry: Retry) -> Revoked | LoginFailure:
        """End a token. One that the server does not take any more counts as revoked."""
        request = _post("/v1/auth/token/revoke", {"accessToken": token.reveal()})
        reply = await self._exchange.send(request, Asked.REVOCATION, retry)
        if isinstance(reply, Answer) or (isinstance(reply, Refusal) and reply.meaning is Meaning.TOKEN):
            return Revoked()
        return login_failure(reply)

    async def project(self, token: SecretText, slug: str, retry: Retry) -> Project | ProjectFailure:
        """The project that has this slug."""

        async def ask(route: str) -> Reply:
            path = route + urllib.parse.quote(slug, safe="")
            request = Request(method="GET", path=path, headers=authorization(token))
            return await self._exchange.send(request, Asked.PROJECT, retry)

        reply = await self.routes.projects.ask(_PROJECT_ROUTES, ask)
        if not isinstance(reply, Answer):
            failure = project_failure(reply)
            if isinstance(failure, Invalid) and "_" in slug:
                # A renamed project can have an underscore in its slug, which the project routes refuse but the
                # routes of secrets take.
                return Project(slug, by_slug=True, slug=slug)
            return failure
        body = decoded(reply, ProjectBody)
        project = project_of(body) if body is not None else None
        if project is None or project.id is None:
            return not_infisical(reply.status)
        known = project.environments
        environments = None if known is None else frozenset(each.slug for each in known)
        return Project(project.id, environments, slug=slug)

    async def list(
        self, token: SecretText, place: Place, view: View, retry: Retry, *, recursive: bool = False
    ) -> Listing | SecretsFailure:
        """The secrets of a folder, all or nothing. An empty listing, and a refused one, proves nothing: see `probe`."""

        async def ask(version: Version) -> Reply:
            request = list_request(version, token, place, view, recursive)
            return await self._exchange.send(request, Asked.SECRETS, retry)

        reply = await self._ask_secrets(place, ask)
        if not isinstance(reply, Answer):
            return await self.located(secrets_failure(reply, place), token, place, view, retry)
        body = decoded(reply, ListBody)
        if body is None:
            return not_infisical(reply.status)
        found = listing(body)
        self._learn((*found.own, *(secret for block in found.blocks for secret in block)))
        return found

    async def read(
        self, token: SecretText, place: Place, view: View, name: str, retry: Retry, *, patient: bool = True
    ) -> RemoteSecret | NoSuchSecret | SecretsFailure:
        """One secret of a folder; `name` is one that can stand in a path (`places.judged_by_list` says which cannot)."""

        async def ask(version: Version) -> Reply:
            request = read_request(version, token, place, view, name)
            return await self._exchange.send(request, Asked.SECRETS, retry, patient=patient)

        reply = await self._ask_secrets(place, ask)
        if isinstance(reply, Refusal) and reply.meaning is Meaning.NO_SECRET:
            return NoSuchSecret()
        if not isinstance(reply, Answer):
            return await self.located(secrets_failure(reply, place, name), token, place, view, retry)
        body = decoded(reply, OneBody)
        if body is None:
            return not_infisical(reply.status)
        secret = remote_secret(body.secret)
        self._learn((secret,))
        return secret

    async def probe(
        self, token: SecretText, place: Place, view: View, retry: Retry
    ) -> Readable | SecretsFailure:
        """Whether a folder is there and may be read, asked by a name that is not there."""
        result = await self.read(token, place, view, ABSENT_NAME, retry)
        return Readable() if isinstance(result, RemoteSecret | NoSuchSecret) else result

    async def _ask_secrets(self, place: Place, ask: Callable[[Version], Awaitable[Reply]]) -> Reply:
        if place.project.by_slug:
            return await ask(Version.V3)
        return await self.routes.secrets.ask((Version.V4, Version.V3), ask)

    def _learn(self, secrets: tuple[RemoteSecret, ...]) -> None:
        if secrets:
            self.routes.expands_singly = any(secret.tells_hidden for secret in secrets)

    async def located(
        self, failure: SecretsFailure, token: SecretText, place: Place, view: View, retry: Retry
    ) -> SecretsFailure:
        """Servers say of an absent environment that the folder is absent: find out which of them it is.

        The project's own list of environments tells, or else the root folder, which every environment has.
        """
        if not isinstance(failure, Missing) or failure.what is not Thing.FOLDER:
            return failure
        absent = Missing(what=Thing.ENVIRONMENT)
        if place.folder == _ROOT:
            return absent
        if place.project.environments is not None:
            return failure if place.environment in place.project.environments else absent
        root = Place(place.project, place.environment, _ROOT)
        seen = await self.probe(token, root, view, retry)
        return seen if isinstance(seen, Missing) and seen.what is Thing.ENVIRONMENT else failure


def _post(route: str, fields: Mapping[str, object]) -> Request:
    return Request(method="POST", path=f"/api{route}", headers=_JSON, body=msgspec.json.encode(fields))
