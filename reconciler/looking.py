"""Looking at a cluster without taking part: caches as a controller has them, filled by one list each, and nothing written.

For the commands that say what is, or what would be. What they find out comes from the same observers and machines as
in a controller, so that there is no second truth.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from adapters.cluster import Absent, Cluster, Denied, Expired, Kind, Listed, Selection
from adapters.infisical.address import Address
from adapters.infisical.hosts import Connect
from adapters.infisical.transport import Transport
from adapters.journal import Subject, Transition
from adapters.kubernetes.connect import connect as connect_to_kubernetes
from adapters.local.cluster import LocalCluster
from adapters.local.directory import look_at_manifests
from adapters.local.manifests import Manifests
from adapters.watcher import Sink
from machines.outcomes import Invalid
from reconciler.assembly import Options, selections
from reconciler.controller import Controller
from reconciler.driver import Clock
from reconciler.metrics import Metrics
from reconciler.payload import Payload
from reconciler.watch_reports import name_of, why


class CannotLook(Exception):
    """The cluster does not let us look. The text says at what, and why."""


class NoJournal:
    """Keeps nothing."""

    def record(self, transition: Transition) -> None:
        """Take one transition."""


class Onlooker(Controller):
    """A controller that neither watches nor runs anything by itself: it looks once, and is asked."""

    def __init__(self, cluster: Cluster, connect: Connect, options: Options) -> None:
        super().__init__(
            cluster,
            connect,
            NoJournal(),
            Clock(time.time),
            random.Random(),  # noqa: S311  # jitter, not cryptography
            options,
            Metrics(),
        )
        self.cluster = cluster
        self.options = options
        self.unseen: set[Kind] = set()
        self.not_installed: set[Kind] = set()  # so that there are none of them

    def payload(self, kind: Kind, subject: Subject) -> Payload:
        """What a run of a resource would work on."""
        return self._payload(kind, subject, 0.0)

    async def look(self, kinds: Collection[Kind], needed: Collection[Kind]) -> None:
        """Fill the caches of these kinds. Those that one may not list are in `unseen` then, and nothing is known of them.
        Raises CannotLook where that is one of the `needed`, and where nobody answers."""
        complaints = await asyncio.gather(
            *(
                self._fill(selection, sink, needed)
                for selection, sink in selections(self.surroundings.views, self.options.namespace)
                if selection.kind in kinds
            )
        )
        told: dict[str, list[str]] = {}
        for name, reason in filter(None, complaints):
            told.setdefault(reason, []).append(name)
        if told:
            raise CannotLook("\n".join(f"{', '.join(names)}: {reason}" for reason, names in told.items()))

    async def _fill(
        self, selection: Selection, sink: Sink, needed: Collection[Kind]
    ) -> tuple[str, str] | None:
        """A kind that is needed and cannot be listed, and why not."""
        listed = await self.cluster.list(selection)
        if isinstance(listed, Expired):  # it took too long for one version: once more
            listed = await self.cluster.list(selection)
        match listed:
            case Listed():
                sink.replaced(listed.items, listed.version)
            case Absent():
                self.not_installed.add(selection.kind)
            case Denied() if selection.kind not in needed:
                self.unseen.add(selection.kind)
            case Denied(verb=verb, resource=resource):
                return name_of(selection), f"you may not {verb} {resource}"
            case _:
                return name_of(selection), why(listed)
        return None


@asynccontextmanager
async def live_cluster() -> AsyncIterator[Cluster]:
    """The cluster that the environment names. Raises NoCluster."""
    kubernetes = await connect_to_kubernetes(os.environ)
    try:
        yield kubernetes
    finally:
        await kubernetes.close()


async def cluster_of_manifests(paths: Sequence[Path]) -> tuple[Cluster, Manifests]:
    """Manifests, and what a controller keeps beside them, as a cluster in memory; and how reading them went. Raises
    OSError."""
    local = LocalCluster(lambda: datetime.now(UTC))
    return local, await look_at_manifests(local, paths)


def nobody(address: Address, certificates: bytes) -> Transport | Invalid:
    """Connects to no server: for who has nothing to ask of Infisical. Raises RuntimeError."""
    raise RuntimeError("nothing may be asked of Infisical here")
