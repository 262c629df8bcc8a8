"""By when what must have happened: a refresh within its interval, the first sync of a resource soon after its creation.

A deadline that falls into a trouble of its resource is put off until the trouble is over and had time to be mended.
"""

import heapq
import itertools
import math
from typing import TYPE_CHECKING

from adapters.cluster import Object
from adapters.local.store import Key
from adapters.resources.kinds import EXTERNAL_SECRET
from adapters.resources.times import seconds_of
from reconciler.conditions import ready_of
from tests.simulation.patience import MARGIN, PROMPT, RECOVERY
from tests.simulation.population import Wanted

if TYPE_CHECKING:
    from tests.simulation.invariants import Invariants

FRESH = "where store and host are well, what a Secret holds is never older than the interval of its resource"
SOON = "where store and host are well, a new or changed resource is synced within a moment"


class Deadlines:
    """All that is still to happen."""

    def __init__(self, checks: "Invariants") -> None:
        self._checks = checks
        self._heap: list[tuple[float, int, Wanted, float | None]] = []
        self._count = itertools.count()

    def __len__(self) -> int:
        return len(self._heap)

    def written(self, wanted: Wanted) -> None:
        """An author created or changed a resource."""
        self._push(self._checks.now + PROMPT, wanted, None)

    def refreshed(self, wanted: Wanted, resource: Object) -> None:
        """The status of a resource says that it was refreshed."""
        at = seconds_of((resource.get("status") or {}).get("refreshTime") or "")
        if at is not None:
            self._push(at + wanted.interval + MARGIN, wanted, at)

    def _push(self, due: float, wanted: Wanted, refreshed: float | None) -> None:
        heapq.heappush(self._heap, (due, next(self._count), wanted, refreshed))

    def check(self) -> None:
        """Look at all that are due."""
        checks = self._checks
        while self._heap and self._heap[0][0] <= checks.now:
            _, _, wanted, refreshed = heapq.heappop(self._heap)
            self._one(wanted, refreshed)

    def _one(self, wanted: Wanted, refreshed: float | None) -> None:
        checks = self._checks
        population, troubles = checks.population, checks.troubles
        if population.wanted.get(wanted.place) is not wanted:
            return  # it is gone, or its author wants something else by now
        resource = checks.cluster.store.get(Key(EXTERNAL_SECRET, *wanted.place)) or {}
        status = resource.get("status") or {}
        if refreshed is None:
            generation = str(status.get("syncedResourceVersion", "")).partition("-")[0]
            ready = (ready_of(resource) or {}).get("status") == "True"
            if ready and generation == str(resource["metadata"]["generation"]):
                return
            scopes = [scope for scope in population.concerns(wanted) if scope[0] != "resource"]
        else:
            at = seconds_of(status.get("refreshTime") or "")
            if at is not None and at > refreshed:
                return
            scopes = population.concerns(wanted)
        last = troubles.last(scopes)
        if last == math.inf:
            self._push(checks.now + 60.0, wanted, refreshed)
        elif last + RECOVERY > checks.now:
            self._push(last + RECOVERY, wanted, refreshed)
        else:
            sentence = SOON if refreshed is None else FRESH
            said = (ready_of(resource) or {}).get("message", "nothing")
            checks.broken(sentence, f"{wanted.place}, interval {wanted.interval} s, says: {said}")
