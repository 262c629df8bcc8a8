"""A scene and its proxy, and what must hold after every trouble."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from adapters.cluster import Selection, WatchEvent
from adapters.watcher import IDLE_SECONDS
from reconciler.controller import Controller
from tests.scenarios.counting import CountingCluster
from tests.scenarios.scene import Scene
from tests.troubles.proxy import Proxy

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


class HastyCluster(CountingCluster):
    """Gives a silent watch up sooner, where a test is about that."""

    idle = IDLE_SECONDS

    def watch(self, selection: Selection, version: str, idle: float) -> AsyncGenerator[WatchEvent, None]:
        return super().watch(selection, version, self.idle)


class Troubled:
    """A scene whose controller reaches the API server through a proxy."""

    def __init__(self, scene: Scene, proxy: Proxy, cluster: HastyCluster) -> None:
        self.scene = scene
        self.cluster = cluster
        self.proxy = proxy

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
        """No write that arrived was sent again with the same content, unless it made anew what was deleted."""
        last: dict[tuple[str, str], bytes] = {}
        for one in self.proxy.seen:
            if one.verb in ("apply", "merge") and one.arrived and 200 <= one.status <= 299:
                place = (one.resource, one.name)
                content = _content(one.body)
                assert one.status == 201 or last.get(place) != content, f"{one} was written twice"
                last[place] = content


def _content(body: bytes) -> bytes:
    """What a write is about: without the version that it expects, and without times."""
    written = msgspec.json.decode(body)
    written.get("metadata", {}).pop("resourceVersion", None)
    for condition in written.get("status", {}).get("conditions", ()):
        condition.pop("lastTransitionTime", None)
    return msgspec.json.encode(written, order="deterministic")
