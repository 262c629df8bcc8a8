"""The program broken on purpose, one mistake at a time: each is caught by a play of the matrix."""

import pytest

from tests.faults.breaks import BREAKS, Break
from tests.faults.injection import Injection
from tests.faults.play import VOID, differences, learn, play
from tests.faults.push_breaks import PUSH_BREAKS
from tests.faults.push_scenarios import PUSHES
from tests.faults.scenarios import SCENARIOS


@pytest.mark.parametrize("broken", [*BREAKS, *PUSH_BREAKS], ids=lambda broken: broken.mistake.__name__)
def test_mistake_is_caught(broken: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the program comes to is not what it came to before it was broken."""
    scenario = next(one for one in (*SCENARIOS, *PUSHES) if one.name == broken.scenario)
    calm = learn(scenario)
    broken.mistake(monkeypatch)
    places = len(calm.places(broken.fault.place)) if broken.fault is not None else 1
    for number in range(1, places + 1):
        found = differences(scenario, calm, play(scenario, Injection(broken.fault, number)))
        if found and VOID not in found:
            print(f"{scenario.name}, {broken.fault.value if broken.fault else 'calm'}: {found[0]}")
            return
    pytest.fail(f"{broken.mistake.__doc__} Nothing notices.")
