"""GCP IAM Auth: an API on loopback that verifies the key file's own proof, and a stand-in that verifies what it signed."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.auth.gcp_iam import GcpIamAuth
from adapters.auth.login import Login, LoginRequest
from adapters.auth.settings import AuthSettings
from adapters.infisical.secret_text import SecretText
from machines.names import FieldPath, ResourceName, SecretKey
from machines.outcomes import Denial, Denied, Fault, Invalid, Missing, Service, Thing, Trouble, Unavailable
from reconciler.standin import Age, Identity, StandIn
from tests.adapters.auth.overheard import Overheard
from tests.clouds.endpoint import Mood
from tests.clouds.gcp_endpoints import ACCESS_TOKEN, ACCOUNT, CANARY, GcpEndpoints, pem
from tests.clouds.gcp_surroundings import GcpSurroundings
from tests.clouds.logins import credentials, judged, refusal

ALLOWED = {"type": "iam", "allowedServiceAccounts": f"x@y, {ACCOUNT}"}
SIGN = f"POST /v1/projects/-/serviceAccounts/{ACCOUNT}:signJwt"
BOUND = 8.0
"""Seconds within which every failure is told."""
FIELD = "serviceAccountKeyFilePath"
BAD_FILE = Invalid(
    what=Fault.BAD_KEY_FILE,
    field=FieldPath(FIELD),
    name=ResourceName("credentials"),
    secret_key=SecretKey(FIELD),
)
PROOF = Denied(what=Denial.PROOF, service=Service.GCP_IAM)


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> GcpSurroundings:
    return GcpSurroundings(monkeypatch, tmp_path)


@pytest.fixture
def age() -> Age:
    return Age.CURRENT


@pytest.fixture
def server(age: Age) -> StandIn:
    return StandIn(time.time, age)


@pytest.fixture
def robot(server: StandIn) -> Identity:
    identity = server.add_identity("robot")
    server.configure_login(identity, "gcp-auth", ALLOWED)
    return identity


@pytest.fixture
async def gcp(server: StandIn, around: GcpSurroundings) -> AsyncIterator[GcpEndpoints]:
    async with GcpEndpoints(server) as endpoints:
        yield endpoints


def method(around: GcpSurroundings, api: str) -> GcpIamAuth:
    return GcpIamAuth(AuthSettings(credential_directories=(around.directory,), gcp_iam_credentials=api))


async def log_in(around: GcpSurroundings, gcp: GcpEndpoints, robot: Identity, path: str) -> Login:
    started = time.monotonic()
    given = credentials(identityId=f"{robot.id}\n", serviceAccountKeyFilePath=f"{path}\n")
    login = await method(around, gcp.url).login(given)
    assert time.monotonic() - started < BOUND
    return login


def unavailable(why: Trouble, status: int = 0) -> Unavailable:
    return Unavailable(service=Service.GCP_IAM, why=why, status=status)


@pytest.mark.statement("S28", "S29", "S30")
@pytest.mark.parametrize("age", Age)
async def test_the_token_is_signed_by_the_service_account_for_this_identity_alone(
    around: GcpSurroundings, gcp: GcpEndpoints, server: StandIn, robot: Identity
) -> None:
    login = await log_in(around, gcp, robot, around.key_file(gcp))
    assert isinstance(login, LoginRequest)
    assert login.route == "/v1/auth/gcp-auth/login"
    assert login.revealed() == {"identityId": robot.id, "jwt": gcp.tokens[0]}
    assert gcp.asked == [SIGN]  # nobody else has to be reached
    answer = judged(server, login)
    assert answer.status == 200, answer.body


async def test_where_only_access_tokens_are_taken_one_is_obtained(
    around: GcpSurroundings, gcp: GcpEndpoints, server: StandIn, robot: Identity
) -> None:
    gcp.only_exchanged = True
    assert judged(server, await log_in(around, gcp, robot, around.key_file(gcp))).status == 200
    assert gcp.asked == [SIGN, "POST /token", SIGN]
    gcp.asked.clear()
    assert await log_in(around, gcp, robot, around.key_file(gcp, token_uri=None)) == PROOF
    assert gcp.asked == [SIGN]


async def test_a_key_of_another_account_and_a_right_that_is_missing_are_denied(
    around: GcpSurroundings, gcp: GcpEndpoints, robot: Identity
) -> None:
    for changes in ({"private_key": pem("another")}, {"private_key_id": "deleted"}):
        assert await log_in(around, gcp, robot, around.key_file(gcp, **changes)) == PROOF
    gcp.asked.clear()
    gcp.permitted = False
    assert await log_in(around, gcp, robot, around.key_file(gcp)) == PROOF
    assert gcp.asked == [SIGN]


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"aud": "somebody"}, (401, "Access denied: GCP audience mismatch.")),
        ({"exp": 1}, (403, "Your token has expired. Please re-authenticate.")),
        ({"sub": "somebody@example.com"}, (500, "Something went wrong")),
    ],
)
async def test_a_token_for_something_else_is_refused_by_the_server(
    claims: dict[str, object],
    expected: tuple[int, str],
    around: GcpSurroundings,
    gcp: GcpEndpoints,
    server: StandIn,
    robot: Identity,
) -> None:
    gcp.claims = claims
    assert refusal(judged(server, await log_in(around, gcp, robot, around.key_file(gcp)))) == expected


async def test_forged_tokens_and_other_accounts_are_refused(
    around: GcpSurroundings, gcp: GcpEndpoints, server: StandIn, robot: Identity
) -> None:
    login = await log_in(around, gcp, robot, around.key_file(gcp))
    assert isinstance(login, LoginRequest)
    head, claims, signature = gcp.tokens[0].split(".")
    for token, expected in (
        (f"{head}.{claims}.{signature[:-8]}AAAAAAAA", (403, "invalid signature")),
        ("no token", (500, "Something went wrong")),
    ):
        forged = LoginRequest(login.route, {**login.fields, "jwt": SecretText(token)})
        assert refusal(judged(server, forged)) == expected
    server.configure_login(robot, "gcp-auth", {**ALLOWED, "allowedServiceAccounts": "x@y"})
    assert refusal(judged(server, login)) == (401, "Access denied: GCP service account not allowed.")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no JSON",
        "\xff",
        "[" * 100_000,
        "[]",
        json.dumps({"type": "service_account"}),
        json.dumps({"type": "service_account", "client_email": ACCOUNT}),
        json.dumps({"type": "service_account", "client_email": ACCOUNT, "private_key": "no key"}),
        json.dumps({"type": "external_account", "audience": "x", "token_url": "https://example.com"}),
    ],
    ids=lambda content: content[:40],
)
async def test_a_file_that_is_no_key_file_is_told(
    content: str, around: GcpSurroundings, gcp: GcpEndpoints, robot: Identity
) -> None:
    path = around.directory / "file"
    path.write_bytes(content.encode("latin-1"))
    assert await log_in(around, gcp, robot, str(path)) == BAD_FILE
    assert gcp.asked == []


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "authorized_user"},
        {"type": None},
        {"client_email": "../../x"},
        {"client_email": "a@b/c"},
        {"client_email": 1},
        {"private_key": None},
        {"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"},
        {"token_uri": "http://oauth2.example.com/token"},
        {"token_uri": "http://127.0.0.1.example.com/token"},
        {"token_uri": "http://[/token"},
        {"token_uri": "file:///etc/passwd"},
        {"token_uri": ""},
    ],
    ids=str,
)
async def test_a_key_file_that_lacks_something_or_leads_elsewhere_is_told(
    changes: dict[str, object], around: GcpSurroundings, gcp: GcpEndpoints, robot: Identity
) -> None:
    assert await log_in(around, gcp, robot, around.key_file(gcp, **changes)) == BAD_FILE
    assert gcp.asked == []


async def test_files_that_are_not_there_or_not_allowed_are_told(
    around: GcpSurroundings, gcp: GcpEndpoints, robot: Identity
) -> None:
    name, secret_key = ResourceName("credentials"), SecretKey(FIELD)
    missing = await log_in(around, gcp, robot, str(around.directory / "absent.json"))
    assert missing == Missing(what=Thing.FILE, name=name, key=secret_key)
    outside = await log_in(around, gcp, robot, "/etc/hostname")
    assert outside == Denied(what=Denial.FILE, name=name, secret_key=secret_key)
    relative = await log_in(around, gcp, robot, "key.json")
    assert isinstance(relative, Invalid)
    assert relative.what is Fault.BAD_FILE_PATH


MOODS: dict[Mood, Login] = {
    Mood.HANGING: unavailable(Trouble.TIMED_OUT),
    Mood.NONSENSE: unavailable(Trouble.NOT_INFISICAL),
    Mood.FAULTY: unavailable(Trouble.FAULT, 500),
    Mood.LIMITING: unavailable(Trouble.LIMITED),
    Mood.REFUSING: PROOF,
}


@pytest.mark.parametrize("mood", MOODS, ids=lambda mood: mood.name.lower())
async def test_an_api_that_does_not_give_is_told_in_bounded_time(
    mood: Mood, around: GcpSurroundings, gcp: GcpEndpoints, robot: Identity
) -> None:
    gcp.mood = mood
    path = around.key_file(gcp)
    assert await log_in(around, gcp, robot, path) == MOODS[mood]
    assert gcp.asked == [SIGN]
    gcp.mood = Mood.WELL
    assert isinstance(await log_in(around, gcp, robot, path), LoginRequest)


@pytest.mark.parametrize("mood", MOODS, ids=lambda mood: mood.name.lower())
async def test_an_authorization_server_that_does_not_give_is_told_in_bounded_time(
    mood: Mood, around: GcpSurroundings, gcp: GcpEndpoints, server: StandIn, robot: Identity
) -> None:
    async with GcpEndpoints(server) as other:
        gcp.only_exchanged, other.mood = True, mood
        path = around.key_file(gcp, token_uri=f"{other.url}/token")
        assert await log_in(around, gcp, robot, path) == MOODS[mood]
        assert other.asked == ["POST /token"]


async def test_an_api_where_nobody_listens_is_told(
    around: GcpSurroundings, gcp: GcpEndpoints, robot: Identity
) -> None:
    path = around.key_file(gcp)
    gcp.url = "http://127.0.0.1:9"
    assert await log_in(around, gcp, robot, path) == unavailable(Trouble.REFUSED)
    gcp.url = "http://iamcredentials.invalid"
    assert await log_in(around, gcp, robot, path) == unavailable(Trouble.UNRESOLVED)


async def test_the_api_is_asked_through_the_proxy_of_the_environment(
    around: GcpSurroundings, gcp: GcpEndpoints, robot: Identity
) -> None:
    path = around.key_file(gcp)
    around.put(HTTP_PROXY=gcp.url, http_proxy=gcp.url)
    gcp.url = "http://iamcredentials.invalid"
    assert isinstance(await log_in(around, gcp, robot, path), LoginRequest)
    assert gcp.asked == [SIGN]


async def test_netrc_does_not_take_the_place_of_the_proof(
    around: GcpSurroundings, gcp: GcpEndpoints, robot: Identity
) -> None:
    netrc = around.directory / "netrc"
    netrc.write_text("default login x password canary-netrc\n")
    around.put(NETRC=str(netrc))
    assert isinstance(await log_in(around, gcp, robot, around.key_file(gcp)), LoginRequest)


async def test_nothing_logged_or_shown_holds_a_key_or_a_token(
    around: GcpSurroundings, gcp: GcpEndpoints, robot: Identity
) -> None:
    shown: list[object] = []
    path = around.key_file(gcp)
    with Overheard() as overheard:
        for mood in Mood:
            for gcp.only_exchanged in (False, True):
                gcp.mood = mood
                if mood is not Mood.HANGING:
                    auth = method(around, gcp.url)
                    given = credentials(identityId=robot.id, serviceAccountKeyFilePath=path)
                    shown += [auth, vars(auth), given, await auth.login(given)]
    assert len(gcp.tokens) == 2
    planted = (CANARY, ACCESS_TOKEN, pem("file").splitlines()[1], *gcp.tokens)
    assert not [one for one in planted if one in overheard.text + "".join(map(repr, shown))]
    assert overheard.text == ""
