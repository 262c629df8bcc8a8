"""A real API server for these tests alone: their objects may be anywhere in it, and its garbage is collected."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from adapters.kubernetes.api import KubernetesCluster
from adapters.kubernetes.connect import connect
from tests.adapters.clusters.agreement.tally import Tally
from tests.apiserver.access import Access
from tests.apiserver.fixtures import SayThrough, install_our_crds
from tests.apiserver.sharing import joined_server


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    """One server for all workers of the run, with its controllers."""
    base = tmp_path_factory.getbasetemp()
    of_the_run = base.parent if hasattr(pytestconfig, "workerinput") else base
    with joined_server(of_the_run / "agreement", install_our_crds, SayThrough(pytestconfig)) as shared:
        shared.ensure_controllers()
        yield shared.access


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for all examples of a test, so that they share the connections to the server."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def kubernetes(server: Access, runner: asyncio.Runner) -> Iterator[KubernetesCluster]:
    """The real cluster, to be asked within `runner`."""
    cluster = runner.run(connect({"KUBECONFIG": str(server.kubeconfig)}))
    yield cluster
    runner.run(cluster.close())


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Iterator[Tally]:
    """Counts what this process compares, and shows it at the end."""
    tally = Tally()
    started = time.monotonic()
    yield tally
    SayThrough(pytestconfig)(tally.table(time.monotonic() - started))
