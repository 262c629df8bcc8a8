"""Every scenario with every fault at every place where it can strike: restarted and at rest, all is as in a calm play."""

import pytest

from tests.faults.injection import Fault, Injection, Place
from tests.faults.play import Calm, differences, learn, play
from tests.faults.push_scenarios import PUSHES
from tests.faults.scenarios import SCENARIOS, Scenario

_ALL = (*SCENARIOS, *PUSHES)
_CASES = [
    pytest.param(scenario, fault, id=f"{scenario.name}-{fault.name.lower()}")
    for scenario in _ALL
    for fault in Fault
    if fault.place not in scenario.without
]


_learnt: dict[str, Calm] = {}


def calm_play_of(scenario: Scenario) -> Calm:
    """What a scenario comes to where nothing goes wrong."""
    if scenario.name not in _learnt:
        _learnt[scenario.name] = learn(scenario)
    return _learnt[scenario.name]


@pytest.mark.parametrize("scenario", _ALL, ids=lambda scenario: scenario.name)
def test_where_a_fault_can_strike_is_known(scenario: Scenario) -> None:
    """A scenario without effects, requests, events or reads says so."""
    calm = calm_play_of(scenario)
    assert frozenset(place for place in Place if not calm.places(place)) == scenario.without


@pytest.mark.parametrize(("scenario", "fault"), _CASES)
def test_nothing_is_lost_and_nothing_wasted(scenario: Scenario, fault: Fault) -> None:
    """The end, the writes and the tokens are those of a calm play, wherever the fault strikes."""
    calm = calm_play_of(scenario)
    places = calm.places(fault.place)
    found = []
    for number in range(1, len(places) + 1):
        injection = Injection(fault, number)
        wrong = differences(scenario, calm, play(scenario, injection))
        if wrong:
            found.append(f"{injection}:\n    " + "\n    ".join(wrong))
    print(f"{len(places)} cases")
    assert not found, f"{fault.value}; {len(found)} of {len(places)} cases:\n" + "\n".join(found)
