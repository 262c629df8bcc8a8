"""What must hold of a report: it is true to what happened, and complete."""

import msgspec

from machines.effects import (
    Report,
    Verdict,
)
from machines.outcomes import ExternalSecretObserved, KindObserved, Observed, StoreObserved, StoreState
from tests.machines.history import History
from tests.machines.oracle import verdict_of
from tests.machines.sentences import whenever_asked
from tests.machines.sights import CANNOT_SERVE, NOT_READY

REPORT_FIELDS = Report.__struct_fields__
REPORT_DEFAULTS = (msgspec.NODEFAULT, *Report.__struct_defaults__)


@whenever_asked(Report)
def a_report_says_what_is_true(history: History, effect: Report) -> bool:
    return effect.verdict is verdict_of(history)


@whenever_asked(Report)
def a_report_tells_the_failure_that_happened(history: History, effect: Report) -> bool:
    return effect.failure == (history.trouble or history.undecided)


@whenever_asked(Report)
def a_report_names_the_store_in_question(history: History, effect: Report) -> bool:
    states = {
        Verdict.STORE_UNUSABLE: CANNOT_SERVE,
        Verdict.STORE_NOT_READY: NOT_READY,
        Verdict.STORE_ABSENT: (StoreState.ABSENT,),
    }.get(effect.verdict)
    if history.sight is None:
        return effect.store is None and not effect.stores
    if isinstance(history.sight.observed, KindObserved):
        return effect.store is None and not effect.stores
    if effect.stores != history.sight.stores:
        return False
    if isinstance(history.sight.observed, StoreObserved):
        return effect.store == 0
    if states is None:
        return effect.store == history.trouble_store
    return effect.store in [number for number, store in enumerate(effect.stores) if store.state in states]


SHOWN: dict[type[Observed], dict[str, str]] = {
    ExternalSecretObserved: {
        "now": "now",
        "rules": "broken_rules",
        "target": "target",
        "former": "former",
        "last_good": "refreshed",
    },
    StoreObserved: {"now": "now", "rules": "broken_rules", "failing_since": "failing_since"},
    KindObserved: {"now": "now"},
}
"""What the reports of each machine show of what was seen, by the name that it has there."""

SAID_OTHERWISE = (
    *("verdict", "failure", "store", "stores", "fields", "synced", "standing"),
    *("change", "keys", "absent", "read_at"),
)
"""What the other sentences about reports are about."""


@whenever_asked(Report)
def a_report_shows_what_was_seen_and_nothing_else(history: History, effect: Report) -> bool:
    seen = history.sight.observed if history.sight is not None else None
    shown = SHOWN[type(seen)] if seen is not None else {}
    expected = {field: getattr(seen, name) for field, name in shown.items()}
    empty = dict(zip(REPORT_FIELDS, REPORT_DEFAULTS, strict=True))
    return all(
        getattr(effect, field) == expected.get(field, empty[field])
        for field in REPORT_FIELDS
        if field not in SAID_OTHERWISE
    )


@whenever_asked(Report)
def a_report_names_the_fields_in_question(history: History, effect: Report) -> bool:
    if history.sight is None:
        return not effect.fields
    seen = history.sight.observed
    if isinstance(seen, KindObserved):
        return effect.fields == seen.unsupported
    if isinstance(seen, StoreObserved):
        return effect.fields == seen.malformed
    assert isinstance(seen, ExternalSecretObserved)
    return effect.fields == (seen.malformed or seen.unsupported)


@whenever_asked(Report)
def a_report_shows_what_was_done(history: History, effect: Report) -> bool:
    keys = history.made.keys if history.made is not None else None
    return (effect.change, effect.keys, effect.absent) == (history.change, keys, history.absent)


@whenever_asked(Report)
def the_synced_version_is_the_wish_that_was_fulfilled(history: History, effect: Report) -> bool:
    if effect.verdict in (Verdict.SYNCED, Verdict.RETAINED):
        seen = history.sight.observed if history.sight is not None else None
        return isinstance(seen, ExternalSecretObserved) and effect.synced == seen.wanted
    return effect.synced is None


@whenever_asked(Report)
def a_refresh_counts_from_the_oldest_that_was_read(history: History, effect: Report) -> bool:
    seen = history.sight.observed if history.sight is not None else None
    if not isinstance(seen, ExternalSecretObserved) or effect.synced is None:
        return effect.read_at is None
    return effect.read_at == (seen.now if history.oldest is None else min(history.oldest, seen.now))


@whenever_asked(Report)
def the_last_verdict_is_told_just_when_it_stands(history: History, effect: Report) -> bool:
    if effect.verdict is Verdict.STANDING and history.sight is not None:
        seen = history.sight.observed
        return isinstance(seen, StoreObserved) and effect.standing is seen.verdict
    return effect.standing is None
