"""Universal Auth: a client ID and a client secret."""

from adapters.auth.credentials import Credentials
from adapters.auth.login import LoginRequest
from adapters.infisical.secret_text import SecretText


class UniversalAuth:
    """`AuthMethod` for the block `universalAuthCredentials`."""

    async def login(self, credentials: Credentials) -> LoginRequest:
        """Both credentials, without white space around them: a line feed at the end is a file's, not theirs."""
        fields = {
            name: SecretText(credentials[name].reveal().strip()) for name in ("clientId", "clientSecret")
        }
        return LoginRequest("/v1/auth/universal-auth/login", fields)
