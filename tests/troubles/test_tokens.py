"""A token that is not taken any more: it is read again where it came from, and until it is there, this is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient
from tests.apiserver.preparing import make_service_account, request_token
from tests.deploy.test_rights import granted
from tests.scenarios.scene import API_KEY, key
from tests.troubles.answers import Ends
from tests.troubles.proxy import Proxy
from tests.troubles.troubled import LISTS, Troubled, troubled_scene

pytestmark = pytest.mark.apiserver


@pytest.fixture
async def tokens(api: ApiClient, namespace: str) -> list[str]:
    """Two tokens of the controller's service account, both good for the API server; the proxy takes one at a time."""
    first = await make_service_account(api, namespace, "controller", cluster_rules=granted())
    return [first, await request_token(api, namespace, "controller")]


@pytest.fixture
def token_file(tmp_path: Path, tokens: list[str]) -> Path:
    """Where the controller finds its token."""
    file = tmp_path / "token"
    file.write_text(tokens[0])
    return file


@pytest.fixture
async def troubled(
    apiserver: Access, proxy: Proxy, namespace: str, tokens: list[str], token_file: Path
) -> AsyncIterator[Troubled]:
    """A scene whose controller has its token from a file."""
    proxy.token = tokens[0]
    kubeconfig = proxy.kubeconfig(f"{namespace}-by-file", tokenFile=str(token_file))
    async with troubled_scene(apiserver, proxy, namespace, kubeconfig) as troubled:
        yield troubled


async def test_token_that_has_expired_is_read_again_at_once(
    troubled: Troubled, tokens: list[str], token_file: Path
) -> None:
    """By calls and by watches; each is refused once at most, and nobody notices."""
    scene, proxy = troubled.scene, troubled.proxy
    await scene.begin()
    token_file.write_text(tokens[1])
    proxy.token = tokens[1]
    before = len(proxy.seen)
    scene.project.set_secret("dev", "/", "API_KEY", "changed")
    await scene.refresh()
    await scene.holds({"key": "changed"})
    for resource in ("externalsecrets", "secrets"):
        proxy.interrupt(resource, Ends())
    await scene.apply(scene.external_secret("another", data=[key("DB_PASSWORD")]))
    await scene.ready("another")
    await troubled.ends_well()
    assert len([one for one in proxy.seen[before:] if one.status == 401]) <= 2
    assert "error" not in scene.journal.ends("wanted")
    assert troubled.lists() == LISTS


@pytest.mark.usefixtures("impatient")
async def test_token_that_has_expired_before_another_is_there_is_told(
    troubled: Troubled, tokens: list[str], token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `/readyz` and in the log, as no status can be written; soon after there is another, all goes on."""
    monkeypatch.setattr("adapters.kubernetes.requests.RENEWAL_SECONDS", 0.5)
    scene, proxy = troubled.scene, troubled.proxy
    await scene.begin()
    proxy.token = tokens[1]
    assert proxy.interrupt("externalsecrets", Ends()) == 1
    scene.project.set_secret("dev", "/", "API_KEY", "changed")
    await scene.apply(scene.external_secret(data=[key("API_KEY", "renamed")]))
    await troubled.says("externalsecrets: the API server does not take the controller's token (HTTP 401)")
    await troubled.says("check its service account, or the user in the kubeconfig")
    assert await scene.secret() == {"key": API_KEY}
    token_file.write_text(tokens[1])
    await scene.holds({"renamed": "changed"})
    await troubled.ends_well()
    assert troubled.lists() == LISTS


async def test_start_with_a_token_that_is_not_taken(
    troubled: Troubled, tokens: list[str], token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, does not ask in a storm, and starts once there is another."""
    monkeypatch.setattr("adapters.kubernetes.requests.RENEWAL_SECONDS", 0.5)
    scene, proxy = troubled.scene, troubled.proxy
    proxy.token = tokens[1]
    async with troubled.starting():
        await troubled.says("externalsecrets: the API server does not take the controller's token (HTTP 401)")
        await scene.until(lambda: len(proxy.calls("list", "externalsecrets")) == 3)
        assert len(proxy.seen) <= 9 * 4
        token_file.write_text(tokens[1])
    await scene.apply(scene.credentials_secret(), scene.store(), scene.external_secret(data=[key("API_KEY")]))
    await scene.ready()
    await troubled.ends_well()
