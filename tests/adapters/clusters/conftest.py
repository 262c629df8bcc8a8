"""One cluster for each test, of both implementations, with a namespace that the test has to itself."""

import datetime
import uuid
from collections.abc import AsyncIterator

import pytest

from adapters.cluster import Cluster, Done
from adapters.kubernetes.connect import connect
from adapters.local.cluster import LocalCluster
from tests.apiserver.access import Access


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@pytest.fixture
def local() -> LocalCluster:
    return LocalCluster(now)


@pytest.fixture(params=["local", pytest.param("kubernetes", marks=pytest.mark.apiserver)])
async def cluster(request: pytest.FixtureRequest) -> AsyncIterator[Cluster]:
    """A local cluster, or the API server of the test run."""
    if request.param == "local":
        yield LocalCluster(now)
        return
    access: Access = request.getfixturevalue("apiserver")
    kubernetes = await connect({"KUBECONFIG": str(access.kubeconfig)})
    yield kubernetes
    await kubernetes.close()


@pytest.fixture
async def place(cluster: Cluster) -> str:
    """The name of a new namespace in the cluster."""
    name = f"clusters-{uuid.uuid4().hex[:12]}"
    made = await cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "test")
    assert isinstance(made, Done)
    return name
