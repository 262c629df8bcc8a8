"""What tests of the real API server are given (a pytest plugin).

`apiserver` is one server for the whole run, with the definitions of `deploy/crds`, shared by all workers: a test
keeps to its own `namespace`. A test that restarts or misuses a server takes `own_apiserver`, which has nothing.
"""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient
from tests.apiserver.preparing import install_crds, read_crds
from tests.apiserver.progress import say_on_stderr
from tests.apiserver.server import ApiServer
from tests.apiserver.sharing import SharedServer, joined_server


@pytest.fixture(scope="session")
def shared_apiserver(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SharedServer]:
    """This worker's part in the server of the run; tests take `apiserver` instead."""
    base = tmp_path_factory.getbasetemp()
    of_the_run = base.parent if hasattr(pytestconfig, "workerinput") else base
    with joined_server(of_the_run / "apiserver", install_our_crds, SayThrough(pytestconfig)) as shared:
        yield shared


@pytest.fixture(scope="session")
def apiserver(shared_apiserver: SharedServer) -> Access:
    """The server of the run, for its administrator."""
    return shared_apiserver.access


@pytest.fixture(scope="session")
def controllers(shared_apiserver: SharedServer) -> None:
    """Garbage is collected on the server of the run, and namespaces end."""
    shared_apiserver.ensure_controllers()


@pytest.fixture
async def api(apiserver: Access) -> AsyncIterator[ApiClient]:
    """The server of the run, as its administrator."""
    async with ApiClient(apiserver) as client:
        yield client


@pytest.fixture
async def namespace(api: ApiClient, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A new namespace of this test, whose name was never used before; its deletion is not waited for."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40].rstrip("-")
    name = f"{words}-{uuid.uuid4().hex[:8]}"
    await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    await api.delete("v1/namespaces", name)


@pytest.fixture
def own_apiserver(pytestconfig: pytest.Config, tmp_path: Path) -> Iterator[ApiServer]:
    """A fresh server of this test alone, without our definitions, to be restarted or misused."""
    with ApiServer(tmp_path / "apiserver", say=SayThrough(pytestconfig)) as server:
        yield server


def install_our_crds(access: Access) -> None:
    """Define the kinds of `deploy/crds` on a server that has just started."""

    async def install() -> None:
        async with ApiClient(access) as client:
            await install_crds(client, read_crds())

    with ThreadPoolExecutor(1) as thread:  # a session fixture may be set up beside a test's event loop
        thread.submit(asyncio.run, install()).result()


class SayThrough:
    """Shows the progress of a build at once, although pytest keeps what tests print."""

    def __init__(self, config: pytest.Config) -> None:
        self._capture = config.pluginmanager.getplugin("capturemanager")

    def __call__(self, line: str) -> None:
        if self._capture is None:
            say_on_stderr(line)
        else:
            with self._capture.global_and_fixture_disabled():
                say_on_stderr(line)
