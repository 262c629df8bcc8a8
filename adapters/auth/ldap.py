"""LDAP Auth: user name and password of a directory account."""

from adapters.auth.credentials import Credentials
from adapters.auth.login import LoginRequest
from adapters.infisical.secret_text import SecretText


class LdapAuth:
    """`AuthMethod` for the block `ldapAuthCredentials`."""

    async def login(self, credentials: Credentials) -> LoginRequest:
        """User name and password. The password keeps its white space, less one line end, which a Secret that was made
        of a file has and no password."""
        fields = {
            "identityId": credentials.stripped("identityId"),
            "username": credentials.stripped("ldapUsername"),
            "password": _without_line_end(credentials["ldapPassword"]),
        }
        return LoginRequest("/v1/auth/ldap-auth/login", fields)


def _without_line_end(text: SecretText) -> SecretText:
    password = text.reveal()
    return SecretText(password.removesuffix("\r\n" if password.endswith("\r\n") else "\n"))
