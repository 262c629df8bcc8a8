"""The documented manifests, as a user applies them: by kubectl, with `run` beside them."""

from pathlib import Path

import pytest
import yaml

import reconciler
from adapters.resources.kinds import SECRET_STORE
from reconciler.standin import ADMIN
from tests.apiserver.access import Access
from tests.clouds.aws_surroundings import AwsSurroundings
from tests.clouds.azure_surroundings import AzureSurroundings
from tests.clouds.gcp_surroundings import GcpSurroundings
from tests.scenarios.program import Program
from tests.scenarios.scene import API_KEY, Scene, kind_named

pytestmark = [pytest.mark.apiserver, pytest.mark.parametrize("where", ["real"])]

EXAMPLES = sorted((Path(reconciler.__file__).parent / "examples").glob("*.yaml"))
EXPECTED = {  # for each file: of which kind and name, Ready, reason, and what the message says
    "store-universal-auth": ("SecretStore", "infisical", "True", "Valid", "store validated"),
    "store-token-auth": ("SecretStore", "infisical", "True", "Valid", "store validated"),
    "store-kubernetes-auth": (  # `run` has no pod here
        "SecretStore",
        "infisical",
        "False",
        "InvalidProviderConfig",
        "the controller has no service account token: is it mounted into its pod?",
    ),
    "store-jwt-auth": (
        "SecretStore",
        "infisical",
        "False",
        "InvalidProviderConfig",
        "knows no such identity, or its login method is not enabled",
    ),
    "store-ldap-auth": (
        "SecretStore",
        "infisical",
        "False",
        "InvalidProviderConfig",
        "refuses the credentials: check the Secret",
    ),
    "store-aws-auth": (  # nor is there a cloud
        "SecretStore",
        "infisical",
        "False",
        "InvalidProviderConfig",
        "AWS credentials are nowhere in the controller's surroundings",
    ),
    "store-azure-auth": (
        "SecretStore",
        "infisical",
        "False",
        "InvalidProviderConfig",
        "Azure, asked for a token of the controller's managed identity, refuses connections",
    ),
    "store-gcp-id-token-auth": (
        "SecretStore",
        "infisical",
        "False",
        "InvalidProviderConfig",
        "the GCP metadata server, asked for an identity token, refuses connections",
    ),
    "store-gcp-iam-auth": (
        "SecretStore",
        "infisical",
        "False",
        "InvalidProviderConfig",
        "is outside of the directories that stores may have read",
    ),
    "store-oci-auth": (
        "SecretStore",
        "infisical",
        "False",
        "InvalidStoreConfiguration",
        'the credential "region" in Secret',
    ),
    "fetch-secret": ("ExternalSecret", "checkout-env", "True", "SecretSynced", "secret synced"),
    "fetch-all-secrets": ("ExternalSecret", "reporting-all", "True", "SecretSynced", "secret synced"),
    "filtered-secrets": ("ExternalSecret", "database-login", "True", "SecretSynced", "secret synced"),
    "push-secret": (
        "PushSecret",
        "checkout-push",
        "True",
        "Synced",
        "PushSecret synced successfully",
    ),
}


def test_every_example_has_an_expectation(where: str) -> None:
    """A new one needs one."""
    assert {file.stem for file in EXAMPLES} == set(EXPECTED)


async def test_examples_apply_as_they_are_and_do_what_they_say(
    scene: Scene, apiserver: Access, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the address and the credentials are replaced; `kubectl get` shows for each what a user expects."""
    robot = scene.server.add_identity("robot", {scene.project: ADMIN})
    AwsSurroundings(monkeypatch, tmp_path)
    AzureSurroundings(monkeypatch, tmp_path).instance("http://127.0.0.1:9")
    GcpSurroundings(monkeypatch, tmp_path).instance("http://127.0.0.1:9")
    given = scene.server.add_token(robot)
    replaced = {
        "identityId": robot.id,
        "clientId": scene.credentials.client_id,
        "clientSecret": scene.credentials.client_secret,
        "accessToken": given,
    }
    stores = [file for file in EXAMPLES if file.stem.startswith("store-")]
    stores.sort(key=lambda file: file.stem == "store-universal-auth")  # the last one is that which others use
    async with Program(apiserver, scene.namespace, tmp_path) as program:
        for file in (*stores, *(file for file in EXAMPLES if file not in stores)):
            kind, name, status, reason, said = EXPECTED[file.stem]
            text = file.read_text().replace("https://app.infisical.com", scene.url)
            documents = list(yaml.safe_load_all(text))
            for document in documents:
                for key in replaced.keys() & document.get("stringData", {}).keys():
                    document["stringData"][key] = replaced[key]
            if file in stores:  # they all have one name
                await scene.cluster.delete(SECRET_STORE, scene.namespace, name)
            await apiserver.kubectl(
                "apply", "-n", scene.namespace, "-f", "-", stdin=yaml.safe_dump_all(documents)
            )
            condition = await scene.ready(name, kind_named(kind), status=status, said=said)
            assert condition["reason"] == reason
        assert await scene.secret("database-login") == {"DB_PASSWORD": "example-database-password"}
        assert (await scene.secret("checkout-env") or {})["API_KEY"] == API_KEY
        listed = await apiserver.kubectl("get", "external-secrets", "-n", scene.namespace)
        rows = {line.split()[0]: line.split()[1:] for line in listed.splitlines() if "/" in line}
        assert rows["externalsecret.external-secrets.io/checkout-env"][:5] == [
            "SecretStore",
            "infisical",
            "1h0m0s",
            "SecretSynced",
            "True",
        ]
        assert rows["secretstore.external-secrets.io/infisical"][1:] == ["Valid", "ReadWrite", "True"]
        assert rows["pushsecret.external-secrets.io/checkout-push"][1] == "Synced"
        assert await program.stop() == 0


LEFT_OPEN = """
apiVersion: v1
kind: Secret
metadata:
  name: universal-auth-credentials
type: Opaque
stringData:
  clientId:
  clientSecret:
"""


@pytest.mark.parametrize(
    ("verb", "said", "reason"),
    [
        ("create", "is empty: put the value there", "InvalidStoreConfiguration"),
        (
            "apply",
            'has no key "clientId": add it',
            "InvalidProviderConfig",
        ),  # kubectl leaves out what is empty
    ],
)
async def test_credentials_that_are_left_open_are_told(
    scene: Scene, apiserver: Access, verb: str, said: str, reason: str
) -> None:
    """As the documentation shows them, by somebody who forgot to fill them in."""
    await scene.start()
    await apiserver.kubectl(verb, "-n", scene.namespace, "-f", "-", stdin=LEFT_OPEN)
    await scene.apply(scene.store())
    condition = await scene.store_ready(status="False", said=said)
    assert f"Secret {scene.namespace}/universal-auth-credentials" in condition["message"]
    assert condition["reason"] == reason
    assert not scene.requests()


async def test_describe_shows_what_is_wrong_and_what_to_do(scene: Scene, apiserver: Access) -> None:
    """A store in a wrong project, and what waits for it."""
    await scene.start()
    await scene.apply(
        scene.credentials_secret(),
        scene.store(projectSlug="unknown"),
        scene.external_secret(data=[{"secretKey": "key", "remoteRef": {"key": "API_KEY"}}]),
    )
    await scene.store_ready(status="False")
    await scene.ready(status="False", said="is not ready")
    await scene.events("infisical")
    described = await apiserver.kubectl("describe", "ss", "infisical", "-n", scene.namespace)
    assert 'has no project "unknown": check projectSlug' in described
    assert "Reason:                InvalidProviderConfig" in described
    assert "Warning  InvalidProviderConfig" in described
    described = await apiserver.kubectl("describe", "es", "wanted", "-n", scene.namespace)
    assert (
        "SecretStore infisical is not ready (InvalidProviderConfig): its own condition says why" in described
    )
    got = await apiserver.kubectl("get", "es,ss", "-n", scene.namespace)
    assert got.count("False") == 2
    assert got.count("SecretSyncedError") == got.count("InvalidProviderConfig") == 1
