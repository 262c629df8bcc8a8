"""Mistakes in how PushSecrets are pushed, as patches: each is caught by a play of the matrix."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from adapters.infisical.writes import Stored, Write, WriteResult, Writes
from machines.effects import Effect
from machines.names import ResourceVersion
from machines.outcomes import Outcome, Unavailable
from machines.push_effects import AddFinalizer, GuardStore, Prune, Push, Record
from machines.push_outcomes import FinalizerAdded, Guarded, Pruned, Recorded
from reconciler.content import push_plan
from reconciler.content.push_plan import Plan, Step, StepKind
from reconciler.content.push_secret_plan import plan_secret
from reconciler.driver import Performer
from reconciler.effects import push
from reconciler.effects.gather import Gatherer
from reconciler.name_locks import NameLocks, RemoteSecret
from tests.faults.breaks import Break, Patch
from tests.faults.injection import Fault


def _put_off(patch: Patch, kind: type[Effect], answer: Callable[[Any], Outcome], until: type[Effect]) -> None:
    """Answer an effect at once, and perform it only after another one."""
    perform, later = Performer.perform, dict[int, Effect]()

    async def lazy(self: Performer, effect: Effect, payload: Any) -> Outcome:
        if isinstance(effect, kind):
            later[id(payload)] = effect
            return answer(payload)
        outcome = await perform(self, effect, payload)
        if isinstance(effect, until) and id(payload) in later:
            await perform(self, later.pop(id(payload)), payload)
        return outcome

    patch.setattr(Performer, "perform", lazy)


def _version(payload: Any) -> ResourceVersion:
    return ResourceVersion(payload.object["metadata"]["resourceVersion"])


def it_is_recorded_after_it_is_pushed(patch: Patch) -> None:
    """What was pushed before a crash is nobody's."""
    _put_off(patch, Record, lambda payload: Recorded(version=_version(payload)), Push)


def the_finalizer_comes_after_the_push(patch: Patch) -> None:
    """A resource that is deleted under its first push leaves all of it behind."""
    _put_off(patch, AddFinalizer, lambda payload: FinalizerAdded(version=_version(payload)), Push)


def the_store_is_not_guarded(patch: Patch) -> None:
    """A store goes away with what is needed for the clean-up."""
    _put_off(patch, GuardStore, lambda payload: Guarded(), Push)


def it_is_forgotten_and_not_deleted(patch: Patch) -> None:
    """The record loses what is still there."""

    def forget(payload: Any) -> Outcome:
        for store in payload.gathered.values():
            for step in store.steps:
                store.removed.update(step.removals)
        return Pruned()

    _put_off(patch, Prune, forget, Prune)  # never, then


def nobody_locks(patch: Patch) -> None:
    """Two who change the same secret undo each other's change."""

    async def acquire(self: NameLocks, secrets: Iterable[RemoteSecret]) -> tuple[RemoteSecret, ...]:
        return ()

    patch.setattr(NameLocks, "acquire", acquire)


def what_is_equal_is_written(patch: Patch) -> None:
    """A secret gets a version without a change."""
    plan = push_plan.plan

    def eager(wanted: Any, *arguments: Any, **options: Any) -> Plan:
        wanted = tuple(wanted)
        planned = plan(wanted, *arguments, **options)
        whole = {one.entry.name: one for one in wanted if one.entry.property is None}
        again = [
            Step(
                kind=StepKind.UPDATE,
                location=whole[name].location,
                text=whole[name].entry.value,
                entries=(name,),
            )
            for name in planned.equal
            if name in whole
        ]
        return msgspec.structs.replace(planned, steps=(*planned.steps, *again))

    patch.setattr(push, "plan", eager)


def what_is_there_is_replaced(patch: Patch) -> None:
    """IfNotExists is not heard."""
    patch.setattr(push, "_keeps_existing", lambda payload: False)


def a_property_takes_the_place_of_all(patch: Patch) -> None:
    """Other properties of the secret are lost."""

    def careless(
        location: Any, wanted: Any, gone: Any, text: str | None, *arguments: Any, **options: Any
    ) -> Plan:
        parts = any(entry.property is not None for entry in wanted)
        return plan_secret(location, wanted, gone, "{}" if parts and text else text, *arguments, **options)

    patch.setattr(push_plan, "plan_secret", careless)


def a_lost_answer_counts_as_success(patch: Patch) -> None:
    """A write of which nothing was heard is believed to be done."""
    write = Writes.write

    async def trusting(self: Writes, reader: Any, place: Any, writes: Sequence[Write]) -> list[WriteResult]:
        results = await write(self, reader, place, writes)
        return [Stored() if isinstance(result, Unavailable) else result for result in results]

    patch.setattr(Writes, "write", trusting)


def an_old_read_of_the_source_is_believed(patch: Patch) -> None:
    """What the watch told of it does not matter."""
    patch.setattr(Gatherer, "_agrees", lambda *arguments: True)


PUSH_BREAKS = (
    Break(it_is_recorded_after_it_is_pushed, "first push of three keys"),
    Break(the_finalizer_comes_after_the_push, "first push of three keys"),
    Break(the_store_is_not_guarded, "first push of three keys"),
    Break(it_is_forgotten_and_not_deleted, "an entry goes, with policy Delete"),
    Break(nobody_locks, "two PushSecrets share a secret"),
    Break(what_is_equal_is_written, "one of three values changes"),
    Break(what_is_there_is_replaced, "what is there is kept"),
    Break(a_property_takes_the_place_of_all, "a property is merged in"),
    Break(a_lost_answer_counts_as_success, "a write fails first"),
    Break(an_old_read_of_the_source_is_believed, "one of three values changes", Fault.READ_STALE),
)
