"""The fence: what passes, what is cut, and when."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.cluster import Absent, Done, Unavailable
from adapters.infisical.address import Address, parsed
from adapters.infisical.transport import Answer, Request, Transport, TransportError
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import CONFIG_MAP
from machines.outcomes import Invalid
from reconciler.fence import Fence, FencedCluster, FenceShut, fenced
from tests.simulated_loop import simulated, wall_time

PATCH = [{"op": "add", "path": "/data", "value": {"a": "b"}}]
READ = Request(method="GET", path="/api/v4/secrets")
REVOKE = Request(method="POST", path="/api/v1/auth/token/revoke")


class Slow:
    """A server that answers after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.asked = 0

    async def send(self, request: Request) -> Answer:
        """Answer the request once."""
        self.asked += 1
        await asyncio.sleep(self._seconds)
        return Answer(status=200)


def reached(server: Slow, fence: Fence) -> Transport:
    """The way to a server, through a fence."""

    def connect(address: Address, certificates: bytes) -> Transport | Invalid:
        return server

    address = parsed("https://infisical.example")
    assert isinstance(address, Address)
    transport = fenced(connect, fence)(address, b"")
    assert not isinstance(transport, Invalid)
    return transport


async def outcome(work: Any) -> tuple[float, Any]:
    """What came of it, and when."""
    try:
        answer = await work
    except (TransportError, FenceShut) as error:
        answer = type(error)
    return asyncio.get_running_loop().time(), answer


@simulated
async def test_request_is_cut_when_the_time_is_up() -> None:
    """At that very moment, and none is sent later."""
    fence, server = Fence(), Slow(60.0)
    transport = reached(server, fence)
    fence.open_until(10.0)
    assert await outcome(transport.send(READ)) == (10.0, TransportError)
    assert not fence.is_open
    assert await outcome(transport.send(READ)) == (10.0, TransportError)
    assert server.asked == 1


@simulated
async def test_request_goes_on_when_the_time_is_moved_on() -> None:
    """Those under way have the new time too."""
    fence = Fence()
    fence.open_until(10.0)
    sent = asyncio.create_task(outcome(reached(Slow(25.0), fence).send(READ)))
    for renewed in (8.0, 16.0, 24.0):
        await asyncio.sleep(8.0)
        fence.open_until(renewed + 10.0)
    assert await sent == (25.0, Answer(status=200))


@simulated
async def test_request_is_cut_when_the_fence_is_shut() -> None:
    """Before its time."""
    fence = Fence()
    fence.open_until(10.0)
    sent = asyncio.create_task(outcome(reached(Slow(25.0), fence).send(READ)))
    await asyncio.sleep(3.0)
    fence.shut()
    assert await sent == (3.0, TransportError)


@simulated
async def test_token_is_revoked_through_a_shut_fence() -> None:
    """Nobody else will."""
    assert await outcome(reached(Slow(1.0), Fence()).send(REVOKE)) == (1.0, Answer(status=200))


@simulated
async def test_time_out_of_the_work_itself_is_none_of_the_fence() -> None:
    """It is raised as it is."""

    async def work() -> None:
        raise TimeoutError

    fence = Fence()
    fence.open_until(10.0)
    with pytest.raises(TimeoutError):
        await fence.passed(work)


@simulated
async def test_cluster_is_read_but_not_written_behind_a_shut_fence() -> None:
    """Writes are Unavailable, and nothing is written."""
    inner, fence = LocalCluster(lambda: datetime.fromtimestamp(wall_time(), UTC)), Fence()
    cluster = FencedCluster(inner, fence)
    object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}}
    assert await cluster.create(object, "test") == Unavailable()
    assert await cluster.apply(object, "test") == Unavailable()
    assert isinstance(await cluster.get(CONFIG_MAP, "default", "a"), Absent)
    fence.open_until(10.0)
    assert isinstance(await cluster.create(object, "test"), Done)
    fence.shut()
    assert await cluster.patch(CONFIG_MAP, "default", "a", PATCH, "test") == Unavailable()
    assert await cluster.patch_status(CONFIG_MAP, "default", "a", {}, "test") == Unavailable()
    assert await cluster.delete(CONFIG_MAP, "default", "a") == Unavailable()
    assert isinstance(await cluster.get(CONFIG_MAP, "default", "a"), Done)
