"""AWS Auth against a server that recomputes the signature, with AWS on loopback."""

import io
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.auth.settings import AuthSettings
from adapters.cluster import Object
from adapters.resources.kinds import SECRET
from reconciler.logs import set_up
from reconciler.transitions_seen import DebugLog, SeveralJournals
from tests.clouds.aws_endpoints import (
    ACCOUNT,
    AGENT_TOKEN,
    ROLE_ARN,
    SECRET_KEY,
    SESSION_TOKEN,
    WEB_TOKEN,
    AwsEndpoints,
)
from tests.clouds.aws_surroundings import AwsSurroundings
from tests.clouds.endpoint import Mood
from tests.scenarios.logins import documented, fails, machine, serves
from tests.scenarios.scene import Scene
from tests.scenarios.test_canaries import found_in

BOUND = {"allowedPrincipalArns": ROLE_ARN, "allowedAccountIds": ACCOUNT}
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AwsSurroundings:
    """Nothing of AWS."""
    return AwsSurroundings(monkeypatch, tmp_path)


@pytest.fixture
async def aws(scene: Scene, around: AwsSurroundings) -> AsyncIterator[AwsEndpoints]:
    """AWS, which the scene's server knows."""
    async with AwsEndpoints(scene.server) as endpoints:
        yield endpoints


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, at the level that says most."""
    stream = io.StringIO()
    set_up("debug", "json", stream)
    yield stream
    set_up("error", "json", io.StringIO())


def manifests(scene: Scene, **settings: str) -> tuple[Object, Object]:
    """Secret and store of an identity that is bound to the role."""
    identity = machine(scene, "aws-auth", {**BOUND, **settings})
    return documented(scene, "store-aws-auth", {"identityId": identity.id})


@pytest.mark.statement("S19", "S20", "S21")
@pytest.mark.parametrize("source", ["instance", "web identity", "agent", "environment"])
async def test_the_controllers_own_role_logs_in(
    scene: Scene, around: AwsSurroundings, aws: AwsEndpoints, source: str
) -> None:
    """Wherever its credentials come from."""
    match source:
        case "instance":
            around.instance(aws.url)
        case "web identity":
            around.web_identity(aws)
        case "agent":
            around.agent(aws)
        case "environment":
            around.keys(aws.new_key()["AccessKeyId"], SECRET_KEY, SESSION_TOKEN)
    await serves(scene, *manifests(scene))


async def test_role_that_the_identity_is_not_bound_to_is_refused(
    scene: Scene, around: AwsSurroundings, aws: AwsEndpoints
) -> None:
    """The server says no, and the condition what to check."""
    around.instance(aws.url)
    await fails(scene, *manifests(scene, allowedAccountIds="999999999999"), "refuses the credentials")


@pytest.mark.parametrize("wrong", ["secret", "ended"])
async def test_credentials_that_aws_refuses_are_told(
    scene: Scene, around: AwsSurroundings, aws: AwsEndpoints, wrong: str
) -> None:
    """The server does not say that AWS refused, but that it has a fault; another store there is not affected."""
    aws.lifetime = -1.0 if wrong == "ended" else 3600.0
    around.keys(aws.new_key()["AccessKeyId"], "wrong-key" if wrong == "secret" else SECRET_KEY, SESSION_TOKEN)
    secret, store = manifests(scene)
    store["metadata"]["name"] = "by-aws"
    await scene.begin()
    await scene.apply(secret, store)
    await scene.store_ready("by-aws", status="False", said="has an internal fault (HTTP 500)")
    async with scene.runs("wanted"):
        await scene.refresh()


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        (
            None,
            "AWS, asked for the controller's credentials, refuses connections: does the controller run there",
        ),
        (Mood.HANGING, "AWS, asked for the controller's credentials, does not answer in time"),
        (Mood.NONSENSE, "AWS, asked for the controller's credentials, gives an answer that makes no sense"),
        (Mood.FAULTY, "AWS, asked for the controller's credentials, has an internal fault (HTTP 500)"),
        (Mood.REFUSING, "AWS, asked for the controller's credentials, refuses: check its rights there"),
    ],
    ids=["absent", "hanging", "nonsense", "faulty", "refusing"],
)
async def test_metadata_that_does_not_give_is_told_in_bounded_time(
    scene: Scene, around: AwsSurroundings, aws: AwsEndpoints, mood: Mood | None, said: str
) -> None:
    """And nothing is asked of Infisical."""
    around.instance(aws.url if mood else NOBODY)
    aws.mood = mood or Mood.WELL
    started = time.monotonic()
    await fails(scene, *manifests(scene), said)
    assert time.monotonic() - started < 12
    assert not scene.requests()


async def test_no_credentials_and_no_region_are_told(
    scene: Scene, around: AwsSurroundings, aws: AwsEndpoints
) -> None:
    """With what to do."""
    secret, store = manifests(scene)
    await fails(
        scene, secret, store, "AWS credentials are nowhere in the controller's surroundings: give its"
    )
    around.put(AWS_ACCESS_KEY_ID=aws.new_key()["AccessKeyId"], AWS_SECRET_ACCESS_KEY=SECRET_KEY)
    store["metadata"]["annotations"] = {"touched": "yes"}
    store["spec"]["refreshInterval"] = 7200
    await scene.apply(store)
    await scene.store_ready(status="False", said="in which AWS region the controller runs: set AWS_REGION")
    assert not scene.requests()


async def test_missing_credentials_are_named(
    scene: Scene, around: AwsSurroundings, aws: AwsEndpoints
) -> None:
    """The Secret, the key, and an empty value; when they are there, the store becomes ready."""
    around.instance(aws.url)
    secret, store = manifests(scene)
    whole = dict(secret["stringData"])
    place = f"{scene.namespace}/aws-auth-credentials"
    del secret["stringData"]["identityId"]
    await fails(scene, secret, store, f'Secret {place} with the credentials has no key "identityId"')
    await scene.apply(secret | {"stringData": {"identityId": "\n"}})
    await scene.store_ready(status="False", said=f'the credential "identityId" in Secret {place} is empty')
    await scene.delete(SECRET, "aws-auth-credentials")
    await scene.store_ready(status="False", said=f"the Secret {place} with the credentials does not exist")
    assert not scene.requests()
    await scene.apply(secret | {"stringData": whole})
    await scene.store_ready()


async def test_host_that_may_not_be_shown_the_controllers_identity_is_not(
    scene: Scene, around: AwsSurroundings, aws: AwsEndpoints
) -> None:
    """Nothing is asked of AWS either."""
    around.instance(aws.url)
    settings = AuthSettings(ambient_hosts=("infisical.example.com",))
    await fails(scene, *manifests(scene), "--ambient-credential-hosts", settings)
    assert aws.asked == []


async def test_nothing_that_aws_gave_gets_out(
    scene: Scene,
    around: AwsSurroundings,
    aws: AwsEndpoints,
    log: io.StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """By log, event, condition, journal or output; through success and refusal."""
    around.web_identity(aws)
    secret, store = manifests(scene)
    collected = scene.journal
    scene.journal = SeveralJournals([collected, DebugLog()])  # type: ignore[assignment]
    await serves(scene, secret, store)
    aws.mood = Mood.REFUSING
    await scene.start()
    await scene.store_ready(status="False", said="refuses: check its rights there")
    events, condition = await scene.events("infisical"), await scene.store_ready(status="False")
    await scene.stop()
    output = "".join(capfd.readouterr())
    emitted = f"{log.getvalue()}{output}{events}{condition}{collected.transitions}"
    assert found_in(emitted, SECRET_KEY, SESSION_TOKEN, WEB_TOKEN, AGENT_TOKEN) == []
    assert '"transition"' in log.getvalue()
