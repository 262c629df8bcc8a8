"""A scene and its proxy, and what must hold after every trouble."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from structlog.testing import capture_logs

from adapters.infisical.http import Network
from adapters.kubernetes.connect import connect
from reconciler.controller import Controller
from reconciler.standin import StandIn
from tests.apiserver.access import Access
from tests.scenarios.counting import CountingCluster
from tests.scenarios.infisical import Infisical
from tests.scenarios.scene import Scene
from tests.troubles.proxy import Proxy, Seen

LISTS = Counter(
    {
        "list namespaces": 1,
        "list secrets": 1,
        "list secrets (managed)": 1,
        "list secretstores": 1,
        "list clustersecretstores": 1,
        "list externalsecrets": 1,
        "list clusterexternalsecrets": 1,
        "list pushsecrets": 1,
        "list clusterpushsecrets": 1,
    }
)
"""What a controller lists in its life where nothing goes wrong."""


class Troubled:
    """A scene whose controller reaches the API server through a proxy."""

    def __init__(self, scene: Scene, proxy: Proxy, logged: Sequence[Mapping[str, Any]]) -> None:
        self.scene = scene
        self.proxy = proxy
        self._logged = logged

    @property
    def controller(self) -> Controller:
        """The one that runs."""
        assert self.scene.controller is not None
        return self.scene.controller

    def lists(self) -> Counter[str]:
        """How often each kind was listed."""
        return Counter(
            {call: number for call, number in self.proxy.counts().items() if call.startswith("list ")}
        )

    def watches(self, resource: str) -> int:
        """How often a resource was watched."""
        return self.proxy.counts()[f"watch {resource}"]

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[None]:
        """A controller that is started in the block, and is synced after it."""
        starting = asyncio.create_task(self.scene.start())
        try:
            await asyncio.sleep(0)
            yield
            async with asyncio.timeout(15):
                await starting
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)

    def log(self, event: str, **fields: str) -> list[str]:
        """What the log says of an event: the reasons that it gives, in order."""
        return [
            str(line.get("why"))
            for line in self._logged
            if line["event"] == event and all(line.get(name) == value for name, value in fields.items())
        ]

    def measured(self, resource: str) -> float | None:
        """Whether a watch follows, as `/metrics` has it."""
        return self.scene.metrics.registry.get_sample_value(
            "infisical_reconciler_watch_synced", {"resource": resource}
        )

    def events_lost(self) -> int:
        """How often the log says that events are lost."""
        sentence = "events cannot be written just now; some are lost"
        return len([line for line in self._logged if line["event"] == sentence])

    async def follows(self) -> None:
        """Wait until every watch follows."""
        await self.scene.until(
            lambda: not self.controller.not_ready(), lambda: f"not ready: {self.controller.not_ready()}"
        )

    async def says(self, sentence: str) -> None:
        """Wait until `/readyz` tells this."""
        await self.scene.until(
            lambda: any(sentence in said for said in self.controller.not_ready()),
            lambda: f"it says {self.controller.not_ready()}",
        )

    async def ends_well(self) -> None:
        """Wait until all is calm again, and look back: nothing was run twice at once, nothing was written twice."""
        await self.follows()
        await self.controller.idle()
        self.runs_do_not_overlap()
        self.writes_nothing_twice()

    def runs_do_not_overlap(self) -> None:
        """No resource was run twice at the same time: the transitions of one run follow each other."""
        under_way: dict[object, str] = {}
        for one in self.scene.journal.transitions:
            assert under_way.setdefault(one.subject, one.run) == one.run, f"{one.subject} runs twice at once"
            if one.end:
                del under_way[one.subject]

    def writes_nothing_twice(self) -> None:
        """No write that arrived was sent again with the same content, unless it made anew what was deleted, or its
        answer was lost; and then the second changed nothing."""
        last: dict[tuple[str, str], Seen] = {}
        for one in self.proxy.seen:
            if one.verb not in ("apply", "merge") or not one.arrived or one.status not in (200, 201):
                continue
            before = last.get((one.resource, one.name))
            if before is not None and one.status != 201 and _content(before.body) == _content(one.body):
                assert not before.answered, f"{one} was written twice"
                assert before.version == one.version, f"{one} changed something again"
            last[one.resource, one.name] = one


@asynccontextmanager
async def troubled_scene(
    access: Access, proxy: Proxy, namespace: str, kubeconfig: Path
) -> AsyncIterator[Troubled]:
    """A scene in a namespace that is there, whose controller finds the API server by a kubeconfig."""
    async with Infisical(StandIn(time.time)) as infisical, Network() as network:
        direct = await connect({"KUBECONFIG": str(access.kubeconfig)})
        through = await connect({"KUBECONFIG": str(kubeconfig)})
        scene = Scene(direct, namespace, infisical.standin, infisical.url, network)
        scene.counting = CountingCluster(through)
        try:
            with capture_logs() as logged:
                yield Troubled(scene, proxy, logged)
        finally:
            proxy.clear()
            await scene.stop()
            await direct.close()
            await through.close()


def _content(body: bytes) -> bytes:
    """What a write is about: without the version that it expects, and without times."""
    written = msgspec.json.decode(body)
    written.get("metadata", {}).pop("resourceVersion", None)
    for condition in written.get("status", {}).get("conditions", ()):
        condition.pop("lastTransitionTime", None)
    return msgspec.json.encode(written, order="deterministic")
