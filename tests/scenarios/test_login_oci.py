"""OCI Auth against a server that verifies the signature by the user's public key."""

import io
from collections.abc import Iterator

import pytest

from adapters.auth.settings import AuthSettings
from adapters.cluster import Object
from adapters.resources.kinds import SECRET
from reconciler.logs import set_up
from reconciler.standin import Age
from reconciler.transitions_seen import DebugLog, SeveralJournals
from tests.clouds import oci_user
from tests.clouds.oci_user import NAME, PASSPHRASE, TENANCY, pem, texts
from tests.scenarios.logins import documented, fails, machine, serves
from tests.scenarios.scene import Scene
from tests.scenarios.test_canaries import found_in

PLACE = "oci-auth-credentials"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, at the level that says most."""
    stream = io.StringIO()
    set_up("debug", "json", stream)
    yield stream
    set_up("error", "json", io.StringIO())


def manifests(scene: Scene, *, passphrase: str | None = None, **settings: str) -> tuple[Object, Object]:
    """Secret and store of an identity that is bound to the user's tenancy and name; with a passphrase, of an encrypted
    key."""
    oci_user.register(scene.server)
    identity = machine(scene, "oci-auth", {"tenancyOcid": TENANCY, "allowedUsernames": NAME, **settings})
    more = {"privateKeyPassphrase": passphrase} if passphrase else {}
    return documented(scene, "store-oci-auth", texts(identity.id, pem(passphrase)), **more)


@pytest.mark.statement("S35", "S36", "S37")
@pytest.mark.parametrize("age", [Age.CURRENT, Age.YEAR_2025])
@pytest.mark.parametrize("passphrase", [None, PASSPHRASE], ids=["plain", "encrypted"])
async def test_the_users_key_logs_in(scene: Scene, passphrase: str | None) -> None:
    """It signs, and does not go anywhere; nor does its passphrase."""
    await serves(scene, *manifests(scene, passphrase=passphrase))


async def test_it_is_no_identity_of_the_controllers_own(scene: Scene) -> None:
    """So that no rule about these keeps a store from using it."""
    settings = AuthSettings(ambient_hosts=("infisical.example.com",))
    await serves(scene, *manifests(scene), settings)


@pytest.mark.parametrize(
    "settings",
    [{"tenancyOcid": "another"}, {"allowedUsernames": "somebody"}],
    ids=["other tenancy", "other user"],
)
async def test_user_that_the_identity_is_not_bound_to_is_refused(
    scene: Scene, settings: dict[str, str]
) -> None:
    """The server says no, and the condition what to check."""
    await fails(scene, *manifests(scene, **settings), "refuses the credentials")


async def test_key_that_oci_does_not_know_is_told(scene: Scene) -> None:
    """The server does not say that OCI refused, but that it has a fault."""
    secret, store = manifests(scene)
    secret["stringData"]["fingerprint"] = "of:another:key"
    await fails(scene, secret, store, "has an internal fault (HTTP 500)")


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        (
            "privateKey",
            "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n",
            "is no private key in PEM",
        ),
        ("privateKeyPassphrase", "another one", "or its passphrase is wrong"),
        ("region", "eu_frankfurt", "is no region, such as eu-frankfurt-1"),
    ],
)
async def test_credentials_of_a_wrong_form_are_told_and_not_sent(
    scene: Scene, field: str, text: str, said: str
) -> None:
    """The condition names the Secret and the key; when they are right, the store becomes ready."""
    secret, store = manifests(scene, passphrase=PASSPHRASE)
    whole = dict(secret["stringData"])
    secret["stringData"][field] = text
    condition = await fails(scene, secret, store, said)
    named = "privateKey" if field == "privateKeyPassphrase" else field
    assert f'the credential "{named}" in Secret {scene.namespace}/{PLACE}' in condition["message"]
    assert condition["reason"] == "InvalidStoreConfiguration"
    assert not scene.requests()
    await scene.apply(secret | {"stringData": whole})
    await scene.store_ready()


@pytest.mark.parametrize("field", [*texts("", ""), "privateKeyPassphrase"])
async def test_missing_credentials_are_named(scene: Scene, field: str) -> None:
    """The Secret, the key, and an empty value; when they are there, the store becomes ready."""
    secret, store = manifests(scene, passphrase=PASSPHRASE)
    whole = dict(secret["stringData"])
    place = f"{scene.namespace}/{PLACE}"
    del secret["stringData"][field]
    await fails(scene, secret, store, f'Secret {place} with the credentials has no key "{field}"')
    await scene.apply(secret | {"stringData": whole | {field: "\n"}})
    await scene.store_ready(status="False", said=f'the credential "{field}" in Secret {place} is empty')
    await scene.delete(SECRET, PLACE)
    await scene.store_ready(status="False", said=f"the Secret {place} with the credentials does not exist")
    assert not scene.requests()
    await scene.apply(secret | {"stringData": whole})
    await scene.store_ready()


async def test_neither_key_nor_passphrase_nor_signature_gets_out(
    scene: Scene, log: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    """By log, event, condition, journal or output; through success and refusal."""
    secret, store = manifests(scene, passphrase=PASSPHRASE)
    collected = scene.journal
    scene.journal = SeveralJournals([collected, DebugLog()])  # type: ignore[assignment]
    await serves(scene, secret, store)
    secret["stringData"]["privateKeyPassphrase"] = "canary-wrong-passphrase"
    await scene.start()
    await scene.apply(secret)
    await scene.store_ready(status="False", said="is no private key in PEM")
    events, condition = await scene.events("infisical"), await scene.store_ready(status="False")
    await scene.stop()
    output = "".join(capfd.readouterr())
    emitted = f"{log.getvalue()}{output}{events}{condition}{collected.transitions}"
    key = secret["stringData"]["privateKey"].splitlines()
    assert found_in(emitted, PASSPHRASE, "canary-wrong-passphrase", "rsa-sha256", *key[1:-1]) == []
    assert '"transition"' in log.getvalue()
