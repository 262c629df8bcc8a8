"""JWT Auth: a token of any issuer that Infisical trusts."""

from adapters.auth.credentials import Credentials
from adapters.auth.login import LoginRequest


class JwtAuth:
    """`AuthMethod` for the block `jwtAuthCredentials`."""

    async def login(self, credentials: Credentials) -> LoginRequest:
        """The token unread: whose it must be and what it must claim, Infisical alone decides."""
        fields = {name: credentials.stripped(name) for name in ("identityId", "jwt")}
        return LoginRequest("/v1/auth/jwt-auth/login", fields)
