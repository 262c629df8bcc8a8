"""What a plan is made of: entries and removals go in, one step for each remote secret comes out."""

from __future__ import annotations

import enum

import msgspec

from adapters.infisical.stored_form import as_stored
from reconciler.content.faults import ContentFault
from reconciler.content.keys import Location
from reconciler.content.push_entries import Entry
from reconciler.content.values import Value


def loses_white_space(entry: Entry) -> bool:
    """Whether the server drops white space at the ends of what is pushed. That of a property stays."""
    if entry.property is not None or entry.fault is not None:
        return False
    text = entry.value.reveal().decode()
    return as_stored(text) != text


class Wanted(msgspec.Struct, frozen=True):
    """An entry, and the remote secret that its remote key names."""

    entry: Entry
    location: Location


class Removal(msgspec.Struct, frozen=True):
    """What was pushed and shall be deleted: its name in the record, its remote secret, its property (None: all of it)."""

    name: str
    location: Location
    property: str | None


class StepKind(enum.Enum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NOTHING = "nothing"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one remote secret. `text` is its value (of CREATE and UPDATE only).

    `entries` are the names of the entries that this writes, `removals` those that are gone once it is done: at once,
    for NOTHING.
    """

    location: Location
    kind: StepKind
    text: Value | None = None
    entries: tuple[str, ...] = ()
    removals: tuple[str, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a push does; all names are those of the record.

    `owned`: wanted entries that are ours after it: written, found equal under Replace, or recorded before. `kept`: left
    as they are, since something is there already (IfNotExists). `equal`: nothing to write. `faults`: what cannot be
    done, of entries and of removals. `gone`: removals of what is not there (any more).
    """

    steps: tuple[Step, ...] = ()
    owned: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    faults: tuple[tuple[str, ContentFault], ...] = ()
    gone: tuple[str, ...] = ()
