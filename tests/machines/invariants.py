"""What must hold on every path, each as a sentence: of every effect that is asked for, and of every end.

They know histories and effects, no table, and of the states only the ends: what a run means to whoever waits for it.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import msgspec

from machines.effects import (
    Apply,
    Authenticate,
    DeleteFormerTarget,
    Effect,
    Fetch,
    ObserveExternalSecret,
    ObserveKind,
    ObserveStore,
    Probe,
    Release,
    RemoveFinalizer,
    Render,
    Report,
    ResolveProject,
    Verdict,
)
from machines.kernel import Definition, End, Then
from machines.outcomes import ExternalSecretObserved, KindObserved, Observed, StoreObserved, StoreState
from tests.machines.history import LOOKS_AGAIN, History
from tests.machines.oracle import ENDS, calls_of, end_of, refresh_is_sane, verdict_of
from tests.machines.sights import CANNOT_SERVE, NOT_READY, Calls

OBSERVES = (ObserveExternalSecret, ObserveStore, ObserveKind)
READS = (ResolveProject, Fetch, Probe)
ASKS_INFISICAL = (Authenticate, *READS)
WRITES = (Apply, DeleteFormerTarget, RemoveFinalizer)
EVERYTHING = (*OBSERVES, *ASKS_INFISICAL, Release, Render, *WRITES, Report)

REPORT_FIELDS = Report.__struct_fields__
REPORT_DEFAULTS = (msgspec.NODEFAULT, *Report.__struct_defaults__)

Holds = Callable[[History, Any], bool]

ASKED: dict[type[Effect], list[Holds]] = defaultdict(list)
"""For each effect what must hold when it is asked for."""


def whenever_asked(*effects: type[Effect]) -> Callable[[Holds], Holds]:
    """Registers an invariant of these effects; its name is its sentence."""

    def register(holds: Holds) -> Holds:
        for effect in effects:
            ASKED[effect].append(holds)
        return holds

    return register


def sentence(holds: Callable[..., bool]) -> str:
    """An invariant in words."""
    return holds.__name__.replace("_", " ")


def broken_by_asking(history: History, effect: Effect) -> str | None:
    """The first invariant that does not hold when this is asked for after that, in words; None: all hold."""
    for holds in ASKED[type(effect)]:
        if not holds(history, effect):
            return sentence(holds)
    return None


# --- leases ----------------------------------------------------------------------------------------------------


def _lease_is_done_with(history: History) -> bool:
    return history.read or history.refused or history.cancelled or history.trouble is not None


@whenever_asked(Authenticate)
def no_second_lease_is_asked_for_while_one_is_held(history: History, effect: Authenticate) -> bool:
    return history.holding is None


@whenever_asked(*OBSERVES, Render, *WRITES, Report)
def a_lease_is_released_before_anything_but_reading(history: History, effect: Effect) -> bool:
    return history.holding is None


@whenever_asked(ResolveProject, Fetch)
def a_store_is_read_under_its_own_lease(history: History, effect: ResolveProject | Fetch) -> bool:
    return history.authenticated and history.holding == effect.store


@whenever_asked(Probe)
def a_store_is_probed_under_a_lease(history: History, effect: Probe) -> bool:
    return history.authenticated


@whenever_asked(*ASKS_INFISICAL)
def the_first_key_that_is_verifiably_absent_ends_the_reading(history: History, effect: Effect) -> bool:
    return not history.absent


@whenever_asked(*READS)
def a_lease_is_released_as_soon_as_it_is_done_with(history: History, effect: Effect) -> bool:
    return not _lease_is_done_with(history)


@whenever_asked(Release)
def each_lease_is_released_just_once_and_for_its_store(history: History, effect: Release) -> bool:
    return history.holding is not None and effect.store == history.holding


@whenever_asked(Release)
def a_lease_is_not_released_before_it_is_done_with(history: History, effect: Release) -> bool:
    return _lease_is_done_with(history)


@whenever_asked(Release)
def a_lease_is_tainted_just_when_infisical_refused_its_token(history: History, effect: Release) -> bool:
    return effect.tainted == history.refused


@whenever_asked(*EVERYTHING)
def a_first_refusal_is_answered_by_a_new_login(history: History, effect: Effect) -> bool:
    return not history.owes_a_login or isinstance(effect, Authenticate)


@whenever_asked(Authenticate)
def a_store_is_logged_in_to_once_and_once_more_after_a_refusal(
    history: History, effect: Authenticate
) -> bool:
    return history.logins == 0 or (history.logins == 1 and history.owes_a_login)


@whenever_asked(Authenticate)
def the_stores_are_read_in_their_order(history: History, effect: Authenticate) -> bool:
    return (
        history.sight is not None
        and effect.store == history.finished
        and effect.store < len(history.sight.stores)
    )


# --- projects --------------------------------------------------------------------------------------------------


@whenever_asked(Fetch, Probe)
def nothing_is_read_before_its_project_is_known(history: History, effect: Fetch | Probe) -> bool:
    return history.resolved and not history.project_gone


@whenever_asked(ResolveProject)
def what_is_remembered_of_a_project_is_passed_by_just_when_it_is_stale(
    history: History, effect: ResolveProject
) -> bool:
    return effect.fresh == history.project_gone


@whenever_asked(ResolveProject)
def a_project_is_resolved_once_and_once_afresh(history: History, effect: ResolveProject) -> bool:
    return history.afresh == 0 if effect.fresh else not history.resolved


# --- who is worked for -----------------------------------------------------------------------------------------


def _nothing_is_asked_of_infisical(calls: Calls, name: str) -> None:
    def holds(history: History, effect: Effect) -> bool:
        return calls_of(history) is not calls

    holds.__name__ = name
    whenever_asked(*ASKS_INFISICAL, Render, Apply, DeleteFormerTarget)(holds)


for _calls, _name in {
    Calls.FOR_NOBODY: "nothing_is_asked_or_written_for_what_is_not_ours",
    Calls.FOR_LETTING_GO: "nothing_is_asked_or_written_for_what_waits_for_our_finalizer",
    Calls.FOR_NOTHING_MORE: "nothing_is_asked_or_written_for_what_is_being_deleted",
    Calls.FOR_RULES: "nothing_is_asked_or_written_for_what_breaks_a_rule",
    Calls.FOR_WHAT_IS_NOT_BUILT: "nothing_is_asked_or_written_for_what_is_not_built",
    Calls.FOR_SILENCE: "nothing_is_asked_or_written_while_nothing_is_due",
    Calls.FOR_A_STORE: "nothing_is_asked_or_written_while_a_store_is_not_there",
    Calls.FOR_ANOTHER_STORE: "nothing_is_asked_or_written_while_a_store_cannot_serve",
    Calls.FOR_A_READY_STORE: "nothing_is_asked_or_written_while_a_store_holds_back",
    Calls.FOR_ITS_OWN_TARGET: "nothing_is_asked_or_written_for_a_target_of_somebody_else",
    Calls.FOR_ITS_USERS: "nothing_is_asked_or_written_with_credentials_that_lie_elsewhere",
}.items():
    _nothing_is_asked_of_infisical(_calls, _name)


@whenever_asked(RemoveFinalizer)
def a_finalizer_is_taken_off_just_what_is_being_deleted_as_it_was_seen(
    history: History, effect: RemoveFinalizer
) -> bool:
    return (
        calls_of(history) is Calls.FOR_LETTING_GO
        and history.sight is not None
        and effect.version == history.sight.observed.version
    )


# --- looking, and looking again --------------------------------------------------------------------------------


@whenever_asked(*EVERYTHING)
def a_run_begins_with_a_look(history: History, effect: Effect) -> bool:
    return history.begun or isinstance(effect, OBSERVES)


@whenever_asked(*OBSERVES)
def a_run_looks_again_only_after_a_conflict(history: History, effect: Effect) -> bool:
    return not history.begun or history.owes_a_look


@whenever_asked(ObserveExternalSecret)
def only_a_look_after_a_conflict_passes_by_what_watches_told(
    history: History, effect: ObserveExternalSecret
) -> bool:
    return effect.fresh == history.owes_a_look


@whenever_asked(*EVERYTHING)
def a_conflict_is_answered_by_a_new_look(history: History, effect: Effect) -> bool:
    return not history.owes_a_look or isinstance(effect, OBSERVES)


@whenever_asked(*OBSERVES)
def a_run_looks_again_three_times_at_most(history: History, effect: Effect) -> bool:
    return not history.owes_a_look or history.looks_again < LOOKS_AGAIN


# --- the target ------------------------------------------------------------------------------------------------


def _observed(history: History) -> ExternalSecretObserved:
    assert history.sight is not None
    assert isinstance(history.sight.observed, ExternalSecretObserved)
    return history.sight.observed


@whenever_asked(Render)
def content_is_made_of_all_stores_and_nothing_less(history: History, effect: Render) -> bool:
    return history.sight is not None and history.finished == len(history.sight.stores) and not history.absent


@whenever_asked(Render)
def content_is_made_once_a_look(history: History, effect: Render) -> bool:
    return history.rendered is None and history.change is None


@whenever_asked(Render, *WRITES)
def nothing_is_written_after_a_failed_read(history: History, effect: Effect) -> bool:
    return history.trouble is None and not history.absent


@whenever_asked(Apply)
def only_content_that_stands_is_written(history: History, effect: Apply) -> bool:
    return history.rendered is not None and history.rendered.keys > 0


@whenever_asked(Apply)
def what_agrees_is_not_written_and_nothing_is_written_twice(history: History, effect: Apply) -> bool:
    return not history.stands


@whenever_asked(Apply)
def a_target_is_written_only_as_it_was_last_seen(history: History, effect: Apply) -> bool:
    target = _observed(history).target
    return (effect.target, effect.version) == (target.name, target.version)


@whenever_asked(DeleteFormerTarget)
def a_former_target_goes_only_after_the_new_one_stands(history: History, effect: DeleteFormerTarget) -> bool:
    return history.stands and history.rendered is not None and history.rendered.keys > 0


@whenever_asked(DeleteFormerTarget)
def only_the_former_target_goes_and_once(history: History, effect: DeleteFormerTarget) -> bool:
    return effect.target == _observed(history).former and not history.former_is_gone


# --- stopping, failing, telling --------------------------------------------------------------------------------


@whenever_asked(*EVERYTHING)
def after_a_cancellation_nothing_happens_but_a_release(history: History, effect: Effect) -> bool:
    return not history.cancelled or (isinstance(effect, Release) and history.holding is not None)


@whenever_asked(*EVERYTHING)
def after_a_failure_nothing_happens_but_a_release_and_its_report(history: History, effect: Effect) -> bool:
    return history.trouble is None or isinstance(effect, Release | Report)


@whenever_asked(*EVERYTHING)
def nothing_happens_after_the_end_is_known(history: History, effect: Effect) -> bool:
    return history.report is None and not history.let_go and not history.overtaken


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
    *("change", "keys", "absent"),
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
    return effect.fields == (seen.malformed or seen.unsupported)


@whenever_asked(Report)
def a_report_shows_what_was_done(history: History, effect: Report) -> bool:
    keys = history.made.keys if history.made is not None else None
    return (effect.change, effect.keys, effect.absent) == (history.change, keys, history.absent)


@whenever_asked(Report)
def the_synced_version_is_the_wish_that_was_fulfilled(history: History, effect: Report) -> bool:
    if effect.verdict in (Verdict.SYNCED, Verdict.RETAINED):
        return effect.synced == _observed(history).wanted
    return effect.synced is None


@whenever_asked(Report)
def the_last_verdict_is_told_just_when_it_stands(history: History, effect: Report) -> bool:
    if effect.verdict is Verdict.STANDING and history.sight is not None:
        seen = history.sight.observed
        return isinstance(seen, StoreObserved) and effect.standing is seen.verdict
    return effect.standing is None


# --- ends ------------------------------------------------------------------------------------------------------


class Ending:
    """A run at its end."""

    __slots__ = ("at", "end", "history", "machine")

    def __init__(self, machine: str, end: End, history: History, at: float | None) -> None:
        self.machine = machine
        self.end = end
        self.history = history
        self.at = at


def no_lease_outlives_its_run(ending: Ending) -> bool:
    return ending.history.holding is None


def stopped_is_the_end_of_a_cancelled_run_and_of_no_other(ending: Ending) -> bool:
    return (ending.end.name == "stopped") == ending.history.cancelled


def nothing_is_owed_at_an_end(ending: Ending) -> bool:
    return not ending.history.owes_a_login and not ending.history.owes_a_look


def ready_comes_only_after_the_content_stands_and_was_reported(ending: Ending) -> bool:
    history = ending.history
    if ending.end.name != "ready":
        return True
    made = history.rendered is not None and (history.stands or history.rendered.keys == 0)
    return made and history.report is not None and not history.report_failed


def no_failure_is_swallowed(ending: Ending) -> bool:
    history = ending.history
    if history.trouble is None or history.cancelled:
        return True
    told = history.report is not None and history.report.failure == history.trouble
    return told or history.let_go


def the_end_is_true_to_what_happened(ending: Ending) -> bool:
    return ending.end.name == end_of(ending.machine, ending.history)


def an_end_means_what_its_name_says(ending: Ending) -> bool:
    return ENDS[ending.machine][ending.end.name] == (ending.end.then, ending.end.good)


def the_next_refresh_is_neither_past_nor_late(ending: Ending) -> bool:
    return ending.end.then is not Then.REFRESH or refresh_is_sane(ending.history, ending.end.name, ending.at)


ENDED = (
    no_lease_outlives_its_run,
    stopped_is_the_end_of_a_cancelled_run_and_of_no_other,
    nothing_is_owed_at_an_end,
    ready_comes_only_after_the_content_stands_and_was_reported,
    no_failure_is_swallowed,
    the_end_is_true_to_what_happened,
    an_end_means_what_its_name_says,
    the_next_refresh_is_neither_past_nor_late,
)


def broken_at_end(definition: Definition[Any], end: End, facts: Any, history: History) -> str | None:
    """The first invariant that does not hold at this end, in words; None: all hold."""
    ending = Ending(definition.name, end, history, definition.refresh_at(facts))
    for holds in ENDED:
        if not holds(ending):
            return sentence(holds)
    return None
