"""What a machine is: states that ask for effects, and rows that say where an outcome leads.

A machine is data. A `Definition` holds its states, its rows and the two pure functions around them: `fold`, which
keeps what an outcome told as facts, and `refresh_at`, which says when to look again. It is built, once, into a
`transitions.Machine` that serves every run: a run is an unbound object of two fields, its state and its facts.

The `transitions` library is silent where a mistake should be heard: a trigger for which no guard holds gives
False, a misspelt source is accepted, a wrong target raises only when taken. So `step` raises where no row holds,
and `machines.checker` reads a whole definition; the tests run it over all of them.
"""

import enum
from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from transitions import Machine, MachineError, State

from machines.effects import Effect
from machines.outcomes import Outcome, trigger

FactsT = TypeVar("FactsT")


class Then(enum.Enum):
    """What an end means for when the resource is looked at again."""

    REFRESH = "refresh"  # when its definition's `refresh_at` says
    BACKOFF = "back-off"  # after a delay that grows with each failure
    AGAIN = "again"  # at once
    FORGET = "forget"  # not before something tells of it
    NOTHING = "nothing"  # the program is stopping


class Asking(State):
    """A state that asks for one effect: a pure function from the run's facts to it."""

    def __init__(self, name: str, asks: type[Effect], effect: Callable[[Any], Effect]) -> None:
        super().__init__(name)
        self.asks = asks
        self.effect = effect


class End(State):
    """A state that asks for nothing: the run is over. `good`: the resource is as its author wishes."""

    def __init__(self, name: str, then: Then, *, good: bool = False) -> None:
        super().__init__(name, final=True)
        self.then = then
        self.good = good


class Row(NamedTuple):
    """On any of these outcomes, in any of these states, if the guard (by name) holds, go there.

    Of the rows that match, the first whose guard holds is taken; a row without a guard always holds.
    """

    outcomes: tuple[type[Outcome], ...]
    sources: tuple[str, ...]
    target: str
    guard: str | None = None


class Run(Generic[FactsT]):
    """One run of a machine: where it is, and what it was told. Guards are methods that look only at the facts."""

    __slots__ = ("facts", "state")

    def __init__(self, state: str, facts: FactsT) -> None:
        self.state = state
        self.facts = facts


class NoRow(LookupError):
    """No row says what to do with this outcome in this state: a mistake in a table, or a foreign journal."""


class Definition(Generic[FactsT]):
    """A machine as data, built when it is made. Raises ValueError where the library itself sees a mistake."""

    def __init__(
        self,
        name: str,
        run: type[Run[FactsT]],
        start: FactsT,
        states: Iterable[Asking | End],
        rows: Iterable[Row],
        fold: Callable[[FactsT, Effect, Outcome], FactsT],
        refresh_at: Callable[[FactsT], float | None],
    ) -> None:
        self.name = name
        self.run = run
        self.start_facts = start
        self.states = tuple(states)
        self.rows = tuple(rows)
        self.fold = fold
        self.refresh_at = refresh_at
        self.initial = self.states[0].name
        self._machine = Machine(
            model=None,
            states=list(self.states),
            initial=self.initial,
            auto_transitions=False,
            transitions=[
                {"trigger": trigger(outcome), "source": source, "dest": row.target, "conditions": row.guard}
                for row in self.rows
                for outcome in row.outcomes
                for source in row.sources
            ],
        )
        self._by_name: dict[str, Asking | End] = {state.name: state for state in self.states}

    def start(self) -> Run[FactsT]:
        """A fresh run, in the first state, knowing nothing."""
        return self.run(self.initial, self.start_facts)

    def state(self, run: Run[FactsT]) -> Asking | End:
        """The state in which a run is."""
        return self._by_name[run.state]

    def asks(self, run: Run[FactsT]) -> Effect | None:
        """The effect that the run asks for now; None at an end."""
        state = self._by_name[run.state]
        return state.effect(run.facts) if isinstance(state, Asking) else None

    def step(self, run: Run[FactsT], effect: Effect, outcome: Outcome) -> None:
        """Tell a run the outcome of the effect that it asked for: facts first, then the row. Raises NoRow."""
        before = run.state
        run.facts = self.fold(run.facts, effect, outcome)
        event = self._machine.events.get(trigger(type(outcome)))
        try:
            taken = event is not None and event.trigger(run)
        except MachineError:
            taken = False
        if not taken:
            raise NoRow(f"{self.name}: in {before} no row holds for {trigger(type(outcome))}")
