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
from tests.machines.history import History

OBSERVES = (ObserveExternalSecret, ObserveStore, ObserveKind)
READS = (ResolveProject, Fetch, Probe)
ASKS_INFISICAL = (Authenticate, *READS)
WRITES = (Apply, DeleteFormerTarget, RemoveFinalizer)
EVERYTHING = (*OBSERVES, *ASKS_INFISICAL, Release, Render, *WRITES, Report)

Holds = Callable[[History, Any], bool]

ASKED: dict[type[Effect], list[Holds]] = defaultdict(list)
"""For each effect what must hold when it is asked for."""


def whenever_asked(*effects: type[Effect]) -> Callable[[Holds], Holds]:
    """Registers an invariant of these effects; its name is its sentence."""

    def register(holds: Holds) -> Holds:
        for effect in effects:
            ASKED[effect].append(holds)
        return holds

    return register


def sentence(holds: Callable[..., bool]) -> str:
    """An invariant in words."""
    return holds.__name__.replace("_", " ")
