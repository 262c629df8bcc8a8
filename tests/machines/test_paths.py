"""Every path of every machine, with every outcome in every state, keeps every invariant."""

from typing import Any

import pytest

from machines.external_secret import EXTERNAL_SECRET
from machines.kernel import Asking, Definition, End
from machines.secret_store import SECRET_STORE
from machines.unsupported import UNSUPPORTED
from tests.machines.exploration import explore
from tests.machines.observations import WORLDS
from tests.machines.oracle import ENDS
from tests.machines.samples import NARROW, WIDE

MACHINES: tuple[Definition[Any], ...] = (EXTERNAL_SECRET, SECRET_STORE, UNSUPPORTED)

BOUND = 200_000
"""More nodes than this prove nothing: the test fails."""

LONGEST = 60
"""Effects of the longest run: three stores, each refused once, its project stale, and three conflicts."""


@pytest.mark.parametrize("definition", MACHINES, ids=lambda definition: definition.name)
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


@pytest.mark.parametrize("definition", MACHINES, ids=lambda definition: definition.name)
def test_every_end_has_a_meaning(definition: Definition[Any]) -> None:
    assert {state.name for state in definition.states if isinstance(state, End)} == set(ENDS[definition.name])


@pytest.mark.parametrize("outcomes", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_outcome_that_an_effect_declares_is_told(outcomes: tuple[Any, ...]) -> None:
    told = {type(outcome) for outcome in outcomes}
    asked = {state.asks for machine in MACHINES for state in machine.states if isinstance(state, Asking)}
    declared = {outcome for effect in asked for outcome in effect.outcomes}
    assert {outcome for outcome in declared - told if not outcome.__name__.endswith("Observed")} == set()
