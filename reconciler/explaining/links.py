"""What an explanation is made of: a chain of links, from a resource to all that it rests on, each found well or not."""

import enum
from collections.abc import Iterable
from difflib import get_close_matches

import msgspec


class Mark(enum.Enum):
    """How a link was found."""

    FINE = "ok"
    NOTE = "note"  # it works, perhaps not as its author meant
    UNKNOWN = "unknown"  # nobody can tell from here, or not yet
    WRONG = "wrong"


class Link(msgspec.Struct, frozen=True):
    """One link of the chain: what it is about, and a sentence that says how it is and, if it is wrong, what to do."""

    mark: Mark
    about: str
    says: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A resource explained: the chain in order, what it waits for and when it is tried next, and its latest events."""

    resource: str
    links: tuple[Link, ...]
    next_run: tuple[str, ...] = ()
    events: tuple[str, ...] = ()

    @property
    def first_wrong(self) -> Link | None:
        """The first link that is wrong: what to mend before all else."""
        return next((link for link in self.links if link.mark is Mark.WRONG), None)


def fine(about: str, says: str) -> Link:
    """It is as it should be."""
    return Link(Mark.FINE, about, says)


def note(about: str, says: str) -> Link:
    """It works, and is worth knowing."""
    return Link(Mark.NOTE, about, says)


def unknown(about: str, says: str) -> Link:
    """It cannot be told."""
    return Link(Mark.UNKNOWN, about, says)


def wrong(about: str, says: str) -> Link:
    """It keeps the resource from working."""
    return Link(Mark.WRONG, about, says)


def near(name: str, others: Iterable[str]) -> str:
    """A question after the name that may have been meant; empty where none is near."""
    close = get_close_matches(name, sorted(set(others) - {name}), n=1, cutoff=0.6)
    return f'; is "{close[0]}" meant?' if close else ""
