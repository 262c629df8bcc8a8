"""`run` as a process of its own, on a directory of manifests."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from reconciler.standin import Kind as Asked
from reconciler.standin import Slow
from tests.commands.conftest import Served

PATIENCE = 20.0


class Program:
    """`run --local`, and what it wrote."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.directory = directory
        self.log = directory.parent / "log"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        command = [sys.executable, "-m", "reconciler.commands", "run", "--local", str(directory)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--listen", self.address, *arguments],
                stderr=log,
                stdout=log,
                env=os.environ | {"INFISICAL_RECONCILER_LOG_LEVEL": "debug"},
            )

    def until(self, holds: Callable[[], object]) -> None:
        """Look again and again; the log when it takes too long."""
        end = time.monotonic() + PATIENCE
        while not holds():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def state(self, kind: str, name: str) -> dict[str, object]:
        """What is kept of an object; empty where nothing is."""
        for file in (self.directory / ".infisical-reconciler").rglob("*"):
            if file.is_file():
                kept = yaml.safe_load(file.read_text())
                if kept and kept.get("kind") == kind and kept["metadata"]["name"] == name:
                    return dict(kept)
        return {}

    def ready(self, kind: str, name: str) -> str:
        """Status and message of the Ready condition."""
        conditions = (self.state(kind, name).get("status") or {}).get("conditions") or []  # type: ignore[attr-defined]
        return next((f"{one['status']} {one['message']}" for one in conditions), "")

    def data(self, name: str) -> dict[str, str]:
        """The decoded data of a kept Secret."""
        data = self.state("Secret", name).get("data") or {}
        return {key: base64.b64decode(text).decode() for key, text in data.items()}  # type: ignore[attr-defined]

    def get(self, path: str) -> tuple[int, str]:
        """An endpoint's answer."""
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def program(manifests: Path) -> Iterator[Program]:
    """The program on the documented manifests."""
    running = Program(manifests, "--journal", str(manifests.parent / "journal"))
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def test_manifests_become_secrets_and_changed_files_are_events(program: Program, served: Served) -> None:
    """Results are private files; a force-sync annotation in a file fetches what has changed."""
    program.until(lambda: program.data("checkout-env").get("API_KEY") == "example-api-key-1")
    kept = list((program.directory / ".infisical-reconciler").rglob("*"))
    assert kept
    assert all(file.stat().st_mode & 0o077 == 0 for file in kept)
    served.project.set_secret("dev", "/", "API_KEY", "another")
    file = program.directory / "fetch-secret.yaml"
    manifest = yaml.safe_load(file.read_text())
    manifest["metadata"]["annotations"] = {"external-secrets.io/force-sync": "1"}
    file.write_text(yaml.safe_dump(manifest))
    program.until(lambda: program.data("checkout-env").get("API_KEY") == "another")
    assert program.stop() == 0
    assert not served.standin.tokens_alive


def test_restart_fetches_nothing_that_is_not_due(manifests: Path, served: Served) -> None:
    """Secrets and statuses are kept: only the store is validated again."""
    first = Program(manifests)
    first.until(lambda: all(first.data(name) for name in ("checkout-env", "reporting-all", "database-login")))
    first.until(lambda: first.ready("ExternalSecret", "checkout-env").startswith("True"))
    assert first.stop() == 0
    served.standin.record.clear()
    second = Program(manifests)
    second.until(lambda: "report_valid" in second.log.read_text())
    second.until(lambda: second.log.read_text().count('"to": "idle"') == 3)
    assert second.stop() == 0
    asked = {kind.value: number for kind, number in served.standin.counts().items()}
    assert asked == {"login": 1, "resolution": 1, "single": 1, "revocation": 1}


def test_endpoints_answer(program: Program) -> None:
    """Alive, ready, measured, and traced."""
    program.until(lambda: program.ready("ExternalSecret", "checkout-env").startswith("True"))
    assert program.get("/healthz") == (200, "ok\n")
    assert program.get("/readyz") == (200, "ok\n")
    status, metrics = program.get("/metrics")
    assert status == 200
    assert 'externalsecret_sync_calls_total{name="checkout-env",namespace="default"}' in metrics
    assert 'call="GetSecretsV3"' in metrics
    status, lines = program.get("/trace?kind=externalsecret&name=checkout-env")
    assert status == 200
    assert json.loads(lines.splitlines()[-1])["to"] == "ready"


def test_told_to_stop_in_the_middle_of_a_login_it_releases_what_comes_of_it(
    manifests: Path, served: Served
) -> None:
    """A login that is under way is waited for or given up; no token outlives the program."""
    served.standin.faults.plan(Asked.LOGIN, Slow(1.0))
    program = Program(manifests)
    program.until(lambda: served.standin.counts())
    assert program.stop() == 0
    assert not served.standin.tokens_alive


def test_broken_file_is_reported_and_its_objects_stay(program: Program) -> None:
    """With file and line, in the log."""
    program.until(lambda: program.data("checkout-env"))
    (program.directory / "fetch-secret.yaml").write_text("kind: [\n")
    program.until(lambda: "fetch-secret.yaml:" in program.log.read_text())
    assert program.data("checkout-env")
    assert program.stop() == 0


def test_no_cluster_is_told_in_a_sentence(tmp_path: Path) -> None:
    """What to set, and no traceback."""
    environment = {name: text for name, text in os.environ.items() if name != "KUBECONFIG"} | {
        "HOME": str(tmp_path)
    }
    command = [sys.executable, "-m", "reconciler.commands", "run", "--listen", ""]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=PATIENCE)
    assert ended.returncode == 2
    assert "KUBECONFIG" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_leader_election_without_a_namespace_is_told_in_a_sentence(tmp_path: Path) -> None:
    """Which flag says where the Lease is; and that a directory has none."""
    file = tmp_path / "kubeconfig"
    content = {
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "x"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    file.write_text(yaml.safe_dump(content))
    command = [sys.executable, "-m", "reconciler.commands", "run", "--listen", "", "--leader-election"]
    for more, said in (([], "--leader-election-namespace"), (["--local", str(tmp_path)], "leave it out")):
        ended = subprocess.run(
            [*command, *more],
            capture_output=True,
            text=True,
            env=os.environ | {"KUBECONFIG": str(file)},
            timeout=PATIENCE,
        )
        assert ended.returncode == 2
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr
