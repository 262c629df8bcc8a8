"""`plan`: exit codes, what is printed, and that a directory is as it was before."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.cluster import Done
from adapters.kubernetes.connect import connect
from tests.apiserver.access import Access
from tests.commands.conftest import Served, run_command


def content_of(directory: Path) -> dict[str, str]:
    """Every file below a directory, and a digest of what it holds."""
    return {
        str(file.relative_to(directory)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in directory.rglob("*")
        if file.is_file()
    }


def test_differences_are_printed_and_end_with_2(served: Served, manifests: Path) -> None:
    """Keys only; nothing is written, and no token lives on."""
    before = content_of(manifests)
    result = run_command("plan", manifests)
    assert result.exit_code == 2, result.stderr
    assert result.stdout.startswith(
        "ExternalSecret default/checkout-env\n"
        "  create  Secret checkout-env\n"
        "            + API_KEY\n"
        "            + BLOB_MEMBER\n"
        "            + SERVICE_PASSWORD\n"
    )
    assert "3 to create, 0 to change, 0 to remove, 0 to adopt; 0 with errors" in result.stderr
    for value in ("example-api-key-1", "example-service-password", "example-database-password"):
        assert value not in result.output
    assert content_of(manifests) == before
    assert not served.standin.tokens_alive
    asked = {kind.value: number for kind, number in served.standin.counts().items()}
    assert asked == {"login": 1, "resolution": 1, "single": 2, "listing": 1, "revocation": 1}


def test_nothing_to_do_ends_with_0(served: Served, tmp_path: Path, manifests: Path) -> None:
    """Of a directory that `run --local` served, what it made counts as there."""
    assert served_once(manifests) == 3
    before = content_of(manifests)
    result = run_command("plan", manifests)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        f"ExternalSecret default/{name}: no difference"
        for name in ("checkout-env", "database-login", "reporting-all")
    ]
    assert content_of(manifests) == before
    served.project.set_secret("dev", "/", "DB_PASSWORD", "another-canary")
    changed = run_command("plan", manifests)
    assert changed.exit_code == 2
    assert "  change  Secret database-login\n            ~ DB_PASSWORD\n" in changed.stdout
    assert "canary" not in changed.output


def served_once(directory: Path) -> int:
    """Let `run --local` serve a directory until all that it is to make is there; how many Secrets that is."""
    state = directory / ".infisical-reconciler" / "secrets" / "default"
    statuses = directory / ".infisical-reconciler" / "externalsecrets" / "default"
    arguments = [
        sys.executable,
        "-m",
        "reconciler.commands",
        "run",
        "--local",
        str(directory),
        "--listen",
        "",
    ]
    with subprocess.Popen(arguments, env=os.environ.copy(), stderr=subprocess.DEVNULL) as program:
        deadline = time.monotonic() + 20.0
        while sum("refreshTime" in file.read_text() for file in statuses.glob("*.yaml")) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        program.send_signal(signal.SIGTERM)
    return len([file for file in state.glob("*.yaml") if file.stem != "universal-auth-credentials"])


def test_error_ends_with_1_and_the_rest_is_planned(served: Served, manifests: Path) -> None:
    """Also where there are differences besides: a pipeline must not take a plan with an error for one without."""
    served.project.remove_secret("dev", "/my-app", "SERVICE_PASSWORD")
    result = run_command("plan", manifests)
    assert result.exit_code == 1
    assert (
        'checkout-env: error: not found at Infisical: "SERVICE_PASSWORD" in folder /my-app' in result.stdout
    )
    assert "create  Secret database-login" in result.stdout
    assert "2 to create, 0 to change, 0 to remove, 0 to adopt; 1 with errors" in result.stderr


def test_pushes_are_planned_too(served: Served, manifests: Path) -> None:
    example = Path(__file__).resolve().parents[2] / "reconciler" / "examples" / "push-secret.yaml"
    (manifests / "push.yaml").write_text(example.read_text())
    result = run_command("plan", manifests)
    assert result.exit_code == 2, result.output
    assert (
        "PushSecret default/checkout-push\n"
        "  change  /API_KEY at SecretStore infisical\n"
        "  change  /JSON_BLOB at SecretStore infisical\n"
        "            ~ property apiKey\n"
        "  change  /my-app/SERVICE_PASSWORD at SecretStore infisical\n"
    ) in result.stdout
    assert "change-me" not in result.output
    assert not served.standin.tokens_alive


def test_only_one_namespace_is_planned(served: Served, manifests: Path) -> None:
    result = run_command("plan", manifests, "-n", "another")
    assert result.exit_code == 1
    assert "there is no ExternalSecret and no PushSecret here" in result.stderr
    assert run_command("plan", manifests, "-n", "default").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name files or directories, or give --cluster"),
        (("--cluster", "somewhere"), "name files or directories, or give --cluster"),
        (("missing-directory",), "missing-directory"),
        (("--no-such-flag",), "No such option"),
        ((".", "--gcp-iam-credentials-endpoint", "here"), "--gcp-iam-credentials-endpoint"),
    ],
)
def test_wrong_use_ends_with_1(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 is for differences, and nothing else may be taken for them."""
    monkeypatch.chdir(tmp_path)
    result = run_command("plan", *arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_unusable_manifests_are_told_all_at_once(served: Served, manifests: Path) -> None:
    (manifests / "broken.yaml").write_text("a: [b")
    (manifests / "twice.yaml").write_text((manifests / "fetch-secret.yaml").read_text())
    result = run_command("plan", manifests)
    assert result.exit_code == 1
    assert f"{manifests}/broken.yaml:" in result.stderr
    assert f"{manifests}/twice.yaml:" in result.stderr
    assert not served.standin.counts()


def test_cluster_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = run_command("plan", "--cluster", environment={"KUBECONFIG": str(tmp_path / "missing")})
    assert result.exit_code == 1
    assert "does not exist" in result.stderr


def test_cluster_that_does_not_answer_is_told_in_one_sentence(tmp_path: Path) -> None:
    """Not once for each kind. Nobody listens at the port, which is reserved."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "away", "cluster": {"server": "http://127.0.0.1:9"}}],
        "users": [{"name": "somebody", "user": {"token": "worthless"}}],
        "contexts": [{"name": "away", "context": {"cluster": "away", "user": "somebody"}}],
        "current-context": "away",
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    result = run_command("plan", "--cluster", environment={"KUBECONFIG": str(tmp_path / "kubeconfig")})
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.endswith("is it running, and is the way to it open?")


@pytest.mark.apiserver
async def test_cluster_is_planned_and_left_as_it_is(
    apiserver: Access, namespace: str, served: Served, manifests: Path
) -> None:
    """By its KUBECONFIG, one namespace of it."""
    kubeconfig = {"KUBECONFIG": str(apiserver.kubeconfig)}
    await apply_all(kubeconfig, namespace, manifests)
    planned = await asyncio.to_thread(
        run_command, "plan", "--cluster", "-n", namespace, environment=kubeconfig
    )
    assert planned.exit_code == 2, planned.output
    assert f"ExternalSecret {namespace}/checkout-env\n  create  Secret checkout-env\n" in planned.stdout
    assert not served.standin.tokens_alive
    again = await asyncio.to_thread(run_command, "plan", "--cluster", "-n", namespace, environment=kubeconfig)
    assert again.stdout == planned.stdout


async def apply_all(environment: dict[str, str], namespace: str, directory: Path) -> None:
    """Apply manifests, as their author would."""
    cluster = await connect(environment)
    try:
        for file in sorted(directory.glob("*.yaml")):
            for document in yaml.safe_load_all(file.read_text()):
                object: dict[str, Any] = document
                object["metadata"]["namespace"] = namespace
                assert isinstance(await cluster.apply(object, "author"), Done)
    finally:
        await cluster.close()
