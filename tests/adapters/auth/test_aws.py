"""AWS Auth: each source of credentials, judged by a stand-in that recomputes the signature, and what can go wrong."""

import asyncio
import base64
import io
import json
import logging
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.auth.aws import AwsAuth
from adapters.auth.login import Login, LoginRequest
from machines.outcomes import Denial, Denied, Missing, Service, Thing, Trouble, Unavailable
from reconciler.standin import Identity, StandIn
from reconciler.standin.cloud_accounts import AwsKey
from tests.clouds.aws_endpoints import (
    ACCOUNT,
    AGENT_TOKEN,
    REGION,
    ROLE_ARN,
    SECRET_KEY,
    SESSION_TOKEN,
    WEB_TOKEN,
    AwsEndpoints,
)
from tests.clouds.aws_surroundings import AwsSurroundings
from tests.clouds.endpoint import Mood
from tests.clouds.logins import credentials, judged, refusal

USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/robot"
ALLOWED = {"allowedPrincipalArns": ROLE_ARN, "allowedAccountIds": ACCOUNT}
BOUND = 15.0
"""Seconds within which every failure is told."""
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AwsSurroundings:
    return AwsSurroundings(monkeypatch, tmp_path)


@pytest.fixture
def server() -> StandIn:
    return StandIn(time.time)


@pytest.fixture
def robot(server: StandIn) -> Identity:
    identity = server.add_identity("robot")
    server.configure_login(identity, "aws-auth", ALLOWED)
    return identity


@pytest.fixture
async def aws(server: StandIn, around: AwsSurroundings) -> AsyncIterator[AwsEndpoints]:
    async with AwsEndpoints(server) as endpoints:
        yield endpoints


async def log_in(robot: Identity, method: AwsAuth | None = None) -> Login:
    started = time.monotonic()
    login = await (method or AwsAuth()).login(credentials(identityId=f"{robot.id}\n"))
    assert time.monotonic() - started < BOUND
    return login


def headers_of(login: Login) -> dict[str, str]:
    assert isinstance(login, LoginRequest)
    headers: dict[str, str] = json.loads(base64.b64decode(login.fields["iamRequestHeaders"].reveal()))
    return headers


@pytest.mark.statement("S19", "S21")
async def test_the_request_to_sts_is_signed_and_has_the_documented_form(
    around: AwsSurroundings, server: StandIn, robot: Identity
) -> None:
    server.configure_login(robot, "aws-auth", {})
    server.clouds.aws_keys["AKIAROBOT"] = AwsKey("a-secret", USER_ARN)
    around.keys("AKIAROBOT", "a-secret")
    login = await log_in(robot)
    assert isinstance(login, LoginRequest)
    assert login.route == "/v1/auth/aws-auth/login"
    fields = {name: text.reveal() for name, text in login.fields.items()}
    assert set(fields) == {"identityId", "iamHttpRequestMethod", "iamRequestBody", "iamRequestHeaders"}
    assert (fields["identityId"], fields["iamHttpRequestMethod"]) == (robot.id, "POST")
    body = base64.b64decode(fields["iamRequestBody"], validate=True)
    assert body == b"Action=GetCallerIdentity&Version=2011-06-15"
    headers = headers_of(login)
    assert set(headers) == {"Host", "Content-Type", "Content-Length", "X-Amz-Date", "Authorization"}
    assert headers["Host"] == f"sts.{REGION}.amazonaws.com"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8"
    assert headers["Content-Length"] == "43"
    assert f"/{REGION}/sts/aws4_request, " in headers["Authorization"]
    assert judged(server, login).status == 200


@pytest.mark.statement("S20")
@pytest.mark.parametrize(
    "source", ["environment", "shared files", "web identity", "agent", "instance", "assumed by a profile"]
)
async def test_credentials_come_from_everywhere_that_the_chain_knows(
    source: str, around: AwsSurroundings, aws: AwsEndpoints, server: StandIn, robot: Identity
) -> None:
    match source:
        case "environment":
            key = aws.new_key()
            around.keys(key["AccessKeyId"], SECRET_KEY, SESSION_TOKEN)
        case "shared files":
            key = aws.new_key()
            around.put(AWS_PROFILE="reconciler")
            around.file("config", f"[profile reconciler]\nregion = {REGION}\n")
            lines = f"aws_access_key_id = {key['AccessKeyId']}\naws_secret_access_key = {SECRET_KEY}\n"
            around.file("credentials", f"[reconciler]\n{lines}aws_session_token = {SESSION_TOKEN}\n")
        case "web identity":
            around.web_identity(aws)
        case "assumed by a profile":
            around.put(AWS_ENDPOINT_URL_STS=aws.url)
            file = around.file("web-token", WEB_TOKEN)
            profile = f"role_arn = {ROLE_ARN}\nweb_identity_token_file = {file}\nregion = {REGION}\n"
            around.file("config", f"[default]\n{profile}")
        case "agent":
            around.agent(aws)
        case "instance":
            around.instance(aws.url)
    login = await log_in(robot)
    answer = judged(server, login)
    assert answer.status == 200, answer.body
    assert headers_of(login)["X-Amz-Security-Token"] == SESSION_TOKEN


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-2"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "us-east-2"}, "us-east-2"),
        ({"AWS_PROFILE": "other"}, "sa-east-1"),
        ({}, REGION),  # of the instance
    ],
)
async def test_the_region_is_the_configured_one_or_the_instances(
    variables: dict[str, str], region: str, around: AwsSurroundings, aws: AwsEndpoints, robot: Identity
) -> None:
    around.file("config", "[profile other]\nregion = sa-east-1\n")
    around.instance(aws.url)
    around.put(AWS_ACCESS_KEY_ID="AKIAROBOT", AWS_SECRET_ACCESS_KEY="a-secret", **variables)
    assert headers_of(await log_in(robot))["Host"] == f"sts.{region}.amazonaws.com"


@pytest.mark.parametrize("metadata", ["disabled", "absent", "hanging", "nonsense", "a region that is none"])
async def test_no_region_anywhere_is_told(
    metadata: str, around: AwsSurroundings, aws: AwsEndpoints, robot: Identity
) -> None:
    around.put(AWS_ACCESS_KEY_ID="AKIAROBOT", AWS_SECRET_ACCESS_KEY="a-secret")
    if metadata == "a region that is none":
        around.put(AWS_REGION="evil.example.com/?")
    elif metadata != "disabled":
        around.instance(NOBODY if metadata == "absent" else aws.url)
        aws.mood = Mood.HANGING if metadata == "hanging" else Mood.NONSENSE
    assert await log_in(robot) == Missing(what=Thing.REGION)


async def test_a_wrong_key_is_refused_by_the_server_and_no_other_right_is(
    around: AwsSurroundings, aws: AwsEndpoints, server: StandIn, robot: Identity
) -> None:
    key = aws.new_key()["AccessKeyId"]
    internal = (500, "Something went wrong")
    around.keys(key, "another-secret", SESSION_TOKEN)
    assert refusal(judged(server, await log_in(robot))) == internal
    around.keys(key, SECRET_KEY, "another token")
    assert refusal(judged(server, await log_in(robot))) == internal
    around.keys("ASIAUNKNOWN", SECRET_KEY, SESSION_TOKEN)
    assert refusal(judged(server, await log_in(robot))) == internal
    server.clouds.aws_keys["AKIAROBOT"] = AwsKey("a-secret", USER_ARN)
    around.keys("AKIAROBOT", "a-secret")
    os.environ.pop("AWS_SESSION_TOKEN")
    denied = "Access denied: AWS principal ARN not allowed."
    assert refusal(judged(server, await log_in(robot))) == (401, denied)
    server.configure_login(robot, "aws-auth", {"allowedAccountIds": "999999999999"})
    denied = "Access denied: AWS account ID not allowed."
    assert refusal(judged(server, await log_in(robot))) == (401, denied)


async def test_an_old_request_and_ended_credentials_are_refused(
    around: AwsSurroundings, aws: AwsEndpoints, robot: Identity, server: StandIn
) -> None:
    key = aws.new_key()["AccessKeyId"]
    around.keys(key, SECRET_KEY, SESSION_TOKEN)
    login = await log_in(robot)
    assert judged(server, login).status == 200
    server.now = lambda: time.time() + 16 * 60
    assert judged(server, login).status == 500
    server.now = time.time
    aws.lifetime = -1
    around.keys(aws.new_key()["AccessKeyId"], SECRET_KEY, SESSION_TOKEN)
    assert judged(server, await log_in(robot)).status == 500


@pytest.mark.parametrize("source", ["web identity", "agent", "instance"])
async def test_credentials_are_kept_while_they_are_valid_and_renewed_after(
    source: str, around: AwsSurroundings, aws: AwsEndpoints, server: StandIn, robot: Identity
) -> None:
    {"web identity": around.web_identity, "agent": around.agent}.get(
        source, lambda aws: around.instance(aws.url)
    )(aws)
    method = AwsAuth()
    first, second = await log_in(robot, method), await log_in(robot, method)
    assert judged(server, first).status == judged(server, second).status == 200
    assert len(aws.given) == 1
    aws.lifetime, method = 30.0, AwsAuth()
    if source == "instance":  # where the SDK takes ended credentials to be extended, and asks again later
        return
    await log_in(robot, method)
    await log_in(robot, method)
    assert len(aws.given) in (
        3,
        4,
    )  # an agent's are asked for once more at first, for less than the SDK wants is left
    assert judged(server, await log_in(robot, method)).status == 200


async def test_logins_at_once_all_succeed_and_the_loop_goes_on(
    around: AwsSurroundings, aws: AwsEndpoints, server: StandIn, robot: Identity
) -> None:
    around.web_identity(aws)
    method = AwsAuth()
    for login in await asyncio.gather(*(log_in(robot, method) for _ in range(30))):
        assert judged(server, login).status == 200
    given = len(aws.given)
    assert given <= 8  # one for each thread that came first
    aws.mood, turns = Mood.HANGING, 0
    hanging = asyncio.create_task(log_in(robot))
    while turns < 100:
        turns += 1
        await asyncio.sleep(0.001)
    assert not hanging.done()
    hanging.cancel()
    assert judged(server, await log_in(robot, method)).status == 200  # with what it has
    assert len(aws.given) == given


async def test_keys_that_were_replaced_are_seen_at_the_next_login(
    around: AwsSurroundings, aws: AwsEndpoints, server: StandIn, robot: Identity
) -> None:
    method = AwsAuth()
    around.put(AWS_REGION=REGION)
    assert await log_in(robot, method) == Missing(what=Thing.AMBIENT, service=Service.AWS)
    for _ in range(2):
        key = aws.new_key()["AccessKeyId"]
        lines = f"aws_access_key_id = {key}\naws_secret_access_key = {SECRET_KEY}\n"
        around.file("credentials", f"[default]\n{lines}aws_session_token = {SESSION_TOKEN}\n")
        login = await log_in(robot, method)
        assert f"Credential={key}/" in headers_of(login)["Authorization"]
        assert judged(server, login).status == 200


def unavailable(why: Trouble, status: int = 0) -> Unavailable:
    return Unavailable(service=Service.AWS, why=why, status=status)


NONE = Missing(what=Thing.AMBIENT, service=Service.AWS)
PROOF = Denied(what=Denial.PROOF, service=Service.AWS)
MOODS: dict[Mood, Login] = {
    Mood.HANGING: unavailable(Trouble.TIMED_OUT),
    Mood.NONSENSE: unavailable(Trouble.NOT_INFISICAL),
    Mood.FAULTY: unavailable(Trouble.FAULT, 500),
    Mood.LIMITING: unavailable(Trouble.LIMITED),
    Mood.REFUSING: PROOF,
}


@pytest.mark.parametrize("source", ["web identity", "agent", "instance"])
@pytest.mark.parametrize("mood", MOODS, ids=lambda mood: mood.name.lower())
async def test_a_source_that_does_not_give_is_told_in_bounded_time(
    mood: Mood, source: str, around: AwsSurroundings, aws: AwsEndpoints, robot: Identity
) -> None:
    {"web identity": around.web_identity, "agent": around.agent}.get(
        source, lambda aws: around.instance(aws.url)
    )(aws)
    aws.mood = mood
    method = AwsAuth()
    assert await log_in(robot, method) == MOODS[mood]
    aws.mood = Mood.WELL
    assert isinstance(await log_in(robot, method), LoginRequest)


@pytest.mark.parametrize("source", ["web identity", "agent", "instance"])
async def test_a_source_where_nobody_listens_is_told(
    source: str, around: AwsSurroundings, aws: AwsEndpoints, robot: Identity
) -> None:
    aws.url = NOBODY
    {"web identity": around.web_identity, "agent": around.agent}.get(
        source, lambda aws: around.instance(aws.url)
    )(aws)
    assert await log_in(robot) == unavailable(Trouble.REFUSED)


async def test_nothing_around_is_told_as_such(
    around: AwsSurroundings, aws: AwsEndpoints, robot: Identity
) -> None:
    assert await log_in(robot) == NONE
    around.instance(aws.url)
    aws.has_role = False
    assert await log_in(robot) == NONE
    around.put(AWS_EC2_METADATA_DISABLED="true", AWS_PROFILE="absent")
    aws.asked.clear()
    assert await log_in(robot) == NONE
    assert aws.asked == []


async def test_half_a_configuration_is_told_as_none(
    around: AwsSurroundings, aws: AwsEndpoints, robot: Identity
) -> None:
    around.web_identity(aws)
    around.put(AWS_WEB_IDENTITY_TOKEN_FILE="/nowhere/token")
    assert await log_in(robot) == NONE
    around.put(AWS_ACCESS_KEY_ID="AKIAROBOT")
    assert await log_in(robot) == NONE
    around.put(AWS_SECRET_ACCESS_KEY="a-secret")
    around.file("config", "[default\nbroken")
    assert await log_in(robot) == NONE


async def test_a_wrong_web_identity_is_denied(
    around: AwsSurroundings, aws: AwsEndpoints, robot: Identity
) -> None:
    around.web_identity(aws)
    around.file("web-token", "another token")
    assert await log_in(robot) == PROOF
    assert aws.asked == ["POST /"]


async def test_nothing_logged_or_shown_holds_a_credential(
    around: AwsSurroundings, aws: AwsEndpoints, robot: Identity
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        shown: list[object] = []
        for arrange in (around.agent, around.web_identity, lambda aws: around.instance(aws.url)):
            arrange(aws)
            for mood in (Mood.WELL, Mood.REFUSING, Mood.NONSENSE):
                aws.mood = mood
                method = AwsAuth()
                shown += [method, await log_in(robot, method), vars(method)]
            aws.mood = Mood.WELL
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    text = stream.getvalue() + "".join(map(repr, shown))
    assert not [one for one in (SECRET_KEY, SESSION_TOKEN, WEB_TOKEN, AGENT_TOKEN) if one in text]
    assert "amazonaws" not in stream.getvalue()
