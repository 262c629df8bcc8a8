"""`run`: a controller from its start to its end, on a cluster or on a directory of manifests."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog

from adapters.cluster import Cluster
from adapters.infisical.hosts import Connect
from adapters.journal import Journal
from adapters.kubernetes.connect import connect as connect_to_kubernetes
from adapters.local.cluster import LocalCluster
from adapters.local.directory import LocalDirectory
from reconciler.assembly import Options
from reconciler.controller import Controller
from reconciler.driver import Clock
from reconciler.metrics import Metrics

log = structlog.get_logger()

STATE_NAME = ".infisical-reconciler"
"""Below a directory of manifests: where Secrets and statuses are kept."""


async def run_until_told(
    directory: Path | None,
    connect: Connect,
    journal: Journal,
    options: Options,
    metrics: Metrics,
    serve: Callable[[Controller], AbstractAsyncContextManager[None]],
) -> None:
    """A controller until SIGTERM or SIGINT; then nothing new starts, what runs ends, every lease is released.

    On the cluster that the environment names, or with `directory` on its manifests. `serve` keeps the endpoints while
    it runs. Raises NoCluster, UnusableManifests, OSError; and what the controller itself raises, which is a defect.
    """
    async with _cluster(directory) as (cluster, following):
        controller = Controller(
            cluster,
            connect,
            journal,
            Clock(time.time),
            random.Random(),  # noqa: S311  # jitter, not cryptography
            options,
            metrics,
        )
        told = _told_to_stop()
        async with serve(controller):
            running = asyncio.create_task(controller.run(), name="controller")
            log.info("running", on=str(directory) if directory is not None else "cluster")
            waiting = asyncio.create_task(told.wait(), name="told")
            tasks = {running, waiting} | ({following} if following is not None else set())
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            log.info("stopping")
            waiting.cancel()
            unrevoked = await controller.stop()
            log.info("stopped", unrevoked=len(unrevoked))
            for task in done - {waiting}:
                if not task.cancelled():
                    task.result()


def _told_to_stop() -> asyncio.Event:
    """An event that a signal to end sets. A second signal has its usual effect."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        told.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    return told


@asynccontextmanager
async def _cluster(directory: Path | None) -> AsyncIterator[tuple[Cluster, asyncio.Task[None] | None]]:
    if directory is None:
        kubernetes = await connect_to_kubernetes(os.environ)
        try:
            yield kubernetes, None
        finally:
            await kubernetes.close()
        return
    local = LocalCluster(lambda: datetime.now(UTC))
    manifests = LocalDirectory(
        [directory], directory / STATE_NAME, local, lambda said: log.warning(str(said))
    )
    await manifests.load()
    following = asyncio.create_task(manifests.follow(), name="manifests")
    try:
        yield local, following
    finally:
        following.cancel()
        await asyncio.wait([following])
