"""GCP ID Token Auth and GCP IAM Auth against a server that verifies their tokens, with GCP on loopback."""

import io
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.auth.settings import AuthSettings
from adapters.cluster import Object
from adapters.resources.kinds import SECRET
from reconciler.logs import set_up
from reconciler.standin import Age
from reconciler.transitions_seen import DebugLog, SeveralJournals
from tests.clouds.endpoint import Mood
from tests.clouds.gcp_endpoints import ACCESS_TOKEN, ACCOUNT, CANARY, PROJECT, ZONE, GcpEndpoints, pem
from tests.clouds.gcp_surroundings import GcpSurroundings
from tests.scenarios.logins import documented, fails, machine, serves
from tests.scenarios.scene import Scene
from tests.scenarios.test_canaries import found_in

METADATA = "the GCP metadata server, asked for an identity token,"
API = "the GCP IAM credentials API, asked to sign a token,"
NOBODY = "http://127.0.0.1:9"
BOUND = 12.0
"""Seconds within which every failure is told."""
ID_TOKEN, IAM = "gcp-id-token-auth", "gcp-iam-auth"


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> GcpSurroundings:
    """Nothing of GCP."""
    return GcpSurroundings(monkeypatch, tmp_path)


@pytest.fixture
async def gcp(scene: Scene, around: GcpSurroundings) -> AsyncIterator[GcpEndpoints]:
    """GCP, whose keys the scene's server knows."""
    async with GcpEndpoints(scene.server) as endpoints:
        around.instance(endpoints.url)
        yield endpoints


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, at the level that says most."""
    stream = io.StringIO()
    set_up("debug", "json", stream)
    yield stream
    set_up("error", "json", io.StringIO())


def of_machine(scene: Scene) -> tuple[Object, Object]:
    """Secret and store of an identity that is bound to a machine's account, project and zone."""
    bound = {"allowedServiceAccounts": ACCOUNT, "allowedProjects": PROJECT, "allowedZones": ZONE}
    identity = machine(scene, "gcp-auth", {"type": "gce", **bound})
    return documented(scene, f"store-{ID_TOKEN}", {"identityId": identity.id})


def of_account(scene: Scene, path: str) -> tuple[Object, Object]:
    """Secret and store of an identity that is bound to the service account of a key file."""
    identity = machine(scene, "gcp-auth", {"type": "iam", "allowedServiceAccounts": ACCOUNT})
    texts = {"identityId": identity.id, "serviceAccountKeyFilePath": path}
    return documented(scene, f"store-{IAM}", texts)


def settings(around: GcpSurroundings, gcp: GcpEndpoints) -> AuthSettings:
    """The directory of the key file may be read, and the API is on loopback."""
    return AuthSettings(credential_directories=(around.directory,), gcp_iam_credentials=gcp.url)


@pytest.mark.statement("S26", "S27")
@pytest.mark.parametrize("age", Age)
async def test_the_machines_service_account_logs_in(scene: Scene, gcp: GcpEndpoints) -> None:
    """By a token of the metadata server, for this identity."""
    await serves(scene, *of_machine(scene))
    assert len(gcp.asked) == len(gcp.tokens) == 1


@pytest.mark.statement("S28", "S29", "S30")
@pytest.mark.parametrize("age", Age)
async def test_the_service_account_of_a_key_file_logs_in(
    scene: Scene, around: GcpSurroundings, gcp: GcpEndpoints
) -> None:
    """By a token that the API signs in its name, on the proof of its key."""
    await serves(scene, *of_account(scene, around.key_file(gcp)), settings(around, gcp))
    assert gcp.asked == [f"POST /v1/projects/-/serviceAccounts/{ACCOUNT}:signJwt"]


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"email": "somebody@example.com"}, "refuses the credentials"),
        ({"google": {"compute_engine": {"project_id": PROJECT, "zone": "x"}}}, "refuses the credentials"),
        ({"aud": "somebody"}, "has an internal fault (HTTP 500)"),  # the server does not say more
        ({"exp": 1_700_000_000}, "has an internal fault (HTTP 500)"),
    ],
    ids=["other account", "other zone", "other audience", "expired"],
)
async def test_machine_that_the_identity_is_not_bound_to_is_refused(
    scene: Scene, gcp: GcpEndpoints, claims: dict[str, object], said: str
) -> None:
    """The server says no."""
    gcp.claims = claims
    await fails(scene, *of_machine(scene), said)


@pytest.mark.parametrize(
    "claims", [{"exp": 1_700_000_000}, {"aud": "somebody"}], ids=["expired", "other audience"]
)
async def test_signed_token_that_the_identity_is_not_bound_to_is_refused(
    scene: Scene, around: GcpSurroundings, gcp: GcpEndpoints, claims: dict[str, object]
) -> None:
    """The server says no, and the condition what to check."""
    gcp.claims = claims
    secret, store = of_account(scene, around.key_file(gcp))
    await fails(scene, secret, store, "refuses the credentials", settings(around, gcp))


@pytest.mark.parametrize(
    ("mood", "status", "said"),
    [
        (None, 200, f"{METADATA} refuses connections: does the controller run there"),
        (Mood.HANGING, 200, f"{METADATA} does not answer in time"),
        (Mood.NONSENSE, 200, f"{METADATA} gives an answer that makes no sense"),
        (Mood.FAULTY, 200, f"{METADATA} has an internal fault (HTTP 500)"),
        (Mood.LIMITING, 200, f"{METADATA} limits requests"),
        (Mood.WELL, 403, f"{METADATA} refuses: check its rights there"),
        (Mood.WELL, 404, "node or pod has no service account at the GCP metadata server"),
    ],
    ids=["absent", "hanging", "nonsense", "faulty", "limiting", "refusing", "no account"],
)
async def test_metadata_that_does_not_give_is_told_in_bounded_time(
    scene: Scene, around: GcpSurroundings, gcp: GcpEndpoints, mood: Mood | None, status: int, said: str
) -> None:
    """And nothing is asked of Infisical."""
    around.instance(gcp.url if mood else NOBODY)
    gcp.mood, gcp.status = mood or Mood.WELL, status
    started = time.monotonic()
    await fails(scene, *of_machine(scene), said)
    assert time.monotonic() - started < BOUND
    assert not scene.requests()


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        (None, f"{API} refuses connections"),
        (Mood.HANGING, f"{API} does not answer in time"),
        (Mood.NONSENSE, f"{API} gives an answer that makes no sense"),
        (Mood.FAULTY, f"{API} has an internal fault (HTTP 500)"),
        (Mood.REFUSING, f"{API} refuses: check its rights there"),
    ],
    ids=["absent", "hanging", "nonsense", "faulty", "refusing"],
)
async def test_api_that_does_not_sign_is_told_in_bounded_time(
    scene: Scene, around: GcpSurroundings, gcp: GcpEndpoints, mood: Mood | None, said: str
) -> None:
    """And nothing is asked of Infisical."""
    secret, store = of_account(scene, around.key_file(gcp))
    gcp.mood = mood or Mood.WELL
    gcp.url = gcp.url if mood else NOBODY
    started = time.monotonic()
    await fails(scene, secret, store, said, settings(around, gcp))
    assert time.monotonic() - started < BOUND
    assert not scene.requests()


async def test_key_file_that_is_wrong_absent_or_elsewhere_is_told(
    scene: Scene, around: GcpSurroundings, gcp: GcpEndpoints
) -> None:
    """With the Secret and the key that name it; when the file is right, the store becomes ready."""
    path = around.key_file(gcp, private_key=pem("another"))
    secret, store = of_account(scene, path)
    place = f'Secret {scene.namespace}/{IAM}-credentials, key "serviceAccountKeyFilePath"'
    await fails(scene, secret, store, f"{API} refuses: check its rights there", settings(around, gcp))

    async def given(path: str, said: str) -> None:
        texts = {**secret["stringData"], "serviceAccountKeyFilePath": path}
        await scene.apply(secret | {"stringData": texts})
        await scene.store_ready(status="False", said=said)

    await given(f"{path}.absent", f"the file whose path is in {place}, is not there")
    await given("/etc/hostname", f"the path in {place}, is outside of the directories")
    await given("key.json", "must be the absolute path of a file")
    (around.directory / "other").write_text("{}")
    await given(str(around.directory / "other"), "is no key file of a GCP service account (JSON)")
    assert not scene.requests()
    around.key_file(gcp)
    await scene.apply(secret)
    await scene.store_ready()


@pytest.mark.parametrize(
    ("name", "field"),
    [(ID_TOKEN, "identityId"), (IAM, "identityId"), (IAM, "serviceAccountKeyFilePath")],
)
async def test_missing_credentials_are_named(
    scene: Scene, around: GcpSurroundings, gcp: GcpEndpoints, name: str, field: str
) -> None:
    """The Secret, the key, and an empty value; when they are there, the store becomes ready."""
    secret, store = of_machine(scene) if name == ID_TOKEN else of_account(scene, around.key_file(gcp))
    whole = dict(secret["stringData"])
    place = f"{scene.namespace}/{name}-credentials"
    del secret["stringData"][field]
    said = f'Secret {place} with the credentials has no key "{field}"'
    await fails(scene, secret, store, said, settings(around, gcp))
    await scene.apply(secret | {"stringData": whole | {field: "\n"}})
    await scene.store_ready(status="False", said=f'the credential "{field}" in Secret {place} is empty')
    await scene.delete(SECRET, f"{name}-credentials")
    await scene.store_ready(status="False", said=f"the Secret {place} with the credentials does not exist")
    assert not scene.requests()
    await scene.apply(secret | {"stringData": whole})
    await scene.store_ready()


@pytest.mark.parametrize("name", [ID_TOKEN, IAM])
async def test_host_that_may_not_be_shown_the_controllers_identity_is_not(
    scene: Scene, around: GcpSurroundings, gcp: GcpEndpoints, name: str
) -> None:
    """Nothing is asked of GCP either."""
    secret, store = of_machine(scene) if name == ID_TOKEN else of_account(scene, around.key_file(gcp))
    auth = AuthSettings(
        credential_directories=(around.directory,),
        gcp_iam_credentials=gcp.url,
        ambient_hosts=("infisical.example.com",),
    )
    await fails(scene, secret, store, "--ambient-credential-hosts", auth)
    assert gcp.asked == []


@pytest.mark.parametrize("name", [ID_TOKEN, IAM])
async def test_nothing_that_gcp_gave_gets_out(
    scene: Scene,
    around: GcpSurroundings,
    gcp: GcpEndpoints,
    name: str,
    log: io.StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """By log, event, condition, journal or output; through success and refusal."""
    secret, store = of_machine(scene) if name == ID_TOKEN else of_account(scene, around.key_file(gcp))
    gcp.only_exchanged = True
    collected = scene.journal
    scene.journal = SeveralJournals([collected, DebugLog()])  # type: ignore[assignment]
    await serves(scene, secret, store, settings(around, gcp))
    gcp.status, gcp.permitted = 403, False
    await scene.start(auth=settings(around, gcp))
    await scene.store_ready(status="False", said="refuses: check its rights there")
    events, condition = await scene.events("infisical"), await scene.store_ready(status="False")
    await scene.stop()
    output = "".join(capfd.readouterr())
    emitted = f"{log.getvalue()}{output}{events}{condition}{collected.transitions}"
    assert len(gcp.tokens) == 1
    assert found_in(emitted, CANARY, ACCESS_TOKEN, pem("file"), *gcp.tokens) == []
    assert '"transition"' in log.getvalue()
