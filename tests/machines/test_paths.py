"""Every path of every machine, with every outcome in every state, keeps every invariant."""

from typing import Any

import pytest

from machines.kernel import Asking, Definition, End
from machines.registry import MACHINES
from tests.machines import oracle, push_oracle
from tests.machines.exploration import explore
from tests.machines.push_samples import PUSH_NARROW, PUSH_WIDE
from tests.machines.samples import NARROW, WIDE
from tests.machines.worlds import WORLDS

ALL_ENDS = {**oracle.ENDS, "PushSecret": push_oracle.ENDS}

BOUND = 200_000
"""More nodes than this prove nothing: the test fails."""

LONGEST = 60
"""Effects of the longest run: three stores, each refused once, its project stale, and three conflicts."""


@pytest.mark.parametrize("definition", MACHINES.values(), ids=lambda definition: definition.name)
def test_every_path_keeps_every_invariant(
    definition: Definition[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    met: set[str] = set()
    for world, samples in WORLDS[definition.name].items():
        explored = explore(definition, samples, bound=BOUND)
        with capsys.disabled():
            print(
                f"\n{definition.name}, {world}: {explored.nodes} nodes, {explored.steps} steps, "
                f"longest run {explored.longest}, {explored.seconds:.1f} s"
            )
        assert explored.longest <= LONGEST
        met |= explored.states
    assert met == {state.name for state in definition.states}, "a state that no path meets is not proven"


@pytest.mark.parametrize("definition", MACHINES.values(), ids=lambda definition: definition.name)
def test_every_end_has_a_meaning(definition: Definition[Any]) -> None:
    assert {state.name for state in definition.states if isinstance(state, End)} == set(
        ALL_ENDS[definition.name]
    )


@pytest.mark.parametrize(
    ("outcomes", "to_push"), [(WIDE, PUSH_WIDE), (NARROW, PUSH_NARROW)], ids=["wide", "narrow"]
)
def test_every_outcome_that_an_effect_declares_is_told(
    outcomes: tuple[Any, ...], to_push: tuple[Any, ...]
) -> None:
    for machine in MACHINES.values():
        told = {type(outcome) for outcome in (to_push if machine.name == "PushSecret" else outcomes)}
        asked = {state.asks for state in machine.states if isinstance(state, Asking)}
        declared = {outcome for effect in asked for outcome in effect.outcomes}
        left = {outcome.__name__ for outcome in declared - told}
        assert {name for name in left if not name.endswith("Observed") and name != "Gathered"} == set()
