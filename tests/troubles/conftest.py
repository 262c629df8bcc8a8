"""A scene on the real API server, whose controller reaches it through the proxy; the user has a way of their own."""

from collections.abc import AsyncIterator

import pytest

from adapters.watcher import SHORT_WATCH
from tests.apiserver.access import Access
from tests.troubles.proxy import Proxy
from tests.troubles.troubled import Troubled, troubled_scene


@pytest.fixture
async def proxy(apiserver: Access) -> AsyncIterator[Proxy]:
    """The way to the API server of the run that can be troubled."""
    async with Proxy(apiserver) as proxy:
        yield proxy


@pytest.fixture
async def troubled(apiserver: Access, proxy: Proxy, namespace: str) -> AsyncIterator[Troubled]:
    """A scene in a namespace of its own, and the proxy that its controller goes through."""
    async with troubled_scene(apiserver, proxy, namespace, proxy.kubeconfig(namespace)) as troubled:
        yield troubled


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent watch is given up after little more than a second."""
    monkeypatch.setattr("adapters.watcher.IDLE_SECONDS", SHORT_WATCH + 0.1)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried again within a call, so that what happens then is seen sooner."""
    monkeypatch.setattr("adapters.kubernetes.api.PAUSES", ())
