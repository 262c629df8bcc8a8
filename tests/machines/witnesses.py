"""Who watches the runs of a machine: what is kept of what really happened, and what must hold then."""

from collections.abc import Callable
from typing import Any, NamedTuple

from machines.effects import Effect
from machines.kernel import Definition, End
from machines.outcomes import Outcome
from tests.machines import (
    history,
    invariants,
    push_end_invariants,
    push_history,
    push_invariants,
    push_report_invariants,
)


class Witness(NamedTuple):
    """A history as it begins, how it goes on, and its invariants (each answers with a sentence, or None)."""

    begins: Any
    told: Callable[[Any, Effect, Outcome], Any]
    broken_by_asking: Callable[[Any, Effect], str | None]
    broken_at_end: Callable[[Definition[Any], End, Any, Any], str | None]


PULLING = Witness(history.History(), history.told, invariants.broken_by_asking, invariants.broken_at_end)
PUSHING = Witness(
    push_history.PushHistory(),
    push_history.told,
    push_invariants.broken_by_asking,
    push_end_invariants.broken_at_end,
)


SENTENCES = (push_invariants, push_report_invariants)
"""Where invariants of what a PushSecret asks for stand, in their order: importing a module registers them."""


def witness_of(definition: Definition[Any]) -> Witness:
    """The witness of a machine's runs."""
    return PUSHING if definition.name == "PushSecret" else PULLING
