"""JWT Auth: what is sent."""

import pytest

from adapters.auth.given_jwt import JwtAuth
from tests.adapters.auth.test_kubernetes_auth import credentials, sent


@pytest.mark.statement("S31", "S32")
@pytest.mark.parametrize("token", ["a.b.c", "no token at all", "ünlesbar"])
async def test_token_is_passed_on_unread(token: str) -> None:
    """Less white space around it."""
    assert sent(await JwtAuth().login(credentials(identityId="id\n", jwt=f" {token}\r\n"))) == (
        "/v1/auth/jwt-auth/login",
        {"identityId": "id", "jwt": token},
    )
