"""Leader election: of all processes of the program on one cluster, the holder of a Lease runs machines, nobody else.

The timing is that of client-go's leader election, which other controllers use. The holder renews the Lease every two
seconds. One that could not for ten, counted from when it *sent* the last renewal that succeeded, leads no more: its
fence is shut then. A candidate takes a Lease over once it has seen it unchanged for fifteen, counted from when it
*received* what it saw last. So the one has ended five seconds before the other begins, however long requests take and
whatever the clocks of their machines say: the wall times in a Lease are for people, and are never compared.
"""

import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import structlog

from adapters.cluster import Absent, Cluster, Conflict, Denied, Done, Object, Refused, Unavailable
from adapters.resources.kinds import LEASE
from reconciler.driver import Clock
from reconciler.fence import Fence

log = structlog.get_logger()

LEASE_SECONDS: Final = 15
"""How long a Lease that is not renewed holds the others off."""
RENEW_DEADLINE: Final = 10.0
"""How long its holder leads without having renewed it."""
RETRY_PERIOD: Final = 2.0
"""How often it is renewed, or looked at."""
JITTER: Final = 0.2
"""Part of the period that candidates wait longer, at most, so that they do not come all at once."""
NOTICE: Final = 0.5
"""Seconds before the fence is shut at which the holder gives up, so that what runs is cancelled in order."""

_ATTEMPT = RENEW_DEADLINE / 2  # seconds: where a connection is dead, there is time for another one
_RELEASE = 3.0  # seconds that giving the Lease back may take
_MANAGER = "infisical-reconciler"

Problem = Absent | Denied | Refused | Unavailable


class Candidacy(msgspec.Struct, frozen=True):
    """Which Lease decides who leads, and by which name this process holds it."""

    namespace: str
    name: str
    identity: str


class LeadershipLost(Exception):
    """This process leads no more. The text says why, for its log."""


class Election:
    """One candidate. `run` it in a task; `elected` is set once it leads. `chance` gives numbers in [0, 1)."""

    def __init__(
        self, cluster: Cluster, candidacy: Candidacy, clock: Clock, chance: Callable[[], float], fence: Fence
    ) -> None:
        self.candidacy = candidacy
        self.elected = asyncio.Event()
        self._cluster = cluster
        self._clock = clock
        self._chance = chance
        self._fence = fence
        self._seen: Object | None = None  # the Lease, as it was seen last
        self._seen_at = -math.inf
        self._holds = False
        self._until = -math.inf  # when this process leads no more, if the Lease is not renewed
        self._has_tried = False
        self._last_written = 0  # microseconds since 1970
        self._problem: Problem | None = None

    @property
    def leads(self) -> bool:
        """Whether this process leads, at this moment."""
        return self._holds and self._clock.passing() < self._until

    def not_ready(self) -> list[str]:
        """Why this process could not lead, if it came to that. To wait for its turn is no reason."""
        return [] if self._problem is None else [self._what_is_wrong(self._problem)]

    async def run(self) -> None:
        """Stand for election, and keep the Lease once it is held. Ends by raising LeadershipLost only."""
        while True:
            limit = self._clock.passing() + _ATTEMPT
            if self._holds:
                self._give_up_in_time()
                limit = min(limit, self._until - NOTICE)
            try:
                async with asyncio.timeout_at(limit):
                    await self._attempt()
            except TimeoutError:
                self._note(Unavailable())
            await asyncio.sleep(self._pause())

    def _give_up_in_time(self) -> None:
        if self._clock.passing() < self._until - NOTICE:
            return
        self._holds = False
        why = "" if self._problem is None else f": {self._what_is_wrong(self._problem)}"
        raise LeadershipLost(f"the Lease could not be renewed for {RENEW_DEADLINE:g} s{why}")

    def _pause(self) -> float:
        if not self._holds:
            return RETRY_PERIOD * (1.0 + JITTER * self._chance())
        return max(0.0, min(RETRY_PERIOD, self._until - NOTICE - self._clock.passing()))

    async def release(self) -> None:
        """Shut the fence and give the Lease back, so that another one can lead at once. `run` has to have ended.

        Also after an attempt whose answer was not waited for. Where it does not succeed, the Lease runs out by itself.
        """
        self._fence.shut()
        held, self._holds = self._holds, False
        if not self._has_tried:
            return
        try:
            async with asyncio.timeout(_RELEASE):
                read = await self._cluster.get(LEASE, self.candidacy.namespace, self.candidacy.name)
                if not isinstance(read, Done) or read.object is None:
                    return
                if _holder(read.object) == self.candidacy.identity:
                    spec = {
                        **_spec(read.object),
                        "leaseDurationSeconds": 1,
                        "renewTime": self._time(),
                    }
                    del spec["holderIdentity"]
                    released = isinstance(await self._patch(read.object, spec), Done)
                    if held and released:
                        log.info("the Lease is given back", lease=self.candidacy.name)
        except TimeoutError:
            return  # it runs out

    # --- one attempt ---------------------------------------------------------------------------------------

    async def _attempt(self) -> None:
        """Renew the Lease or take it, if it is there to be taken. Raises LeadershipLost where somebody else has it."""
        if self._holds and self._seen is not None and await self._renew(self._seen):
            return
        read = await self._cluster.get(LEASE, self.candidacy.namespace, self.candidacy.name)
        if isinstance(read, Done) and read.object is not None:
            self._see(read.object)
            holder = _holder(read.object)
            if self._holds and holder != self.candidacy.identity:
                self._holds = False
                self._fence.shut()
                raise LeadershipLost(
                    f"the Lease is held by {holder or 'nobody'}, not by this process any more"
                )
            if self._is_held_by_another():
                self._note(None)
            else:
                await self._renew(read.object)
        elif not isinstance(read, Absent):
            self._note(read if not isinstance(read, Done) else Unavailable())
        elif not self._is_held_by_another():  # one that was taken away is held until it would have run out
            await self._create()

    async def _renew(self, lease: Object) -> bool:
        """Write our name into the Lease as it was seen. False: it has changed since, or is gone; look again."""
        sent = self._clock.passing()
        was, now = _spec(lease), self._time()
        spec = {
            **was,
            "holderIdentity": self.candidacy.identity,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": now,
        }
        if _holder(lease) != self.candidacy.identity:
            spec["acquireTime"] = now
            spec["leaseTransitions"] = (was.get("leaseTransitions") or 0) + 1
        self._has_tried = True
        answer = await self._patch(lease, spec)
        if isinstance(answer, Conflict | Absent):
            return False
        self._answered(answer, sent)
        return True

    async def _create(self) -> None:
        sent, now = self._clock.passing(), self._time()
        self._has_tried = True
        answer = await self._cluster.create(
            {
                "apiVersion": LEASE.api_version,
                "kind": LEASE.name,
                "metadata": {"name": self.candidacy.name, "namespace": self.candidacy.namespace},
                "spec": {
                    "holderIdentity": self.candidacy.identity,
                    "leaseDurationSeconds": LEASE_SECONDS,
                    "acquireTime": now,
                    "renewTime": now,
                    "leaseTransitions": 0,
                },
            },
            _MANAGER,
        )
        if not isinstance(answer, Conflict):  # somebody else was quicker, as the next look tells
            self._answered(answer, sent)

    async def _patch(self, lease: Object, spec: dict[str, Any]) -> Done | Conflict | Problem:
        return await self._cluster.patch(
            LEASE,
            self.candidacy.namespace,
            self.candidacy.name,
            [
                {
                    "op": "test",
                    "path": "/metadata/resourceVersion",
                    "value": lease["metadata"]["resourceVersion"],
                },
                {"op": "add", "path": "/spec", "value": spec},
            ],
            _MANAGER,
        )

    def _answered(self, answer: Done | Problem, sent: float) -> None:
        """What came of writing our name, which was sent then."""
        if not isinstance(answer, Done):
            self._note(answer)
            return
        if answer.object is None:
            return
        self._note(None)
        self._seen, self._seen_at = answer.object, self._clock.passing()
        self._until = sent + RENEW_DEADLINE
        if not self._holds and self._clock.passing() >= self._until - NOTICE:
            return  # too old an answer to begin with; the next attempt renews it
        self._fence.open_until(self._until)
        if not self._holds:
            self._holds = True
            self.elected.set()
            log.info("this process leads", lease=self.candidacy.name, identity=self.candidacy.identity)

    # --- what is seen --------------------------------------------------------------------------------------

    def _see(self, lease: Object) -> None:
        """Note the Lease, and when it was seen to change. What is not in its spec says nothing about its holder."""
        before, self._seen = self._seen, lease
        if before is not None and _uid(before) == _uid(lease) and _spec(before) == _spec(lease):
            return
        self._seen_at = self._clock.passing()
        holder = _holder(lease)
        if holder != self.candidacy.identity and (before is None or _holder(before) != holder):
            log.info(
                "another process leads" if holder else "nobody leads",
                lease=self.candidacy.name,
                holder=holder,
            )

    def _is_held_by_another(self) -> bool:
        if self._seen is None or _holder(self._seen) in ("", self.candidacy.identity):
            return False
        seconds = _spec(self._seen).get("leaseDurationSeconds") or LEASE_SECONDS  # what its holder counts on
        return self._clock.passing() < self._seen_at + seconds

    def _time(self) -> str:
        """Now, later than what was written last even where the clock was set back: each renewal has to be seen."""
        self._last_written = max(int(self._clock.now() * 1_000_000), self._last_written + 1)
        seconds, microseconds = divmod(self._last_written, 1_000_000)
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{microseconds:06d}Z"

    def _note(self, problem: Problem | None) -> None:
        if problem is not None and type(problem) is not type(self._problem):
            log.warning(self._what_is_wrong(problem), identity=self.candidacy.identity)
        self._problem = problem

    def _what_is_wrong(self, problem: Problem) -> str:
        lease = f"Lease {self.candidacy.namespace}/{self.candidacy.name}"
        match problem:
            case Denied(verb=verb, resource=resource):
                return f"{lease}: the controller may not {verb} {resource}: check its Role in that namespace"
            case Absent():
                return f"{lease}: cannot be made: is there such a namespace?"
            case Refused():
                return f"{lease}: the API server refuses it: is its name one, and does a policy forbid it?"
            case Unavailable():
                return f"{lease}: the API server does not answer as it should"


def _spec(lease: Object) -> dict[str, Any]:
    return lease.get("spec") or {}


def _holder(lease: Object) -> str:
    """Who holds it; "": nobody."""
    return _spec(lease).get("holderIdentity") or ""


def _uid(lease: Object) -> Any:
    return lease["metadata"].get("uid")
