"""The end state of one remote secret, from what it holds, what is wanted there and what shall go.

Settled in one go, so that one write is enough and no order of entries matters: what goes goes first, then what is
wanted is put in its place. A place that an entry of another name takes over is no deletion.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from adapters.infisical.stored_form import as_stored
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.keys import Location
from reconciler.content.property_writing import Property
from reconciler.content.push_entries import Entry, is_too_large
from reconciler.content.push_steps import Plan, Removal, Step, StepKind
from reconciler.content.values import Value


class _Placed(msgspec.Struct, frozen=True):
    """An entry or a removal of a property, with its place."""

    name: str
    place: Property


def _in_order(placed: Iterable[_Placed]) -> list[_Placed]:
    """Names first, then indexes by number: what is made does not hang on the order of entries."""

    def order(each: _Placed) -> tuple[list[tuple[bool, int, str]], str]:
        return [(step.makes_list, step.index or 0, step.name) for step in each.place.path], each.name

    return sorted(placed, key=order)


def plan_secret(
    location: Location,
    wanted: Sequence[Entry],
    removals: Sequence[Removal],
    current: str | None,
    recorded: Collection[str],
    *,
    if_not_exists: bool,
) -> Plan:
    """What is to be done about one secret; `current` is its stored value, None: it is not there."""
    return _SecretPlan(location, wanted, removals, current, recorded, if_not_exists=if_not_exists).made()


class _SecretPlan:
    def __init__(
        self,
        location: Location,
        wanted: Sequence[Entry],
        removals: Sequence[Removal],
        current: str | None,
        recorded: Collection[str],
        *,
        if_not_exists: bool,
    ) -> None:
        self._location = location
        self._wanted = {entry.name: entry for entry in wanted}
        self._removals = {removal.name: removal for removal in removals}
        self._current = current
        self._if_not_exists = if_not_exists

        self._owned = {name for name in self._wanted if name in recorded}
        self._kept: set[str] = set()
        self._equal: set[str] = set()
        self._written: set[str] = set()
        self._gone: set[str] = set()
        self._settled: set[str] = set()
        self._faults: dict[str, ContentFault] = {}

        self._wholes = [entry for entry in wanted if entry.property is None]
        self._whole_goes = {removal.name for removal in removals if removal.property is None}
        self._wanted_places = self._placed(
            (entry.name, entry.remote_key, entry.property) for entry in self._wanted.values()
        )
        self._removed_places = self._placed(
            (removal.name, location.name, removal.property) for removal in self._removals.values()
        )

    def _placed(self, named: Iterable[tuple[str, str, str | None]]) -> list[_Placed]:
        """Those of a property, with their places; notes which have none.

        Nothing was ever put where a path leads nowhere: to remove it there is nothing to do.
        """
        placed: list[_Placed] = []
        for name, key, property_path in named:
            if property_path is None:
                continue
            try:
                placed.append(_Placed(name, Property.read(property_path, key=key)))
            except ContentFault as fault:
                if name in self._wanted:
                    self._faults[name] = fault
                else:
                    self._gone.add(name)
        return _in_order(placed)

    def made(self) -> Plan:
        self._note_faults()
        self._inherit()
        whole = next((entry for entry in self._wholes if entry.name not in self._faults), None)
        ready = [each for each in self._wanted_places if each.name not in self._faults]
        text = self._base(whole, ready)
        if whole is not None:
            text = self._with_whole(text, whole)
        for each in ready:
            text = self._with_property(text, each)
        if ready and self._all_gives_way(whole, ready) and not self._written:
            self._settled = set()  # nothing could be put in its place: it stays until something can
            text = self._current
        return self._finished(text)

    def _note_faults(self) -> None:
        """Entries that cannot be pushed as they are, and those that want the same place."""
        contested = set(self._wanted) if self._wholes and len(self._wanted) > 1 else set()
        by_first_step: dict[str, list[_Placed]] = {}
        for each in self._wanted_places:
            by_first_step.setdefault(each.place.path[0].name, []).append(each)
        for near in by_first_step.values():
            for each in near:
                if any(each is not other and each.place.overlaps(other.place) for other in near):
                    contested.add(each.name)
        for name, entry in self._wanted.items():
            if name in contested:
                self._faults[name] = ContentFault(
                    FaultKind.SAME_DESTINATION, key=entry.remote_key, property_path=entry.property
                )
            elif entry.fault is not None:
                self._faults[name] = entry.fault

    def _inherit(self) -> None:
        """What goes under one name and is wanted under another is ours under the other."""
        if self._whole_goes:
            self._owned.update(entry.name for entry in self._wholes)
        for each in self._wanted_places:
            if any(each.place.is_same(removed.place) for removed in self._removed_places):
                self._owned.add(each.name)

    def _base(self, whole: Entry | None, ready: Sequence[_Placed]) -> str | None:
        """What is there once all that goes is gone; None: nothing."""
        if self._current is None:
            self._gone.update(self._removals)
            return None
        if self._all_gives_way(whole, ready):
            self._settled.update(self._removals)
            return None
        if self._wholes:
            self._settled.update(self._whole_goes)
        if whole is not None and whole.name in self._owned:
            self._settled.update(self._removals)  # of what is ours as a whole no property is somebody else's
            return self._current
        return self._without_removed(self._current, {each.name for each in ready})

    def _all_gives_way(self, whole: Entry | None, ready: Sequence[_Placed]) -> bool:
        """Whether nothing stays of what is there: all of it is replaced, or was ours and goes."""
        if whole is not None:
            return not self._if_not_exists
        return bool(self._whole_goes) and (bool(ready) or not self._wanted)

    def _without_removed(self, text: str, ready: Collection[str]) -> str | None:
        rest: str | None = text
        for removed in reversed(self._removed_places):
            try:
                rest = self._without(rest, removed, ready)
            except ContentFault as fault:
                self._faults[removed.name] = fault
        if rest is None and self._wanted:
            return None if self._wholes and self._wholes[0].name not in self._faults else "{}"
        return rest

    def _without(self, text: str | None, removed: _Placed, ready: Collection[str]) -> str | None:
        """The text without one property; None when nothing is left."""
        place = removed.place
        if text is None or not place.has(text):
            self._gone.add(removed.name)
            return text
        met = [each for each in self._wanted_places if place.overlaps(each.place)]
        if any(place.is_same(each.place) for each in met):
            self._settled.add(removed.name)
            return text
        below = [each for each in met if len(each.place.path) > len(place.path)]
        if not below:
            self._settled.add(removed.name)
            return place.delete(text)
        if any(each.name in ready for each in below):
            self._settled.add(removed.name)
            return place.clear(text)  # at its place, so that the same is made again after a crash
        return text  # once what is wanted below can be put

    def _with_whole(self, text: str | None, entry: Entry) -> str | None:
        if self._if_not_exists and text is not None:
            self._kept.add(entry.name)
            return text
        self._owned.add(entry.name)
        value = entry.value.reveal().decode()
        if self._current == as_stored(value):
            self._equal.add(entry.name)
            return self._current
        self._written.add(entry.name)
        return value

    def _with_property(self, text: str | None, wanted: _Placed) -> str | None:
        """The text with one property set; at fault, the text as it is."""
        base = text or ""
        entry = self._wanted[wanted.name]
        try:
            if self._if_not_exists and wanted.place.has(base):
                self._kept.add(wanted.name)
                return text
            result = wanted.place.set(base, entry.value.reveal().decode())
        except ContentFault as fault:
            self._faults[wanted.name] = fault
            return text
        if result != base and is_too_large(result):
            self._faults[wanted.name] = ContentFault(
                FaultKind.VALUE_TOO_LARGE, key=entry.remote_key, property_path=entry.property
            )
            return text
        self._owned.add(wanted.name)
        (self._equal if result == base else self._written).add(wanted.name)
        return result

    def _finished(self, text: str | None) -> Plan:
        self._settled -= self._gone
        if text == self._current:
            kind = StepKind.NOTHING
            self._equal |= self._written
            self._written = set()
        elif text is None:
            kind = StepKind.DELETE
        else:
            kind = StepKind.UPDATE if self._current is not None else StepKind.CREATE
        step = Step(
            location=self._location,
            kind=kind,
            text=Value.of_text(text) if text is not None and kind is not StepKind.NOTHING else None,
            entries=tuple(sorted(self._written)),
            removals=tuple(sorted(self._settled)),
        )
        return Plan(
            steps=(step,) if kind is not StepKind.NOTHING or self._equal or self._settled else (),
            owned=tuple(sorted(self._owned)),
            kept=tuple(sorted(self._kept)),
            equal=tuple(sorted(self._equal)),
            faults=tuple(sorted(self._faults.items(), key=lambda item: item[0])),
            gone=tuple(sorted(self._gone)),
        )
