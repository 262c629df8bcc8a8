"""The workloads: each makes its own namespace and server, lets the program loose, and answers what it cost."""

import asyncio
import contextlib
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec

from reconciler.standin import CLOUD_LIMITS
from reconciler.standin.record import Kind
from tests.bench.arena import EXTERNAL_SECRETS, KEYS, Arena, Infisical, Seen, infisical, watched
from tests.bench.first_login import FirstLogin
from tests.bench.measured import Measured, Usage

ANSWER = 0.02  # seconds in which Infisical answers
QUIET = 2.0  # seconds without a write after which all events are held to be written
PATIENCE = 120.0


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What a workload cost; figures that do not apply are None."""

    started: float  # seconds until it was up
    start: Usage
    seconds: float  # from then on
    requests: Counter[str]
    writes: Counter[str]
    at_ready: Usage
    usage: Usage  # once the events are written too


async def floor(arena: Arena, way: str, number: int) -> Cost:
    """The first workload by the bare program."""
    namespace = await arena.namespace()
    async with infisical(number * KEYS, ANSWER) as server, watched(arena.access, namespace) as seen:
        await arena.external_secrets(namespace, number, "1h")
        before = await arena.writes()
        began = time.perf_counter()
        program = Measured(
            arena.directory / f"{namespace}.log",
            *("-m", "tests.bench.floor", way, namespace, server.url),
            *(server.credentials.client_id, server.project.id),
            environment={
                "KUBECONFIG": str(arena.access.kubeconfig),
                "FLOOR_CLIENT_SECRET": server.credentials.client_secret,
            },
        )
        async with program:
            start = usage = await program.begun("begins")
            up = time.perf_counter()
            over = asyncio.create_task(program.over())
            while not over.done():
                with contextlib.suppress(RuntimeError, KeyError):  # it ends between two looks
                    usage = program.usage()
                await asyncio.wait([over], timeout=0.02)
            await over
            await seen.until(has_ready(number), PATIENCE)
            seconds = time.perf_counter() - up
        return Cost(
            started=up - began,
            start=start,
            seconds=seconds,
            requests=server.requests(),
            writes=await arena.writes() - before,
            at_ready=usage,
            usage=usage,
        )


def has_ready(number: int) -> "ReadyAtLeast":
    """Whether so many are ready."""
    return ReadyAtLeast(number)


class ReadyAtLeast:
    """A question to what a watch saw."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __call__(self, seen: Seen) -> bool:
        return len(seen.ready) >= self._number


async def first_sync(
    arena: Arena, number: int, *, limited: bool = False, profile: Path | None = None
) -> Cost:
    """All there is of a namespace, new: credentials, store and resources, when the program starts.

    `limited`: the server has the limits of Infisical Cloud. The journal is on.
    """
    namespace = await arena.namespace()
    async with infisical(number * KEYS, ANSWER) as server, watched(arena.access, namespace) as seen:
        if limited:
            server.standin.limit(CLOUD_LIMITS)
        await arena.store(namespace, server)
        await arena.external_secrets(namespace, number, "1h")
        before = await arena.writes()
        began = time.perf_counter()
        async with arena.controller(namespace, profile=profile) as program:
            start, up = await program.begun("running"), time.perf_counter()
            if not await seen.until(has_ready(number), PATIENCE):
                raise RuntimeError(f"{len(seen.ready)} of {number} are ready after {PATIENCE} s")
            seconds, at_ready = time.perf_counter() - up, program.usage()
            await quiet(arena)
            usage = program.usage()
        if limited and server.refusals():
            raise RuntimeError(f"{server.refusals()} requests were refused by the limits")
        return Cost(
            started=up - began,
            start=start,
            seconds=seconds,
            requests=server.requests(),
            writes=await arena.writes() - before,
            at_ready=at_ready,
            usage=usage,
        )


async def quiet(arena: Arena) -> None:
    """Wait until nothing was written for a while."""
    last, since = await arena.writes(), time.monotonic()
    while time.monotonic() - since < QUIET:
        await asyncio.sleep(0.25)
        now = await arena.writes()
        if now != last:
            last, since = now, time.monotonic()


class Steady(msgspec.Struct, frozen=True, kw_only=True):
    """A synced namespace over some time."""

    synced: float  # seconds until all were ready
    rounds: float
    requests: Counter[str]
    writes: Counter[str]
    oldest: float  # seconds; the oldest that the data of any resource became
    cpu: float  # share of one core
    usage: Usage


async def steadily(arena: Arena, number: int, interval: int, seconds: float) -> Steady:
    """So many resources of one interval (seconds), synced, and then watched for some time."""
    namespace = await arena.namespace()
    async with infisical(number * KEYS, ANSWER) as server, watched(arena.access, namespace) as seen:
        await arena.store(namespace, server)
        await arena.external_secrets(namespace, number, f"{interval}s")
        began = time.perf_counter()
        async with arena.controller(namespace) as program:
            if not await seen.until(has_ready(number), PATIENCE):
                raise RuntimeError(f"{len(seen.ready)} of {number} are ready after {PATIENCE} s")
            synced = time.perf_counter() - began
            await quiet_or_due(arena, interval)
            requests, writes, usage = server.requests(), await arena.writes(), program.usage()
            start = time.perf_counter()
            await asyncio.sleep(seconds)
            passed = time.perf_counter() - start
            after = program.usage()
            return Steady(
                synced=synced,
                rounds=passed / interval,
                requests=server.requests() - requests,
                writes=await arena.writes() - writes,
                oldest=oldest(server, seen),
                cpu=(after.cpu - usage.cpu) / passed,
                usage=after,
            )


async def quiet_or_due(arena: Arena, interval: int) -> None:
    """Let the events of the first sync be written, where there is time for it."""
    if interval > QUIET * 10:
        await quiet(arena)


def oldest(server: Infisical, seen: Seen) -> float:
    """How old the data of a resource became, at the most: until its next refresh, since the listing before its last."""
    listings = [asked.at for asked in server.standin.requests if asked.kind is Kind.LISTING]
    worst = 0.0
    for times in seen.refreshed.values():
        for before, after in itertools.pairwise(times):
            read = max((listing for listing in listings if listing <= before), default=before)
            worst = max(worst, after - read)
    return worst


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """How soon a new resource of a healthy store is ready, in seconds, while others wait for a slow one."""

    seconds: float
    waiting: int


async def newcomer(arena: Arena, number: int, slow: float) -> Newcomer:
    """So many refreshes wait for a store that answers after `slow` seconds; then a new resource of another comes."""
    namespace = await arena.namespace()
    async with (
        infisical(number * KEYS, ANSWER) as lame,
        infisical(number * KEYS, ANSWER) as healthy,
        watched(arena.access, namespace) as seen,
    ):
        await arena.store(namespace, lame, "lame")
        await arena.store(namespace, healthy, "healthy")
        await arena.external_secrets(namespace, number, "1h", "lame")
        async with arena.controller(namespace):
            if not await seen.until(has_ready(number), PATIENCE):
                raise RuntimeError("they did not become ready")
        lame.slow_down(slow)
        await make_due(arena, namespace, number)
        async with arena.controller(namespace) as program:
            while not any(asked.kind is Kind.LOGIN for asked in lame.standin.requests[-1:]):
                program.usage()  # raises where it ended
                await asyncio.sleep(0.05)
            began = time.perf_counter()
            await arena.external_secrets(namespace, 1, "1h", "healthy", prefix="new")
            if not await seen.until(lambda seen: "new-0" in seen.ready, PATIENCE):
                raise RuntimeError("the new resource did not become ready")
            return Newcomer(seconds=time.perf_counter() - began, waiting=number)


async def make_due(arena: Arena, namespace: str, number: int) -> None:
    """Let all of them have been refreshed two hours ago."""
    gate = asyncio.Semaphore(64)
    long_ago = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 7200))

    async def patch(index: int) -> None:
        async with gate:
            await arena.api.merge(
                EXTERNAL_SECRETS,
                f"wanted-{index}",
                namespace,
                {"status": {"refreshTime": long_ago}},
                "status",
            )

    await asyncio.gather(*(patch(index) for index in range(number)))


def first_logins(method: str, times: int) -> FirstLogin:
    """The median of what the first login by a method costs, in fresh processes; one before them fills the caches."""
    command = [sys.executable, "-m", "tests.bench.first_login", method]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    answers = [
        msgspec.json.decode(subprocess.check_output(command, env=environment), type=FirstLogin)
        for _ in range(times + 1)
    ][1:]
    fields = FirstLogin.__struct_fields__
    return FirstLogin(**{name: statistics.median(getattr(one, name) for one in answers) for name in fields})
