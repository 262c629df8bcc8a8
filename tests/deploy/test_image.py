"""The image: its file tree, tried without a container engine, and the Dockerfile that copies it."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import yaml

from adapters.cluster import Object
from reconciler.demonstration import example_manifests, example_project
from reconciler.standin import ADMIN, Project, StandIn
from reconciler.standin.record import Kind
from reconciler.standin.server import Server
from tests.clouds import oci_user

ROOT = Path(__file__).parent.parent.parent
LIMIT = 150_000_000  # bytes
SIGNERS = """
import azure.identity, boto3, google.auth.compute_engine, google.auth.transport.requests, google.oauth2.service_account
session = boto3.Session("id", "secret", region_name="eu-west-1")
assert "sts.eu-west-1" in session.client("sts").meta.endpoint_url
print("signed")
"""


async def test_image_renders_signs_and_is_small(tmp_path: Path) -> None:
    """From the tree alone: `render` gives the documented Secrets, also by a login with OCI's signer, of which it has
    only a part; and what the other auth methods sign with is there."""
    tree = tmp_path / "image"
    built = await _run([sys.executable, str(ROOT / "deploy" / "image_root.py"), str(tree)], dict(os.environ))
    assert built.returncode == 0, built.stderr
    home = tree / "opt" / "infisical-reconciler"
    environment = {"PYTHONPATH": str(home), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
    python = [sys.base_prefix + "/bin/python3", "-S", "-P"]

    standin = StandIn(time.time)
    project = example_project(standin)
    credentials = standin.add_machine("image", {project: ADMIN})
    async with Server(standin) as server:
        manifests = example_manifests(server.url, credentials.client_id, credentials.client_secret)
        for name, documents in manifests.items():
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump_all(documents))
        files = [str(tmp_path / f"{name}.yaml") for name in manifests]
        rendered = await _run([*python, "-m", "reconciler.commands", "render", *files], environment)
        by_oci = tmp_path / "by-oci.yaml"
        by_oci.write_text(
            yaml.safe_dump_all([*_oci_store(standin, project, server.url), *manifests["fetch-secret"]])
        )
        signed = await _run([*python, "-m", "reconciler.commands", "render", str(by_oci)], environment)
    logins = [asked.path for asked in standin.record.requests if asked.kind is Kind.LOGIN]
    assert logins == ["/api/v1/auth/universal-auth/login", "/api/v1/auth/oci-auth/login"]
    assert rendered.returncode == 0, rendered.stderr
    assert signed.returncode == 0, signed.stderr
    assert [one["metadata"]["name"] for one in yaml.safe_load_all(signed.stdout)] == ["checkout-env"]
    assert sorted(one["metadata"]["name"] for one in yaml.safe_load_all(rendered.stdout)) == [
        "checkout-env",
        "database-login",
        "reporting-all",
    ]
    there = await _run([*python, "-c", SIGNERS], environment)
    assert there.stdout == "signed\n", there.stderr
    assert _size(tree) < LIMIT, "\n".join(
        f"{_size(part) / 1e6:6.1f} MB {part.name}" for part in _largest(home)
    )


def _oci_store(standin: StandIn, project: Project, url: str) -> list[Object]:
    """The documented store of OCI Auth and its Secret, for a user with an encrypted key."""
    oci_user.register(standin)
    robot = standin.add_identity("by oci", {project: ADMIN})
    standin.configure_login(robot, "oci-auth", {"tenancyOcid": oci_user.TENANCY})
    example = ROOT / "reconciler" / "examples" / "store-oci-auth.yaml"
    secret, store = yaml.safe_load_all(example.read_text())
    texts = oci_user.texts(robot.id, oci_user.pem(oci_user.PASSPHRASE))
    secret["stringData"] = {**texts, "privateKeyPassphrase": oci_user.PASSPHRASE}
    infisical = store["spec"]["provider"]["infisical"]
    infisical["hostAPI"] = url
    selector = {"name": secret["metadata"]["name"], "key": "privateKeyPassphrase"}
    infisical["auth"]["ociAuthCredentials"]["privateKeyPassphrase"] = selector
    return [secret, store]


def test_dockerfile_calls_and_copies_and_runs_as_nobody() -> None:
    """It does no more, and names no index of packages."""
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    instructions = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    runs = [rest for word, rest in instructions if word == "RUN"]
    assert [run for run in runs if "image-root" in run] == runs[-1:]
    assert ["COPY", "--from=build /image/ /"] in instructions
    assert ["USER", "65532:65532"] in instructions
    assert not [rest for _, rest in instructions if "index" in rest or "http" in rest]


async def _run(command: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run,
        command,
        capture_output=True,
        text=True,
        env=environment,
        cwd="/",
        timeout=300,
        check=False,
    )


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())


def _largest(home: Path) -> list[Path]:
    return sorted(home.iterdir(), key=_size, reverse=True)[:15]
