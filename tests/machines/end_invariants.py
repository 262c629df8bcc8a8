"""What must hold at the end of every run."""

from typing import Any

from machines.kernel import Definition, End, Then
from tests.machines.history import History
from tests.machines.oracle import ENDS, end_of, refresh_is_sane
from tests.machines.sentences import sentence


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
    return told or history.let_go or ending.end.name == "held"  # that end is taken up again


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
