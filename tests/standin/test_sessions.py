"""Logins, and how tokens and client secrets come to their ends, on a current server."""

import json

import pytest

from adapters.infisical.transport import Answer, Request
from reconciler.standin import ADMIN, Age, Credentials, StandIn
from tests.standin.user import JSON, Clock, User, a_server, body, trouble


def log_in(server: StandIn, client_id: str, client_secret: str, **more: str) -> Answer:
    sent = {"clientId": client_id, "clientSecret": client_secret, **more}
    path = "/api/v1/auth/universal-auth/login"
    return server.answer(Request(method="POST", path=path, headers=JSON, body=json.dumps(sent).encode()))


def token_of(answer: Answer) -> str:
    text: str = body(answer)["accessToken"]
    return text


def a_machine(
    server: StandIn, *, ttl: int = 600, max_ttl: int = 1200, uses: int = 0
) -> tuple[User, Credentials]:
    user = User(server, next(iter(server.projects.values())))
    return user, server.add_universal_auth(user.identity, ttl=ttl, max_ttl=max_ttl, uses=uses)


def test_three_wrong_client_secrets_lock_the_login_for_five_minutes_also_for_the_right_one() -> None:
    clock = Clock()
    server, _ = a_server(clock=clock)
    _, right = a_machine(server)
    for _ in range(3):
        assert trouble(log_in(server, right.client_id, "wrong")) == (401, "Invalid credentials")
        clock.pass_by(5)
    status, message = trouble(log_in(server, right.client_id, right.client_secret))
    assert (status, "temporarily locked" in message) == (401, True)
    clock.pass_by(300)
    assert log_in(server, right.client_id, right.client_secret).status == 200


def test_wrong_client_secrets_with_long_pauses_do_not_lock() -> None:
    clock = Clock()
    server, _ = a_server(clock=clock)
    _, right = a_machine(server)
    for _ in range(4):
        log_in(server, right.client_id, "wrong")
        clock.pass_by(20)
    assert log_in(server, right.client_id, right.client_secret).status == 200


def test_an_unknown_client_id_is_refused_like_a_wrong_secret() -> None:
    server, _ = a_server()
    assert trouble(log_in(server, "nobody", "nothing")) == (401, "Invalid credentials")


def test_a_client_secret_with_limited_uses_is_spent_by_logins() -> None:
    server, _ = a_server()
    user, right = a_machine(server)
    once = server.add_client_secret(user.identity, uses=1)
    assert log_in(server, right.client_id, once).status == 200
    assert trouble(log_in(server, right.client_id, once))[0] == 401
    assert log_in(server, right.client_id, right.client_secret).status == 200


@pytest.mark.parametrize(
    ("age", "status", "error"),
    [
        (Age.CURRENT, 403, "TokenError"),
        (Age.YEAR_2025, 403, "TokenError"),
        (Age.YEAR_2024, 403, "UnauthorizedError"),
    ],
)
def test_a_token_that_is_not_renewed_ends_with_its_lifetime(age: Age, status: int, error: str) -> None:
    clock = Clock()
    server, _ = a_server(age, clock=clock)
    user, right = a_machine(server, ttl=60)
    user.token = token_of(log_in(server, right.client_id, right.client_secret))
    assert user.ask("GET", "/v2/workspace/my-project").status == 200
    clock.pass_by(61)
    answer = user.ask("GET", "/v2/workspace/my-project")
    assert (answer.status, body(answer)["error"]) == (status, error)


def test_renewal_prolongs_a_token_until_its_maximum_age() -> None:
    clock = Clock()
    server, _ = a_server(clock=clock)
    user, right = a_machine(server, ttl=60, max_ttl=100)
    user.token = token_of(log_in(server, right.client_id, right.client_secret))
    clock.pass_by(35)
    user.token = token_of(user.ask("POST", "/v1/auth/token/renew", {"accessToken": user.token}))
    clock.pass_by(40)
    assert user.ask("GET", "/v2/workspace/my-project").status == 200
    status, message = trouble(user.ask("POST", "/v1/auth/token/renew", {"accessToken": user.token}))
    assert (status, "Max TTL" in message) == (401, True)


def test_a_spent_token_can_still_be_revoked_and_the_server_tells_how_often_that_was_asked() -> None:
    server, _ = a_server()
    user, right = a_machine(server, uses=1)
    user.token = token_of(log_in(server, right.client_id, right.client_secret))
    assert user.ask("GET", "/v2/workspace/my-project").status == 200
    assert user.ask("POST", "/v1/auth/token/revoke", {"accessToken": user.token}).status == 200
    assert user.ask("POST", "/v1/auth/token/revoke", {"accessToken": user.token}).status == 401
    assert [token.revocations for token in server.tokens if token.lifetimes.uses] == [2]


def test_tokens_that_come_to_their_end_early_are_refused_as_expired() -> None:
    server, project = a_server()
    user = User(server, project)
    server.expire_tokens()
    assert trouble(user.read())[0] == 403
    assert server.tokens_alive == ()


def test_a_login_may_name_one_of_several_organisations_and_sees_its_projects_alone() -> None:
    server, _ = a_server()
    server.add_organization("acme")
    theirs = server.add_project("my-project", organization="acme")
    user, right = a_machine(server)
    theirs.grant(user.identity, ADMIN)
    answer = log_in(server, right.client_id, right.client_secret, organizationSlug="acme")
    user.token = token_of(answer)
    assert body(user.ask("GET", "/v1/projects/slug/my-project"))["id"] == theirs.id
    assert log_in(server, right.client_id, right.client_secret, organizationSlug="nobody").status == 404
