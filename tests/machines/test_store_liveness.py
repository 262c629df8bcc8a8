"""Once faults stop, every store comes to the verdict that is true, and is then left alone until it is due."""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import pytest

from machines.effects import Authenticate, Effect, Probe, Report, ResolveProject
from machines.kernel import End, Then
from machines.outcomes import Cancelled, Conflict, Outcome, StoreReason
from machines.secret_store import SECRET_STORE
from tests.machines.store_world import MOVES, Answer, StoreWorld, When, answer, died, worlds
from tests.machines.world import SILENT, Memory

RUNS = 4
"""So many calm runs bring every store to its verdict."""

BOUND = 1_000_000
"""More nodes than this prove nothing: the test fails."""


class Calm(NamedTuple):
    """A run without faults."""

    before: StoreWorld
    after: StoreWorld
    effects: tuple[Effect, ...]
    end: End

    @property
    def report(self) -> Report | None:
        """What was reported."""
        return next((effect for effect in self.effects if isinstance(effect, Report)), None)

    @property
    def asked_infisical(self) -> bool:
        """Whether anything was asked."""
        return any(isinstance(effect, Authenticate | ResolveProject | Probe) for effect in self.effects)


@cache
def calm(world: StoreWorld) -> Calm:
    """One run, answered by the world."""
    run, after, effects = SECRET_STORE.start(), world, []
    while (effect := SECRET_STORE.asks(run)) is not None:
        after, outcome = answer(after, effect)
        effects.append(effect)
        assert len(effects) < 30
        SECRET_STORE.step(run, effect, outcome)
    end = SECRET_STORE.state(run)
    assert isinstance(end, End)
    return Calm(world, after, tuple(effects), end)


def _calm_runs(world: StoreWorld) -> list[Calm]:
    """Runs until one waits for its time or a change, or changes nothing any more."""
    runs: list[Calm] = []
    while len(runs) < RUNS:
        runs.append(calm(world))
        last, world = runs[-1], runs[-1].after
        if last.end.then in (Then.REFRESH, Then.FORGET) or last.before == last.after:
            return runs
    pytest.fail(f"no verdict after {RUNS} runs: {[(run.before, run.end.name) for run in runs]}")


def _true_end(world: StoreWorld) -> str:
    """Where the last run must end, from the world before it."""
    assert not world.finalizer or world.needed, "the last run left a finalizer that nobody needs"
    if not world.exists or world.deleting:
        return "gone"
    if world.validated is When.LATELY:
        return "idle"
    if world.referent:
        return "unknown"
    match world.answer:
        case Answer.FINE:
            return "valid"
        case Answer.NOT_THIS_NAME:
            return "unknown"
        case Answer.SILENCE:
            was_good = world.verdict in (StoreReason.VALID, StoreReason.VALIDATION_UNKNOWN)
            return "standing" if was_good and world.failing is not When.LONG_AGO else "invalid"
    logged_in = world.answer is Answer.WRONG_CREDENTIALS and world.lease is Memory.GOOD
    return "valid" if logged_in else "invalid"  # a lease that works outlives the right to a new one


def comes_to_rest(world: StoreWorld) -> int:
    """Shows that calm runs find the true verdict, and then keep silent. The number of runs."""
    runs = _calm_runs(world)
    for run in runs:
        kept = run.before.finalizer and run.before.needed
        assert not kept or (run.after.exists and run.after.finalizer), "it stays for whoever needs it"
    last = runs[-1]
    assert last.end.name == _true_end(last.before)
    again = calm(last.after)
    assert again.after == last.after
    if last.end.then is Then.REFRESH:
        assert again.end.name == "idle"
        assert not again.asked_infisical
    elif last.end.then is Then.BACKOFF:
        assert again.report == last.report, "what is told again and again is told in the same words"
        later = last.after._replace(failing=When.LONG_AGO)
        if last.end.name == "standing":
            assert calm(later).end.name == "invalid", "patience ends"
    return len(runs)


class Moment(NamedTuple):
    """A run under way, in a world, with so many faults still to come."""

    world: StoreWorld
    state: str
    facts: Any
    faults: int


def _told(moment: Moment, effect: Effect) -> Iterator[tuple[StoreWorld, Outcome, str | None]]:
    """What can be told of an effect now, what the world is then, and the fault in it, if any."""
    yield *answer(moment.world, effect), None
    if not moment.faults:
        return
    for name, move in MOVES.items():
        if (moved := move(moment.world)) != moment.world:
            yield *answer(moved, effect), name
    after, _ = answer(moment.world, effect)
    for wrong in (SILENT, Cancelled(), Conflict()):
        if type(wrong) in effect.outcomes:
            yield after, wrong, f"done, and told {type(wrong).__name__}"
            yield moment.world, wrong, f"not done, and told {type(wrong).__name__}"


ALL_FAULTS = {
    *MOVES,
    *(
        f"{done}, and told {told}"
        for done in ("done", "not done")
        for told in ("Unavailable", "Cancelled", "Conflict")
    ),
}


def _after_faults(world: StoreWorld, faults: int, fired: set[str]) -> tuple[set[StoreWorld], int]:
    """Every world that a run with at most so many faults, or its death at any point, leaves; the nodes visited."""
    run = SECRET_STORE.start()
    start = Moment(world, run.state, run.facts, faults)
    met, left, stack = {start}, set(), [start]
    while stack:
        moment = stack.pop()
        run.state, run.facts = moment.state, moment.facts
        effect = SECRET_STORE.asks(run)
        if effect is None:
            left.add(moment.world)
            continue
        if moment.faults:
            left.add(died(moment.world))
        for after, outcome, fault in _told(moment, effect):
            if fault is not None:
                fired.add(fault)
            run.state, run.facts = moment.state, moment.facts
            SECRET_STORE.step(run, effect, outcome)
            reached = Moment(after, run.state, run.facts, moment.faults - (fault is not None))
            if reached not in met:
                assert len(met) < BOUND
                met.add(reached)
                stack.append(reached)
    return left, len(met)


def test_every_store_comes_to_its_true_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    lengths = [comes_to_rest(world) for world in worlds()]
    with capsys.disabled():
        print(f"\n{len(lengths)} worlds, {max(lengths)} runs at most")


@pytest.mark.parametrize(("faults", "every"), [(1, 5), (2, 61)])
def test_after_faults_at_any_effect_a_store_comes_to_its_true_verdict(
    faults: int, every: int, capsys: pytest.CaptureFixture[str]
) -> None:
    left: set[StoreWorld] = set()
    fired: set[str] = set()
    nodes = 0
    starts = [*worlds()][::every]
    for world in starts:
        worlds_left, visited = _after_faults(world, faults, fired)
        left |= worlds_left
        nodes += visited
    for world in left:
        comes_to_rest(world)
    with capsys.disabled():
        print(
            f"\n{len(starts)} worlds, {nodes} nodes with up to {faults} faults in a run, {len(left)} worlds left"
        )
    assert fired == ALL_FAULTS, "a fault that never fires proves nothing"
