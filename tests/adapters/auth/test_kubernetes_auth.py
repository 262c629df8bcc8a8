"""Kubernetes Auth: what is sent of which file."""

from pathlib import Path

import pytest

from adapters.auth.credentials import Credentials, Source, checked
from adapters.auth.login import Login, LoginRequest
from adapters.auth.service_account import KubernetesAuth
from adapters.auth.settings import AuthSettings
from machines.names import FieldPath, ResourceName, SecretKey
from machines.outcomes import Denial, Denied, Fault, Invalid, Missing, Thing


def credentials(**texts: str) -> Credentials:
    """Credentials as they are read from a Secret."""
    found = checked(
        {
            Source(field, ResourceName("credentials"), SecretKey(field), FieldPath(field)): text.encode()
            for field, text in texts.items()
        }
    )
    assert isinstance(found, Credentials)
    return found


def sent(login: Login) -> tuple[str, dict[str, str]]:
    assert isinstance(login, LoginRequest)
    return login.route, {name: text.reveal() for name, text in login.fields.items()}


@pytest.mark.statement("S13", "S15")
async def test_pod_token_is_sent_as_it_is_now(tmp_path: Path) -> None:
    """Without the white space of files; the next login reads it again."""
    token = tmp_path / "token"
    method = KubernetesAuth(AuthSettings(pod_token=token))
    for text in ("first", "second"):
        token.write_text(f"{text}\n")
        assert sent(await method.login(credentials(identityId=" id\n"))) == (
            "/v1/auth/kubernetes-auth/login",
            {"identityId": "id", "jwt": text},
        )


async def test_directories_of_the_operator_do_not_count_for_the_pod_token(tmp_path: Path) -> None:
    """It may be read anyway, but nothing beside it."""
    (tmp_path / "token").write_text("own")
    (tmp_path / "other").write_text("other")
    method = KubernetesAuth(AuthSettings(pod_token=tmp_path / "token"))
    named = credentials(identityId="id", serviceAccountTokenPath=f"{tmp_path}/token\n")
    assert sent(await method.login(named))[1]["jwt"] == "own"
    beside = credentials(identityId="id", serviceAccountTokenPath=f"{tmp_path}/other")
    assert await method.login(beside) == Denied(
        what=Denial.FILE,
        name=ResourceName("credentials"),
        secret_key=SecretKey("serviceAccountTokenPath"),
    )


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
async def test_file_without_a_token_is_missing(tmp_path: Path, content: bytes | None) -> None:
    """Told by the Secret that names it; of the pod's own, by itself."""
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    own = KubernetesAuth(AuthSettings(pod_token=file))
    assert await own.login(credentials(identityId="id")) == Missing(what=Thing.FILE)
    other = KubernetesAuth(AuthSettings(credential_directories=(tmp_path,)))
    named = credentials(identityId="id", serviceAccountTokenPath=str(file))
    assert await other.login(named) == Missing(
        what=Thing.FILE, name=ResourceName("credentials"), key=SecretKey("serviceAccountTokenPath")
    )


async def test_path_that_is_none_is_told(tmp_path: Path) -> None:
    method = KubernetesAuth(AuthSettings(credential_directories=(tmp_path,)))
    login = await method.login(credentials(identityId="id", serviceAccountTokenPath="token"))
    assert isinstance(login, Invalid)
    assert login.what is Fault.BAD_FILE_PATH
