"""GCP ID Token Auth: tokens of a metadata server on loopback, judged by a stand-in that checks them."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.auth.gcp_id_token import GcpIdTokenAuth
from adapters.auth.login import Login, LoginRequest
from adapters.infisical.secret_text import SecretText
from machines.outcomes import Denial, Denied, Missing, Service, Thing, Trouble, Unavailable
from reconciler.standin import Age, Identity, StandIn
from tests.adapters.auth.overheard import Overheard
from tests.clouds.endpoint import Mood
from tests.clouds.gcp_endpoints import ACCOUNT, CANARY, PROJECT, ZONE, GcpEndpoints
from tests.clouds.gcp_surroundings import GcpSurroundings
from tests.clouds.logins import credentials, judged, refusal

ALLOWED = {
    "type": "gce",
    "allowedServiceAccounts": f"x@y, {ACCOUNT}",
    "allowedProjects": PROJECT,
    "allowedZones": ZONE,
}
ROUTE = "/computeMetadata/v1/instance/service-accounts/default/identity"
BOUND = 8.0
"""Seconds within which every failure is told."""


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
        around.instance(endpoints.url)
        yield endpoints


async def log_in(robot: Identity) -> Login:
    started = time.monotonic()
    login = await GcpIdTokenAuth().login(credentials(identityId=f"{robot.id}\n"))
    assert time.monotonic() - started < BOUND
    return login


def unavailable(why: Trouble, status: int = 0) -> Unavailable:
    return Unavailable(service=Service.GCP_METADATA, why=why, status=status)


@pytest.mark.statement("S26", "S27")
@pytest.mark.parametrize("age", Age)
async def test_the_token_is_for_this_identity_alone(
    gcp: GcpEndpoints, server: StandIn, robot: Identity
) -> None:
    login = await log_in(robot)
    assert isinstance(login, LoginRequest)
    assert login.route == "/v1/auth/gcp-auth/login"
    assert login.revealed() == {"identityId": robot.id, "jwt": gcp.tokens[0]}
    assert gcp.asked == [f"GET {ROUTE}"]
    answer = judged(server, login)
    assert answer.status == 200, answer.body
    other = server.add_identity("other")
    server.configure_login(other, "gcp-auth", ALLOWED)
    taken = LoginRequest(login.route, {**login.fields, "identityId": SecretText(other.id)})
    assert refusal(judged(server, taken)) == (500, "Something went wrong")


async def test_the_older_variable_is_honoured_after_the_newer_one(
    gcp: GcpEndpoints, around: GcpSurroundings, robot: Identity
) -> None:
    around.put(GCE_METADATA_ROOT="127.0.0.1:9")
    assert isinstance(await log_in(robot), LoginRequest)
    around.put(GCE_METADATA_ROOT=gcp.url.removeprefix("http://"), GCE_METADATA_HOST="")
    assert isinstance(await log_in(robot), LoginRequest)


async def test_no_proxy_and_no_netrc_comes_in_between(
    gcp: GcpEndpoints, around: GcpSurroundings, robot: Identity
) -> None:
    netrc = around.directory / "netrc"
    netrc.write_text("machine 127.0.0.1 login x password canary-netrc\n")
    around.put(HTTP_PROXY="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9", NETRC=str(netrc))
    assert isinstance(await log_in(robot), LoginRequest)


async def test_tokens_are_asked_for_anew(gcp: GcpEndpoints, robot: Identity) -> None:
    for _ in range(2):
        assert isinstance(await log_in(robot), LoginRequest)
    assert len(gcp.tokens) == 2


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"email": "somebody@example.com"}, (401, "Access denied: GCP service account not allowed.")),
        (
            {"google": {"compute_engine": {"project_id": "x", "zone": ZONE}}},
            (401, "Access denied: GCP project"),
        ),
        (
            {"google": {"compute_engine": {"project_id": PROJECT, "zone": "x"}}},
            (401, "Access denied: GCP zone"),
        ),
        ({"aud": "somebody"}, (500, "Something went wrong")),
        ({"iss": "https://issuer.example.com"}, (500, "Something went wrong")),
        ({"exp": 1}, (500, "Something went wrong")),
    ],
)
async def test_a_token_for_something_else_is_refused_by_the_server(
    claims: dict[str, object],
    expected: tuple[int, str],
    gcp: GcpEndpoints,
    server: StandIn,
    robot: Identity,
) -> None:
    gcp.claims = claims
    status, message = refusal(judged(server, await log_in(robot)))
    assert (status, message[: len(expected[1])]) == expected


async def test_a_forged_token_is_refused(gcp: GcpEndpoints, server: StandIn, robot: Identity) -> None:
    login = await log_in(robot)
    assert isinstance(login, LoginRequest)
    head, claims, signature = gcp.tokens[0].split(".")
    for token in (f"{head}.{claims}.{signature[:-8]}AAAAAAAA", "no token"):
        forged = LoginRequest(login.route, {**login.fields, "jwt": SecretText(token)})
        assert refusal(judged(server, forged)) == (500, "Something went wrong")
    server.clouds.google_keys = {}
    assert refusal(judged(server, login)) == (500, "Something went wrong")


MOODS: dict[Mood, Login] = {
    Mood.HANGING: unavailable(Trouble.TIMED_OUT),
    Mood.NONSENSE: unavailable(Trouble.NOT_INFISICAL),
    Mood.FAULTY: unavailable(Trouble.FAULT, 500),
    Mood.LIMITING: unavailable(Trouble.LIMITED),
    Mood.REFUSING: unavailable(Trouble.NOT_INFISICAL),  # no metadata server, by its headers
}


@pytest.mark.parametrize("mood", MOODS, ids=lambda mood: mood.name.lower())
async def test_a_metadata_server_that_does_not_give_is_told_in_bounded_time(
    mood: Mood, gcp: GcpEndpoints, robot: Identity
) -> None:
    gcp.mood = mood
    assert await log_in(robot) == MOODS[mood]
    assert gcp.asked == [f"GET {ROUTE}"]
    gcp.mood = Mood.WELL
    assert isinstance(await log_in(robot), LoginRequest)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (404, Missing(what=Thing.AMBIENT, service=Service.GCP_METADATA)),
        (403, Denied(what=Denial.PROOF, service=Service.GCP_METADATA)),
        (400, Denied(what=Denial.PROOF, service=Service.GCP_METADATA)),
        (503, unavailable(Trouble.FAULT, 503)),
        (302, unavailable(Trouble.NOT_INFISICAL)),
        (204, unavailable(Trouble.NOT_INFISICAL)),
    ],
)
async def test_each_refusal_is_told_as_what_it_is(
    status: int, expected: Login, gcp: GcpEndpoints, robot: Identity
) -> None:
    gcp.status = status
    assert await log_in(robot) == expected
    assert len(gcp.asked) == 1


async def test_an_answer_that_is_not_marked_as_the_metadata_servers_is_not_taken(
    gcp: GcpEndpoints, robot: Identity
) -> None:
    gcp.unmarked = True
    assert await log_in(robot) == unavailable(Trouble.NOT_INFISICAL)
    gcp.status = 404
    assert await log_in(robot) == unavailable(Trouble.NOT_INFISICAL)


async def test_a_metadata_server_where_nobody_listens_is_told(
    around: GcpSurroundings, robot: Identity
) -> None:
    around.instance("127.0.0.1:9")
    assert await log_in(robot) == unavailable(Trouble.REFUSED)
    around.instance("metadata.invalid")
    assert await log_in(robot) == unavailable(Trouble.UNRESOLVED)
    around.instance("not a host")
    assert isinstance(await log_in(robot), Unavailable)


async def test_nothing_logged_or_shown_holds_a_token(gcp: GcpEndpoints, robot: Identity) -> None:
    shown: list[object] = []
    with Overheard() as overheard:
        for mood in Mood:
            gcp.mood = mood
            if mood is not Mood.HANGING:
                shown.append(await log_in(robot))
    assert len(gcp.tokens) == 1
    assert not [one for one in (CANARY, *gcp.tokens) if one in overheard.text + "".join(map(repr, shown))]
    assert overheard.text == ""
