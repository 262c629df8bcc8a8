"""Many PushSecrets of one source: a change is at Infisical within a second, a burst is one write; on simulated time."""

import asyncio
import base64
from typing import Any

import pytest

from adapters.cluster import Object
from reconciler.standin import Kind
from tests.outages.town import Server, Town, now
from tests.simulated_loop import simulated

NUMBER = 20
WRITES = (Kind.CREATION, Kind.UPDATE, Kind.BATCH_CREATION, Kind.BATCH_UPDATE)
SECOND = 1.0 + 0.1  # with the time that a comparison and a write take at the server


def source(value: str) -> Object:
    """The Secret that all push, with the label that some choose it by."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "source", "namespace": "default", "labels": {"pushed": "yes"}},
        "data": {"value": base64.b64encode(value.encode()).decode()},
    }


def push_secret(number: int, selector: dict[str, Any]) -> Object:
    """One of many, each to a name of its own."""
    match = {"secretKey": "value", "remoteRef": {"remoteKey": f"NAME_{number}"}}
    return {
        "apiVersion": "external-secrets.io/v1alpha1",
        "kind": "PushSecret",
        "metadata": {"name": f"pushed-{number}", "namespace": "default"},
        "spec": {
            "secretStoreRefs": [{"name": "main"}],
            "selector": {"secret": selector},
            "data": [{"match": match}],
        },
    }


def held(server: Server) -> list[str]:
    """What the names of all hold."""
    values = server.project.values("dev", "/")
    return [values[f"NAME_{number}"] for number in range(NUMBER) if f"NAME_{number}" in values]


def versions(server: Server) -> set[int | None]:
    """How often each of the names was written."""
    return {server.project.version("dev", "/", f"NAME_{number}") for number in range(NUMBER)}


async def until_all_hold(server: Server, value: str) -> float:
    """Wait until all hold a value; when that was."""
    async with asyncio.timeout(60):
        while True:
            if held(server) == [value] * NUMBER:
                return now()
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    "selector",
    [{"name": "source"}, {"selector": {"matchLabels": {"pushed": "yes"}}}],
    ids=["by name", "by label"],
)
def test_a_change_is_there_within_a_second_and_a_burst_is_one_write(selector: dict[str, Any]) -> None:
    """In the write is the last of the burst, and all resources share it."""

    @simulated
    async def scenario() -> None:
        town = Town("main")
        server = town.servers["main"]
        await town.store("main")
        await town.apply(source("0"))
        for number in range(NUMBER):
            await town.apply(push_secret(number, selector))
        async with town.runs():
            await until_all_hold(server, "0")
            await asyncio.sleep(10)
            assert versions(server) == {1}
            server.standin.record.clear()

            changed = now()
            await town.apply(source("1"))
            assert await until_all_hold(server, "1") - changed < SECOND
            await asyncio.sleep(10)
            assert versions(server) == {2}
            counts = server.counts()
            assert sum(counts[kind] for kind in WRITES) <= 2, counts
            assert sum(counts.values()) <= 6, counts

            for number in range(10):
                changed = now()
                await town.apply(source(f"burst {number}"))
                await asyncio.sleep(0.05)
            assert await until_all_hold(server, "burst 9") - changed < SECOND
            await asyncio.sleep(10)
            assert versions(server) == {3}

    scenario()
