"""Journals besides the file: the log, the last transitions in memory, and several at once."""

import logging
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence

import structlog

from adapters.journal import Journal, Line, Subject, Transition, line_of
from machines.outcomes import Failure

log = structlog.get_logger()

_RESOURCES = 5_000
_OF_ONE = 16  # two runs, about; with a thousand resources more would be the largest part of the memory


class SeveralJournals:
    """Tells each of some journals."""

    def __init__(self, journals: Sequence[Journal]) -> None:
        self._journals = tuple(journals)

    def record(self, transition: Transition) -> None:
        """Take one transition."""
        for journal in self._journals:
            journal.record(transition)


class DebugLog:
    """Each transition is one line of the log, at level debug, if that is the level when this is made."""

    def __init__(self) -> None:
        # Asked once: to ask the log costs as much as the machine's step, and to put the line together costs more.
        self._is_wanted = bool(log.is_enabled_for(logging.DEBUG))

    def record(self, transition: Transition) -> None:
        """Take one transition."""
        if not self._is_wanted:
            return
        outcome = transition.outcome
        log.debug(
            "transition",
            run=transition.run,
            step=transition.step,
            kind=str(transition.subject.kind),
            namespace=str(transition.subject.namespace),
            name=str(transition.subject.name),
            state=transition.state,
            effect=type(transition.effect).__name__,
            outcome=type(outcome).__name__,
            why=str(getattr(getattr(outcome, "what", None) or getattr(outcome, "why", None), "value", ""))
            if isinstance(outcome, Failure)
            else "",
            to=transition.to,
            seconds=round(transition.seconds, 4),
        )


class RecentTransitions:
    """The last transitions of each resource, in memory: no resource pushes out another one's."""

    def __init__(self, resources: int = _RESOURCES, of_one: int = _OF_ONE) -> None:
        self._resources = resources
        self._of_one = of_one
        self._transitions: OrderedDict[Subject, deque[Transition]] = OrderedDict()

    def record(self, transition: Transition) -> None:
        """Take one transition."""
        kept = self._transitions.get(transition.subject)
        if kept is None:
            kept = self._transitions[transition.subject] = deque(maxlen=self._of_one)
            if len(self._transitions) > self._resources:
                self._transitions.popitem(last=False)
        else:
            self._transitions.move_to_end(transition.subject)
        kept.append(transition)

    def lines(self, kind: str = "", namespace: str | None = None, name: str = "") -> Iterator[Line]:
        """Journal lines of the resources that fit, each resource's in order; without checksums."""
        for subject, kept in list(self._transitions.items()):
            of_kind = not kind or subject.kind.lower() == kind.lower()
            in_place = (not name or subject.name == name) and namespace in (
                None,
                subject.namespace or namespace,
            )
            if of_kind and in_place:
                for transition in tuple(kept):  # more may be recorded before the reader comes back
                    yield line_of(transition)
