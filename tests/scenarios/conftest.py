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
from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient
from tests.scenarios.infisical import Infisical
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
async def infisical(age: Age) -> AsyncIterator[Infisical]:
    """The Infisical server of the scene."""
    async with Infisical(StandIn(time.time, age)) as served:
        yield served


@pytest.fixture
async def scene(where: str, infisical: Infisical, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    """A scene in a namespace of its own; its controller, if it was started, is stopped at the end."""
    access: Access | None = request.getfixturevalue("apiserver") if where == "real" else None
    server, url = infisical.standin, infisical.url
    async with Network() as network:
        if access is None:
            cluster = LocalCluster(lambda: datetime.datetime.now(datetime.UTC))
            namespace = "default"
            scene = Scene(cluster, namespace, server, url, network)
            try:
                yield scene
            finally:
                await scene.stop()
            return
        namespace = f"scene-{uuid.uuid4().hex[:12]}"
        async with ApiClient(access) as api:
            await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            real = await connect({"KUBECONFIG": str(access.kubeconfig)})
            scene = Scene(real, namespace, server, url, network)
            try:
                yield scene
            finally:
                await scene.stop()
                await real.close()
                await api.delete("v1/namespaces", namespace)
