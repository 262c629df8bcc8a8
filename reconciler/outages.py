"""Outages: who waits for which host, and in which order and at which rate they go on when it takes requests again.

A run that failed because its host is down, or asked for a pause, is not tried again by itself: its resource waits here,
without requests and without writes, until the host is back. Then they go on: first stores, on whose verdict the others
depend; then what is new or was changed; then what has the oldest data. So many at once as the host is known to bear.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import structlog

from adapters.infisical.host_state import Access, HostState
from adapters.journal import Subject
from machines.kernel import End, Run
from machines.names import Host
from machines.outcomes import (
    ExternalSecretObserved,
    Service,
    StoreFacts,
    StoreObserved,
    StoreState,
    Unavailable,
)
from reconciler.host_queue import HostQueue, Waiting, is_store
from reconciler.metrics import HostFigures
from reconciler.queue import Lane, Wish

log = structlog.get_logger()


class Outages:
    """Waiting resources by host. `run` it in a task: without it nobody is taken in, and each comes again by itself.

    `hosts_of` says which hosts a resource needs, `resume` has it run.
    """

    def __init__(
        self,
        states: Mapping[Host, HostState],
        hosts_of: Callable[[Subject], Iterable[Host]],
        resume: Callable[[Wish[Subject]], None],
    ) -> None:
        self._states = states
        self._hosts_of = hosts_of
        self._resume = resume
        self._queues: dict[Host, HostQueue] = {}
        self._where: dict[Subject, Host] = {}  # of those who wait, and of those who go
        self._down_since: dict[Host, float] = {}
        self._group: asyncio.TaskGroup | None = None
        self._number = 0

    async def run(self) -> None:
        """Let those who wait go when it is time. Raises what is a defect."""
        async with asyncio.TaskGroup() as self._group:
            await asyncio.Event().wait()

    def changed(self, host: Host, trouble: Unavailable | None) -> None:
        """A host went down, or came back: said once, whoever waits for it."""
        now = asyncio.get_running_loop().time()
        if trouble is not None:
            self._down_since[host] = now
            log.warning(
                "an Infisical server is down: only a probe is sent to it until it answers",
                host=str(host),
                why=trouble.why.value,
                status=trouble.status or None,
            )
            self._tell_who_waits(host)
            return
        log.info(
            "an Infisical server is back: what waits for it goes on",
            host=str(host),
            after_seconds=round(now - self._down_since.pop(host, now)),
            waiting=self.waiting(host),
        )

    def waiting(self, host: Host) -> int:
        """How many resources wait for a host."""
        return len(self._queues[host].waiting) if host in self._queues else 0

    def figures(self) -> Mapping[str, HostFigures]:
        """What metrics tell of each host."""
        return {
            str(host): HostFigures(
                state.trouble is None, self.waiting(host), state.waits.number, state.waits.seconds
            )
            for host, state in self._states.items()
        }

    def holds(self, subject: Subject) -> bool:
        """Whether a resource waits here."""
        host = self._where.get(subject)
        return host is not None and subject in self._queues[host].waiting

    # --- before and after a run ----------------------------------------------------------------------------

    def takes_in(self, wish: Wish[Subject]) -> bool:
        """Whether a resource that is about to run must wait, because the limits of its host are used up. One whose host
        is down runs, so that its status says so."""
        subject = wish.key
        paced = {host for host, state in self._states.items() if state.access is Access.PACED}
        if paced and self._group is not None and not self._is_going(subject):
            for host in self._hosts_of(subject):
                if host in paced:
                    self._put(host, subject, wish.lane, 0.0, wish.since, told=False)
                    return True
        self._left(subject)
        return False

    def waits(self, subject: Subject, end: End, run: Run[Any]) -> bool:
        """Whether a resource whose run failed waits here until its host is back."""
        host = self._host_at_fault(run)
        if self._group is None or host is None:
            return False
        observed = run.facts.observed
        data = 0.0
        lane = Lane.RETRY
        if isinstance(observed, ExternalSecretObserved):
            data = observed.refreshed or 0.0
            if observed.refreshed is None or observed.synced != observed.wanted:
                lane = Lane.CHANGE
        self._put(host, subject, lane, data, 0.0, told=True)
        if isinstance(observed, StoreObserved) and end.good:
            # Its verdict stands for a while, however long it waits: then it must be told.
            since = observed.failing_since if observed.failing_since is not None else observed.now
            due = asyncio.get_running_loop().time() + max(0.0, since + observed.patience - observed.now)
            self._resume(Wish(subject, Lane.RETRY, due, due, "patience"))
        return True

    def over(self, subject: Subject) -> None:
        """A run has ended: where it was one that was let go, there is room for another."""
        place = self._where.get(subject)
        if place is None:
            return
        queue = self._queues[place]
        queue.going.discard(subject)
        if subject not in queue.waiting:
            del self._where[subject]
        queue.moved.set()

    def forget(self, subject: Subject) -> None:
        """A resource is gone."""
        self._left(subject)
        self.over(subject)

    # --- waiting and going ---------------------------------------------------------------------------------

    def _host_at_fault(self, run: Run[Any]) -> Host | None:
        """The host that a run failed of, or that the store waits for that it waited for: where it is not to be asked."""
        failure, observed = run.facts.failure, run.facts.observed
        stores: Iterable[StoreFacts] = ()
        if isinstance(failure, Unavailable) and failure.service is Service.INFISICAL:
            if isinstance(observed, ExternalSecretObserved) and run.facts.failed_store is not None:
                stores = (observed.stores[run.facts.failed_store],)
            elif isinstance(observed, StoreObserved):
                stores = (observed.store,)
        elif failure is None and isinstance(observed, ExternalSecretObserved):
            stores = (store for store in observed.stores if store.state is StoreState.NOT_READY)
        return next(self._closed(stores), None)

    def _closed(self, stores: Iterable[StoreFacts]) -> Iterator[Host]:
        for store in stores:
            state = self._states.get(store.host) if store.host is not None else None
            if state is not None and state.access is not Access.OPEN:
                yield state.host

    def _is_going(self, subject: Subject) -> bool:
        host = self._where.get(subject)
        return host is not None and subject in self._queues[host].going

    def _put(
        self, host: Host, subject: Subject, lane: Lane, data: float, since: float, *, told: bool
    ) -> None:
        before = self._where.get(subject)
        if before is not None and before != host:
            self._queues[before].going.discard(subject)
        self._left(subject)
        self._number += 1
        queue = self._queues.setdefault(host, HostQueue())
        queue.put(Waiting(subject, lane, data, since, told, self._number))
        self._where[subject] = host
        if not queue.served:
            assert self._group is not None
            queue.served = True
            self._group.create_task(self._serve(host, queue), name=f"outage of {host}")

    def _left(self, subject: Subject) -> None:
        """It does not wait any more."""
        host = self._where.get(subject)
        if host is not None:
            queue = self._queues[host]
            if queue.waiting.pop(subject, None) is not None:
                queue.moved.set()
                if subject not in queue.going:
                    del self._where[subject]

    def _tell_who_waits(self, host: Host) -> None:
        """The host that they wait for went down: let those run that only waited for their turn, so that they say so."""
        queue = self._queues.setdefault(host, HostQueue())
        for one in [one for one in queue.waiting.values() if not one.told]:
            self._let_one_go(queue, one, one.since)

    async def _serve(self, host: Host, queue: HostQueue) -> None:
        """Let those who wait for a host go, until nobody does. While it is down, this is who probes it."""
        state, opened = self._states[host], 0.0
        while queue.waiting:
            if state.access is not Access.OPEN:
                await self._opening(state, queue)
                opened = asyncio.get_running_loop().time()
            self._let_go(state, queue, opened)
            queue.moved.clear()
            if queue.going:
                await queue.moved.wait()
        queue.served = False

    async def _opening(self, state: HostState, queue: HostQueue) -> None:
        """Wait until the host takes requests again, or nobody waits for it any more."""
        opening = asyncio.ensure_future(state.open())
        try:
            while queue.waiting and not opening.done():
                queue.moved.clear()
                moved = asyncio.ensure_future(queue.moved.wait())
                try:
                    await asyncio.wait((opening, moved), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    moved.cancel()
            if opening.done():
                opening.result()
        finally:
            opening.cancel()

    def _let_go(self, state: HostState, queue: HostQueue, opened: float) -> None:
        """Those whose turn it is, as many as the host bears. Who waited for its return must see it as it is since
        then: so they share what they read."""
        number = max(state.room - len(queue.going), 0 if queue.going else 1)
        while number > 0 and (one := queue.first()) is not None:
            a_store_goes = any(is_store(subject) for subject in queue.going)
            if a_store_goes and not is_store(one.subject):
                return
            number -= 1
            self._let_one_go(queue, one, max(one.since, opened))

    def _let_one_go(self, queue: HostQueue, one: Waiting, since: float) -> None:
        del queue.waiting[one.subject]
        queue.going.add(one.subject)
        lane = Lane.CHANGE if is_store(one.subject) else one.lane
        self._resume(Wish(one.subject, lane, asyncio.get_running_loop().time(), since, "its turn"))
