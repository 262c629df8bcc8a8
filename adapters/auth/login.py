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
    """A login to send: the route below `/api`, and the fields of its JSON body."""

    route: str
    fields: Mapping[str, SecretText]

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
