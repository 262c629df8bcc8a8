"""For each machine the worlds that are explored in full, by name."""

from tests.machines import observations, push_observations
from tests.machines.exploration import Samples

WORLDS: dict[str, dict[str, Samples]] = {**observations.WORLDS, "PushSecret": push_observations.WORLDS}
