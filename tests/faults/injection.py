"""Faults, and where they strike: at one of the effects, requests, events or reads of a play, counted from 1."""

import enum
from collections import defaultdict


class Place(enum.Enum):
    """What is counted."""

    EFFECT = "effect"  # that a machine asked for
    CALL = "request"  # to the cluster or to Infisical
    EVENT = "event"  # of a watch
    READ = "read"  # of an object or a list, of which there is an older state


class Fault(enum.Enum):
    """What happens. Each strikes once in a play."""

    CRASH_BEFORE = "the process dies before the effect"
    CRASH_AFTER = "the process dies after the effect, before its outcome is known"
    CRASH_UNDONE = "the process dies in a request, which is not carried out"
    CRASH_DONE = "the process dies in a request, which is carried out"
    STOP_BEFORE = "the process is told to stop, and the run is cancelled, when an effect begins"
    STOP_UNDONE = "the process is told to stop in a request, which was not carried out so far"
    STOP_DONE = "the process is told to stop in a request, whose answer is under way"
    TIMEOUT_UNDONE = "a request hangs until its deadline, and was not carried out"
    TIMEOUT_DONE = "a request hangs until its deadline, but was carried out"
    EVENT_LOST = "an event of a watch is never delivered; later, the process is started anew"
    EVENT_LATE = "an event of a watch, and what follows it there, is delivered late"
    READ_STALE = "a read gives the state before the last change"

    @property
    def place(self) -> Place:
        """What it strikes."""
        return _PLACES[self]

    @property
    def kills(self) -> bool:
        """Whether the process dies by it, without any procedure."""
        return self.name.startswith("CRASH")

    @property
    def stops(self) -> bool:
        """Whether the process is told to stop."""
        return self.name.startswith("STOP")

    @property
    def done(self) -> bool:
        """Whether the request that it strikes is carried out first."""
        return self.name.endswith("DONE") and not self.name.endswith("UNDONE")


_PLACES = {
    Fault.CRASH_BEFORE: Place.EFFECT,
    Fault.CRASH_AFTER: Place.EFFECT,
    Fault.STOP_BEFORE: Place.EFFECT,
    Fault.EVENT_LOST: Place.EVENT,
    Fault.EVENT_LATE: Place.EVENT,
    Fault.READ_STALE: Place.READ,
    Fault.CRASH_UNDONE: Place.CALL,
    Fault.CRASH_DONE: Place.CALL,
    Fault.STOP_UNDONE: Place.CALL,
    Fault.STOP_DONE: Place.CALL,
    Fault.TIMEOUT_UNDONE: Place.CALL,
    Fault.TIMEOUT_DONE: Place.CALL,
}


class Injection:
    """At most one fault, at the place of one number. Counts while it is armed."""

    def __init__(self, fault: Fault | None = None, number: int = 0) -> None:
        self.fault = fault
        self.number = number
        self.armed = False
        self.struck: str | None = None
        self.seen: dict[Place, list[str]] = defaultdict(list)

    def meets(self, place: Place, what: str) -> Fault | None:
        """Something comes to a place: the fault that it meets there, if any."""
        if not self.armed:
            return None
        self.seen[place].append(what)
        if self.fault is None or self.struck is not None or self.fault.place is not place:
            return None
        if len(self.seen[place]) != self.number:
            return None
        self.struck = what
        return self.fault

    def __str__(self) -> str:
        if self.fault is None:
            return "calm"
        return f"{self.fault.name} at {self.fault.place.value} {self.number} ({self.struck})"
