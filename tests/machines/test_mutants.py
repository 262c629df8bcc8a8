"""Definitions with one mistake: an invariant notices each, on some path, or it is listed why there is no mistake."""

import gc
import os
import time
from collections import Counter
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from machines.kernel import Definition
from machines.registry import MACHINES
from tests.machines.hunting import Ground
from tests.machines.mutations import Mutant, mutants
from tests.machines.worlds import WORLDS


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
    "PushSecret": {
        **ask_the_same(
            *("release", "release_after_failure", "release_unrecorded"),
            *("release_overtaken", "release_gone", "release_to_stop"),
        ),
        **ask_the_same("release_refused", "release_refused_again"),
        **ask_the_same("shed_finalizer", "remove_finalizer"),
        **AFTER_A_REPORT,
        **{
            f"{state}, {outcome}: leads to release": "the release of a store tells of its failure as well"
            for states, outcomes in (
                (("authenticate", "compare", "push", "prune"), "unavailable denied missing invalid"),
                (("resolve_project", "resolve_afresh"), "unavailable denied missing invalid"),
                (("compare", "push", "prune"), "project_gone"),
            )
            for state in states
            for outcome in outcomes.split()
        },
        **{
            f"{state}, missing if owes_to_a_project_that_is_gone: guard left out": "it leads to a release too"
            for state in ("resolve_project", "resolve_afresh")
        },
        "release, released if is_leaving: after the next": "of what leaves it is not asked whether its source is gone",
        **{
            f"fold of {effect}, {outcome}: remembers it as a failure": "the run ends there, without a report"
            for effect in ("RemoveFinalizer", "AddFinalizer", "GuardStore", "Record")
            for outcome in ("absent", "conflict")
        },
        **{
            f"fold of ObservePushSecret, absent: {mistake} failure": "the run ends there, gone, without a report"
            for mistake in ("forgets", "mistakes")
        },
        **{
            f"fold of Release, released: {mistake} {fact}": "the next store's answers say it anew"
            for mistake in ("forgets", "mistakes")
            for fact in ("cached", "compared", "project_gone")
        },
        **{
            f"fold of {effect}, lease_refused: {mistake} cached": "resolving under the next lease says it anew"
            for mistake in ("forgets", "mistakes")
            for effect in ("ResolveProject", "Compare", "Push", "Prune")
        },
    },
    "Unsupported": {
        **AFTER_A_REPORT,
        "fold of ObserveKind, absent: forgets failure": "the run ends there, gone, without a report",
        "fold of ObserveKind, absent: mistakes failure": "the run ends there, gone, without a report",
    },
}
"""Mutants that behave as the original does, and why."""


EVERY = {"PushSecret": 1 if os.environ.get("SEARCH") else 7}
"""Of the mutants that lead elsewhere every so many is tried: there are tens of thousands, most of a kind."""


@pytest.fixture(autouse=True)
def the_ground_is_forgotten_afterwards() -> Iterator[None]:
    """See `Ground`."""
    yield
    gc.unfreeze()


def _tried(definition: Definition[Any], changing: Any) -> Iterator[Mutant]:
    every = EVERY.get(definition.name, 1)
    for number, mutant in enumerate(mutants(definition, changing)):
        leads_elsewhere = ": leads to " in mutant.mistake and mutant.mistake not in EQUAL[definition.name]
        if number % every == 0 or not leads_elsewhere:
            yield mutant


@pytest.mark.parametrize("definition", MACHINES.values(), ids=lambda definition: definition.name)
def test_every_mistake_breaks_an_invariant(
    definition: Definition[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.process_time()
    ground = Ground(definition, list(WORLDS[definition.name].values()), bound=200_000)
    equal = EQUAL[definition.name]
    caught: Counter[str] = Counter()
    survivors, seen = [], set()
    for mutant in _tried(definition, ground.changing):
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
