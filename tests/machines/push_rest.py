"""Calm runs in the world around a PushSecret, and what must come of them."""

from functools import cache
from typing import Any, NamedTuple

import pytest

from machines.effects import Authenticate, Effect, Report, ResolveProject, Verdict
from machines.kernel import Definition, End, Then
from machines.push_effects import AddFinalizer, Compare, GuardStore, Prune, Push, Record
from machines.push_secret import PUSH_SECRET
from tests.machines.push_answers import answer
from tests.machines.push_world import (
    ENTRIES,
    Act,
    Content,
    Infisical,
    PushWorld,
    Remote,
    Under,
)

RUNS = 5
"""So many calm runs bring every resource to its end."""

WRITES = AddFinalizer | GuardStore | Record | Push | Prune
ASKS = Authenticate | ResolveProject | Compare | Push | Prune


class Calm(NamedTuple):
    """A run without faults."""

    before: PushWorld
    after: PushWorld
    effects: tuple[Effect, ...]
    end: End

    @property
    def written(self) -> list[Effect]:
        """What was written but the status."""
        return [effect for effect in self.effects if isinstance(effect, WRITES)]

    @property
    def report(self) -> Report | None:
        """What was reported."""
        return next((effect for effect in self.effects if isinstance(effect, Report)), None)

    @property
    def verdict(self) -> Verdict | None:
        """What the report says."""
        return self.report.verdict if self.report is not None else None

    @property
    def asked_infisical(self) -> bool:
        """Whether anything was asked there."""
        return any(isinstance(effect, ASKS) for effect in self.effects)


@cache
def calm(world: PushWorld, machine: Definition[Any] = PUSH_SECRET) -> Calm:
    """One run, answered by the world."""
    run, after, effects = machine.start(), world, []
    while (effect := machine.asks(run)) is not None:
        after, outcome = answer(after, effect)
        effects.append(effect)
        assert len(effects) < 60
        machine.step(run, effect, outcome)
    end = machine.state(run)
    assert isinstance(end, End)
    after = after.collected()._replace(run=Under(), tried=end.then is Then.BACKOFF)
    return Calm(world, after, tuple(effects), end)


def calm_runs(world: PushWorld, machine: Definition[Any] = PUSH_SECRET) -> list[Calm]:
    """Runs until one waits for its time or a change, or changes nothing any more."""
    runs: list[Calm] = []
    while len(runs) < RUNS:
        runs.append(calm(world, machine))
        last, world = runs[-1], runs[-1].after
        if last.end.then in (Then.REFRESH, Then.FORGET) or last.before == last.after:
            return runs
    pytest.fail(f"no rest after {RUNS} runs: {[(run.before, run.end.name) for run in runs]}")


# --- what must come of it --------------------------------------------------------------------------------------


class Prospects(NamedTuple):
    """What can be done about a world's entries: those to put, those to delete, and what stands in the way."""

    put: list[int]
    delete: list[int]

    @staticmethod
    def of(world: PushWorld) -> "Prospects":
        """By the wish, the record and the stores alone."""
        resource = world.resource
        leaves = resource.deleting or not world.source
        put = [
            entry
            for entry in ENTRIES
            if resource.wanted[entry]
            and not leaves
            and world.stores[world.home(entry)].there
            and not world.stores[world.home(entry)].deleting
        ]
        delete = [
            entry
            for entry in ENTRIES
            if resource.recorded[entry] and resource.may_delete and (leaves or not resource.wanted[entry])
        ]
        return Prospects(put, delete)


def what_must_be_said(world: PushWorld) -> Verdict | None:
    """What a run must report that is not idle; None: the resource must go."""
    resource = world.resource
    put, delete = Prospects.of(world)
    withdraws = resource.deleting or not world.source
    waiting = {world.home(entry) for entry in put if not world.stores[world.home(entry)].ready}
    reached = [
        entry
        for entry in (*put, *delete)
        if world.stores[world.home(entry)].there and world.home(entry) not in waiting
    ]
    wanted_homes = {world.home(entry) for entry in put}
    if reached and world.infisical is Infisical.SILENT:
        return Verdict.FAILED
    if world.infisical is Infisical.EMPTY and any(world.home(entry) in wanted_homes for entry in reached):
        return Verdict.FAILED
    if not withdraws and any(world.names(store) and not world.stores[store].there for store in ENTRIES):
        return Verdict.STORE_ABSENT
    if waiting:
        return Verdict.STORE_NOT_READY
    if any(not world.stores[world.home(entry)].there for entry in delete):
        return Verdict.OWING
    if any(_waits_for_a_person(world, entry, entry in put) for entry in reached):
        return Verdict.PENDING
    if resource.deleting:
        return None
    if not world.source:
        return Verdict.SOURCE_DELETED if resource.deletes else Verdict.SOURCE_ABSENT
    return Verdict.SYNCED


def _waits_for_a_person(world: PushWorld, entry: int, wanted: bool) -> bool:
    content = world.remotes[entry].content
    differs = content is not Content.RIGHT if wanted else content is not None
    filed = world.resource.filed[entry] is (Act.WANT if wanted else Act.OWE)
    return differs and (filed or world.infisical is Infisical.CAREFUL)


def comes_to_rest(world: PushWorld, machine: Definition[Any] = PUSH_SECRET) -> int:
    """Shows that calm runs bring this world where it should be, and then keep silent. The number of runs."""
    runs = calm_runs(world, machine)
    last = runs[-1]
    for run in runs:
        _left_alone(run.before, run.after)
    if not last.after.resource.exists:
        assert last.end.name == "gone"
        _nobody_waits(last.after)
        return len(runs)
    if last.end.name != "idle":
        assert last.verdict is not None
        assert last.verdict is what_must_be_said(last.before), (last.verdict, what_must_be_said(last.before))
    if last.verdict is Verdict.SYNCED:
        assert last.end.name == "ready"
        _all_is_well(last.after)
    again = calm(last.after, machine)
    assert again.written == []
    assert again.after == last.after
    waits_for_nothing = last.after.source and not last.after.resource.deleting
    if last.end.name in ("ready", "pending", "idle") and waits_for_nothing:
        assert again.end.name == "idle"
        assert not again.asked_infisical
        refresh = calm(last.after._replace(resource=last.after.resource._replace(lately=False)), machine)
        if last.end.name != "idle" and last.before.stores == last.after.stores:
            assert (refresh.end.name, refresh.written, refresh.after) == (last.end.name, [], last.after)
    else:
        assert again.report == calm(again.after, machine).report, (
            "what is told again is told in the same words"
        )
    return len(runs)


def _left_alone(before: PushWorld, after: PushWorld) -> None:
    """What nobody asked for is as it was."""
    for entry in ENTRIES:
        changed = before.remotes[entry].content is not after.remotes[entry].content
        if changed and after.remotes[entry].content is None:
            assert before.resource.recorded[entry], "it was deleted without having been on record"
            assert before.resource.may_delete
        elif changed:
            assert before.resource.wanted[entry]
            assert before.infisical is Infisical.FINE
    for store in ENTRIES:
        was, kept = before.stores[store], after.stores[store]
        if was.there and not kept.there:
            assert was.deleting
            assert not any(after.remotes[entry].ours for entry in after.at(store)) or (
                not after.resource.may_delete or not after.resource.exists
            ), "the store goes before the clean-up"


def _nobody_waits(world: PushWorld) -> None:
    for store in world.stores:
        assert not store.guarded, "a store's finalizer stays although nothing needs it"
        assert not store.deleting, "a store cannot go although nothing needs it"


def _all_is_well(world: PushWorld) -> None:
    """What is wanted is there and on record; what is not is neither; the finalizers are those that are needed."""
    resource = world.resource
    put, _ = Prospects.of(world)
    for entry in ENTRIES:
        if entry in put:
            assert world.remotes[entry] == Remote(Content.RIGHT, ours=True)
            assert resource.recorded[entry]
        if not resource.wanted[entry]:
            assert not resource.recorded[entry]
            assert not world.remotes[entry].ours
    if resource.deletes:
        assert resource.finalizer or not put
        assert all(world.stores[world.home(entry)].guarded for entry in put)
    else:
        assert not resource.finalizer
        assert not any(store.guarded for store in world.stores)
