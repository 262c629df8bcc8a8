"""Flags about logging in, through `render`: files that may be read, and hosts that may be shown the own identity."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.standin import ADMIN
from tests.commands.conftest import Served, beside, run_command
from tests.scenarios.manifests import example, key
from tests.scenarios.reviews import Reviews, reviews_on_loopback


@pytest.fixture
def reviews() -> Iterator[Reviews]:
    """A cluster that reviews tokens."""
    with beside(lambda: reviews_on_loopback("default")) as reviews:
        yield reviews


@pytest.fixture
def tokens(tmp_path: Path, reviews: Reviews) -> Path:
    """A directory with the token of a service account."""
    directory = tmp_path / "tokens"
    directory.mkdir()
    (directory / "token").write_text(asyncio.run(reviews.token("robot")))
    return directory


@pytest.fixture
def file(served: Served, reviews: Reviews, tokens: Path, tmp_path: Path) -> Path:
    """Manifests that log in by that token."""
    identity = served.standin.add_identity("robot", {served.project: ADMIN})
    settings = {"kubernetesHost": reviews.url, "tokenReviewerJwt": reviews.reviewer}
    served.standin.configure_login(identity, "kubernetes-auth", settings)
    secret: dict[str, Any] = example("store-kubernetes-auth", "Secret")
    store: dict[str, Any] = example("store-kubernetes-auth", "SecretStore")
    secret["stringData"] = {"identityId": identity.id, "serviceAccountTokenPath": str(tokens / "token")}
    infisical = store["spec"]["provider"]["infisical"]
    infisical["hostAPI"] = served.url
    infisical["auth"]["kubernetesAuthCredentials"]["serviceAccountTokenPath"] = {
        "name": secret["metadata"]["name"],
        "key": "serviceAccountTokenPath",
    }
    wanted = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "wanted"},
        "spec": {"secretStoreRef": {"name": "infisical"}, "data": [key("API_KEY")]},
    }
    file = tmp_path / "manifests.yaml"
    file.write_text(yaml.safe_dump_all([secret, store, wanted]))
    return file


@pytest.mark.statement("S17")
def test_directories_are_given_by_a_repeated_flag(
    served: Served, file: Path, tokens: Path, tmp_path: Path
) -> None:
    """Every one of them counts; one login, one revocation."""
    result = run_command(
        "render", file, "--credential-directories", tmp_path / "none", "--credential-directories", tokens
    )
    assert result.exit_code == 0, result.stderr
    asked = {kind.value: number for kind, number in served.standin.counts().items()}
    assert (asked["login"], asked["revocation"]) == (1, 1)


def test_directories_are_given_by_the_environment_as_in_path(
    served: Served, file: Path, tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a blank in a name."""
    spaced = tmp_path / "with blank"
    tokens.rename(spaced)
    file.write_text(file.read_text().replace(str(tokens), str(spaced)))
    several = os.pathsep.join([str(tmp_path / "none"), str(spaced)])
    monkeypatch.setenv("INFISICAL_RECONCILER_CREDENTIAL_DIRECTORIES", several)
    result = run_command("render", file)
    assert result.exit_code == 0, result.stderr
    assert served.standin.counts()


def test_without_directories_the_file_is_not_read(served: Served, file: Path, tokens: Path) -> None:
    """The message says which flag to ask the operator for, and shows nothing of the file."""
    result = run_command("render", file)
    assert result.exit_code == 1
    assert "--credential-directories" in result.stderr
    assert (tokens / "token").read_text() not in result.stderr
    assert not served.standin.counts()


def test_directory_must_be_absolute(file: Path) -> None:
    """Which one a relative one is depends on where the program runs."""
    result = run_command("render", file, "--credential-directories", "tokens")
    assert result.exit_code == 2
    assert "no absolute path" in result.stderr


@pytest.mark.parametrize(("hosts", "code"), [("other.example.com", 1), ("other.example.com 127.0.0.1", 0)])
def test_hosts_are_given_by_the_environment(
    file: Path, tokens: Path, monkeypatch: pytest.MonkeyPatch, hosts: str, code: int
) -> None:
    """Separated by blanks; a host that is not among them is shown nothing."""
    monkeypatch.setenv("INFISICAL_RECONCILER_AMBIENT_CREDENTIAL_HOSTS", hosts)
    result = run_command("render", file, "--credential-directories", tokens)
    assert result.exit_code == code, result.stderr
    assert ("--ambient-credential-hosts" in result.stderr) == bool(code)
