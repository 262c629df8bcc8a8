"""Once faults stop, every resource comes to its end in a few runs; from then on nothing is written or asked.

A run that dies leaves a world as any other, so that liveness from every world covers any number of crashes; what a
run makes of faults that it survives is tried with one fault at every effect of every world, with two in some.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import pytest

from machines.effects import Apply, DeleteFormerTarget, Effect, Fetch, Report, ResolveProject, Verdict
from machines.external_secret import EXTERNAL_SECRET
from machines.kernel import Definition, End, Then
from machines.outcomes import Cancelled, Conflict, Outcome, Ownership, StoreState
from tests.machines.mutations import mutants
from tests.machines.world import (
    MOVES,
    NOBODYS,
    SILENT,
    Content,
    Held,
    Memory,
    Remote,
    World,
    answer,
    died,
    seen,
    worlds,
)

RUNS = 4
"""So many calm runs bring every resource to its end."""

BOUND = 2_000_000
"""More nodes than this prove nothing: the test fails."""


class Calm(NamedTuple):
    """A run without faults."""

    before: World
    after: World
    effects: tuple[Effect, ...]
    end: End

    @property
    def written(self) -> list[Effect]:
        """What was written but the status."""
        return [effect for effect in self.effects if isinstance(effect, Apply | DeleteFormerTarget)]

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
        """Whether anything was read."""
        return any(isinstance(effect, ResolveProject | Fetch) for effect in self.effects)


@cache
def calm(world: World, machine: Definition[Any] = EXTERNAL_SECRET) -> Calm:
    """One run, answered by the world."""
    run, after, effects = machine.start(), world._replace(payload=None), []
    while (effect := machine.asks(run)) is not None:
        after, outcome = answer(after, effect)
        effects.append(effect)
        assert len(effects) < 60
        machine.step(run, effect, outcome)
    end = machine.state(run)
    assert isinstance(end, End)
    after = after.collected()._replace(payload=None, tried=end.then is Then.BACKOFF)
    return Calm(world, after, tuple(effects), end)


def calm_runs(world: World, machine: Definition[Any]) -> list[Calm]:
    """Runs until one needs no other soon: it waits for its time or a change, or changes nothing any more."""
    runs: list[Calm] = []
    while len(runs) < RUNS:
        runs.append(calm(world, machine))
        last, world = runs[-1], runs[-1].after
        if last.end.then in (Then.REFRESH, Then.FORGET) or last.before == last.after:
            return runs
    pytest.fail(f"no end after {RUNS} runs: {[(run.before, run.end.name) for run in runs]}")


def _is_due(world: World) -> bool:
    mine = world.target.owner is Ownership.OURS and world.target.content is not Content.OTHERS
    return not (mine and world.synced == world.wish and world.lately)


def _what_must_be_said(world: World) -> Verdict | None:
    """What a resource in this world must be told, where it is not being deleted; None: nothing is due."""
    if not _is_due(world):
        return None
    if world.store is not StoreState.READY:
        return Verdict.STORE_ABSENT if world.store is StoreState.ABSENT else Verdict.STORE_NOT_READY
    if world.target.owner is Ownership.FOREIGN:
        return Verdict.TARGET_FOREIGN
    return {
        Remote.VALUE: Verdict.SYNCED,
        Remote.NOTHING: Verdict.RETAINED,
        Remote.NO_KEY: Verdict.KEYS_ABSENT,
    }.get(world.remote, Verdict.FAILED)


def comes_to_rest(world: World, machine: Definition[Any] = EXTERNAL_SECRET) -> int:
    """Shows that calm runs bring this world where it should be, and then keep silent. The number of runs."""
    runs = calm_runs(world, machine)
    for run in runs:
        assert _left_alone(run.before, run.after), run
    last = runs[-1]
    if not last.after.exists:
        assert last.end.name == "gone"
        return len(runs)
    assert last.verdict is _what_must_be_said(last.before)
    if last.verdict is Verdict.SYNCED:
        assert last.end.name == "ready"
        assert last.after.target == Held(Ownership.OURS, Content.RIGHT)
        assert last.after.former.owner is not Ownership.OURS
    again = calm(last.after, machine)
    assert again.written == []
    assert again.after == last.after
    if last.verdict not in (Verdict.SYNCED, None):
        assert calm(again.after, machine).report == again.report, (
            "what is told again and again is told in the same words"
        )
    if last.verdict in (Verdict.SYNCED, None):
        assert again.end.name == "idle"
        assert not again.asked_infisical
    if last.verdict is Verdict.SYNCED:
        refresh = calm(last.after._replace(lately=False), machine)
        assert (refresh.end.name, refresh.written, refresh.after) == ("ready", [], last.after)
    return len(runs)


def _left_alone(before: World, after: World) -> bool:
    """Whether what is not ours is as it was, and so is everything where nothing could be read."""
    for held, then in zip(before.secrets, after.secrets, strict=True):
        if held.owner is Ownership.FOREIGN and then != held:
            return False
        could_read = before.remote is Remote.VALUE and before.store is StoreState.READY
        if after.exists and not could_read and then != held:
            return False
    return True


# --- faults ----------------------------------------------------------------------------------------------------


class Moment(NamedTuple):
    """A run under way, in a world, with so many faults still to come."""

    world: World
    state: str
    facts: Any
    faults: int


class Told(NamedTuple):
    """One thing that can be told of an effect, what the world is then, and the fault in it, if any."""

    world: World
    outcome: Outcome
    fault: str | None = None


def _told(moment: Moment, effect: Effect) -> Iterator[Told]:
    """What can be told of an effect now: the truth, and, while faults are to come, whatever else."""
    world = moment.world
    yield Told(*answer(world, effect))
    if not moment.faults:
        return
    for name, move in MOVES.items():
        if (moved := move(world).collected()) != world:
            yield Told(*answer(moved, effect), name)
    after, _ = answer(world, effect)
    for wrong in (SILENT, Cancelled(), Conflict()):
        if type(wrong) in effect.outcomes:
            yield Told(after, wrong, f"done, and told {type(wrong).__name__}")
            yield Told(world, wrong, f"not done, and told {type(wrong).__name__}")
    if moment.state == "observe" and world.exists:
        for held in (NOBODYS, Held(Ownership.UNOWNED, Content.OTHERS)):
            yield Told(world, seen(world.holding(world.wish, held)), "a stale look")


def after_faults(world: World, faults: int, fired: set[str]) -> tuple[set[World], int]:
    """Every world that a run with at most so many faults, or its death at any point, leaves; the nodes visited."""
    run = EXTERNAL_SECRET.start()
    start = Moment(world, run.state, run.facts, faults)
    met, left, stack = {start}, set(), [start]
    while stack:
        moment = stack.pop()
        run.state, run.facts = moment.state, moment.facts
        effect = EXTERNAL_SECRET.asks(run)
        if effect is None:
            left.add(moment.world.collected()._replace(payload=None))
            continue
        if moment.faults:
            left.add(died(moment.world.collected()))
        for told in _told(moment, effect):
            if told.fault is not None:
                fired.add(told.fault)
            run.state, run.facts = moment.state, moment.facts
            EXTERNAL_SECRET.step(run, effect, told.outcome)
            reached = Moment(told.world, run.state, run.facts, moment.faults - (told.fault is not None))
            if reached not in met:
                assert len(met) < BOUND
                met.add(reached)
                stack.append(reached)
    return left, len(met)


def _rest_after(starts: Sequence[World], faults: int) -> str:
    """Shows that every world comes to rest that so many faults leave of these. Says how many there were."""
    left: set[World] = set()
    fired: set[str] = set()
    nodes = 0
    for world in starts:
        worlds_left, visited = after_faults(world, faults, fired)
        left |= worlds_left
        nodes += visited
    for world in left:
        comes_to_rest(world)
    assert fired == ALL_FAULTS, "a fault that never fires proves nothing"
    return (
        f"\n{len(starts)} worlds, {nodes} nodes with up to {faults} faults in a run, {len(left)} worlds left"
    )


ALL_FAULTS = {
    *MOVES,
    "a stale look",
    *(
        f"{done}, and told {told}"
        for done in ("done", "not done")
        for told in ("Unavailable", "Cancelled", "Conflict")
    ),
}


INTERESTING = (
    World(),
    World(lease=Memory.STALE, project=Memory.STALE),
    World(secrets=(Held(Ownership.OURS, Content.OLD), NOBODYS), synced=0),
    World(secrets=(NOBODYS, Held(Ownership.OURS, Content.RIGHT)), synced=1, lately=True),
    World(finalizer=True, secrets=(Held(Ownership.UNOWNED, Content.OTHERS), NOBODYS)),
)


def test_every_world_comes_to_rest_in_a_few_calm_runs(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = [comes_to_rest(world) for world in worlds()]
    with capsys.disabled():
        print(f"\n{len(lengths)} worlds, {max(lengths)} runs at most")


def test_after_one_fault_at_any_effect_of_any_run_the_world_comes_to_rest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = _rest_after([*worlds()][::4], 1)
    with capsys.disabled():
        print(said)


def test_after_two_faults_in_one_run_the_world_comes_to_rest(capsys: pytest.CaptureFixture[str]) -> None:
    said = _rest_after([*INTERESTING, *[*worlds()][::80]], 2)
    with capsys.disabled():
        print(said)


@pytest.mark.parametrize(
    "mistake",
    [
        "observe, observed if is_not_due: removed",
        "observe, observed if is_leaving_with_finalizer: removed",
        "observe, observed if waits_for_a_store: leads to idle",
        "observe, observed if waits_for_a_store: leads to expectant",
        "release_refused asks what release asks",
        "resolve_afresh asks what resolve_project asks",
        "fetch, project_gone if knew_the_project_by_heart: removed",
        "release, released if lacks_keys: removed",
        "render, rendered if agrees: removed",
        "render, rendered if agrees_but_has_a_former_target: removed",
        "render, rendered if is_empty: leads to apply",
        "apply asks with another version",
        "apply, applied if has_a_former_target: removed",
        "report_synced asks with another synced",
    ],
)
def test_a_mistake_in_the_table_keeps_some_world_from_its_rest(mistake: str) -> None:
    named = (mutant for mutant in mutants(EXTERNAL_SECRET, set()) if mutant.mistake == mistake)
    machine = next(named).build()
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        _all_come_to_rest(machine)


def _all_come_to_rest(machine: Definition[Any]) -> None:
    for world in worlds():
        comes_to_rest(world, machine)
