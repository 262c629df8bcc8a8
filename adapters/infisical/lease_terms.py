"""The terms of a lease: who shares a token, and what a login can answer."""

from collections.abc import Awaitable, Callable

import msgspec

from adapters.auth.login import MethodName
from adapters.infisical.client import Revoked, Token
from adapters.infisical.secret_text import SecretText
from machines.outcomes import Cancelled, Denied, Invalid, Missing, Unavailable

LoginFailed = Unavailable | Denied | Missing | Invalid
LeaseFailure = LoginFailed | Cancelled
LogIn = Callable[[], Awaitable[Token | LoginFailed]]
Revoke = Callable[[SecretText], Awaitable[Revoked | LoginFailed]]


class CredentialVersion(msgspec.Struct, frozen=True):
    """One credential, without its value: which key of which Secret, in which version."""

    field: str
    secret_uid: str
    secret_version: str
    key: str


class LeaseKey(msgspec.Struct, frozen=True):
    """Who shares a token: the same server (base URL), organisation, method and credentials."""

    host: str
    organisation: str | None
    method: MethodName
    credentials: tuple[CredentialVersion, ...]


class Unrevoked(msgspec.Struct, frozen=True):
    """A token that could not be revoked, and ends by its age. `why` is None where the time was up."""

    host: str
    method: MethodName
    why: LoginFailed | None = None
