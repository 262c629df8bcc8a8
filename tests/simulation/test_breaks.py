"""The checks of a simulated day can fail: each break of the program is noticed, by the sentence that it belies."""

import functools
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.infisical.leases import Leases
from adapters.infisical.pace import Pace
from adapters.resources.kinds import SECRET
from machines.effects import Apply, Effect, Fetch
from machines.external_secret import ExternalSecretRun
from machines.outcomes import Applied, Change, Denial, Denied, Fetched, Outcome
from reconciler.backoff import Backoff
from reconciler.controller import Controller
from reconciler.metrics import Metrics
from reconciler.payload import ExternalSecretPayload
from reconciler.queue import Lane, Queue
from reconciler.schedule import Schedule
from tests.simulation import deadlines, invariants, moves, population, rest
from tests.simulation.course import live
from tests.simulation.invariants import Violation

Plant = Callable[[pytest.MonkeyPatch], None]
Perform = Callable[[Controller, Effect, Any], Awaitable[Outcome]]

_perform: Perform = Controller.perform


def _performing(plant: pytest.MonkeyPatch, perform: Perform) -> None:
    plant.setattr(Controller, "perform", perform)


def mixes_up_what_was_read(plant: pytest.MonkeyPatch) -> None:
    """A run takes over what another one has read."""
    former: list[dict[Any, Any]] = []

    async def perform(controller: Controller, effect: Effect, payload: Any) -> Outcome:
        outcome = await _perform(controller, effect, payload)
        if isinstance(outcome, Fetched) and isinstance(payload, ExternalSecretPayload):
            mine = dict(payload.read)
            if former and former[-1].keys() == mine.keys():
                payload.read.update(former[-1])
            former.append(mine)
        return outcome

    _performing(plant, perform)


def deletes_after_a_failure(plant: pytest.MonkeyPatch) -> None:
    """What cannot be read counts as gone."""

    async def perform(controller: Controller, effect: Effect, payload: Any) -> Outcome:
        outcome = await _perform(controller, effect, payload)
        if isinstance(effect, Fetch) and not isinstance(outcome, Fetched):
            namespace, name = payload.subject.namespace, payload.resource.spec.target.name
            await controller.surroundings.cluster.delete(SECRET, namespace, name or payload.subject.name)
        return outcome

    _performing(plant, perform)


def says_that_it_applied(plant: pytest.MonkeyPatch) -> None:
    """Nothing is written, and told as done."""

    async def perform(controller: Controller, effect: Effect, payload: Any) -> Outcome:
        if isinstance(effect, Apply):
            return Applied(change=Change.UPDATED)
        return await _perform(controller, effect, payload)

    _performing(plant, perform)


def is_denied_now_and_then(plant: pytest.MonkeyPatch) -> None:
    """Every fortieth reading fails for no reason."""
    count = itertools.count(1)

    async def perform(controller: Controller, effect: Effect, payload: Any) -> Outcome:
        outcome = await _perform(controller, effect, payload)
        denied = isinstance(outcome, Fetched) and next(count) % 40 == 0
        return Denied(what=Denial.READ) if denied else outcome

    _performing(plant, perform)


def raises_now_and_then(plant: pytest.MonkeyPatch) -> None:
    """Every fortieth reading raises what nobody expects."""
    count = itertools.count(1)

    async def perform(controller: Controller, effect: Effect, payload: Any) -> Outcome:
        if isinstance(effect, Fetch) and next(count) % 40 == 0:
            raise LookupError("unexpected")
        return await _perform(controller, effect, payload)

    _performing(plant, perform)


def runs_twice(plant: pytest.MonkeyPatch) -> None:
    """The queue does not know what runs."""
    take = Queue.take

    @functools.wraps(take)
    def forgetful(queue: Queue[Any], *arguments: Any) -> Any:
        wish = take(queue, *arguments)
        queue._running.clear()
        return wish

    plant.setattr(Queue, "take", forgetful)


def never_revokes(plant: pytest.MonkeyPatch) -> None:
    """A token is dropped, and stays alive."""

    async def revoke(leases: Leases, grant: Any, revoke: Any, token: Any) -> None:
        leases._live.pop(grant, None)

    plant.setattr(Leases, "_revoke", revoke)


def revokes_twice(plant: pytest.MonkeyPatch) -> None:
    """To be sure."""
    once = Leases._revoke

    async def revoke(leases: Leases, grant: Any, revoke: Any, token: Any) -> None:
        await revoke(token)
        await once(leases, grant, revoke, token)

    plant.setattr(Leases, "_revoke", revoke)


def revokes_nothing_at_the_end(plant: pytest.MonkeyPatch) -> None:
    """It is stopped, and leaves what it holds."""

    async def close(leases: Leases, limit: float = 0.0) -> tuple[()]:
        return ()

    plant.setattr(Leases, "close", close)


def reads_at_every_start(plant: pytest.MonkeyPatch) -> None:
    """Nothing is ever not due."""
    plant.setattr(ExternalSecretRun, "is_not_due", lambda run: False)


def _with_delays(plant: pytest.MonkeyPatch, factor: float) -> None:
    again = Schedule._again

    def other(schedule: Schedule, subject: Any, lane: Lane, delay: float, company: Any = None) -> None:
        again(schedule, subject, lane, delay * factor if lane is Lane.REFRESH else delay, None)

    plant.setattr(Schedule, "_again", other)


def refreshes_late(plant: pytest.MonkeyPatch) -> None:
    """A tenth later than it should."""
    _with_delays(plant, 1.1)


def looks_twice_as_often(plant: pytest.MonkeyPatch) -> None:
    """It runs, sees that nothing is due, and so on."""
    _with_delays(plant, 0.5)


def overlooks_changes(plant: pytest.MonkeyPatch) -> None:
    """What an author changes waits for the next refresh."""
    wake = Controller._wake

    def deaf(controller: Controller, subject: Any, lane: Lane, reason: str) -> None:
        if reason != "changed":
            wake(controller, subject, lane, reason)

    plant.setattr(Controller, "_wake", deaf)


def ignores_429(plant: pytest.MonkeyPatch) -> None:
    """The pause that a server asks for is not kept."""
    plant.setattr(Pace, "limited", lambda pace, after, jitter: None)


def tries_again_at_once(plant: pytest.MonkeyPatch) -> None:
    """No back-off."""
    plant.setattr(Backoff, "failed", lambda backoff, key, cap=0.0: 0.5)


def remembers_series(plant: pytest.MonkeyPatch) -> None:
    """The series of a resource outlive it."""
    plant.setattr(Metrics, "forgotten", lambda metrics, subject: None)


BREAKS: dict[Plant, str] = {
    mixes_up_what_was_read: invariants.WHOLE,
    deletes_after_a_failure: invariants.KEPT,
    says_that_it_applied: invariants.TRUE,
    is_denied_now_and_then: invariants.FALSE,
    raises_now_and_then: invariants.DEFECT,
    runs_twice: invariants.ALONE,
    never_revokes: invariants.TOKENS,
    revokes_twice: invariants.ONCE,
    revokes_nothing_at_the_end: invariants.REVOKED,
    reads_at_every_start: invariants.DUE,
    refreshes_late: deadlines.FRESH,
    looks_twice_as_often: rest.SILENT,
    overlooks_changes: deadlines.SOON,
    ignores_429: invariants.PACED,
    tries_again_at_once: invariants.COOL,
    remembers_series: rest.FORGOTTEN,
}


ONLY: dict[Plant, tuple[str, ...]] = {
    ignores_429: ("host_limited",),
    revokes_nothing_at_the_end: ("restart",),
    remembers_series: ("create_resource", "delete_resource"),
}
"""What happens on the day, where not everything does: in a day full of troubles, one excuses the other."""


@pytest.mark.parametrize("plant", BREAKS, ids=lambda plant: plant.__name__)
def test_break_is_noticed(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    resources, hours, number = 100, 2.0, 600
    if plant in ONLY:
        resources, hours, number = 20, 1.0, 30
        monkeypatch.setattr(moves, "FREQUENCIES", dict.fromkeys(ONLY[plant], 1))
        monkeypatch.setattr(population, "INTERVALS", ((60.0, 1),))
    plant(monkeypatch)
    with pytest.raises(Violation) as raised:
        live(5, resources, hours, number)
    assert BREAKS[plant] in str(raised.value)
