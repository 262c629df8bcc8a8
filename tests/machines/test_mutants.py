"""Definitions with one mistake: an invariant notices each, on some path, or it is listed why there is no mistake."""

import time
from collections import Counter
from itertools import permutations
from typing import Any

import pytest

from machines.external_secret import EXTERNAL_SECRET
from machines.kernel import Definition
from machines.secret_store import SECRET_STORE
from machines.unsupported import UNSUPPORTED
from tests.machines.hunting import Ground
from tests.machines.mutations import mutants
from tests.machines.observations import WORLDS


def ask_the_same(*states: str) -> dict[str, str]:
    """States that ask the same effect: they differ in where they lead."""
    return {f"{one} asks what {other} asks": "both ask the same" for one, other in permutations(states, 2)}


AFTER_A_REPORT = {
    f"fold of Report, {outcome}: remembers it as a failure": "after its report a run asks for nothing"
    for outcome in ("absent", "refused", "denied", "unavailable")
}

EQUAL: dict[str, dict[str, str]] = {
    "ExternalSecret": {
        **ask_the_same("release", "release_after_failure", "release_to_stop"),
        **ask_the_same("release_refused", "release_refused_again"),
        **AFTER_A_REPORT,
        **{
            f"fold of {effect}, {outcome}: {mistake} failure": f"the run ends there, {end}, without a report"
            for effect, outcome, end in (
                ("ObserveExternalSecret", "absent", "gone"),
                ("RemoveFinalizer", "absent", "gone"),
                ("RemoveFinalizer", "conflict", "overtaken"),
            )
            for mistake in ("forgets", "mistakes")
        },
        **{
            f"fold of Release, released: {mistake} cached": "the next store's resolution says it anew"
            for mistake in ("forgets", "mistakes")
        },
    },
    "SecretStore": {
        **ask_the_same("release", "release_undecided", "release_after_failure", "release_to_stop"),
        **ask_the_same("release_refused", "release_refused_again"),
        **AFTER_A_REPORT,
        **{
            f"fold of RemoveFinalizer, {outcome}: remembers it as a failure": "the run ends without a report"
            for outcome in ("absent", "conflict", "refused", "denied", "unavailable")
        },
        "fold of ObserveStore, absent: forgets failure": "the run ends there, gone, without a report",
        "fold of ObserveStore, absent: mistakes failure": "the run ends there, gone, without a report",
    },
    "Unsupported": {
        **AFTER_A_REPORT,
        "fold of ObserveKind, absent: forgets failure": "the run ends there, gone, without a report",
        "fold of ObserveKind, absent: mistakes failure": "the run ends there, gone, without a report",
    },
}
"""Mutants that behave as the original does, and why."""


@pytest.mark.parametrize(
    "definition", [EXTERNAL_SECRET, SECRET_STORE, UNSUPPORTED], ids=lambda definition: definition.name
)
def test_every_mistake_breaks_an_invariant(
    definition: Definition[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.process_time()
    ground = Ground(definition, list(WORLDS[definition.name].values()), bound=200_000)
    equal = EQUAL[definition.name]
    caught: Counter[str] = Counter()
    survivors, seen = [], set()
    for mutant in mutants(definition, ground.changing):
        listed = mutant.mistake in equal
        if (sentence := ground.catches(mutant, thoroughly=not listed)) is not None:
            caught[sentence] += 1
            assert not listed, f"{mutant.mistake}: is no equal, it breaks: {sentence}"
        elif listed:
            seen.add(mutant.mistake)
        else:
            survivors.append(mutant.mistake)
    with capsys.disabled():
        print(
            f"\n{definition.name}: {caught.total()} mutants caught by {len(caught)} invariants, "
            f"{len(seen)} equal, {time.process_time() - began:.1f} s"
        )
    assert survivors == []
    assert seen == set(equal), "a mutant is listed that does not exist"
