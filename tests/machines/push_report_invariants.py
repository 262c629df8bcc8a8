"""What must hold of a PushSecret's report: it is true to what happened, and complete."""

import msgspec

from machines.effects import (
    Report,
    Verdict,
)
from machines.outcomes import StoreState
from tests.machines.push_history import PushHistory
from tests.machines.push_oracle import (
    named_in,
    verdict_of,
)
from tests.machines.push_sights import beyond_reach, held_back
from tests.machines.sentences import PUSHING

whenever_asked = PUSHING.whenever_asked


@whenever_asked(Report)
def a_report_says_what_is_true(history: PushHistory, effect: Report) -> bool:
    return effect.verdict is verdict_of(history)


@whenever_asked(Report)
def a_report_tells_the_worst_failure(history: PushHistory, effect: Report) -> bool:
    return effect.failure == history.trouble


@whenever_asked(Report)
def a_report_names_the_store_in_question(history: PushHistory, effect: Report) -> bool:
    if history.seen is None:
        return effect.store is None and not effect.stores
    if effect.stores != history.seen.stores:
        return False
    gathered = history.gathered
    match effect.verdict:
        case Verdict.STORE_ABSENT:
            return effect.store in named_in(history, StoreState.ABSENT)
        case Verdict.STORE_UNUSABLE:
            return effect.store in named_in(history, StoreState.EXCLUDING)
        case Verdict.STORE_NOT_READY:
            return gathered is not None and effect.store in held_back(history.seen, gathered)
        case Verdict.OWING:
            return gathered is not None and effect.store in beyond_reach(history.seen, gathered)
    return effect.store == history.trouble_store


@whenever_asked(Report)
def a_report_counts_what_failed_and_what_waits(history: PushHistory, effect: Report) -> bool:
    return (effect.failed, effect.pending, effect.settled) == (
        history.failed,
        history.pending,
        history.settled,
    )


@whenever_asked(Report)
def what_is_synced_is_the_wish_that_was_seen(history: PushHistory, effect: Report) -> bool:
    if effect.verdict in (Verdict.SYNCED, Verdict.PENDING) and history.seen is not None:
        return (effect.synced, effect.read_at) == (history.observed.wanted, history.observed.now)
    return effect.synced is None and effect.read_at is None


SHOWN = {
    "now": "now",
    "source": "source",
    "rules": "broken_rules",
    "last_good": "refreshed",
    "leaving": "deleting",
    "keeps_existing": "keeps_existing",
}
"""What reports show of what was seen, by the name that it has there."""

SAID_OTHERWISE = (
    *("verdict", "failure", "store", "stores", "fields", "pushes"),
    *("synced", "read_at", "failed", "pending", "settled"),
)
"""What the other sentences about reports are about."""


@whenever_asked(Report)
def a_report_shows_what_was_seen_and_nothing_else(history: PushHistory, effect: Report) -> bool:
    seen = history.seen
    expected = {field: getattr(seen, name) for field, name in SHOWN.items()} if seen is not None else {}
    defaults = (msgspec.NODEFAULT, *Report.__struct_defaults__)
    empty = dict(zip(Report.__struct_fields__, defaults, strict=True))
    return all(
        getattr(effect, field) == expected.get(field, empty[field])
        for field in Report.__struct_fields__
        if field not in SAID_OTHERWISE
    )


@whenever_asked(Report)
def a_report_names_the_fields_in_question(history: PushHistory, effect: Report) -> bool:
    if history.seen is None:
        return not effect.fields
    return effect.fields == (history.seen.malformed or history.seen.unsupported)


@whenever_asked(Report)
def a_report_says_that_it_is_about_pushing(history: PushHistory, effect: Report) -> bool:
    return effect.pushes
