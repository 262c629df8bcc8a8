"""Where invariants are kept: functions whose names are sentences, for the effects that they are about."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from machines.effects import (
    Apply,
    Authenticate,
    DeleteFormerTarget,
    Effect,
    Fetch,
    ObserveExternalSecret,
    ObserveKind,
    ObserveStore,
    Probe,
    Release,
    RemoveFinalizer,
    Render,
    Report,
    ResolveProject,
)

OBSERVES = (ObserveExternalSecret, ObserveStore, ObserveKind)
READS = (ResolveProject, Fetch, Probe)
ASKS_INFISICAL = (Authenticate, *READS)
WRITES = (Apply, DeleteFormerTarget, RemoveFinalizer)
EVERYTHING = (*OBSERVES, *ASKS_INFISICAL, Release, Render, *WRITES, Report)

Holds = Callable[[Any, Any], bool]
"""Whether it holds for this history, when this effect is asked for."""


def sentence(holds: Callable[..., bool]) -> str:
    """An invariant in words."""
    return holds.__name__.replace("_", " ")


class Book:
    """Invariants of the runs of some machines: for each effect what must hold when it is asked for."""

    def __init__(self) -> None:
        self._asked: dict[type[Effect], list[Holds]] = defaultdict(list)

    def whenever_asked(self, *effects: type[Effect]) -> Callable[[Holds], Holds]:
        """Registers an invariant of these effects; its name is its sentence."""

        def register(holds: Holds) -> Holds:
            for effect in effects:
                self._asked[effect].append(holds)
            return holds

        return register

    def broken(self, history: Any, effect: Effect) -> str | None:
        """The first that does not hold when this is asked for after that, in words; None: all hold."""
        for holds in self._asked[type(effect)]:
            if not holds(history, effect):
                return sentence(holds)
        return None


PULLING = Book()
"""Of all machines but that of PushSecret."""

PUSHING = Book()
"""Of the machine of PushSecret."""

whenever_asked = PULLING.whenever_asked
