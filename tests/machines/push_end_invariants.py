"""What must hold at the end of every run of a PushSecret."""

from typing import Any

from machines.kernel import Definition, End, Then
from tests.machines.push_history import PushHistory
from tests.machines.push_oracle import (
    ENDS,
    end_of,
    is_clean,
    refresh_is_sane,
)
from tests.machines.sentences import sentence


class Ending:
    """A run at its end."""

    __slots__ = ("at", "end", "history")

    def __init__(self, end: End, history: PushHistory, at: float | None) -> None:
        self.end = end
        self.history = history
        self.at = at


def no_lease_outlives_its_run(ending: Ending) -> bool:
    return ending.history.lease is None


def stopped_is_the_end_of_a_cancelled_run_and_of_no_other(ending: Ending) -> bool:
    return (ending.end.name == "stopped") == ending.history.cancelled


def no_login_is_owed_at_an_end(ending: Ending) -> bool:
    return not ending.history.owes_a_login


def ready_comes_only_after_all_stores_had_their_turn_and_nothing_failed(ending: Ending) -> bool:
    history = ending.history
    return ending.end.name != "ready" or (is_clean(history) and history.report is not None)


def no_failure_is_swallowed(ending: Ending) -> bool:
    history = ending.history
    if history.trouble is None or history.cancelled or history.let_go or history.overtaken:
        return True
    return history.report is not None and history.report.failure == history.trouble


def the_end_is_true_to_what_happened(ending: Ending) -> bool:
    return ending.end.name == end_of(ending.history)


def an_end_means_what_its_name_says(ending: Ending) -> bool:
    return ENDS[ending.end.name] == (ending.end.then, ending.end.good)


def the_next_refresh_is_neither_past_nor_late(ending: Ending) -> bool:
    return ending.end.then is not Then.REFRESH or refresh_is_sane(ending.history, ending.end.name, ending.at)


ENDED = (
    no_lease_outlives_its_run,
    stopped_is_the_end_of_a_cancelled_run_and_of_no_other,
    no_login_is_owed_at_an_end,
    ready_comes_only_after_all_stores_had_their_turn_and_nothing_failed,
    no_failure_is_swallowed,
    the_end_is_true_to_what_happened,
    an_end_means_what_its_name_says,
    the_next_refresh_is_neither_past_nor_late,
)


def broken_at_end(definition: Definition[Any], end: End, facts: Any, history: PushHistory) -> str | None:
    """The first invariant that does not hold at this end, in words; None: all hold."""
    ending = Ending(end, history, definition.refresh_at(facts))
    for holds in ENDED:
        if not holds(ending):
            return sentence(holds)
    return None
