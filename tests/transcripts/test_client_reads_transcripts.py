"""What the client makes of every recorded answer to a request that it sends too."""

import os
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from adapters.infisical.answers import Listing, RemoteSecret
from adapters.infisical.client import NoSuchSecret, Revoked, Token
from adapters.infisical.places import Project
from machines.outcomes import Denied, Invalid, LeaseRefused, Missing, Outcome, ProjectGone, Unavailable
from tests.transcripts.client_reading import kind_of, lines_of_client_routes, understanding
from tests.transcripts.recorded import Line, load

pytestmark = pytest.mark.transcripts

ANSWERS = {"2025-06": 233, "2024-07": 208}
"""Answers in the project's own recording that the client is fed, by server."""

# What an answer without success means: the first pattern that fits `server case step` decides.
EXPECTED: tuple[tuple[str, str], ...] = (
    # logging in
    ("2025-06 login/empty-fields both", "Denied identity"),
    ("2025-06 login/deleted-identity login", "Denied identity"),
    ("2025-06 login/body-is-not-json other-media-type", "Denied credentials"),
    ("2025-06 login/body-is-not-json *", "Unavailable fault"),
    ("2025-06 login-methods/ldap-auth/refused *", "Denied credentials"),
    ("2024-07 login-methods/ldap-auth/refused *", "Missing route"),
    ("* login-methods/*/refused identity-id-is-no-uuid", "Unavailable fault"),
    ("2025-06 login-methods/*/refused unknown-identity", "Denied identity"),
    ("2025-06 login-methods/*/refused method-not-configured", "Denied identity"),
    ("2025-06 login-methods/* unknown-key", "Unavailable fault"),
    ("2024-07 login-methods/kubernetes-auth/token-review refused", "Unavailable fault"),
    ("* login/deleted-identity token", "LeaseRefused"),
    ("* login/*", "Denied credentials"),
    ("* login-methods/*", "Denied credentials"),
    # ending a token: one that is no good any more is as good as revoked
    ("* revoke/bad-tokens missing", "Denied credentials"),
    ("* revoke/ok-then-again use-after", "LeaseRefused"),
    ("* revoke/*", "Revoked"),
    ("* renew/ok old-token-after", "LeaseRefused"),
    ("* token/* revoke", "Revoked"),
    ("* token/*", "LeaseRefused"),
    # routes
    ("* names/101-characters get", "Missing route"),
    ("* names/unencoded-slash-and-empty get", "Missing route"),
    ("* routes/missing v4-*", "Missing route"),
    ("* project/by-slug /v1/projects/*", "Missing route"),
    # projects
    ("* project/by-slug none", "LeaseRefused"),
    ("* project/by-slug noaccess", "Denied membership"),
    ("* project/by-slug /v2/workspace/unknown", "Missing project"),
    ("2025-06 project/slug-forms x", "Missing project"),
    ("* project/slug-forms with_underscore", "Project by its slug"),
    ("* project/slug-forms *", "Invalid bad-slug"),
    ("* project/deleted-and-made-again *-slug", "Missing project"),
    ("* project/deleted-and-made-again *", "ProjectGone"),
    ("* get/unknown-slug *", "Missing project"),
    ("* */missing-project *", "ProjectGone"),
    ("* list/project-id-is-no-uuid *", "ProjectGone"),
    ("* list/no-*", "Invalid bad-slug"),
    ("* get/no-project *", "Invalid bad-key"),
    # folders and environments
    ("* list/missing-environment-recursive *", "Missing environment"),
    ("* get/missing-folder *", "Missing folder"),
    ("2025-06 list/dot-dot *", "Missing folder"),
    ("2024-07 list/dot-dot *", "Unavailable fault"),
    # rights
    ("* get/permissions noaccess*", "Denied membership"),
    ("2025-06 get/permissions readonly-missing-folder", "Missing folder"),
    ("* get/permissions readonly-missing-in-allowed", "NoSuchSecret"),
    ("* get/permissions *", "Denied read"),
    ("* get/expansion-without-permission one", "Denied reference"),
    ("2025-06 list/describe-only *", "Denied value"),
    # secrets
    ("* list/personal-beside-shared one-personal-valid", "NoSuchSecret"),
    ("* get/missing get", "NoSuchSecret"),
    ("* get/version-99 get", "NoSuchSecret"),
    ("* names/* get", "NoSuchSecret"),
    ("* update/ok get-old-name", "NoSuchSecret"),
    ("* delete/ok-then-again get", "NoSuchSecret"),
)
BAD_TOKENS = frozenset({"garbage", "revoked", "expired", "tampered"})
LINES = tuple(lines_of_client_routes(load()))


def named(line: Line) -> str:
    """How a line is called in the table, and in the test's name."""
    return f"{line.server} {line.case} {line.step}"


def test_every_answer_of_a_route_of_the_client_is_fed_to_it() -> None:
    if "TRANSCRIPTS" not in os.environ:
        assert Counter(line.server for line in LINES) == ANSWERS
    assert LINES


@pytest.mark.parametrize("line", LINES, ids=named)
async def test_the_client_understands_what_was_answered(line: Line) -> None:
    understood = await understanding(line)
    assert line.response is not None
    assert line.request is not None
    body = line.response.body
    if line.response.status == 200 and isinstance(body, dict):
        succeeded(line, understood, body)
    elif expected := next((label for pattern, label in EXPECTED if fnmatchcase(named(line), pattern)), None):
        assert label(understood) == expected
    elif line.request.auth in BAD_TOKENS:
        assert isinstance(understood, LeaseRefused | Revoked)
    else:
        assert isinstance(
            understood, NoSuchSecret | Denied | Missing | Invalid | Unavailable | ProjectGone | LeaseRefused
        )


def label(understood: object) -> str:
    """An outcome in short: its type, and what it is about."""
    if isinstance(understood, Project):
        return "Project by its slug" if understood.by_slug else "Project"
    about = getattr(understood, "what", None) or getattr(understood, "why", None)
    name = type(understood).__name__
    return f"{name} {about.value}" if isinstance(understood, Outcome) and about else name


def succeeded(line: Line, understood: object, body: Mapping[str, Any]) -> None:
    """A success says what the body says."""
    match kind_of(line):
        case "login":
            assert isinstance(understood, Token)
            assert understood.value.reveal() == body["accessToken"]
            assert understood.expires_in == body["expiresIn"]
        case "revoke":
            assert isinstance(understood, Revoked)
        case "project":
            assert line.request is not None
            environments = frozenset(environment["slug"] for environment in body["environments"])
            assert understood == Project(body["id"], environments, slug=line.request.path.rsplit("/", 1)[-1])
        case "list" if "secrets" in body:
            assert isinstance(understood, Listing)
            assert [plain(secret) for secret in understood.own] == shared(body["secrets"])
            blocks = [[plain(secret) for secret in block] for block in understood.blocks]
            assert blocks == [shared(block["secrets"]) for block in body.get("imports") or []]
        case "read" if "secret" in body:
            assert isinstance(understood, RemoteSecret)
            assert plain(understood) == (
                body["secret"]["secretKey"],
                None if body["secret"].get("secretValueHidden") else body["secret"]["secretValue"],
            )
        case _:  # the list under the name of a secret that is empty, and the other way round
            assert label(understood) == "Unavailable not-infisical"


def plain(secret: RemoteSecret) -> tuple[str, str | None]:
    """Name and value, None where it is hidden."""
    return secret.name, secret.value.reveal() if secret.value is not None else None


def shared(secrets: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    """Name and value of the shared ones."""
    return [
        (secret["secretKey"], None if secret.get("secretValueHidden") else secret["secretValue"])
        for secret in secrets
        if secret["type"] == "shared"
    ]
