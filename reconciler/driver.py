"""The driver: asks a run what it wants, has it performed, and tells it the outcome. It decides nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from adapters.journal import Journal, Subject, Transition
from machines.effects import Effect
from machines.kernel import Definition, End, Run
from machines.outcomes import Cancelled, Outcome

FactsT = TypeVar("FactsT")
PayloadT = TypeVar("PayloadT")

Handler = Callable[[Any, PayloadT], Awaitable[Outcome]]
"""Performs one type of effect: `handler(effect, payload) -> outcome`."""


class Performer:
    """Performs effects by their type. The only place that knows which handler serves which effect."""

    def __init__(self, handlers: Mapping[type[Effect], Handler[Any]]) -> None:
        self._handlers = dict(handlers)

    @property
    def effects(self) -> frozenset[type[Effect]]:
        """The effects that can be performed."""
        return frozenset(self._handlers)

    async def perform(self, effect: Effect, payload: Any) -> Outcome:
        """The outcome of one effect."""
        return await self._handlers[type(effect)](effect, payload)


class Clock:
    """The two times that the program knows. `now` is wall time in seconds since 1970, given from outside; the
    passing of time is the event loop's."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now

    @staticmethod
    def passing() -> float:
        """A time that only grows, in seconds."""
        return asyncio.get_running_loop().time()


async def drive(
    definition: Definition[FactsT],
    subject: Subject,
    number: str,
    payload: Any,
    perform: Callable[[Effect, Any], Awaitable[Outcome]],
    journal: Journal,
    clock: Clock,
) -> tuple[End, Run[FactsT]]:
    """One run, from the first state to an end. `number` names the run in the journal.

    A cancellation is an outcome like any other: the run goes on to its end, where it gives back what it holds,
    and only then is CancelledError raised. Whatever a handler raises besides is a defect, and is raised.
    """
    run = definition.start()
    cancelled: asyncio.CancelledError | None = None
    step = 0
    while (effect := definition.asks(run)) is not None:
        state, begun = run.state, clock.passing()
        try:
            outcome = await perform(effect, payload)
        except asyncio.CancelledError as error:
            cancelled, outcome = error, Cancelled()
        definition.step(run, effect, outcome)
        step += 1
        reached = definition.state(run)
        journal.record(
            Transition(
                run=number,
                step=step,
                at=clock.now(),
                seconds=clock.passing() - begun,
                subject=subject,
                machine=definition.name,
                state=state,
                effect=effect,
                outcome=outcome,
                to=run.state,
                end=isinstance(reached, End),
            )
        )
    if cancelled is not None:
        raise cancelled
    end = definition.state(run)
    assert isinstance(end, End)
    return end, run
