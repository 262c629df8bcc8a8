"""Azure Auth against a server that checks key, tenant and audience of the token, with Azure on loopback."""

import io
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.auth.settings import AuthSettings
from adapters.cluster import Object
from adapters.resources.kinds import SECRET
from reconciler.logs import set_up
from reconciler.transitions_seen import DebugLog, SeveralJournals
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
from tests.scenarios.logins import documented, fails, machine, serves
from tests.scenarios.scene import Scene
from tests.scenarios.test_canaries import found_in

BOUND = {
    "tenantId": TENANT,
    "resource": "https://management.azure.com/",
    "allowedServicePrincipalIds": f"{PRINCIPAL}, {USER_ASSIGNED}",
}
NOBODY = "http://127.0.0.1:9"
VOUCHER = "Azure, asked for a token of the controller's managed identity,"


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AzureSurroundings:
    """Nothing of Azure."""
    return AzureSurroundings(monkeypatch, tmp_path)


@pytest.fixture
async def azure(scene: Scene, around: AzureSurroundings) -> AsyncIterator[AzureEndpoints]:
    """Azure, whose keys the scene's server knows."""
    async with AzureEndpoints(scene.server) as endpoints:
        yield endpoints


@pytest.fixture(scope="module")
def certificate() -> ServingCertificate:
    """Of the authority of workload identities."""
    return make_serving_certificate()


@pytest.fixture
async def authority(
    scene: Scene, around: AzureSurroundings, tmp_path: Path, certificate: ServingCertificate
) -> AsyncIterator[AzureEndpoints]:
    """Azure behind TLS."""
    file = tmp_path / "server.pem"
    file.write_bytes(certificate.certificate + certificate.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    async with AzureEndpoints(scene.server, context) as endpoints:
        yield endpoints


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, at the level that says most."""
    stream = io.StringIO()
    set_up("debug", "json", stream)
    yield stream
    set_up("error", "json", io.StringIO())


def manifests(scene: Scene, *, resource: str | None = None, **settings: str) -> tuple[Object, Object]:
    """Secret and store of an identity that is bound to the tenant and its principals."""
    if resource:
        settings["resource"] = resource
    identity = machine(scene, "azure-auth", {**BOUND, **settings})
    more = {"resource": resource} if resource else {}
    return documented(scene, "store-azure-auth", {"identityId": identity.id}, **more)


@pytest.mark.statement("S22", "S23", "S24", "S25")
@pytest.mark.parametrize("resource", [None, "api://infisical/", "api://infisical"])
async def test_the_managed_identity_logs_in(
    scene: Scene, around: AzureSurroundings, azure: AzureEndpoints, resource: str | None
) -> None:
    """For the audience that the store names, or the default one, exactly as written."""
    around.instance(azure.url)
    await serves(scene, *manifests(scene, resource=resource))
    assert azure.resources == [resource or "https://management.azure.com/"]


async def test_the_user_assigned_identity_of_the_settings_logs_in(
    scene: Scene, around: AzureSurroundings, azure: AzureEndpoints
) -> None:
    """And no other one."""
    around.instance(azure.url)
    secret, store = manifests(scene, allowedServicePrincipalIds=USER_ASSIGNED)
    await serves(scene, secret, store, AuthSettings(azure_client_id=USER_ASSIGNED))


async def test_the_workload_identity_logs_in(
    scene: Scene, around: AzureSurroundings, authority: AzureEndpoints, certificate: ServingCertificate
) -> None:
    """By the token of the service account, which the authority takes."""
    around.workload(authority, certificate.authority)
    await serves(scene, *manifests(scene))
    assert authority.scopes == ["https://management.azure.com//.default"]


@pytest.mark.parametrize(
    "claims",
    [
        {"oid": "somebody"},
        {"tid": "another"},
        {"aud": "https://vault.azure.net"},
        {"exp": 1_700_000_000},
    ],
    ids=["other principal", "other tenant", "other audience", "expired"],
)
async def test_token_that_the_identity_is_not_bound_to_is_refused(
    scene: Scene, around: AzureSurroundings, azure: AzureEndpoints, claims: dict[str, object]
) -> None:
    """The server says no, and the condition what to check."""
    around.instance(azure.url)
    azure.claims = claims
    await fails(scene, *manifests(scene), "refuses the credentials")


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        (None, f"{VOUCHER} refuses connections: does the controller run there"),
        (Mood.HANGING, f"{VOUCHER} does not answer in time"),
        (Mood.NONSENSE, f"{VOUCHER} gives an answer that makes no sense"),
        (Mood.FAULTY, f"{VOUCHER} has an internal fault (HTTP 500)"),
        (Mood.LIMITING, f"{VOUCHER} limits requests"),
        (Mood.REFUSING, f"{VOUCHER} refuses: check its rights there"),
    ],
    ids=["absent", "hanging", "nonsense", "faulty", "limiting", "refusing"],
)
async def test_metadata_that_does_not_give_is_told_in_bounded_time(
    scene: Scene, around: AzureSurroundings, azure: AzureEndpoints, mood: Mood | None, said: str
) -> None:
    """And nothing is asked of Infisical."""
    around.instance(azure.url if mood else NOBODY)
    azure.mood = mood or Mood.WELL
    started = time.monotonic()
    await fails(scene, *manifests(scene), said)
    assert time.monotonic() - started < 12
    assert not scene.requests()


async def test_no_identity_is_told(scene: Scene, around: AzureSurroundings, azure: AzureEndpoints) -> None:
    """With what to do."""
    around.instance(azure.url)
    azure.has_identity = False
    await fails(scene, *manifests(scene), "the controller has no managed identity: assign one to its node")
    assert not scene.requests()


@pytest.mark.parametrize("field", ["identityId", "resource"])
async def test_missing_credentials_are_named(
    scene: Scene, around: AzureSurroundings, azure: AzureEndpoints, field: str
) -> None:
    """The Secret, the key, and an empty value; when they are there, the store becomes ready."""
    around.instance(azure.url)
    secret, store = manifests(scene, resource="api://infisical")
    whole = dict(secret["stringData"])
    place = f"{scene.namespace}/azure-auth-credentials"
    del secret["stringData"][field]
    await fails(scene, secret, store, f'Secret {place} with the credentials has no key "{field}"')
    await scene.apply(secret | {"stringData": whole | {field: "\n"}})
    await scene.store_ready(status="False", said=f'the credential "{field}" in Secret {place} is empty')
    await scene.delete(SECRET, "azure-auth-credentials")
    await scene.store_ready(status="False", said=f"the Secret {place} with the credentials does not exist")
    assert not scene.requests()
    await scene.apply(secret | {"stringData": whole})
    await scene.store_ready()


async def test_host_that_may_not_be_shown_the_controllers_identity_is_not(
    scene: Scene, around: AzureSurroundings, azure: AzureEndpoints
) -> None:
    """Nothing is asked of Azure either."""
    around.instance(azure.url)
    settings = AuthSettings(ambient_hosts=("infisical.example.com",))
    await fails(scene, *manifests(scene), "--ambient-credential-hosts", settings)
    assert azure.asked == []


async def test_nothing_that_azure_gave_gets_out(
    scene: Scene,
    around: AzureSurroundings,
    authority: AzureEndpoints,
    certificate: ServingCertificate,
    log: io.StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """By log, event, condition, journal or output; through success and refusal."""
    around.workload(authority, certificate.authority)
    secret, store = manifests(scene)
    collected = scene.journal
    scene.journal = SeveralJournals([collected, DebugLog()])  # type: ignore[assignment]
    await serves(scene, secret, store)
    authority.mood = Mood.REFUSING
    await scene.start()
    await scene.store_ready(status="False", said="refuses: check its rights there")
    events, condition = await scene.events("infisical"), await scene.store_ready(status="False")
    await scene.stop()
    output = "".join(capfd.readouterr())
    emitted = f"{log.getvalue()}{output}{events}{condition}{collected.transitions}"
    assert len(authority.tokens) == 1
    assert found_in(emitted, FEDERATED_TOKEN, APP_SERVICE_SECRET, CANARY, *authority.tokens) == []
    assert '"transition"' in log.getvalue()
