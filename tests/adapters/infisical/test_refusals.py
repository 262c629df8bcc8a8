"""What refusals of current servers mean, which no recording holds."""

import msgspec
import pytest

from adapters.infisical.refusals import Asked, Meaning, understood
from adapters.infisical.transport import Answer


def refusal(status: int, error: str, message: object, request_id: bool = True) -> Answer:
    body: dict[str, object] = {"statusCode": status, "error": error, "message": message}
    if request_id:
        body["reqId"] = "req-1"
    return Answer(status=status, body=msgspec.json.encode(body))


@pytest.mark.parametrize(
    ("answer", "asked", "meaning"),
    [
        (refusal(401, "UnauthorizedError", "Invalid credentials"), Asked.LOGIN, Meaning.CREDENTIALS),
        (
            refusal(401, "UnauthorizedError", "No identity with specified client ID was found"),
            Asked.LOGIN,
            Meaning.IDENTITY,
        ),
        (
            refusal(401, "UnauthorizedError", "This identity auth method is temporarily locked, try later"),
            Asked.LOGIN,
            Meaning.LOCKED,
        ),
        (refusal(404, "NotFound", "Folder with path '/a' not found"), Asked.SECRETS, Meaning.NO_FOLDER),
        (
            refusal(403, "PermissionDenied", "You are not allowed to readValue on secrets"),
            Asked.SECRETS,
            Meaning.VALUE,
        ),
        (refusal(422, "ValidationFailure", [{"path": ["slug"]}]), Asked.PROJECT, Meaning.MALFORMED),
        (refusal(401, "ValidationFailure", []), Asked.PROJECT, Meaning.MALFORMED),  # autumn of 2024
        (refusal(404, "NotFound", "Project with ID 'x' not found"), Asked.SECRETS, Meaning.PROJECT_GONE),
        (refusal(400, "BadRequest", "Secret already exist: A"), Asked.WRITES, Meaning.EXISTS),
        (refusal(400, "BadRequest", "Secret with name A already exists"), Asked.WRITES, Meaning.EXISTS),
        (refusal(400, "BadRequest", "Folder with name a already exists"), Asked.FOLDERS, Meaning.EXISTS),
        (refusal(400, "BadRequest", "Referenced secret(s) not found: X"), Asked.WRITES, Meaning.DANGLING),
        (
            refusal(400, "BadRequest", "Referenced environment not found. Missing e"),
            Asked.WRITES,
            Meaning.DANGLING,
        ),
        (refusal(400, "BadRequest", "Secret names must be in capitals"), Asked.WRITES, Meaning.MALFORMED),
        (refusal(413, "Payload Too Large", "Request body is too large"), Asked.WRITES, Meaning.OVERSIZE),
        (Answer(status=413, body=b"<html></html>"), Asked.WRITES, Meaning.OVERSIZE),
        (refusal(404, "NotFound", "Secret does not exist: A in path /"), Asked.WRITES, Meaning.NO_SECRET),
        (refusal(400, "BadRequest", "Secret not found: x already exist"), Asked.WRITES, Meaning.NO_SECRET),
        # Somebody's secret may be called like a message: only the beginning of a text counts.
        (
            refusal(404, "NotFound", "Secret with name 'Folder with path' not found"),
            Asked.SECRETS,
            Meaning.NO_SECRET,
        ),
        (
            refusal(404, "Not Found", "Route GET:/api/v4/secrets?a=b not found"),
            Asked.SECRETS,
            Meaning.STRANGE,
        ),
        (
            refusal(404, "Not Found", "Route GET:/api/v4/secrets?a=b not found", request_id=False),
            Asked.SECRETS,
            Meaning.NO_ROUTE,
        ),
        (Answer(status=404, body=b"<html></html>"), Asked.SECRETS, Meaning.NO_ROUTE),
        (Answer(status=404, body=b'{"detail":"Not Found"}'), Asked.SECRETS, Meaning.NO_ROUTE),
        (Answer(status=403, body=b"<html></html>"), Asked.SECRETS, Meaning.STRANGE),
        (Answer(status=400, body=b""), Asked.SECRETS, Meaning.STRANGE),
        (Answer(status=502, body=b"Bad Gateway"), Asked.SECRETS, Meaning.FAULT),
        (Answer(status=429, body=b"slow down"), Asked.LOGIN, Meaning.LIMITED),
        (Answer(status=500, body=b"\xff\xfe"), Asked.LOGIN, Meaning.FAULT),
    ],
)
def test_what_a_refusal_means(answer: Answer, asked: Asked, meaning: Meaning) -> None:
    assert understood(answer, asked).meaning is meaning


@pytest.mark.parametrize(
    ("headers", "message", "after"),
    [
        ({"retry-after": "17"}, "", 17.0),
        ({}, "Rate limit exceeded. Please try again in 42 seconds", 42.0),
        ({}, "Rate limit exceeded. Please try again in 42s", 42.0),
        ({"retry-after": "soon"}, "Rate limit exceeded", None),
        ({"retry-after": "-5"}, "", None),
    ],
)
def test_how_long_a_limited_client_shall_wait(
    headers: dict[str, str], message: str, after: float | None
) -> None:
    body = msgspec.json.encode({"statusCode": 429, "error": "RateLimitExceeded", "message": message})
    assert understood(Answer(status=429, headers=headers, body=body), Asked.SECRETS).after == after
