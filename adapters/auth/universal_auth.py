"""Universal Auth: a client ID and a client secret."""

from adapters.auth.credentials import Credentials
from adapters.auth.login import LoginRequest


class UniversalAuth:
    """`AuthMethod` for the block `universalAuthCredentials`."""

    async def login(self, credentials: Credentials) -> LoginRequest:
        """Both credentials as they are."""
        fields = {name: credentials.stripped(name) for name in ("clientId", "clientSecret")}
        return LoginRequest("/v1/auth/universal-auth/login", fields)
