"""Faults that a test or the demo plans: what goes wrong, at which requests, how often."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import msgspec

from adapters.infisical.transport import Unreachable
from reconciler.standin.record import Kind


class Status(msgspec.Struct, frozen=True):
    """Answers this status in place of carrying out the request; `retry_after` in seconds, None: no such header."""

    status: int
    retry_after: int | None = None


class Slow(msgspec.Struct, frozen=True):
    """Answers rightly, after so many seconds."""

    seconds: float


class Page(msgspec.Struct, frozen=True):
    """Answers a web page, as a proxy does."""

    status: int = 200


class BrokenJson(msgspec.Struct, frozen=True):
    """Carries out the request; the answer's JSON ends in its middle."""


class OtherJson(msgspec.Struct, frozen=True):
    """Carries out the request; answers JSON of another form."""

    text: str = '{"unexpected":true}'


class HalfSent(msgspec.Struct, frozen=True):
    """Carries out the request; the connection breaks in the middle of the answer."""


class Dropped(msgspec.Struct, frozen=True):
    """No answer comes; `carried_out`: the request was carried out all the same.

    Over HTTP the connection breaks; in process, `why` says what the client is told.
    """

    carried_out: bool = False
    why: Unreachable = Unreachable.BROKEN


class Redirect(msgspec.Struct, frozen=True):
    """Sends the client elsewhere."""

    location: str
    status: int = 302


class Meanwhile(msgspec.Struct, frozen=True):
    """Something happens just before the request is looked at: a token ends, a project is deleted. Then it is answered."""

    act: Callable[[], object]


Fault = Status | Slow | Page | BrokenJson | OtherJson | HalfSent | Dropped | Redirect | Meanwhile


@dataclass
class Plan:
    """A fault, and for which requests: a kind, or a pattern on `METHOD /api/path`. `met` counts how often it struck."""

    on: Kind | str
    fault: Fault
    times: int | None
    after: int
    met: int = 0

    def strikes(self, kind: Kind, method: str, path: str) -> bool:
        """Whether it strikes this request; to ask is to count."""
        if isinstance(self.on, Kind):
            matches = kind is self.on
        else:
            matches = fnmatchcase(f"{method} {path}", self.on)
        if not matches or self.times == 0:
            return False
        if self.after:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        self.met += 1
        return True


@dataclass
class Faults:
    """The planned faults. The first that strikes a request is the one it meets."""

    plans: list[Plan] = field(default_factory=list)

    def plan(self, on: Kind | str, fault: Fault, *, times: int | None = 1, after: int = 0) -> Plan:
        """Let `fault` meet the next `times` requests that match (None: all), sparing the first `after` of them."""
        plan = Plan(on, fault, times, after)
        self.plans.append(plan)
        return plan

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        self.plans.clear()

    def strike(self, kind: Kind, method: str, path: str) -> Fault | None:
        """The fault that this request meets."""
        return next((p.fault for p in self.plans if p.strikes(kind, method, path)), None)
