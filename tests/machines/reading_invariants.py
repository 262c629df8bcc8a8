"""What must hold of leases, projects, stores, and of whom anything is done for."""

from machines.effects import (
    Apply,
    Authenticate,
    DeleteFormerTarget,
    Effect,
    Fetch,
    Probe,
    Release,
    RemoveFinalizer,
    Render,
    Report,
    ResolveProject,
)
from tests.machines.history import History
from tests.machines.oracle import calls_of
from tests.machines.sentences import ASKS_INFISICAL, EVERYTHING, OBSERVES, READS, WRITES, whenever_asked
from tests.machines.sights import Calls

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
def a_finalizer_is_taken_off_just_what_needs_it_no_more_as_it_was_seen(
    history: History, effect: RemoveFinalizer
) -> bool:
    return (
        calls_of(history) is Calls.FOR_LETTING_GO
        and history.sight is not None
        and effect.version == history.sight.observed.version
    )
