"""What must hold on every path, each as a sentence: of every effect that is asked for, and of every end.

The sentences know histories and effects, no table, and of the states only the ends: what a run means to whoever
waits for it. They stand in the modules that are imported here.
"""

from machines.effects import Effect
from tests.machines import reading_invariants, report_invariants, writing_invariants
from tests.machines.end_invariants import broken_at_end
from tests.machines.history import History
from tests.machines.sentences import PULLING

__all__ = ["broken_at_end", "broken_by_asking"]

SENTENCES = (reading_invariants, writing_invariants, report_invariants)
"""Where those about effects stand: importing a module registers them."""


def broken_by_asking(history: History, effect: Effect) -> str | None:
    """The first invariant that does not hold when this is asked for after that, in words; None: all hold."""
    return PULLING.broken(history, effect)
