"""One life of the controller's process, and its line to the outside: what it does after its death does not happen."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

from adapters.cluster import (
    Absent,
    ChangeType,
    Cluster,
    Done,
    Kind,
    Listed,
    ListResult,
    Object,
    Read,
    Selection,
    Unavailable,
    WatchEvent,
    Written,
)
from adapters.infisical.transport import Answer, Request, Transport, TransportError, Unreachable
from adapters.journal import Subject
from adapters.local.selectors import matches
from machines.effects import Effect, Release
from machines.outcomes import Outcome, Released
from reconciler.driver import Performer
from reconciler.metrics import Metrics
from tests.faults.changes import Changes
from tests.faults.injection import Fault, Injection, Place

_Result = TypeVar("_Result")
_LATENCY = 0.001  # seconds, each way
_HANGING = 30.0  # seconds until a request that hangs is given up by its client
_LATE = 5.0  # seconds
OUTSIDE = "outside of effects"
_effect: ContextVar[str] = ContextVar("effect", default=OUTSIDE)


class Life:
    """A process, from its start to its death."""

    def __init__(self, injection: Injection, noticed: asyncio.Event) -> None:
        self.injection = injection
        self.alive = True
        self.told_to_stop = False
        self._noticed = noticed

    async def goes_on(self) -> None:
        """Return at once, or never."""
        if not self.alive:
            await forever()

    async def meets(self, fault: Fault) -> None:
        """What a fault does to the process. Returns only where it goes on."""
        if fault.kills:
            self.alive = False
            self._noticed.set()
            await forever()
        if fault.stops:
            self.told_to_stop = True
            self._noticed.set()

    async def carry(
        self, what: str, work: Callable[[], Awaitable[_Result]], lost: Callable[[], _Result]
    ) -> _Result:
        """Send one request and bring its answer; `lost` says what the client sees of a deadline."""
        await self.goes_on()
        await asyncio.sleep(_LATENCY)
        await self.goes_on()
        fault = self.injection.meets(Place.CALL, f"{what} in {_effect.get()}")
        if fault is None:
            answer = await work()
            await asyncio.sleep(_LATENCY)
        else:
            answer = await self._struck(fault, work, lost)
        await self.goes_on()
        return answer

    async def _struck(
        self, fault: Fault, work: Callable[[], Awaitable[_Result]], lost: Callable[[], _Result]
    ) -> _Result:
        answer = await work() if fault.done else None
        await self.meets(fault)
        if fault.stops:
            await asyncio.sleep(_LATE)
            return answer if answer is not None else await work()
        await asyncio.sleep(_HANGING)
        return lost()


async def forever() -> None:
    """Wait until cancelled."""
    await asyncio.get_running_loop().create_future()


class FaultyPerformer(Performer):
    """Performs as another does, until a fault strikes an effect."""

    def __init__(self, inner: Performer, life: Life, moves: "Moves") -> None:
        super().__init__({})
        self._inner = inner
        self._life = life
        self._moves = moves

    async def perform(self, effect: Effect, payload: Any) -> Outcome:
        """The outcome of one effect."""
        try:
            return await self._performed(effect, payload)
        except asyncio.CancelledError:
            if not self._life.alive and isinstance(effect, Release):
                return Released()  # what is left of a dead process is cancelled, which may not strike here
            raise

    async def _performed(self, effect: Effect, payload: Any) -> Outcome:
        await self._life.goes_on()
        what = f"{type(effect).__name__} of {payload.subject.name}"
        _effect.set(what)
        await self._moves.come_before(effect)
        fault = self._life.injection.meets(Place.EFFECT, what)
        if fault is not None and fault is not Fault.CRASH_AFTER:
            await self._life.meets(fault)
            if not isinstance(effect, Release):  # which cannot be cancelled
                await forever()
        outcome = await self._inner.perform(effect, payload)
        if fault is Fault.CRASH_AFTER:
            await self._life.meets(fault)
        return outcome


class Defects(Metrics):
    """Metrics that tell of runs that ended by a defect of the program."""

    def __init__(self, life: Life, found: list[str]) -> None:
        super().__init__()
        self._life = life
        self._found = found

    def defect(self, subject: Subject) -> None:
        """A run ended by a defect."""
        if self._life.alive:
            self._found.append(f"a run of {subject} ended by a defect")


class Moves:
    """What somebody else does just before the first effect of a type."""

    def __init__(self) -> None:
        self._moves: dict[type[Effect], Callable[[], Awaitable[None]]] = {}

    def before(self, effect: type[Effect], move: Callable[[], Awaitable[None]]) -> None:
        """Make this move once, before the next effect of the type."""
        self._moves[effect] = move

    async def come_before(self, effect: Effect) -> None:
        """Make the move that was to come before this effect."""
        move = self._moves.pop(type(effect), None)
        if move is not None:
            await move()


class Wire:
    """The transport of one life to one server."""

    def __init__(self, inner: Transport, life: Life) -> None:
        self._inner = inner
        self._life = life

    async def send(self, request: Request) -> Answer:
        """Answer the request once. Raises TransportError."""

        def lost() -> Answer:
            raise TransportError(Unreachable.TIMED_OUT)

        path = request.path.split("?")[0]
        return await self._life.carry(f"{request.method} {path}", lambda: self._inner.send(request), lost)


class Reach:
    """The cluster as one life reaches it."""

    def __init__(self, inner: Cluster, life: Life, changes: Changes) -> None:
        self._inner = inner
        self._life = life
        self._changes = changes

    def _reads_stale(self, what: str) -> bool:
        return self._life.injection.meets(Place.READ, what) is not None

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        async def work() -> Read:
            last = self._changes.last(kind, namespace, name)
            if last is not None and self._reads_stale(f"get {kind.name} {name} in {_effect.get()}"):
                return Absent() if last.before is None else Done(last.before)
            return await self._inner.get(kind, namespace, name)

        return await self._life.carry(f"get {kind.name} {name}", work, Unavailable)

    async def list(self, selection: Selection) -> ListResult:
        async def work() -> ListResult:
            listed = await self._inner.list(selection)
            last = self._changes.last(selection.kind)
            if not isinstance(listed, Listed) or last is None:
                return listed
            if not self._reads_stale(f"list {selection.kind.name} {selection.labels}"):
                return listed
            place = (last.key.namespace, last.key.name)
            items = [item for item in listed.items if _place(item) != place]
            if last.before is not None and matches(last.before, selection):
                items.append(last.before)
            return Listed(items, str(last.revision - 1))

        return await self._life.carry(f"list {selection.kind.name}", work, Unavailable)

    async def watch(
        self, selection: Selection, version: str, idle: float
    ) -> AsyncGenerator[WatchEvent, None]:
        await self._life.goes_on()
        async for event in self._inner.watch(selection, version, idle):
            await asyncio.sleep(_LATENCY)
            await self._life.goes_on()
            type = getattr(event, "type", None)
            if type not in (None, ChangeType.BOOKMARK):
                what = f"{type.value} {selection.kind.name} {event.object['metadata']['name']}"  # type: ignore[union-attr]
                fault = self._life.injection.meets(Place.EVENT, what + f" {selection.labels}")
                if fault is Fault.EVENT_LOST:
                    continue
                if fault is Fault.EVENT_LATE:
                    await asyncio.sleep(_LATE)
            yield event

    async def apply(
        self, object: Object, manager: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        return await self._life.carry(
            f"apply {object['kind']} {object['metadata']['name']}",
            lambda: self._inner.apply(object, manager, uid=uid, version=version),
            Unavailable,
        )

    async def create(self, object: Object, manager: str) -> Written:
        return await self._life.carry(
            f"create {object['kind']}", lambda: self._inner.create(object, manager), Unavailable
        )

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        return await self._life.carry(
            f"patch {kind.name} {name}",
            lambda: self._inner.patch(kind, namespace, name, operations, manager),
            Unavailable,
        )

    async def patch_status(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        status: Mapping[str, Any],
        manager: str,
        *,
        version: str | None = None,
    ) -> Written:
        return await self._life.carry(
            f"status of {kind.name} {name}",
            lambda: self._inner.patch_status(kind, namespace, name, status, manager, version=version),
            Unavailable,
        )

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        return await self._life.carry(
            f"delete {kind.name} {name}",
            lambda: self._inner.delete(kind, namespace, name, uid=uid, version=version),
            Unavailable,
        )


def _place(object: Object) -> tuple[str, str]:
    return object["metadata"].get("namespace", ""), object["metadata"]["name"]
