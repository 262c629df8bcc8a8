"""`run`: a controller from its start to its end, on a cluster or on a directory of manifests."""

import asyncio
import os
import random
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog

from adapters.cluster import Cluster
from adapters.infisical.hosts import Connect
from adapters.journal import Journal
from adapters.kubernetes.connect import connect as connect_to_kubernetes
from adapters.kubernetes.connect import is_in_pod
from adapters.local.cluster import LocalCluster
from adapters.local.directory import LocalDirectory
from reconciler.assembly import Options
from reconciler.controller import Controller
from reconciler.driver import Clock
from reconciler.election import Candidacy, Election, LeadershipLost
from reconciler.endpoints import NotReady
from reconciler.fence import Fence, FencedCluster, fenced
from reconciler.metrics import Metrics

log = structlog.get_logger()

STATE_NAME = ".infisical-reconciler"
"""Below a directory of manifests: where Secrets and statuses are kept."""


class LeaderElection(msgspec.Struct, frozen=True):
    """Whether other processes of the program stand by for this one, or it for them, and by which Lease.

    `wanted` None: where this process is a pod. `namespace` "": that of the pod, or the one that the kubeconfig names.
    """

    wanted: bool | None
    namespace: str
    name: str


class NoNamespace(Exception):
    """Nothing says in which namespace the Lease is. The text is for the person who started the program."""


async def run_until_told(
    directory: Path | None,
    connect: Connect,
    journal: Journal,
    options: Options,
    metrics: Metrics,
    serve: Callable[[NotReady], AbstractAsyncContextManager[None]],
    election: LeaderElection,
) -> None:
    """A controller until SIGTERM or SIGINT; then nothing new starts, what runs ends, every lease is released.

    On the cluster that the environment names, or with `directory` on its manifests. `serve` keeps the endpoints while
    it runs. Raises NoCluster, NoNamespace, UnusableManifests, OSError; LeadershipLost when another process leads now, or
    soon; and what the controller itself raises, which is a defect.
    """
    clock, chance = Clock(time.time), random.Random()  # noqa: S311  # jitter, not cryptography
    async with _cluster(directory, election, chance) as (cluster, candidacy, following):
        if candidacy is None:
            candidate = None
        else:
            fence = Fence()
            candidate = Election(cluster, candidacy, clock, chance.random, fence)
            cluster, connect = FencedCluster(cluster, fence), fenced(connect, fence)
            metrics.levels.leads = lambda: {candidacy.name: candidate.leads}
        controller = Controller(cluster, connect, journal, clock, chance, options, metrics)
        told = _told_to_stop()
        not_ready = controller.not_ready if candidate is None else _not_ready_of(controller, candidate)
        async with serve(not_ready):
            elected = None if candidate is None else candidate.elected.wait
            running = asyncio.create_task(controller.run(elected), name="controller")
            log.info("running", on=str(directory) if directory is not None else "cluster")
            waiting = asyncio.create_task(told.wait(), name="told")
            standing = None if candidate is None else asyncio.create_task(_stand(controller, candidate))
            tasks = {task for task in (running, waiting, following, standing) if task is not None}
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            log.info("stopping")
            waiting.cancel()
            unrevoked = await controller.stop(at_once=standing in done)
            log.info("stopped", unrevoked=len(unrevoked))
            if candidate is not None and standing is not None and standing not in done:
                await _retire(candidate, standing)
            for task in done - {waiting}:
                if not task.cancelled():
                    task.result()


async def _stand(controller: Controller, candidate: Election) -> None:
    """Stand for election as soon as there is something to begin with. Raises LeadershipLost."""
    await controller.synced()
    await candidate.run()


async def _retire(candidate: Election, standing: asyncio.Task[None]) -> None:
    """Give the Lease back, where it was not lost meanwhile."""
    standing.cancel()
    await asyncio.wait([standing])
    if standing.cancelled():
        await candidate.release()
        return
    try:
        standing.result()
    except LeadershipLost as lost:
        log.warning(f"this process led no more before it had ended: {lost}")


def _not_ready_of(controller: Controller, candidate: Election) -> NotReady:
    return lambda: [*controller.not_ready(), *candidate.not_ready()]


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


def _candidacy(wanted: LeaderElection, namespace: str, chance: random.Random) -> Candidacy | None:
    """How to stand for election on a cluster, if this process shall. Raises NoNamespace."""
    if wanted.wanted is False or (wanted.wanted is None and not is_in_pod(os.environ)):
        return None
    namespace = wanted.namespace or namespace
    if not namespace:
        raise NoNamespace(
            "Nothing says in which namespace the Lease for leader election is: name it by --leader-election-namespace."
        )
    return Candidacy(namespace, wanted.name, f"{socket.gethostname()}_{chance.getrandbits(64):016x}")


@asynccontextmanager
async def _cluster(
    directory: Path | None, election: LeaderElection, chance: random.Random
) -> AsyncIterator[tuple[Cluster, Candidacy | None, asyncio.Task[None] | None]]:
    if directory is None:
        kubernetes = await connect_to_kubernetes(os.environ)
        try:
            yield kubernetes, _candidacy(election, kubernetes.namespace, chance), None
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
        yield local, None, following
    finally:
        following.cancel()
        await asyncio.wait([following])
