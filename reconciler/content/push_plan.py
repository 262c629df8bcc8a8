"""What a push changes: one end state for each remote secret, from what is wanted there and what shall go.

Pure: from what the server holds to what is to be written. What is neither wanted nor to be removed stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import chain

from adapters.infisical.stored_form import as_stored, trimmed
from reconciler.content.keys import Location
from reconciler.content.push_entries import Entry
from reconciler.content.push_secret_plan import plan_secret
from reconciler.content.push_steps import Plan, Removal, Step, StepKind, Wanted, loses_white_space

__all__ = ["Plan", "Removal", "Step", "StepKind", "Wanted", "as_stored", "loses_white_space", "plan"]


def plan(
    wanted: Iterable[Wanted],
    removals: Iterable[Removal],
    existing: Mapping[Location, str | None],
    recorded: Collection[str],
    *,
    if_not_exists: bool,
) -> Plan:
    """What is to be done. `existing` has the stored value of each secret, None for one that is not there.

    Names that differ in white space at their ends are one secret, as for the server. Of a secret that `existing` lacks nothing is known: nothing is planned there, and what is recorded stays ours.
    """
    entries: dict[Location, list[Entry]] = {}
    removed: dict[Location, list[Removal]] = {}
    written: dict[Location, Location] = {}  # as the server knows it, and as it is written
    everything: list[Wanted | Removal] = [*wanted, *removals]
    for each in sorted(everything, key=lambda each: each.location.name):
        here = Location(each.location.folder, trimmed(each.location.name))
        written.setdefault(here, each.location)
        if isinstance(each, Wanted):
            entries.setdefault(here, []).append(each.entry)
        else:
            removed.setdefault(here, []).append(each)
    plans: list[Plan] = []
    for here, location in sorted(written.items(), key=lambda item: (item[0].folder, item[0].name)):
        there, gone = entries.get(here, []), removed.get(here, [])
        if location in existing:
            plans.append(
                plan_secret(location, there, gone, existing[location], recorded, if_not_exists=if_not_exists)
            )
        else:
            plans.append(Plan(owned=tuple(entry.name for entry in there if entry.name in recorded)))
    return Plan(
        steps=tuple(chain.from_iterable(each.steps for each in plans)),
        owned=tuple(chain.from_iterable(each.owned for each in plans)),
        kept=tuple(chain.from_iterable(each.kept for each in plans)),
        equal=tuple(chain.from_iterable(each.equal for each in plans)),
        faults=tuple(chain.from_iterable(each.faults for each in plans)),
        gone=tuple(chain.from_iterable(each.gone for each in plans)),
    )
