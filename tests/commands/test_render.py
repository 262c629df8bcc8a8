"""`render`: Secrets without a cluster."""

import base64
from pathlib import Path

import yaml

from tests.commands.conftest import Served, run_command


def test_documented_manifests_give_the_documented_secrets(served: Served, manifests: Path) -> None:
    """Secrets go to standard output, a line for each resource to standard error, and all is well."""
    result = run_command("render", manifests)
    assert result.exit_code == 0, result.stderr
    secrets = {one["metadata"]["name"]: one for one in yaml.safe_load_all(result.stdout)}
    assert sorted(secrets) == ["checkout-env", "database-login", "reporting-all"]
    assert base64.b64decode(secrets["checkout-env"]["data"]["BLOB_MEMBER"]) == b"value"
    assert "ownerReferences" not in secrets["checkout-env"]["metadata"]
    assert "ExternalSecret default/checkout-env: Ready=True SecretSynced: secret synced" in result.stderr
    assert "SecretStore default/infisical: Ready=True Valid: store validated" in result.stderr


def test_store_and_resources_share_one_login(served: Served, manifests: Path) -> None:
    """Leases are held to the end, and then all are released."""
    run_command("render", manifests)
    asked = {kind.value: number for kind, number in served.standin.counts().items()}
    assert asked == {"login": 1, "resolution": 1, "single": 2, "listing": 1, "revocation": 1}
    assert not served.standin.tokens_alive


def test_resource_that_is_not_ready_is_a_finding(served: Served, manifests: Path) -> None:
    """The others are rendered all the same; the exit code says that something is missing."""
    served.project.remove_secret("dev", "/my-app", "SERVICE_PASSWORD")
    result = run_command("render", manifests)
    assert result.exit_code == 1
    assert sorted(one["metadata"]["name"] for one in yaml.safe_load_all(result.stdout)) == [
        "database-login",
        "reporting-all",
    ]
    assert 'not found at Infisical: "SERVICE_PASSWORD" in folder /my-app' in result.stderr


def test_nothing_is_pushed_unless_that_is_asked_for(served: Served, manifests: Path) -> None:
    """Who renders expects nothing to change; with the flag, it is one push."""
    example = Path(__file__).resolve().parents[2] / "reconciler" / "examples" / "push-secret.yaml"
    (manifests / "push.yaml").write_text(example.read_text())
    result = run_command("render", manifests)
    assert result.exit_code == 0, result.stderr
    assert (
        "PushSecret default/checkout-push: not pushed: that writes to Infisical; give --push" in result.stderr
    )
    assert served.project.values("dev", "/")["API_KEY"] == "example-api-key-1"
    pushed = run_command("render", manifests, "--push")
    assert pushed.exit_code == 0, pushed.stderr
    assert "PushSecret default/checkout-push: Ready=True Synced" in pushed.stderr
    assert served.project.values("dev", "/")["API_KEY"] == "change-me"
    assert "change-me" not in pushed.stderr
    assert not served.standin.tokens_alive


def test_unusable_input_is_told_with_file_and_line_and_every_mistake_at_once(
    served: Served, manifests: Path
) -> None:
    """Nothing is asked of anybody, and each mistake has its place."""
    (manifests / "broken.yaml").write_text(
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {}\n"
    )
    (manifests / "twice.yaml").write_text((manifests / "fetch-secret.yaml").read_text())
    result = run_command("render", manifests)
    assert result.exit_code == 2
    assert f"{manifests}/broken.yaml:" in result.stderr
    assert f"{manifests}/twice.yaml:" in result.stderr
    assert result.stdout == ""
    assert not served.standin.counts()


def test_journal_does_not_mix_with_the_secrets(manifests: Path) -> None:
    """Standard output is one YAML stream, for a pipe."""
    result = run_command("render", manifests, "--journal", "-")
    assert result.exit_code == 2
    assert "name a file" in result.stderr
    assert result.stdout == ""


def test_nothing_to_render_is_unusable(tmp_path: Path) -> None:
    """An empty directory, and a path that is not there."""
    assert run_command("render", tmp_path).exit_code == 2
    missing = run_command("render", tmp_path / "missing")
    assert missing.exit_code == 2
    assert "missing" in missing.stderr
    assert "Traceback" not in missing.stderr
