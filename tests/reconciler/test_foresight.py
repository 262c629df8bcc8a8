"""What writing effects would come to: each has an answer, and it is one that the machines know."""

import pytest

from machines.effects import Apply, DeleteFormerTarget, Effect, RemoveFinalizer, Report, Verdict, Writes
from machines.kernel import Asking
from machines.names import ResourceName, ResourceVersion, SyncedVersion
from machines.outcomes import Drift, ExternalSecretObserved, Failure, Ownership, RefreshPolicy, TargetFacts
from machines.push_effects import AddFinalizer, GuardStore, Prune, Push, Record
from machines.registry import MACHINES
from reconciler.foresight import as_if_done, as_if_due

VERSION = ResourceVersion("7")
ANSWERED: list[Effect] = [
    Report(verdict=Verdict.SYNCED),
    DeleteFormerTarget(target=ResourceName("former")),
    RemoveFinalizer(version=VERSION),
    AddFinalizer(version=VERSION),
    GuardStore(store=0),
    Record(store=0, version=VERSION),
    Push(store=0),
    Prune(store=0),
]


@pytest.mark.parametrize("effect", ANSWERED, ids=lambda effect: type(effect).__name__)
def test_answer_is_a_success_that_the_effect_declares(effect: Effect) -> None:
    outcome = as_if_done(effect)
    assert isinstance(outcome, effect.outcomes)
    assert not isinstance(outcome, Failure)


def test_every_effect_that_writes_is_answered() -> None:
    """A new one is answered too, before a plan meets it. What an apply changes is worked out, not assumed."""
    asked = {
        state.asks
        for machine in MACHINES.values()
        for state in machine.states
        if isinstance(state, Asking) and state.asks.writes is not Writes.NOWHERE
    }
    assert asked == {type(effect) for effect in ANSWERED} | {Apply}
    with pytest.raises(LookupError, match="Apply"):
        as_if_done(Apply(target=ResourceName("target")))


@pytest.mark.parametrize("policy", RefreshPolicy)
def test_only_what_is_refreshed_by_time_is_looked_at_as_if_it_were_due(policy: RefreshPolicy) -> None:
    seen = ExternalSecretObserved(
        now=2.0,
        version=VERSION,
        wanted=SyncedVersion("1-ab"),
        refreshed=1.0,
        policy=policy,
        target=TargetFacts(name=ResourceName("target"), ownership=Ownership.ABSENT, drift=Drift.GONE),
    )
    found = as_if_due(seen)
    assert isinstance(found, ExternalSecretObserved)
    assert (found.refreshed is None) == (policy is RefreshPolicy.PERIODIC)
