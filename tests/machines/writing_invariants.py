"""What must hold of looking again, of the target, and of a run that was stopped or has failed."""

from machines.effects import (
    Apply,
    DeleteFormerTarget,
    Effect,
    ObserveExternalSecret,
    Release,
    Render,
    Report,
)
from machines.outcomes import ExternalSecretObserved
from tests.machines.history import LOOKS_AGAIN, History
from tests.machines.sentences import EVERYTHING, OBSERVES, WRITES, whenever_asked

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
