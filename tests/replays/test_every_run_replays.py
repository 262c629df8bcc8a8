"""Whatever a run is told, its journal replays: nothing that machines go by is lost on the way to a file and back."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.journal import FileJournal, Subject
from machines.effects import Effect
from machines.kernel import Definition, End
from machines.names import KindName, NamespaceName, ResourceName
from machines.outcomes import Cancelled, Failure, Observed, Outcome
from machines.push_effects import Gather
from machines.push_outcomes import PushSecretObserved
from machines.registry import MACHINES
from reconciler.driver import Clock, drive
from reconciler.replay import replay
from tests.machines.observations import all_external_secrets, all_kinds, all_stores
from tests.machines.push_observations import all_push_secrets
from tests.machines.push_samples import PUSH_WIDE, gatherings
from tests.machines.samples import WIDE

RUNS = 1500
UNLIKELY = Failure | Cancelled
OBSERVATIONS: dict[str, Sequence[Observed]] = {
    "ExternalSecret": all_external_secrets(),
    "PushSecret": all_push_secrets(),
    "SecretStore": all_stores(),
    "Unsupported": all_kinds(),
}


async def drive_at_random(
    definition: Definition[Any], journal: FileJournal, chance: random.Random
) -> set[str]:
    """Many runs, each told outcomes by chance; the ends that they reached."""
    observations = OBSERVATIONS[definition.name]
    subject = Subject(KindName("ExternalSecret"), NamespaceName("default"), ResourceName("one"))
    reached: set[str] = set()
    seen: Observed = observations[0]

    async def perform(effect: Effect, payload: Any) -> Outcome:
        nonlocal seen
        if type(observations[0]) in type(effect).outcomes:
            seen = chance.choice(observations)
        told = [*(WIDE if definition.name != "PushSecret" else PUSH_WIDE), seen]
        if isinstance(effect, Gather) and isinstance(seen, PushSecretObserved):
            told += chance.sample(gatherings(len(seen.stores), effect.withdraw), 1)
        outcomes = [one for one in told if type(one) in type(effect).outcomes]
        weights = [1 if isinstance(one, UNLIKELY) else 20 for one in outcomes]
        return chance.choices(outcomes, weights)[0]

    for number in range(RUNS):
        clock = Clock(lambda: 1_700_000_000.25)
        try:
            end, _ = await drive(definition, subject, f"run-{number}", None, perform, journal, clock)
        except asyncio.CancelledError:
            reached.add("stopped")
        else:
            reached.add(end.name)
    return reached


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_runs_told_anything_replay_from_their_journal(machine: str, tmp_path: Path) -> None:
    """Each of hundreds of runs, to every end there is."""
    file = tmp_path / "journal"
    journal = FileJournal(str(file), 2**30, lambda sentence: pytest.fail(sentence))
    reached = asyncio.run(drive_at_random(MACHINES[machine], journal, random.Random(machine)))
    journal.close()
    replayed = replay([file])
    assert replayed.findings == ()
    assert replayed.runs == RUNS
    assert reached == {state.name for state in MACHINES[machine].states if isinstance(state, End)}
