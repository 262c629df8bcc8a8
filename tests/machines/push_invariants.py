"""What must hold on every path of a PushSecret, each as a sentence: of effects that are asked for."""

from machines.effects import (
    Authenticate,
    Effect,
    Release,
    RemoveFinalizer,
    Report,
    ResolveProject,
)
from machines.push_effects import (
    AddFinalizer,
    Compare,
    Gather,
    GuardStore,
    ObservePushSecret,
    Prune,
    Push,
    Record,
)
from tests.machines.push_history import PushHistory
from tests.machines.push_oracle import (
    calls_of,
    is_clean,
    left_to_do,
    must_withdraw,
)
from tests.machines.push_sights import Calls, may_delete
from tests.machines.sentences import PUSHING

broken_by_asking = PUSHING.broken
whenever_asked = PUSHING.whenever_asked

UNDER_LEASE = (ResolveProject, Compare, Record, Push, Prune)
OUTSIDE = (ObservePushSecret, Gather, AddFinalizer, GuardStore, RemoveFinalizer, Report)
EVERYTHING = (*OUTSIDE, Authenticate, Release, *UNDER_LEASE)

UnderLease = ResolveProject | Compare | Record | Push | Prune
AtStore = Compare | Record | Push | Prune


# --- looking ---------------------------------------------------------------------------------------------------


@whenever_asked(*EVERYTHING)
def a_run_begins_with_one_look(history: PushHistory, effect: Effect) -> bool:
    return history.begun != isinstance(effect, ObservePushSecret)


@whenever_asked(Gather, AddFinalizer, GuardStore, Authenticate, Release, *UNDER_LEASE, RemoveFinalizer)
def nothing_but_a_report_follows_a_look_that_failed(history: PushHistory, effect: Effect) -> bool:
    return history.seen is not None


@whenever_asked(GuardStore, Authenticate, Release, *UNDER_LEASE)
def a_store_is_one_of_those_of_which_it_is_known_what_goes_there(
    history: PushHistory, effect: GuardStore | Authenticate | Release | UnderLease
) -> bool:
    return history.gathered is not None and 0 <= effect.store < len(history.gathered.entries)


@whenever_asked(Gather, AddFinalizer, GuardStore, Authenticate)
def only_what_is_due_and_whole_is_worked_on(history: PushHistory, effect: Effect) -> bool:
    return calls_of(history) in (Calls.FOR_WORK, Calls.FOR_CLEANING_UP)


@whenever_asked(Gather)
def it_is_gathered_once_and_once_more_to_withdraw(history: PushHistory, effect: Gather) -> bool:
    return history.gathered is None and (not history.source_gone or not history.withdrawn)


@whenever_asked(Gather)
def everything_is_withdrawn_just_when_the_resource_leaves_or_its_source_is_gone(
    history: PushHistory, effect: Gather
) -> bool:
    return effect.withdraw == must_withdraw(history) and (effect.withdraw or not history.source_gone)


# --- what stands before the first write ------------------------------------------------------------------------


def _stays(history: PushHistory) -> bool:
    """Something is at stores, or is about to be, that is deleted with the resource."""
    seen, gathered = history.observed, history.gathered
    if gathered is None or not seen.deletes:
        return False
    return sum(seen.recorded) > 0 or sum(gathered.entries) > 0


@whenever_asked(AddFinalizer)
def a_finalizer_is_added_once_where_something_stays_and_before_the_stores(
    history: PushHistory, effect: AddFinalizer
) -> bool:
    return _stays(history) and not history.finalizer and history.turns == 0 and history.lease is None


@whenever_asked(AddFinalizer, Record, RemoveFinalizer)
def the_resource_is_written_only_as_it_was_last_seen(
    history: PushHistory, effect: AddFinalizer | Record | RemoveFinalizer
) -> bool:
    return effect.version == history.version


@whenever_asked(GuardStore)
def a_store_is_guarded_once_in_its_turn_and_where_the_policy_is_to_delete(
    history: PushHistory, effect: GuardStore
) -> bool:
    return (
        effect.store == history.next_turn
        and effect.store not in history.guarded
        and history.observed.deletes
        and not history.owes_a_login
    )


@whenever_asked(GuardStore, Authenticate)
def the_finalizer_stands_before_any_store_is_touched(history: PushHistory, effect: Effect) -> bool:
    return history.finalizer or not _stays(history) or history.withdrawn


@whenever_asked(Push)
def nothing_is_pushed_before_the_finalizers_stand_that_its_deletion_needs(
    history: PushHistory, effect: Push
) -> bool:
    if not history.observed.deletes:
        return True
    stands = history.finalizer or history.withdrawn or not _stays(history)
    return stands and effect.store in history.guarded


@whenever_asked(Push)
def nothing_is_pushed_before_it_is_on_record(history: PushHistory, effect: Push) -> bool:
    turn = history.lease.turn if history.lease is not None else None
    return turn is not None and turn.compared is not None and (turn.recorded or not turn.compared.grows)


# --- leases ----------------------------------------------------------------------------------------------------


def _is_over(history: PushHistory) -> bool:
    lease = history.lease
    return lease is not None and (lease.over or (lease.resolved and left_to_do(history, lease) is None))


@whenever_asked(Authenticate)
def no_second_lease_is_asked_for_while_one_is_held(history: PushHistory, effect: Authenticate) -> bool:
    return history.lease is None


@whenever_asked(*OUTSIDE)
def a_lease_is_released_before_anything_else(history: PushHistory, effect: Effect) -> bool:
    return history.lease is None


@whenever_asked(*UNDER_LEASE)
def a_store_is_worked_at_under_its_own_lease(history: PushHistory, effect: UnderLease) -> bool:
    lease = history.lease
    return lease is not None and lease.authenticated and lease.store == effect.store


@whenever_asked(*UNDER_LEASE)
def a_lease_is_released_as_soon_as_it_is_done_with(history: PushHistory, effect: Effect) -> bool:
    return not _is_over(history)


@whenever_asked(Release)
def each_lease_is_released_just_once_and_for_its_store(history: PushHistory, effect: Release) -> bool:
    return history.lease is not None and effect.store == history.lease.store


@whenever_asked(Release)
def a_lease_is_not_released_before_it_is_done_with(history: PushHistory, effect: Release) -> bool:
    return _is_over(history)


@whenever_asked(Release)
def a_lease_is_tainted_just_when_infisical_refused_its_token(history: PushHistory, effect: Release) -> bool:
    return history.lease is not None and effect.tainted == history.lease.refused


@whenever_asked(*EVERYTHING)
def a_first_refusal_is_answered_by_a_new_login(history: PushHistory, effect: Effect) -> bool:
    return not history.owes_a_login or isinstance(effect, Authenticate)


@whenever_asked(Authenticate)
def a_store_is_logged_in_to_once_and_once_more_after_a_refusal(
    history: PushHistory, effect: Authenticate
) -> bool:
    return history.logins == 0 or (history.logins == 1 and history.owes_a_login)


@whenever_asked(Authenticate)
def the_stores_have_their_turns_in_order_and_each_has_one(history: PushHistory, effect: Authenticate) -> bool:
    return effect.store == history.next_turn


@whenever_asked(Authenticate)
def a_store_that_shall_stay_is_guarded_before_the_login(history: PushHistory, effect: Authenticate) -> bool:
    return not history.observed.deletes or effect.store in history.guarded


# --- one store -------------------------------------------------------------------------------------------------


@whenever_asked(Compare, Record, Push, Prune)
def nothing_is_done_before_the_project_is_known(history: PushHistory, effect: AtStore) -> bool:
    return history.lease is not None and history.lease.resolved and not history.lease.stale


@whenever_asked(ResolveProject)
def what_is_remembered_of_a_project_is_passed_by_just_when_it_is_stale(
    history: PushHistory, effect: ResolveProject
) -> bool:
    return history.lease is not None and effect.fresh == history.lease.stale


@whenever_asked(ResolveProject)
def a_project_is_resolved_once_and_once_afresh_for_a_lease(
    history: PushHistory, effect: ResolveProject
) -> bool:
    lease = history.lease
    return lease is not None and (lease.afresh == 0 if effect.fresh else not lease.resolved)


@whenever_asked(Compare, Record, Push, Prune)
def what_differs_is_recorded_pushed_and_pruned_in_this_order_and_nothing_else(
    history: PushHistory, effect: AtStore
) -> bool:
    return history.lease is not None and isinstance(effect, left_to_do(history, history.lease) or ())


@whenever_asked(Record, Push, Prune)
def nothing_is_written_where_nothing_differs(history: PushHistory, effect: Record | Push | Prune) -> bool:
    compared = history.lease.turn.compared if history.lease is not None else None
    return compared is not None and (compared.deletions if isinstance(effect, Prune) else compared.writes) > 0


@whenever_asked(Prune)
def nothing_is_deleted_where_that_is_not_the_policy_or_was_given_up(
    history: PushHistory, effect: Prune
) -> bool:
    return may_delete(history.observed)


# --- letting go ------------------------------------------------------------------------------------------------


@whenever_asked(RemoveFinalizer)
def a_finalizer_is_taken_off_just_when_nothing_is_owed_any_more(
    history: PushHistory, effect: RemoveFinalizer
) -> bool:
    if calls_of(history) is Calls.FOR_CLEANING_UP:
        return history.withdrawn and is_clean(history)
    return calls_of(history) in (Calls.FOR_LETTING_GO, Calls.FOR_SHEDDING)


# --- stopping, failing -----------------------------------------------------------------------------------------


@whenever_asked(*EVERYTHING)
def after_a_cancellation_nothing_happens_but_a_release(history: PushHistory, effect: Effect) -> bool:
    return not history.cancelled or (isinstance(effect, Release) and history.lease is not None)


@whenever_asked(*EVERYTHING)
def after_a_failure_of_the_resource_nothing_happens_but_a_release_and_its_report(
    history: PushHistory, effect: Effect
) -> bool:
    return not history.broken_off or isinstance(effect, Release | Report)


@whenever_asked(*EVERYTHING)
def nothing_happens_after_the_end_is_known_but_a_release(history: PushHistory, effect: Effect) -> bool:
    ends = history.report is not None or history.let_go or history.overtaken
    return not ends or (isinstance(effect, Release) and history.lease is not None)
