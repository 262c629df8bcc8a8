"""Logins as a test makes them: credentials for a method, and the stand-in as the judge of what came of them."""

import msgspec

from adapters.auth.credentials import Credentials, Source
from adapters.auth.login import LoginRequest
from adapters.infisical.secret_text import SecretText
from adapters.infisical.transport import Answer, Request
from machines.names import FieldPath, ResourceName, SecretKey
from reconciler.standin import StandIn


def credentials(**texts: str) -> Credentials:
    """Credentials as they would have been read from a Secret."""
    return Credentials(
        {
            Source(field, ResourceName("credentials"), SecretKey(field), FieldPath(field)): SecretText(text)
            for field, text in texts.items()
        }
    )


def judged(server: StandIn, login: object) -> Answer:
    """What the server answers to a login that a method has prepared."""
    assert isinstance(login, LoginRequest), login
    body = msgspec.json.encode(login.revealed())
    headers = {"content-type": "application/json"}
    return server.answer(Request(method="POST", path=f"/api{login.route}", headers=headers, body=body))


def refusal(answer: Answer) -> tuple[int, str]:
    """Status and message of a refusal."""
    return answer.status, msgspec.json.decode(answer.body)["message"]
