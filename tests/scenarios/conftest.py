"""The scene on both clusters: each scenario runs on the local one and on a real API server."""

import datetime
import time
import uuid
from collections.abc import AsyncIterator

import pytest

from adapters.infisical.http import Network
from adapters.kubernetes.connect import connect
from adapters.local.cluster import LocalCluster
from reconciler.standin import Age, StandIn
from reconciler.standin.server import Server
from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient
from tests.scenarios.scene import Scene


@pytest.fixture(params=["local", pytest.param("real", marks=pytest.mark.apiserver)])
def where(request: pytest.FixtureRequest) -> str:
    """On which cluster."""
    return str(request.param)


@pytest.fixture
def age() -> Age:
    """Of which age the Infisical server is; tests override it by parametrising `age`."""
    return Age.CURRENT


@pytest.fixture
async def scene(where: str, age: Age, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    """A scene in a namespace of its own; its controller, if it was started, is stopped at the end."""
    access: Access | None = request.getfixturevalue("apiserver") if where == "real" else None
    server = StandIn(time.time, age)
    async with Network() as network, Server(server) as served:
        if access is None:
            cluster = LocalCluster(lambda: datetime.datetime.now(datetime.UTC))
            namespace = "default"
            scene = Scene(cluster, namespace, server, served.url, network)
            try:
                yield scene
            finally:
                await scene.stop()
            return
        namespace = f"scene-{uuid.uuid4().hex[:12]}"
        async with ApiClient(access) as api:
            await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            real = await connect({"KUBECONFIG": str(access.kubeconfig)})
            scene = Scene(real, namespace, server, served.url, network)
            try:
                yield scene
            finally:
                await scene.stop()
                await real.close()
                await api.delete("v1/namespaces", namespace)
