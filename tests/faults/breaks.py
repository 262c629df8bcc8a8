"""Mistakes in the program, as patches: what a careless change could do."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import pytest

from adapters.cluster import Expired
from adapters.infisical import readings
from adapters.infisical.leases import Leases
from adapters.infisical.projects import Projects
from adapters.watcher import Watcher
from machines.effects import Apply, DeleteFormerTarget, Effect, Fetch, Release, Report
from machines.kernel import Definition, End, Run, Then
from machines.names import ResourceName
from machines.outcomes import (
    Applied,
    Change,
    Drift,
    Failure,
    Fetched,
    FinalizerRemoved,
    Outcome,
    Released,
    Unavailable,
)
from reconciler import secret_view
from reconciler.driver import Performer
from reconciler.effects.apply import Applier
from reconciler.effects.fetch import Fetcher
from reconciler.effects.finalizers import FinalizerRemover
from reconciler.effects.login import Releaser
from reconciler.queue import Queue
from reconciler.schedule import Schedule
from tests.faults.injection import Fault

Patch = pytest.MonkeyPatch


class Break(NamedTuple):
    """A mistake, in which scenario it is caught, and by which fault (None: in a calm play)."""

    mistake: Callable[[Patch], None]
    scenario: str
    fault: Fault | None = None


def nothing_is_released(patch: Patch) -> None:
    """A lease is forgotten instead of given back."""

    async def forget(self: Releaser, effect: Release, payload: Any) -> Outcome:
        payload.session(effect.store).lease = None
        return Released()

    patch.setattr(Releaser, "__call__", forget)


def nothing_is_released_after_a_failure(patch: Patch) -> None:
    """A lease is forgotten where the reading failed."""
    perform, failed = Performer.perform, set[int]()

    async def forgetful(self: Performer, effect: Effect, payload: Any) -> Outcome:
        if isinstance(effect, Release) and id(payload) in failed:
            payload.session(effect.store).lease = None
        outcome = await perform(self, effect, payload)
        if isinstance(effect, Fetch):
            (failed.add if isinstance(outcome, Failure) else failed.discard)(id(payload))
        return outcome

    patch.setattr(Performer, "perform", forgetful)


def tokens_are_revoked_twice(patch: Patch) -> None:
    """A revocation is sent once more."""
    revoke = Leases._revoke

    async def twice(self: Leases, grant: Any, *arguments: Any) -> None:
        await revoke(self, grant, *arguments)
        await revoke(self, grant, *arguments)

    patch.setattr(Leases, "_revoke", twice)


def a_stop_revokes_nothing(patch: Patch) -> None:
    """The process ends with its tokens alive."""

    async def close(self: Leases, limit: float = 0.0) -> tuple[()]:
        return ()

    patch.setattr(Leases, "close", close)


def the_target_is_applied_without_its_version(patch: Patch) -> None:
    """What somebody wrote meanwhile is not noticed."""
    apply = Applier.__call__

    async def careless(self: Applier, effect: Apply, payload: Any) -> Outcome:
        return await apply(self, msgspec.structs.replace(effect, version=None), payload)

    patch.setattr(Applier, "__call__", careless)


def it_is_reported_before_it_is_applied(patch: Patch) -> None:
    """The status says what is not so yet."""
    perform, later = Performer.perform, dict[int, Effect]()

    async def hasty(self: Performer, effect: Effect, payload: Any) -> Outcome:
        if isinstance(effect, Apply):
            later[id(payload)] = effect
            return Applied(change=Change.UPDATED)
        outcome = await perform(self, effect, payload)
        if isinstance(effect, Report) and id(payload) in later:
            await perform(self, later.pop(id(payload)), payload)
        return outcome

    patch.setattr(Performer, "perform", hasty)


def the_former_target_goes_first(patch: Patch) -> None:
    """For a moment there is neither the old Secret nor the new one."""
    perform = Performer.perform

    async def hasty(self: Performer, effect: Effect, payload: Any) -> Outcome:
        if isinstance(effect, Apply):
            handler: Any = self._handlers[DeleteFormerTarget]
            uid = payload.object["metadata"]["uid"]
            for _, name in handler._with.views.managed.places_of(uid):
                if name != effect.target:
                    await perform(self, DeleteFormerTarget(target=ResourceName(name)), payload)
        return await perform(self, effect, payload)

    patch.setattr(Performer, "perform", hasty)


def a_lost_answer_counts_as_success(patch: Patch) -> None:
    """A write of which nothing was heard is believed to be done."""
    apply = Applier.__call__

    async def trusting(self: Applier, effect: Apply, payload: Any) -> Outcome:
        outcome = await apply(self, effect, payload)
        return Applied(change=Change.UPDATED) if isinstance(outcome, Unavailable) else outcome

    patch.setattr(Applier, "__call__", trusting)


def the_finalizer_stays(patch: Patch) -> None:
    """A resource that is deleted is never gone."""

    async def nothing(self: FinalizerRemover, effect: Any, payload: Any) -> Outcome:
        return FinalizerRemoved()

    patch.setattr(FinalizerRemover, "__call__", nothing)


def missing_keys_are_passed_over(patch: Patch) -> None:
    """A Secret is written with what was found."""
    fetch = Fetcher.__call__

    async def lenient(self: Fetcher, effect: Fetch, payload: Any) -> Outcome:
        outcome = await fetch(self, effect, payload)
        return msgspec.structs.replace(outcome, absent=()) if isinstance(outcome, Fetched) else outcome

    patch.setattr(Fetcher, "__call__", lenient)


def an_expired_watch_goes_on(patch: Patch) -> None:
    """After 410 nothing is listed anew."""
    ended = Watcher._ended

    async def stubborn(self: Watcher, problem: Any, version: str) -> str | None:
        await ended(self, problem, version)
        return version if isinstance(problem, Expired) else None

    patch.setattr(Watcher, "_ended", stubborn)


def a_reading_serves_whoever_comes(patch: Patch) -> None:
    """It does not matter from when on somebody must see the world."""
    serves = readings._Reading.serves
    patch.setattr(readings._Reading, "serves", lambda self, since, name: serves(self, float("-inf"), name))


def damage_is_not_seen(patch: Patch) -> None:
    """Every Secret counts as it should be."""
    patch.setattr(secret_view, "drift_of", lambda secret: Drift.NONE)


def a_project_is_remembered_for_ever(patch: Patch) -> None:
    """That its ID is stale is not heard."""
    resolve = Projects.resolve

    async def stale(self: Projects, *arguments: Any, stale: str | None = None) -> Any:
        return await resolve(self, *arguments)

    patch.setattr(Projects, "resolve", stale)


def nothing_is_tried_again(patch: Patch) -> None:
    """A run that failed was the last one."""
    over = Schedule.over

    def once(self: Schedule, subject: Any, definition: Definition[Any], end: End, run: Run[Any]) -> None:
        if end.then is not Then.BACKOFF:
            over(self, subject, definition, end, run)

    patch.setattr(Schedule, "over", once)


def what_comes_during_a_run_is_dropped(patch: Patch) -> None:
    """A change under a run wakes nobody."""
    done = Queue.done

    def deaf(self: Queue[Any], key: Any) -> None:
        self._aside.pop(key, None)
        done(self, key)

    patch.setattr(Queue, "done", deaf)


BREAKS = (
    Break(nothing_is_released, "values change, refresh asked for"),
    Break(nothing_is_released_after_a_failure, "the folder goes"),
    Break(tokens_are_revoked_twice, "values change, refresh asked for"),
    Break(a_stop_revokes_nothing, "values change, refresh asked for", Fault.STOP_BEFORE),
    Break(the_target_is_applied_without_its_version, "somebody adds a key first"),
    Break(it_is_reported_before_it_is_applied, "values change, refresh asked for", Fault.CRASH_UNDONE),
    Break(the_former_target_goes_first, "the target is renamed"),
    Break(a_lost_answer_counts_as_success, "values change, refresh asked for", Fault.TIMEOUT_UNDONE),
    Break(the_finalizer_stays, "a resource with finalizers is deleted"),
    Break(missing_keys_are_passed_over, "a key goes and comes"),
    Break(an_expired_watch_goes_on, "more happens than is remembered"),
    Break(a_reading_serves_whoever_comes, "values change, and again in a moment"),
    Break(damage_is_not_seen, "damage while the controller is away"),
    Break(a_project_is_remembered_for_ever, "the project is made anew"),
    Break(nothing_is_tried_again, "values change, refresh asked for", Fault.TIMEOUT_UNDONE),
    Break(what_comes_during_a_run_is_dropped, "the resource changes under the run"),
)
