"""When a resource comes again after a run: what the end of the run means in time."""

import random
from collections.abc import Callable
from typing import Any

from adapters.journal import Subject
from machines.kernel import Definition, End, Run, Then
from machines.outcomes import ExternalSecretObserved, Unavailable
from machines.push_outcomes import PushSecretObserved
from reconciler.backoff import Backoff
from reconciler.company import turn_of
from reconciler.driver import Clock
from reconciler.outages import Outages
from reconciler.queue import Company, Lane, Wish

_SIGHT = 1.0  # seconds before a periodic refresh from which on it must see the world


class Schedule:
    """Turns ends into wishes, and counts failures in a row."""

    def __init__(
        self, add: Callable[[Wish[Subject]], None], outages: Outages, clock: Clock, chance: random.Random
    ) -> None:
        self._add = add
        self._outages = outages
        self._clock = clock
        self._backoff: Backoff[Subject] = Backoff(chance)

    def failures(self, subject: Subject) -> int:
        """How often in a row it was tried in vain."""
        return self._backoff.failures(subject)

    def forget(self, subject: Subject) -> None:
        """The resource is gone."""
        self._backoff.succeeded(subject)

    def over(self, subject: Subject, definition: Definition[Any], end: End, run: Run[Any]) -> None:
        """A run came to its end."""
        match end.then:
            case Then.REFRESH:
                self._backoff.succeeded(subject)
                due = definition.refresh_at(run.facts)
                if due is not None:
                    self._refresh(subject, end, run, due)
            case Then.BACKOFF if self._outages.waits(subject, end, run):
                self._backoff.succeeded(subject)  # what fails when the host is back is a first failure
            case Then.BACKOFF:
                self._again(subject, Lane.RETRY, self._retry_delay(subject, run))
            case Then.AGAIN:
                first = self._backoff.failures(subject) == 0
                delay = self._backoff.failed(subject)
                self._again(subject, Lane.CHANGE, 0.0 if first else delay)
            case Then.FORGET:
                self._backoff.succeeded(subject)
            case Then.NOTHING:
                pass

    def broke(self, subject: Subject) -> None:
        """A run ended by a defect of the program."""
        self._again(subject, Lane.RETRY, self._backoff.failed(subject))

    def _retry_delay(self, subject: Subject, run: Run[Any]) -> float:
        observed = run.facts.observed
        interval = getattr(observed, "interval", 0.0) if observed is not None else 0.0
        delay = self._backoff.failed(subject, cap=interval) if interval else self._backoff.failed(subject)
        failure = run.facts.failure
        if isinstance(failure, Unavailable) and failure.after is not None:
            delay = max(delay, failure.after)
        return delay

    def _refresh(self, subject: Subject, end: End, run: Run[Any], due: float) -> None:
        """Let a resource come again when it is due (wall time), or with those that come at about that time."""
        observed, wait = run.facts.observed, due - self._clock.now()
        turn = (
            turn_of(observed, subject.namespace, due)
            if end.good and isinstance(observed, ExternalSecretObserved | PushSecretObserved)
            else None
        )
        if turn is None:
            self._again(subject, Lane.REFRESH, max(0.0, wait))
            return
        now = self._clock.passing()
        company = Company(turn.company, now + wait - (due - turn.earliest))
        self._again(subject, Lane.REFRESH, max(0.0, wait - (due - turn.at)), company)

    def _again(self, subject: Subject, lane: Lane, delay: float, company: Company | None = None) -> None:
        """A periodic refresh may see the world as it was a second before it is due, anything else as it is from now
        on: so those that come again together can share what they read."""
        now = self._clock.passing()
        due = now + delay
        since = max(now, due - _SIGHT) if lane is Lane.REFRESH else now
        self._add(Wish(subject, lane, due, since, lane.name.lower(), company))
