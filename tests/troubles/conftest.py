"""A scene on the real API server, whose controller reaches it through the proxy; the user has a way of their own."""

import time
import uuid
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from adapters.infisical.http import Network
from adapters.kubernetes.connect import connect
from adapters.watcher import SHORT_WATCH
from reconciler.standin import StandIn
from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient
from tests.scenarios.counting import CountingCluster
from tests.scenarios.infisical import Infisical
from tests.scenarios.scene import Scene
from tests.troubles.proxy import Proxy
from tests.troubles.troubled import Troubled


@pytest.fixture
async def proxy(apiserver: Access) -> AsyncIterator[Proxy]:
    """The way to the API server of the run that can be troubled."""
    async with Proxy(apiserver) as proxy:
        yield proxy


@pytest.fixture
async def troubled(apiserver: Access, proxy: Proxy) -> AsyncIterator[Troubled]:
    """A scene in a namespace of its own, and the proxy that its controller goes through."""
    namespace = f"trouble-{uuid.uuid4().hex[:12]}"
    async with (
        Infisical(StandIn(time.time)) as infisical,
        Network() as network,
        ApiClient(apiserver) as api,
    ):
        await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        direct = await connect({"KUBECONFIG": str(apiserver.kubeconfig)})
        through = await connect({"KUBECONFIG": proxy.kubeconfig(namespace)})
        scene = Scene(direct, namespace, infisical.standin, infisical.url, network)
        scene.counting = CountingCluster(through)
        try:
            with capture_logs() as logged:
                yield Troubled(scene, proxy, logged)
        finally:
            proxy.clear()
            await scene.stop()
            await direct.close()
            await through.close()
            await api.delete("v1/namespaces", namespace)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent watch is given up after little more than a second."""
    monkeypatch.setattr("adapters.watcher.IDLE_SECONDS", SHORT_WATCH + 0.1)
