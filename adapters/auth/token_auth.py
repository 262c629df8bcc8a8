"""Token Auth: an access token that the user made in Infisical."""

from adapters.auth.credentials import Credentials
from adapters.auth.login import GivenToken
from adapters.infisical.secret_text import SecretText
from machines.outcomes import Fault, Invalid


class TokenAuth:
    """`AuthMethod` for the block `tokenAuthCredentials`."""

    async def login(self, credentials: Credentials) -> GivenToken | Invalid:
        """The token as it is, without white space around it, which no header could carry."""
        token = credentials["accessToken"].reveal().strip()
        if not (token.isascii() and token.isprintable()):
            return Invalid(what=Fault.NOT_TEXT)
        return GivenToken(SecretText(token))
