"""A cluster in front of another that fails as a test says, and counts what it is asked."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from adapters.cluster import ListResult, Selection, WatchEvent, bookmark
from adapters.local.cluster import LocalCluster
from tests.adapters.clusters.conftest import now


class FlakyCluster(LocalCluster):
    """A local cluster whose lists answer `list_faults` first, and whose watches end as `watch_faults` say.

    The first `silences` watches stand, and tell nothing. A watch fault is (how many events come first, what ends it); None ends it without a word.
    """

    def __init__(self, *, history: int = 1024) -> None:
        super().__init__(now, history=history)
        self.list_faults: list[ListResult] = []
        self.watch_faults: list[tuple[int, WatchEvent | None]] = []
        self.silences = 0
        self.lists = 0
        self.watches: list[str] = []

    async def list(self, selection: Selection) -> ListResult:
        self.lists += 1
        if self.list_faults:
            return self.list_faults.pop(0)
        return await super().list(selection)

    async def watch(
        self, selection: Selection, version: str, idle: float
    ) -> AsyncGenerator[WatchEvent, None]:
        self.watches.append(version)
        if self.silences:
            self.silences -= 1
            yield bookmark(selection.kind, version)
            await asyncio.sleep(idle)
            return
        left, end = self.watch_faults.pop(0) if self.watch_faults else (-1, None)
        async with aclosing(super().watch(selection, version, idle)) as events:
            while left != 0:
                event = await anext(events, None)
                if event is None:
                    return
                yield event
                left -= 1
        if end is not None:
            yield end
