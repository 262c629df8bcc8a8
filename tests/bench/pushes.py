"""The workload of pushing: a first push, rounds in which nothing has changed, and one change of a source."""

import asyncio
import time
from collections import Counter

import msgspec

from tests.bench.arena import KEYS, PUSH_SECRETS, Arena, Infisical, infisical, watched
from tests.bench.measured import Measured, Usage
from tests.bench.workloads import ANSWER, PATIENCE, has_ready

SECRETS = "v1/secrets"
CHANGES = 5


class Pushes(msgspec.Struct, frozen=True, kw_only=True):
    """What pushing cost. Times in seconds, the rounds as counted over all of them."""

    seconds: float  # of the first push, from the program being up
    requests: Counter[str]
    writes: Counter[str]
    rounds: float
    round_requests: Counter[str]
    round_writes: Counter[str]
    at_once: tuple[float, ...]  # from a change of a source Secret to its being at Infisical
    usage: Usage


async def floor(arena: Arena, number: int) -> float:
    """The seconds of the first push by the bare program, from its being up."""
    namespace = await arena.namespace()
    async with (
        infisical(0, ANSWER) as server,
        watched(arena.access, namespace, PUSH_SECRETS) as seen,
    ):
        await arena.push_secrets(namespace, number, "1h")
        program = Measured(
            arena.directory / f"{namespace}.log",
            *("-m", "tests.bench.push_floor", namespace, server.url),
            *(server.credentials.client_id, server.project.id),
            environment={
                "KUBECONFIG": str(arena.access.kubeconfig),
                "FLOOR_CLIENT_SECRET": server.credentials.client_secret,
            },
        )
        async with program:
            await program.begun("begins")
            began = time.perf_counter()
            await program.over()
            if not await seen.until(has_ready(number), PATIENCE):
                raise RuntimeError(f"{len(seen.ready)} of {number} are ready after {PATIENCE} s")
            return time.perf_counter() - began


async def pushes(arena: Arena, number: int, interval: int, seconds: float) -> Pushes:
    """So many PushSecrets of three keys into one folder that is empty; then rounds of an interval (seconds)."""
    namespace = await arena.namespace()
    async with (
        infisical(0, ANSWER) as server,
        watched(arena.access, namespace, PUSH_SECRETS) as seen,
    ):
        await arena.store(namespace, server)
        await arena.push_secrets(namespace, number, f"{interval}s")
        before = await arena.writes()
        async with arena.controller(namespace) as program:
            await program.begun("running")
            began = time.perf_counter()
            if not await seen.until(has_ready(number), PATIENCE):
                raise RuntimeError(f"{len(seen.ready)} of {number} are ready after {PATIENCE} s")
            took = time.perf_counter() - began
            await asyncio.sleep(
                min(5.0, interval / 2)
            )  # the login of the first push lingers, events are written
            requests, writes = server.requests(), await arena.writes()
            start = time.perf_counter()
            await asyncio.sleep(seconds)
            passed = time.perf_counter() - start
            cost = Pushes(
                seconds=took,
                requests=requests,
                writes=writes - before,
                rounds=passed / interval,
                round_requests=server.requests() - requests,
                round_writes=await arena.writes() - writes,
                at_once=tuple([await _changed(arena, namespace, server, index) for index in range(CHANGES)]),
                usage=program.usage(),
            )
        held = server.project.values("dev", "/")
        if len(held) != number * KEYS:
            raise RuntimeError(f"Infisical holds {len(held)} secrets in place of {number * KEYS}")
        return cost


async def _changed(arena: Arena, namespace: str, server: Infisical, index: int) -> float:
    """Change one source; the seconds until Infisical holds the change."""
    text = f"changed {time.monotonic_ns()}"
    began = time.perf_counter()
    await arena.api.merge(SECRETS, f"source-{index}", namespace, {"stringData": {"key-0": text}})
    while server.project.values("dev", "/").get(f"PUSHED_{index * KEYS}") != text:
        if time.perf_counter() - began > PATIENCE:
            raise RuntimeError("a change of a source did not come to Infisical")
        await asyncio.sleep(0.005)
    return time.perf_counter() - began
