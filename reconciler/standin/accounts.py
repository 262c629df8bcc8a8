"""Who may log in: identities and persons, their client secrets and tokens, with ages, uses and lockouts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reconciler.standin.ages import Dialect
from reconciler.standin.refusals import Refused, Trouble
from reconciler.standin.signing import Signer

DEFAULT_LIFETIME = 2_592_000
_LOCK_AFTER, _LOCK_WITHIN, _LOCK_FOR = 3, 30, 300


@dataclass(repr=False)
class ClientSecret:
    """A client secret. `ends` in epoch seconds, None: never; `uses_left` None: any number."""

    value: str
    ends: float | None
    uses_left: int | None
    revoked: bool = False


@dataclass
class Lifetimes:
    """How long and how often the tokens of a login may be used, in seconds and uses; 0: no limit."""

    ttl: int = DEFAULT_LIFETIME
    max_ttl: int = DEFAULT_LIFETIME
    uses: int = 0


@dataclass
class UniversalAuth:
    """The universal auth of an identity."""

    client_id: str
    lifetimes: Lifetimes
    secrets: list[ClientSecret] = field(default_factory=list, repr=False)
    failures: list[float] = field(default_factory=list)
    locked_until: float = 0.0


@dataclass
class Identity:
    """A machine identity, or a person. `settings` holds the configuration of its login methods by their route's name."""

    id: str
    name: str
    organization: str
    is_person: bool = False
    is_organization_admin: bool = False
    universal: UniversalAuth | None = None
    settings: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)


@dataclass
class Token:
    """A token that was given out. `revocations` counts how often it was asked to be revoked, also in vain."""

    id: str
    identity: Identity
    organization: str
    lifetimes: Lifetimes
    created_at: float
    renewed_at: float
    uses: int = 0
    alive: bool = True
    expired: bool = False
    revocations: int = 0

    @property
    def maximum_end(self) -> float | None:
        """When it ends for good, in epoch seconds; None: never."""
        return self.created_at + self.lifetimes.max_ttl if self.lifetimes.max_ttl else None

    @property
    def end(self) -> float | None:
        """When it ends unless it is renewed; None: never."""
        return self.renewed_at + self.lifetimes.ttl if self.lifetimes.ttl else None


class Accounts:
    """The identities of a server and the tokens that it gave out."""

    def __init__(self, dialect: Dialect, now: Callable[[], float], new_id: Callable[[], str]) -> None:
        self.identities: dict[str, Identity] = {}
        self.tokens: dict[str, Token] = {}
        self._dialect = dialect
        self._now = now
        self._new_id = new_id
        self._signer = Signer()

    def log_in(self, client_id: str, client_secret: str, organization: str | None = None) -> Token:
        """Universal auth, for the identity's own organisation or another. Raises Refused."""
        identity = next(
            (i for i in self.identities.values() if i.universal and i.universal.client_id == client_id), None
        )
        if identity is None or identity.universal is None:
            raise Refused(Trouble.UNKNOWN_CLIENT)
        universal = identity.universal
        if self._dialect.lockout and universal.locked_until > self._now():
            raise Refused(Trouble.LOCKED)
        secret = next((s for s in universal.secrets if s.value == client_secret and not s.revoked), None)
        if secret is None:
            self._count_failure(universal)
            raise Refused(Trouble.WRONG_CREDENTIALS)
        if secret.ends is not None and secret.ends <= self._now():
            secret.revoked = True
            raise Refused(Trouble.CLIENT_SECRET_EXPIRED)
        if secret.uses_left == 0:
            secret.revoked = True
            raise Refused(Trouble.CLIENT_SECRET_USED_UP)
        if secret.uses_left is not None:
            secret.uses_left -= 1
        universal.failures.clear()
        return self.new_token(identity, universal.lifetimes, organization)

    def _count_failure(self, universal: UniversalAuth) -> None:
        now = self._now()
        universal.failures = [at for at in universal.failures if at > now - _LOCK_WITHIN] + [now]
        if self._dialect.lockout and len(universal.failures) >= _LOCK_AFTER:
            universal.locked_until = now + _LOCK_FOR
            universal.failures.clear()

    def new_token(self, identity: Identity, lifetimes: Lifetimes, organization: str | None = None) -> Token:
        """A fresh token of the identity."""
        now = self._now()
        token = Token(
            id=self._new_id(),
            identity=identity,
            organization=organization or identity.organization,
            lifetimes=lifetimes,
            created_at=now,
            renewed_at=now,
        )
        self.tokens[token.id] = token
        return token

    def signed(self, token: Token) -> str:
        """The text by which a client shows the token."""
        return self._signer.sign(
            token.id, token.end if self._dialect.expired_by_lifetime else token.maximum_end
        )

    def find(self, text: str) -> Token:
        """The living token that the text shows. Raises Refused."""
        token = self._living(text)
        if token.end is not None and token.end <= self._now():
            token.alive = False
            raise Refused(Trouble.TOKEN_LIFETIME_OVER)
        if token.lifetimes.uses and token.uses >= token.lifetimes.uses:
            token.alive = False
            raise Refused(Trouble.TOKEN_USED_UP)
        return token

    def _living(self, text: str) -> Token:
        token = self.tokens.get(self._signer.read(text, self._now()).token)
        if token is not None and token.expired:
            raise Refused(Trouble.TOKEN_EXPIRED)
        if token is None or not token.alive or token.identity.id not in self.identities:
            raise Refused(Trouble.TOKEN_UNKNOWN)
        return token

    def use(self, text: str) -> Token:
        """The token that the text shows, counting the use. Raises Refused."""
        token = self.find(text)
        token.uses += 1
        return token

    def renew(self, text: str) -> Token:
        """Prolong the token by its lifetime. Raises Refused."""
        token = self.find(text)
        now = self._now()
        if token.maximum_end is not None and now + token.lifetimes.ttl > token.maximum_end:
            token.alive = False
            raise Refused(Trouble.TOKEN_PAST_MAXIMUM)
        token.renewed_at = now
        return token

    def revoke(self, text: str) -> None:
        """End the token, spent or not. Raises Refused, after counting the attempt where the token can be told."""
        shown = self.tokens.get(self._signer.read(text, self._now()).token)
        if shown is not None:
            shown.revocations += 1
        self._living(text).alive = False
