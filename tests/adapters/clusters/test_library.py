"""kubernetes-asyncio without its generated models: they stay out of memory, and all ways to a server are there."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from adapters.cluster import Listed, Selection
from adapters.kubernetes import connect as connecting
from adapters.kubernetes.connect import connect
from adapters.resources.kinds import SECRET
from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient
from tests.apiserver.preparing import make_service_account

SECRETS_ARE_LISTED = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}


def printed(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_generated_models_and_calls_stay_out() -> None:
    """Fewer than twenty modules of more than eight hundred."""
    loaded = printed(
        "import sys, adapters.kubernetes.connect\n"
        "print(*[name for name in sys.modules if name.startswith('kubernetes_asyncio.')], sep='\\n')"
    ).splitlines()
    assert "kubernetes_asyncio.client.rest" in loaded
    assert not [name for name in loaded if ".models." in name or ".api." in name]
    assert len(loaded) < 20


@pytest.mark.parametrize(
    "named",
    [
        "kubernetes_asyncio.client.V1Secret",
        "kubernetes_asyncio.client.models.V1Secret",
        "kubernetes_asyncio.client.CoreV1Api",
        "kubernetes_asyncio.client.__version__",
        "kubernetes_asyncio.watch.Watch",
        "kubernetes_asyncio.config.load_config",
    ],
)
def test_whoever_asks_for_the_rest_of_the_library_has_it(named: str) -> None:
    assert (
        printed(f"import adapters.kubernetes.connect, kubernetes_asyncio\nprint({named} is not None)")
        == "True"
    )


def test_library_that_somebody_imported_before_is_taken_as_it_is() -> None:
    assert (
        printed(
            "from kubernetes_asyncio.client import ApiClient\n"
            "from adapters.kubernetes.library import ApiClient as ours\n"
            "print(ApiClient is ours)"
        )
        == "True"
    )


@pytest.mark.apiserver
@pytest.mark.parametrize("way", ["token", "token file", "pod"])
async def test_server_is_reached_in_every_way(
    way: str,
    api: ApiClient,
    apiserver: Access,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a kubeconfig with a token, by one that names a file, and as a pod does."""
    token = await make_service_account(api, namespace, "reader", rules=[SECRETS_ARE_LISTED])
    authority, token_file = tmp_path / "ca.crt", tmp_path / "token"
    authority.write_text(apiserver.authority)
    token_file.write_text(token)
    config = yaml.safe_load(apiserver.as_user(f"{namespace}-reader", token).kubeconfig.read_text())
    if way == "token file":
        config["users"][0]["user"] = {"tokenFile": str(token_file)}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(config))
    environment = {"KUBECONFIG": str(kubeconfig)}
    if way == "pod":
        monkeypatch.setattr(connecting, "SERVICE_CERT_FILENAME", str(authority))
        monkeypatch.setattr(connecting, "SERVICE_TOKEN_FILENAME", str(token_file))
        host, _, port = apiserver.url.removeprefix("https://").rpartition(":")
        environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    cluster = await connect(environment)
    try:
        assert isinstance(await cluster.list(Selection(SECRET, namespace)), Listed)
    finally:
        await cluster.close()
