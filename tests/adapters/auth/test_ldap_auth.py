"""LDAP Auth: what is sent, and where."""

import pytest

from adapters.auth.ldap import LdapAuth
from tests.adapters.auth.test_kubernetes_auth import credentials, sent


@pytest.mark.statement("S33", "S34")
@pytest.mark.parametrize(
    ("given", "password"),
    [
        ("pass word", "pass word"),
        (" around ", " around "),
        ("of a file\n", "of a file"),
        ("of a file\r\n", "of a file"),
        ("two\n\n", "two\n"),
        ("return\r", "return\r"),
    ],
)
async def test_user_name_and_password_are_in_their_places(given: str, password: str) -> None:
    """The password keeps its white space, less one line end."""
    given_credentials = credentials(identityId=" id\n", ldapUsername="robot\n", ldapPassword=given)
    assert sent(await LdapAuth().login(given_credentials)) == (
        "/v1/auth/ldap-auth/login",
        {"identityId": "id", "username": "robot", "password": password},
    )
