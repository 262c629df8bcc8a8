"""Obtaining a lease on a token, resolving the project under it, and giving it back."""

import base64
from collections.abc import Mapping
from urllib.parse import urlsplit

from adapters import cluster
from adapters.auth.credentials import Source, checked
from adapters.auth.login import GivenToken, LoginRequest, MethodName
from adapters.cluster import Object
from adapters.infisical.client import Client, Revoked, Token
from adapters.infisical.lease_terms import CredentialVersion, LeaseKey, LoginFailed
from adapters.infisical.leases import Lease
from adapters.infisical.projects import ResolvedProject
from adapters.infisical.secret_text import SecretText
from adapters.resources.kinds import SECRET
from machines.effects import Authenticate, Release, ResolveProject
from machines.outcomes import (
    Authenticated,
    Denial,
    Denied,
    Invalid,
    Missing,
    Outcome,
    Released,
    Resolved,
    Thing,
    Unavailable,
)
from reconciler.effects.certificates import certificates
from reconciler.effects.cluster_failures import unreadable
from reconciler.payload import ExternalSecretPayload, Payload, PushSecretPayload
from reconciler.stores import Connection, StoreView, connection_of
from reconciler.surroundings import SecretStub, Surroundings


def store_of(payload: Payload, number: int) -> StoreView:
    """The store of this number, as it was observed."""
    store = (
        payload.stores[number]
        if isinstance(payload, ExternalSecretPayload | PushSecretPayload)
        else payload.store
    )
    assert store is not None, "a machine does not authenticate to a store that is not there"
    return store


class Authenticator:
    """Performs Authenticate."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._with = surroundings

    async def __call__(self, effect: Authenticate, payload: Payload) -> Outcome:
        """A claim on a token: one login serves all who use the same credentials, host and organisation."""
        session = payload.session(effect.store)
        connection = connection_of(store_of(payload, effect.store), payload.subject.namespace)
        if isinstance(connection, Invalid):
            return connection
        pem = await certificates(connection, self._with.cluster)
        if not isinstance(pem, bytes):
            return pem
        client = self._with.hosts.client(connection.host_api, pem)
        if isinstance(client, Invalid):
            return client
        namespaced = bool(store_of(payload, effect.store).namespace)
        name = urlsplit(client.address.url).hostname or ""
        if not self._with.methods.may_be_shown(connection.auth, name, namespaced=namespaced):
            return Denied(what=Denial.AMBIENT)
        key = await self._key(connection, client)
        if not isinstance(key, LeaseKey):
            return key

        async def log_in() -> Token | LoginFailed:
            return await self._log_in(connection, client)

        async def revoke(token: SecretText) -> Revoked | LoginFailed:
            return await client.revoke(token, connection.retry)

        stays = connection.auth.name is MethodName.TOKEN
        lease = await self._with.leases.acquire(key, log_in, None if stays else revoke)
        if not isinstance(lease, Lease):
            return lease
        session.connection, session.client, session.lease = connection, client, lease
        return Authenticated(shared=lease.shared)

    async def _key(self, connection: Connection, client: Client) -> LeaseKey | Missing | Denied | Unavailable:
        """Who may share the token: all with the same versions of the same credentials."""
        versions = []
        for source in connection.auth.sources:
            stub = await self._stub(source)
            if not isinstance(stub, SecretStub):
                return stub
            versions.append(CredentialVersion(source.field, stub.uid, stub.version, source.key))
        organisation = connection.scope.organization_slug or self._with.organization
        return LeaseKey(client.address.url, organisation, connection.auth.name, tuple(versions))

    async def _stub(self, source: Source) -> SecretStub | Missing | Denied | Unavailable:
        assert source.namespace is not None
        known = self._with.views.secrets.get((source.namespace, source.name))
        if known is not None:
            return known
        secret = await self._secret(source)
        if not isinstance(secret, dict):
            return secret
        return SecretStub(secret["metadata"]["uid"], secret["metadata"]["resourceVersion"])

    async def _secret(self, source: Source) -> Object | Missing | Denied | Unavailable:
        assert source.namespace is not None
        answer = await self._with.cluster.get(SECRET, source.namespace, source.name)
        if isinstance(answer, cluster.Done) and answer.object is not None:
            return answer.object
        if isinstance(answer, cluster.Absent):
            return Missing(what=Thing.CREDENTIALS_SECRET, namespace=source.namespace, name=source.name)
        assert not isinstance(answer, cluster.Done)
        return unreadable(answer)

    async def _log_in(self, connection: Connection, client: Client) -> Token | LoginFailed:
        read = await self._contents(connection.auth.sources)
        if not isinstance(read, Mapping):
            return read
        credentials = checked(read)
        if isinstance(credentials, Invalid):
            return credentials
        login = await self._with.methods.of(connection.auth.name).login(credentials)
        if isinstance(login, GivenToken):
            return Token(login.token, 0)
        if isinstance(login, LoginRequest):
            organisation = connection.scope.organization_slug or self._with.organization
            return await client.login(login, organisation, connection.retry)
        return login

    async def _contents(
        self, sources: tuple[Source, ...]
    ) -> Mapping[Source, bytes] | Missing | Denied | Unavailable:
        secrets: dict[tuple[str | None, str], Object] = {}
        contents = {}
        for source in sources:
            place = (source.namespace, source.name)
            if place not in secrets:
                secret = await self._secret(source)
                if not isinstance(secret, dict):
                    return secret
                secrets[place] = secret
            text = (secrets[place].get("data") or {}).get(source.key)
            if text is None:
                return Missing(
                    what=Thing.CREDENTIALS_KEY,
                    namespace=source.namespace,
                    name=source.name,
                    key=source.key,
                )
            contents[source] = base64.b64decode(text)
        return contents


class ProjectResolver:
    """Performs ResolveProject."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._projects = surroundings.projects

    async def __call__(self, effect: ResolveProject, payload: Payload) -> Outcome:
        """The project of the store's slug; with `fresh` not the one that turned out to be gone."""
        session = payload.session(effect.store)
        connection, client, lease = session.connection, session.client, session.lease
        assert connection is not None
        assert client is not None
        assert lease is not None
        stale = session.project.id if effect.fresh and session.project is not None else None
        result = await self._projects.resolve(
            client, lease, connection.scope.project_slug, connection.retry, stale=stale
        )
        if not isinstance(result, ResolvedProject):
            return result
        session.project = result.project
        return Resolved(cached=result.cached)


class Releaser:
    """Performs Release."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._leases = surroundings.leases
        self._locks = surroundings.locks

    async def __call__(self, effect: Release, payload: Payload) -> Outcome:
        """Counts down, without a suspension point: no cancellation can come between a claim and its end."""
        session = payload.session(effect.store)
        self._locks.release(session.locked)
        session.locked = ()
        if session.lease is not None:
            self._leases.release(session.lease, tainted=effect.tainted)
            session.lease = None
        return Released()
