"""Azure Auth: each source of tokens, judged by a stand-in that checks key, tenant and audience, and what can go wrong."""

import asyncio
import io
import logging
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.auth.azure import AzureAuth
from adapters.auth.login import Login, LoginRequest
from adapters.auth.settings import AuthSettings
from machines.outcomes import Denial, Denied, Missing, Service, Thing, Trouble, Unavailable
from reconciler.standin import Identity, StandIn
from tests.apiserver.certificates import ServingCertificate, make_serving_certificate
from tests.clouds.azure_endpoints import (
    APP_SERVICE_SECRET,
    CANARY,
    FEDERATED_TOKEN,
    PRINCIPAL,
    TENANT,
    USER_ASSIGNED,
    AzureEndpoints,
)
from tests.clouds.azure_surroundings import AzureSurroundings
from tests.clouds.endpoint import Mood
from tests.clouds.logins import credentials, judged, refusal

DEFAULT = "https://management.azure.com/"
ALLOWED = {"tenantId": TENANT, "resource": DEFAULT, "allowedServicePrincipalIds": f"x, {PRINCIPAL}"}
BOUND = 15.0
"""Seconds within which every failure is told."""
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AzureSurroundings:
    return AzureSurroundings(monkeypatch, tmp_path)


@pytest.fixture
def server() -> StandIn:
    return StandIn(time.time)


@pytest.fixture
def robot(server: StandIn) -> Identity:
    identity = server.add_identity("robot")
    server.configure_login(identity, "azure-auth", ALLOWED)
    return identity


@pytest.fixture
async def azure(server: StandIn, around: AzureSurroundings) -> AsyncIterator[AzureEndpoints]:
    async with AzureEndpoints(server) as endpoints:
        yield endpoints


@pytest.fixture(scope="module")
def certificate() -> ServingCertificate:
    return make_serving_certificate()


@pytest.fixture
async def authority(
    server: StandIn, around: AzureSurroundings, tmp_path: Path, certificate: ServingCertificate
) -> AsyncIterator[AzureEndpoints]:
    """Endpoints behind TLS: the SDK takes no authority without."""
    file = tmp_path / "server.pem"
    file.write_bytes(certificate.certificate + certificate.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    async with AzureEndpoints(server, context) as endpoints:
        yield endpoints


def method(client_id: str | None = None) -> AzureAuth:
    return AzureAuth(AuthSettings(azure_client_id=client_id))


async def log_in(robot: Identity, auth: AzureAuth | None = None, **more: str) -> Login:
    started = time.monotonic()
    login = await (auth or method()).login(credentials(identityId=f"{robot.id}\n", **more))
    assert time.monotonic() - started < BOUND
    return login


@pytest.mark.statement("S22", "S24", "S25")
async def test_the_managed_identitys_token_is_for_azures_management_unless_said_otherwise(
    around: AzureSurroundings, azure: AzureEndpoints, server: StandIn, robot: Identity
) -> None:
    around.instance(azure.url)
    login = await log_in(robot)
    assert isinstance(login, LoginRequest)
    assert login.route == "/v1/auth/azure-auth/login"
    fields = {name: text.reveal() for name, text in login.fields.items()}
    assert fields == {"identityId": robot.id, "jwt": azure.tokens[0]}
    assert azure.resources == [DEFAULT]
    assert azure.asked == ["GET /metadata/identity/oauth2/token"]
    answer = judged(server, login)
    assert answer.status == 200, answer.body


@pytest.mark.statement("S23")
@pytest.mark.parametrize(
    "resource",
    ["https://management.azure.com/", "https://vault.azure.net", "api://infisical/", "api://infisical"],
)
async def test_the_audience_is_asked_for_exactly_as_written(
    resource: str, around: AzureSurroundings, azure: AzureEndpoints, server: StandIn, robot: Identity
) -> None:
    server.configure_login(robot, "azure-auth", {**ALLOWED, "resource": resource})
    around.instance(azure.url)
    assert judged(server, await log_in(robot, resource=f"{resource}\n")).status == 200
    assert azure.resources == [resource]


async def test_audiences_that_differ_in_the_final_slash_are_two(
    around: AzureSurroundings, azure: AzureEndpoints, server: StandIn, robot: Identity
) -> None:
    around.instance(azure.url)
    auth = method()
    for resource in ("api://infisical/", "api://infisical") * 2:
        assert isinstance(await log_in(robot, auth, resource=resource), LoginRequest)
    assert azure.resources == ["api://infisical/", "api://infisical"]


async def test_a_user_assigned_identity_is_named(
    around: AzureSurroundings, azure: AzureEndpoints, server: StandIn, robot: Identity
) -> None:
    around.instance(azure.url)
    server.configure_login(robot, "azure-auth", {**ALLOWED, "allowedServicePrincipalIds": USER_ASSIGNED})
    message = f"Service principal '{PRINCIPAL}' not allowed"
    assert refusal(judged(server, await log_in(robot))) == (401, message)
    assert judged(server, await log_in(robot, method(USER_ASSIGNED))).status == 200
    assert await log_in(robot, method("of-nobody")) == NONE


async def test_a_host_with_an_endpoint_of_its_own_is_asked_there(
    around: AzureSurroundings, azure: AzureEndpoints, server: StandIn, robot: Identity
) -> None:
    around.app_service(azure)
    around.instance(NOBODY)
    assert judged(server, await log_in(robot)).status == 200
    assert azure.asked == ["GET /msi/token"]


@pytest.mark.parametrize("client", ["from the environment", "from the settings"])
async def test_workload_identity_exchanges_the_federated_token(
    client: str,
    around: AzureSurroundings,
    authority: AzureEndpoints,
    certificate: ServingCertificate,
    server: StandIn,
    robot: Identity,
) -> None:
    around.workload(authority, certificate.authority)
    around.instance(NOBODY)
    server.configure_login(robot, "azure-auth", {**ALLOWED, "allowedServicePrincipalIds": USER_ASSIGNED})
    if client == "from the settings":
        around.put(AZURE_CLIENT_ID="of-nobody")
    auth = method(USER_ASSIGNED if client == "from the settings" else None)
    assert judged(server, await log_in(robot, auth)).status == 200
    assert authority.scopes == [
        f"{DEFAULT}/.default"
    ]  # from which the authority takes the end, and leaves the slash
    assert authority.asked == [f"POST /{TENANT}/oauth2/v2.0/token"]


async def test_developers_credentials_are_never_used(
    around: AzureSurroundings, azure: AzureEndpoints, robot: Identity
) -> None:
    azure.has_identity = False
    around.instance(azure.url)
    around.put(AZURE_CLIENT_ID="a", AZURE_TENANT_ID=TENANT, AZURE_CLIENT_SECRET="b", AZURE_USERNAME="c")
    assert await log_in(robot) == NONE
    assert azure.asked == ["GET /metadata/identity/oauth2/token"]


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"oid": "somebody"}, (401, "Service principal 'somebody' not allowed")),
        ({"tid": "another"}, (401, "Tenant ID mismatch")),
        ({"iss": "https://sts.windows.net/another/"}, (403, "jwt issuer invalid. expected: ")),
        ({"aud": "https://vault.azure.net"}, (403, "jwt audience invalid. expected: ")),
        ({"exp": 1}, (403, "Your token has expired. Please re-authenticate.")),
    ],
)
async def test_a_token_for_something_else_is_refused_by_the_server(
    claims: dict[str, object],
    expected: tuple[int, str],
    around: AzureSurroundings,
    azure: AzureEndpoints,
    server: StandIn,
    robot: Identity,
) -> None:
    around.instance(azure.url)
    azure.claims = claims
    status, message = refusal(judged(server, await log_in(robot)))
    assert (status, message[: len(expected[1])]) == expected


async def test_a_forged_token_and_one_of_an_unknown_key_are_refused(
    around: AzureSurroundings, azure: AzureEndpoints, server: StandIn, robot: Identity
) -> None:
    around.instance(azure.url)
    login = await log_in(robot)
    assert isinstance(login, LoginRequest)
    head, claims, signature = azure.tokens[0].split(".")
    for token, expected in (
        (f"{head}.{claims}.{signature[:-8]}AAAAAAAA", (403, "invalid signature")),
        ("no token", (500, "Something went wrong")),
    ):
        forged = LoginRequest(login.route, {**login.fields, "jwt": type(login.fields["jwt"])(token)})
        assert refusal(judged(server, forged)) == expected
    server.clouds.azure_tenants.clear()
    assert refusal(judged(server, login)) == (401, "Invalid signing key")


async def test_tokens_are_kept_while_they_are_valid(
    around: AzureSurroundings, azure: AzureEndpoints, server: StandIn, robot: Identity
) -> None:
    around.instance(azure.url)
    auth = method()
    for _ in range(3):
        assert judged(server, await log_in(robot, auth)).status == 200
    assert len(azure.tokens) == 1
    azure.lifetime, auth = 60, method()  # of which nothing is left but what a login may take
    for _ in range(3):
        assert judged(server, await log_in(robot, auth)).status == 200
    assert len(azure.tokens) == 4


async def test_logins_at_once_all_succeed(
    around: AzureSurroundings, azure: AzureEndpoints, server: StandIn, robot: Identity
) -> None:
    around.instance(azure.url)
    auth = method()
    for login in await asyncio.gather(*(log_in(robot, auth) for _ in range(30))):
        assert judged(server, login).status == 200
    assert len(azure.tokens) <= 8  # one for each thread that came first


def unavailable(why: Trouble, status: int = 0) -> Unavailable:
    return Unavailable(service=Service.AZURE, why=why, status=status)


NONE = Missing(what=Thing.AMBIENT, service=Service.AZURE)
PROOF = Denied(what=Denial.PROOF, service=Service.AZURE)
MOODS: dict[Mood, Login] = {
    Mood.HANGING: unavailable(Trouble.TIMED_OUT),
    Mood.NONSENSE: unavailable(Trouble.NOT_INFISICAL),
    Mood.FAULTY: unavailable(Trouble.FAULT, 500),
    Mood.LIMITING: unavailable(Trouble.LIMITED),
    Mood.REFUSING: PROOF,
}


@pytest.mark.parametrize("source", ["instance", "app service", "workload"])
@pytest.mark.parametrize("mood", MOODS, ids=lambda mood: mood.name.lower())
async def test_a_source_that_does_not_give_is_told_in_bounded_time(
    mood: Mood,
    source: str,
    around: AzureSurroundings,
    azure: AzureEndpoints,
    authority: AzureEndpoints,
    certificate: ServingCertificate,
    robot: Identity,
) -> None:
    match source:
        case "instance":
            around.instance(azure.url)
        case "app service":
            around.app_service(azure)
        case "workload":
            around.workload(authority, certificate.authority)
    azure.mood = authority.mood = mood
    auth = method()
    assert await log_in(robot, auth) == MOODS[mood]
    azure.mood = authority.mood = Mood.WELL
    assert isinstance(await log_in(robot, auth), LoginRequest)


async def test_a_source_where_nobody_listens_is_told(
    around: AzureSurroundings, azure: AzureEndpoints, certificate: ServingCertificate, robot: Identity
) -> None:
    around.instance(NOBODY)
    assert await log_in(robot) == unavailable(Trouble.REFUSED)
    azure.url = NOBODY.replace("http:", "https:")
    around.workload(azure, certificate.authority)
    assert await log_in(robot) == unavailable(Trouble.REFUSED)


async def test_an_authority_that_is_not_trusted_is_told(
    around: AzureSurroundings, authority: AzureEndpoints, robot: Identity
) -> None:
    around.workload(authority, make_serving_certificate().authority)
    assert await log_in(robot) == unavailable(Trouble.UNTRUSTED)
    assert authority.asked == []


async def test_no_identity_and_half_a_configuration_are_told_as_none(
    around: AzureSurroundings,
    azure: AzureEndpoints,
    authority: AzureEndpoints,
    certificate: ServingCertificate,
    robot: Identity,
) -> None:
    azure.has_identity = False
    around.instance(azure.url)
    assert await log_in(robot) == NONE
    token = around.workload(authority, certificate.authority)
    token.unlink()
    assert await log_in(robot) == NONE
    around.put(AZURE_CLIENT_ID="")
    assert await log_in(robot) == NONE
    around.put(AZURE_AUTHORITY_HOST=azure.url, AZURE_CLIENT_ID=USER_ASSIGNED)  # without TLS
    assert await log_in(robot) == NONE


async def test_an_audience_that_the_authority_does_not_know_and_a_wrong_federated_token_are_denied(
    around: AzureSurroundings,
    azure: AzureEndpoints,
    authority: AzureEndpoints,
    certificate: ServingCertificate,
    robot: Identity,
) -> None:
    around.instance(azure.url)
    assert await log_in(robot, resource="https://unknown.example.com") == PROOF
    assert azure.resources == ["https://unknown.example.com"]
    around.workload(authority, certificate.authority).write_text("another token")
    assert await log_in(robot) == PROOF


@pytest.mark.parametrize("resource", ["a b&client_id=x", "ä", "https://a.example.com/?x=y#z", "/.default"])
async def test_an_audience_of_any_form_is_asked_for_as_it_is(
    resource: str, around: AzureSurroundings, azure: AzureEndpoints, robot: Identity
) -> None:
    around.instance(azure.url)
    assert await log_in(robot, resource=resource) == PROOF
    assert azure.resources == [resource]


async def test_nothing_logged_or_shown_holds_a_token(
    around: AzureSurroundings,
    azure: AzureEndpoints,
    authority: AzureEndpoints,
    certificate: ServingCertificate,
    robot: Identity,
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(lambda record: not record.name.startswith("aiohttp"))  # the endpoints themselves
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    shown: list[object] = []
    try:
        for arrange in (
            lambda: around.instance(azure.url),
            lambda: around.workload(authority, certificate.authority),
            lambda: around.app_service(azure),
        ):
            arrange()
            for mood in (Mood.WELL, Mood.REFUSING, Mood.NONSENSE):
                azure.mood = authority.mood = mood
                auth = method()
                shown += [auth, await log_in(robot, auth), vars(auth)]
            azure.mood = authority.mood = Mood.WELL
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    text = stream.getvalue() + "".join(map(repr, shown))
    assert len(azure.tokens) == 2
    assert len(authority.tokens) == 1
    planted = (FEDERATED_TOKEN, APP_SERVICE_SECRET, CANARY, *azure.tokens, *authority.tokens)
    assert not [one for one in planted if one in text]
    assert "token" not in stream.getvalue().lower()
