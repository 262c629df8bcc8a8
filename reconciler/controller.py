"""The controller: watches tell caches, caches wake resources, the queue gives them their turn, a run drives each.

Everything is put together here, and nothing is decided here: what a run does is in its table, what it may do in the
effects, when it comes again in its end.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from adapters.cluster import Cluster, Kind, Object, Selection
from adapters.infisical.hosts import Connect
from adapters.infisical.lease_terms import Unrevoked
from adapters.journal import Journal, Subject
from adapters.resources.kinds import (
    CLUSTER_EXTERNAL_SECRET,
    CLUSTER_PUSH_SECRET,
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    PUSH_SECRET,
    SECRET_STORE,
)
from adapters.resources.times import seconds_of
from adapters.watcher import Problem, Watcher
from machines.effects import Effect
from machines.external_secret import EXTERNAL_SECRET as EXTERNAL_SECRET_MACHINE
from machines.kernel import Definition, End, Run
from machines.names import Host
from machines.outcomes import Outcome, Unavailable
from machines.push_secret import PUSH_SECRET as PUSH_SECRET_MACHINE
from machines.secret_store import SECRET_STORE as SECRET_STORE_MACHINE
from machines.unsupported import UNSUPPORTED
from reconciler import watch_reports
from reconciler.assembly import KINDS, Options, selections, surroundings_of
from reconciler.caches import Place
from reconciler.conditions import ready_of
from reconciler.driver import Clock, drive
from reconciler.effects.registry import performer
from reconciler.metrics import Metrics
from reconciler.needed_hosts import hosts_of
from reconciler.outages import Outages
from reconciler.payload import ExternalSecretPayload, Payload, PushSecretPayload
from reconciler.push_references import StorePlace
from reconciler.push_triggers import PushTriggers
from reconciler.queue import Lane, Queue, Wish
from reconciler.runner import Runner
from reconciler.schedule import Schedule
from reconciler.stores import StoreView
from reconciler.subjects import subject_of
from reconciler.triggers import STORE_TURNED, Triggers

log = structlog.get_logger()

MACHINE_OF: dict[str, Definition[Any]] = {
    EXTERNAL_SECRET.name: EXTERNAL_SECRET_MACHINE,
    SECRET_STORE.name: SECRET_STORE_MACHINE,
    CLUSTER_SECRET_STORE.name: SECRET_STORE_MACHINE,
    CLUSTER_EXTERNAL_SECRET.name: UNSUPPORTED,
    PUSH_SECRET.name: PUSH_SECRET_MACHINE,
    CLUSTER_PUSH_SECRET.name: UNSUPPORTED,
}

_REVOKE_AT_ONCE = 3.0  # seconds: with what goes before, less than a Lease outlives its holder's leadership
_BUSY = 8  # more runs than these at once are a burst, whose events can wait


class Controller:
    """One controller on one cluster. `run` it in a task, and `stop` it."""

    def __init__(
        self,
        cluster: Cluster,
        connect: Connect,
        journal: Journal,
        clock: Clock,
        chance: random.Random,
        options: Options,
        metrics: Metrics,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._options = options
        self._metrics = metrics
        self._queue: Queue[Subject] = Queue(self._host)
        self._runner = Runner(self._queue, self._work, options.concurrency)
        self._runs = 0
        self._stands_by = False
        self._is_cut = False
        self._started = f"{int(clock.now() * 1000):x}"
        self._tasks: list[asyncio.Task[None]] = []
        pushes = PushTriggers(self._wake, self._forget, self._push_secret, self._store)
        triggers = Triggers(self._wake, self._forget, self._external_secret, pushes)
        self.surroundings = surroundings_of(
            cluster,
            connect,
            clock,
            chance,
            options,
            triggers,
            pushes.needs,
            self._unrevoked,
            self._host_changed,
            self._is_busy,
        )
        states, views = self.surroundings.hosts.states, self.surroundings.views
        self._outages = Outages(states, lambda subject: hosts_of(subject, views), self._runner.add)
        self._schedule = Schedule(self._runner.add, self._outages, clock, chance)
        self._performer = performer(self.surroundings)
        metrics.levels.depth = lambda: {
            lane.name.lower(): 0 if self._stands_by else waiting
            for lane, waiting in self._queue.depth().items()
        }
        metrics.levels.running = lambda: Counter(str(subject.kind) for subject in self._runner.running)
        metrics.levels.leases = lambda: self.surroundings.leases.alive
        metrics.levels.watches = lambda: {
            watch_reports.name_of(one.selection): one.health.synced and one.health.problem is None
            for one in self.watchers
        }
        metrics.levels.hosts = self._outages.figures
        metrics.levels.concurrency = options.concurrency
        self.watchers = tuple(
            Watcher(cluster, selection, sink, chance.random, self._watch_turned)
            for selection, sink in selections(self.surroundings.views, options.namespace)
        )

    def _host(self, subject: Subject) -> Host | None:
        """The server that a resource reads from; the first of them where there are several."""
        return min(hosts_of(subject, self.surroundings.views), default=None)

    def _is_busy(self) -> bool:
        return len(self._runner.running) > _BUSY

    def _external_secret(self, place: Place) -> Object | None:
        return self.surroundings.views.external_secrets.get(place)

    def _push_secret(self, place: Place) -> Object | None:
        return self.surroundings.views.push_secrets.get(place)

    def _store(self, place: StorePlace) -> StoreView | None:
        return self.surroundings.views.stores[place[0]].get(place[1:])

    def _watch_turned(self, selection: Selection, problem: Problem | None) -> None:
        watch_reports.told(selection, problem)
        if problem is None:
            for watcher in self.watchers:
                watcher.hurry()

    # --- waking --------------------------------------------------------------------------------------------

    def _wake(self, subject: Subject, lane: Lane, reason: str) -> None:
        if reason == STORE_TURNED and self._outages.holds(subject):
            return  # it goes on when its host is back, in its turn
        now = self._clock.passing()
        self._runner.add(Wish(subject, lane, now, now, reason))

    def _forget(self, subject: Subject) -> None:
        self._runner.forget(subject)
        self._outages.forget(subject)
        self._schedule.forget(subject)
        self.surroundings.memory.forget(subject)
        self.surroundings.pushes.forget(subject)
        if subject.kind == EXTERNAL_SECRET.name:
            self.surroundings.specs.forget((subject.namespace, subject.name))
        if subject.kind == PUSH_SECRET.name:
            self.surroundings.push_specs.forget((subject.namespace, subject.name))
        self._metrics.forgotten(subject)

    # --- running -------------------------------------------------------------------------------------------

    async def perform(self, effect: Effect, payload: Any) -> Outcome:
        """The outcome of one effect."""
        return await self._performer.perform(effect, payload)

    async def _work(self, wish: Wish[Subject]) -> None:
        subject = wish.key
        if self._outages.takes_in(wish):
            return
        try:
            end, run = await self.run_once(subject, wish.since)
        except Exception as error:  # noqa: BLE001  # a defect that one resource shows must not stop all the others
            self._defect(subject, error)
            return
        finally:
            self._outages.over(subject)
        if self._object(subject) is None:
            self._forget(
                subject
            )  # it went in the middle of the run, which must not leave anything of it behind
        else:
            self._schedule.over(subject, MACHINE_OF[subject.kind], end, run)

    async def run_once(self, subject: Subject, since: float) -> tuple[End, Run[Any]]:
        """One run of one resource, without a place in the queue."""
        definition = MACHINE_OF[subject.kind]
        kind = KINDS[subject.kind]
        payload = self._payload(kind, subject, since)
        self._runs += 1
        number = f"{self._started}-{self._runs}"
        begun = self._clock.passing()
        try:
            end, run = await drive(
                definition, subject, number, payload, self.perform, self._journal, self._clock
            )
        finally:
            for session in payload.sessions.values():  # nothing to do but after a defect
                self.surroundings.locks.release(session.locked)
                if session.lease is not None:
                    self.surroundings.leases.release(session.lease)
        self._metrics.run_over(subject, end, self._clock.passing() - begun)
        self._measure(payload)
        return end, run

    def _payload(self, kind: Kind, subject: Subject, since: float) -> Payload:
        if kind == EXTERNAL_SECRET:
            return ExternalSecretPayload(kind, subject, since, self._schedule.failures(subject))
        if kind == PUSH_SECRET:
            return PushSecretPayload(kind, subject, since, self._schedule.failures(subject))
        return Payload(kind, subject, since)

    def _measure(self, payload: Payload) -> None:
        """Tell the metrics what became of a resource's condition, and how soon a new one was synced for the first time."""
        before, after = payload.object, self._object(payload.subject)
        ready = ready_of(after) if after is not None else None
        if ready is None or before is None or after is None:
            return
        self._metrics.condition(payload.subject, "Ready", str(ready.get("status")))
        if payload.kind == EXTERNAL_SECRET and not _refreshed(before) and _refreshed(after):
            created = seconds_of(after["metadata"].get("creationTimestamp") or "")
            if created is not None:
                self._metrics.first_sync(self._clock.now() - created)

    def _object(self, subject: Subject) -> Object | None:
        return self.surroundings.views.object(subject.kind, (subject.namespace, subject.name))

    def _defect(self, subject: Subject, error: Exception) -> None:
        self._metrics.defect(subject)
        log.error(
            "a run ended by a defect of the program; please report it",
            kind=subject.kind,
            namespace=subject.namespace,
            name=subject.name,
            exc_info=error,
        )
        self._schedule.broke(subject)

    # --- starting and stopping -----------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to watch, and to write events. Nothing runs yet."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(watcher.run(), name="watch") for watcher in self.watchers]
        self._tasks.append(loop.create_task(self.surroundings.events.run(), name="events"))
        self._tasks.append(loop.create_task(self._outages.run(), name="outages"))

    async def run(self, elected: Callable[[], Awaitable[object]] | None = None) -> None:
        """Watch, and run from when this process is elected (at once where nobody is) until `stop`.

        Raises what a watch or the runner raised, which is a defect.
        """
        self.start()
        work = self._run_when_synced(elected)
        self._tasks.append(asyncio.get_running_loop().create_task(work, name="runner"))
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _run_when_synced(self, elected: Callable[[], Awaitable[object]] | None) -> None:
        await self.synced()
        if elected is not None:
            self._stands_by = True  # what waits now is the leader's to do
            await elected()
            self._stands_by = False
        await self._runner.run()

    async def synced(self) -> None:
        """Wait until every watch has told what there is. A kind that is not installed is not waited for."""
        for watcher in self.watchers:
            await watcher.settled()

    def not_ready(self) -> list[str]:
        """Why the controller is not ready: a sentence for each watch that does not follow."""
        return [said for one in self.watchers if (said := watch_reports.not_ready(one)) is not None]

    async def idle(self) -> None:
        """Wait until nothing runs and nothing is due."""
        await self._runner.idle()

    async def stop(self, *, at_once: bool = False) -> tuple[Unrevoked, ...]:
        """Start nothing new; let runs under way end, or cancel them; release all leases; write what is left to tell.

        `at_once`: because another process is about to begin. Runs are cancelled, tokens have little time, and nothing is
        told. Says which tokens could not be revoked.
        """
        self._is_cut = at_once
        runner = [task for task in self._tasks if task.get_name() == "runner"]
        await _cancel(runner)
        await self._runner.drain(0.0 if at_once else self._options.drain)
        unrevoked = await self.surroundings.leases.close(
            min(_REVOKE_AT_ONCE, self._options.revoke) if at_once else self._options.revoke
        )
        for one in unrevoked:
            self._unrevoked(one)
        events = (
            []
            if at_once
            else [task for task in self._tasks if task.get_name() == "events" and not task.done()]
        )
        if events:
            await asyncio.wait(
                [asyncio.ensure_future(self.surroundings.events.flush()), *events],
                timeout=2.0,
                return_when=asyncio.FIRST_COMPLETED,
            )
        await _cancel(self._tasks)
        return unrevoked

    def _host_changed(self, host: Host, trouble: Unavailable | None) -> None:
        if not self._is_cut:  # then requests fail that were stopped here, which says nothing about a server
            self._outages.changed(host, trouble)

    def _unrevoked(self, one: Unrevoked) -> None:
        log.warning(
            "a token could not be revoked; it ends by its age",
            host=one.host,
            method=one.method.value,
            why=type(one.why).__name__ if one.why is not None else "no time left",
        )


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _refreshed(object: Object) -> bool:
    return bool((object.get("status") or {}).get("refreshTime"))


def subjects_of(controller: Controller, kinds: Sequence[Kind]) -> list[Subject]:
    """All resources of some kinds that watches told of."""
    views = controller.surroundings.views
    found: list[Subject] = []
    for kind in kinds:
        found.extend(subject_of(kind, place) for place, _ in views.of(kind.name))
    return sorted(found, key=str)
