"""OCI Auth: requests signed by an API key, judged by a stand-in that verifies them by its public half."""

import email.utils
import time

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.auth.login import Login, LoginRequest
from adapters.auth.oracle_cloud import OciAuth
from adapters.infisical.secret_text import SecretText
from machines.names import FieldPath, ResourceName, SecretKey
from machines.outcomes import Fault, Invalid
from reconciler.standin import Age, Identity, StandIn
from tests.adapters.auth.overheard import Overheard
from tests.clouds import oci_user
from tests.clouds.logins import credentials, judged, refusal
from tests.clouds.oci_user import FINGERPRINT, NAME, PASSPHRASE, REGION, TENANCY, USER, pem, texts

ALLOWED = {"tenancyOcid": TENANCY, "allowedUsernames": f"x, {NAME}"}
HOST = f"identity.{REGION}.oraclecloud.com"
REFUSED = (500, "Something went wrong")


@pytest.fixture
def age() -> Age:
    return Age.CURRENT


@pytest.fixture
def server(age: Age) -> StandIn:
    server = StandIn(time.time, age)
    oci_user.register(server)
    return server


@pytest.fixture
def robot(server: StandIn) -> Identity:
    identity = server.add_identity("robot")
    server.configure_login(identity, "oci-auth", ALLOWED)
    return identity


async def log_in(robot: Identity, **changes: str) -> Login:
    return await OciAuth().login(credentials(**{**texts(robot.id, pem()), **changes}))


def fault(what: Fault, field: str) -> Invalid:
    return Invalid(
        what=what, field=FieldPath(field), name=ResourceName("credentials"), secret_key=SecretKey(field)
    )


@pytest.mark.statement("S35", "S36", "S37")
@pytest.mark.parametrize("age", [Age.CURRENT, Age.YEAR_2025])
async def test_the_request_is_signed_and_not_sent(server: StandIn, robot: Identity) -> None:
    login = await log_in(robot)
    assert isinstance(login, LoginRequest)
    assert login.route == "/v1/auth/oci-auth/login"
    body = login.revealed()
    assert set(body) == {"identityId", "userOcid", "headers"}
    assert (body["identityId"], body["userOcid"]) == (robot.id, USER)
    headers = body["headers"]
    assert isinstance(headers, dict)
    assert list(headers) == ["authorization", "x-date", "host"]
    assert headers["host"] == HOST
    assert abs(email.utils.parsedate_to_datetime(headers["x-date"]).timestamp() - time.time()) < 5
    assert headers["authorization"].startswith(
        'Signature algorithm="rsa-sha256",headers="x-date (request-target) host",'
        f'keyId="{TENANCY}/{USER}/{FINGERPRINT}",signature="'
    )
    answer = judged(server, login)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize("age", [Age.YEAR_2024])
async def test_servers_that_do_not_know_the_method_say_so(server: StandIn, robot: Identity) -> None:
    assert refusal(judged(server, await log_in(robot)))[0] == 404


@pytest.mark.parametrize("traditional", [False, True])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"], ids=["as it is", "line feed", "return"])
async def test_encrypted_keys_sign_with_their_passphrase(
    traditional: bool, end: str, server: StandIn, robot: Identity
) -> None:
    key = pem(PASSPHRASE, traditional=traditional)
    login = await log_in(robot, privateKey=key, privateKeyPassphrase=PASSPHRASE + end)
    assert judged(server, login).status == 200


async def test_a_passphrase_that_is_not_needed_does_no_harm(server: StandIn, robot: Identity) -> None:
    login = await log_in(robot, privateKeyPassphrase="whatever")
    assert judged(server, login).status == 200


async def test_white_space_around_credentials_is_none_of_theirs(server: StandIn, robot: Identity) -> None:
    given = {field: f" {text}\n" for field, text in texts(robot.id, pem()).items()}
    assert judged(server, await log_in(robot, **given)).status == 200


@pytest.mark.parametrize(
    "key",
    [
        "no key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "öäü",
        oci_user.key().public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.PKCS1).decode(),
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        .decode(),
    ],
    ids=["text", "torn", "not ASCII", "public", "not RSA"],
)
async def test_what_cannot_sign_is_told(key: str, robot: Identity) -> None:
    assert await log_in(robot, privateKey=key) == fault(Fault.BAD_PRIVATE_KEY, "privateKey")


async def test_a_missing_or_wrong_passphrase_is_told(robot: Identity) -> None:
    wrong = fault(Fault.BAD_PRIVATE_KEY, "privateKey")
    for traditional in (False, True):
        key = pem(PASSPHRASE, traditional=traditional)
        assert await log_in(robot, privateKey=key) == wrong
        assert await log_in(robot, privateKey=key, privateKeyPassphrase="another") == wrong


@pytest.mark.parametrize(
    "region", ["frankfurt", "eu frankfurt 1", "eu-frankfurt-1.evil.example.com", "x/y", "EU-1"]
)
async def test_a_region_that_is_none_is_told(region: str, robot: Identity) -> None:
    assert await log_in(robot, region=region) == fault(Fault.BAD_REGION, "region")


@pytest.mark.parametrize("field", ["tenancyId", "userId", "fingerprint"])
@pytest.mark.parametrize("text", ['a"b', "a b", "a\nb", "ä"])
async def test_what_no_header_can_carry_is_told(field: str, text: str, robot: Identity) -> None:
    assert await log_in(robot, **{field: text}) == fault(Fault.NOT_TEXT, field)


async def test_other_users_tenancies_and_keys_are_refused_by_the_server(
    server: StandIn, robot: Identity
) -> None:
    for field in ("userId", "tenancyId", "fingerprint"):
        assert refusal(judged(server, await log_in(robot, **{field: "another"}))) == REFUSED
    assert refusal(judged(server, await log_in(robot, region="us-gov-ashburn-1"))) == (
        400,
        "Invalid OCI host format. Expected format: identity.<region>.oraclecloud.com",
    )
    server.configure_login(robot, "oci-auth", {**ALLOWED, "allowedUsernames": "x"})
    username = (401, "Access denied: OCI account username not allowed.")
    assert refusal(judged(server, await log_in(robot))) == username
    server.configure_login(robot, "oci-auth", {"tenancyOcid": "x"})
    tenancy = (401, "Access denied: OCI account isn't part of tenancy.")
    assert refusal(judged(server, await log_in(robot))) == tenancy


async def test_changed_signatures_old_dates_and_dropped_headers_are_refused(
    server: StandIn, robot: Identity
) -> None:
    login = await log_in(robot)
    assert isinstance(login, LoginRequest)
    assert login.headers is not None
    headers = {name: text.reveal() for name, text in login.headers.items()}
    date = email.utils.formatdate(time.time() + 1, usegmt=True)
    old = email.utils.formatdate(time.time() - 301, usegmt=True)
    for changes in (
        {"host": "identity.us-phoenix-1.oraclecloud.com"},
        {"x-date": date},
        {"x-date": old},
        {"x-date": "yesterday"},
        {"authorization": headers["authorization"].replace("x-date ", "")},
        {"authorization": headers["authorization"].replace("x-date ", "date ")},
        {"authorization": "Bearer x"},
    ):
        changed = {name: SecretText(text) for name, text in {**headers, **changes}.items()}
        assert refusal(judged(server, LoginRequest(login.route, login.fields, changed))) == REFUSED
    server.clouds.oci_keys.clear()
    assert refusal(judged(server, login)) == REFUSED


@pytest.mark.parametrize("age", [Age.YEAR_2025])
@pytest.mark.parametrize("missing", ["authorization", "host", "x-date", "headers"])
async def test_the_form_is_checked(missing: str, server: StandIn, robot: Identity) -> None:
    login = await log_in(robot)
    assert isinstance(login, LoginRequest)
    headers = {name: text for name, text in (login.headers or {}).items() if name != missing}
    given = LoginRequest(login.route, login.fields, None if missing == "headers" else headers)
    assert judged(server, given).status == 422


async def test_nothing_logged_or_shown_holds_a_credential(server: StandIn, robot: Identity) -> None:
    shown: list[object] = []
    key = pem(PASSPHRASE)
    with Overheard() as overheard:
        for passphrase in (PASSPHRASE, "canary-wrong"):
            given = credentials(**texts(robot.id, key), privateKeyPassphrase=passphrase)
            shown += [OciAuth(), given, login := await OciAuth().login(given)]
            shown.append(login.headers if isinstance(login, LoginRequest) else None)
    text = overheard.text + "".join(map(repr, shown))
    assert not [one for one in (PASSPHRASE, "canary", *key.splitlines()) if one in text]
    assert overheard.text == ""
