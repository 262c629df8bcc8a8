"""What an auth method is, and what it gives for its credentials."""

import enum
from collections.abc import Mapping
from typing import Protocol

import msgspec

from adapters.auth.credentials import Credentials
from adapters.infisical.secret_text import SecretText
from machines.outcomes import Denied, Invalid, Missing, Unavailable


class MethodName(enum.Enum):
    """The auth methods, in the order of precedence."""

    UNIVERSAL = "universal"
    AZURE = "azure"
    GCP_ID_TOKEN = "gcp-id-token"
    GCP_IAM = "gcp-iam"
    JWT = "jwt"
    LDAP = "ldap"
    OCI = "oci"
    KUBERNETES = "kubernetes"
    AWS = "aws"
    TOKEN = "token"


class LoginRequest(msgspec.Struct, frozen=True):
    """A login to send: the route below `/api`, and the fields of its JSON body. `headers`: an object among these, of the
    headers that a request of the server's own is to have."""

    route: str
    fields: Mapping[str, SecretText]
    headers: Mapping[str, SecretText] | None = None

    def revealed(self) -> dict[str, str | dict[str, str]]:
        """The body, without the organisation. Whoever calls this answers for where it goes."""
        body: dict[str, str | dict[str, str]] = {name: text.reveal() for name, text in self.fields.items()}
        if self.headers is not None:
            body["headers"] = {name: text.reveal() for name, text in self.headers.items()}
        return body

    def __repr__(self) -> str:
        return f"<LoginRequest {self.route}>"


class GivenToken(msgspec.Struct, frozen=True):
    """A token that the user made: used as it is, never renewed, never revoked."""

    token: SecretText


Login = LoginRequest | GivenToken | Invalid | Unavailable | Missing | Denied


class AuthMethod(Protocol):
    """Turns credentials into a login. A method that has to ask somebody else for a proof does so here, in a bounded
    time, and never blocks the event loop."""

    async def login(self, credentials: Credentials) -> Login:
        """What to send, or the token itself; or why the credentials cannot work. Logs in to nothing. Raises nothing
        but for cancellation."""
        ...
