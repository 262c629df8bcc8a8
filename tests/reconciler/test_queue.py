"""The queue: which resource runs next, and when."""

import gc
import random
import time

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reconciler.queue import Company, Lane, Queue, Wish


def wish(
    key: str, due: float = 0.0, lane: Lane = Lane.CHANGE, since: float | None = None, reason: str = ""
) -> Wish[str]:
    """A wish that must see the world from its time on, unless said otherwise."""
    return Wish(key, lane, due, due if since is None else since, reason)


def taken(queue: Queue[str], now: float) -> list[str]:
    """The keys of all that can be taken now, in their order."""
    keys = []
    while (next_one := queue.take(now)) is not None:
        keys.append(next_one.key)
    return keys


def taken_one(queue: Queue[str], now: float) -> Wish[str]:
    """The next wish, which must be there."""
    found = queue.take(now)
    assert found is not None
    return found


def test_empty_queue_has_nothing_to_take_and_no_time() -> None:
    """Nobody wants anything."""
    queue: Queue[str] = Queue()
    assert queue.take(1e9) is None
    assert queue.next_due() is None


def test_nothing_is_taken_before_its_time() -> None:
    """A wish waits until it is due, and not a moment longer."""
    queue: Queue[str] = Queue()
    queue.add(wish("a", 10.0), 0.0)
    assert queue.take(9.999) is None
    assert queue.next_due() == 10.0
    assert taken(queue, 10.0) == ["a"]


def test_change_goes_before_retry_and_retry_before_refresh() -> None:
    """Lanes count before the order of arrival, and before the order of times."""
    queue: Queue[str] = Queue()
    queue.add(wish("refresh", 1.0, Lane.REFRESH), 0.0)
    queue.add(wish("retry", 2.0, Lane.RETRY), 0.0)
    queue.add(wish("change", 3.0, Lane.CHANGE), 0.0)
    assert taken(queue, 5.0) == ["change", "retry", "refresh"]


def test_lane_is_first_come_first_served() -> None:
    """In one lane the sooner due goes first; of those due together the one that came first."""
    queue: Queue[str] = Queue()
    for key, due in (("b", 2.0), ("a", 1.0), ("c", 2.0)):
        queue.add(wish(key, due), 0.0)
    assert taken(queue, 3.0) == ["a", "b", "c"]


def test_change_overtakes_what_is_due_but_not_taken_yet() -> None:
    """A change that comes while refreshes wait for a free place goes first."""
    queue: Queue[str] = Queue()
    for key in ("r1", "r2", "r3"):
        queue.add(wish(key, 0.0, Lane.REFRESH), 0.0)
    assert taken_one(queue, 1.0).key == "r1"
    queue.add(wish("new", 1.0, Lane.CHANGE), 1.0)
    queue.add(wish("r3", 1.0, Lane.CHANGE), 1.0)
    assert taken(queue, 1.0) == ["r3", "new", "r2"]  # r3 has been due for longer


def test_resource_stands_in_the_queue_once() -> None:
    """Asked for ten times, it runs once."""
    queue: Queue[str] = Queue()
    for number in range(10):
        queue.add(wish("a", float(number)), 0.0)
    assert taken(queue, 100.0) == ["a"]
    assert queue.next_due() is None


def test_earlier_time_wins() -> None:
    """Whichever order they come in."""
    for dues in ((5.0, 20.0), (20.0, 5.0)):
        queue: Queue[str] = Queue()
        for due in dues:
            queue.add(wish("a", due), 0.0)
        assert queue.next_due() == 5.0
        assert taken(queue, 5.0) == ["a"]
        assert taken(queue, 20.0) == []


def test_better_lane_wins() -> None:
    """A refresh that becomes a change goes with the changes, at the sooner of both times."""
    for lanes in ((Lane.REFRESH, Lane.CHANGE), (Lane.CHANGE, Lane.REFRESH)):
        queue: Queue[str] = Queue()
        for lane in lanes:
            queue.add(wish("a", 5.0, lane), 0.0)
        queue.add(wish("b", 1.0, Lane.RETRY), 0.0)
        assert taken(queue, 5.0) == ["a", "b"]


def test_reason_is_that_of_the_sooner_wish() -> None:
    """The log says why a run happens when it does."""
    queue: Queue[str] = Queue()
    queue.add(wish("a", 60.0, Lane.REFRESH, reason="refresh"), 0.0)
    queue.add(wish("a", 1.0, reason="changed"), 1.0)
    assert taken_one(queue, 1.0).reason == "changed"


# --- from when on a run must see the world ----------------------------------------------------------------------


def test_run_sees_the_world_from_the_latest_of_its_wishes_on() -> None:
    """Two changes before the run: it must see the second one, however early the first made it due."""
    queue: Queue[str] = Queue()
    queue.add(wish("a", 10.0), 10.0)
    queue.add(wish("a", 12.0), 12.0)
    queue.add(wish("a", 11.0), 12.5)
    one = taken_one(queue, 15.0)
    assert (one.due, one.since) == (10.0, 12.0)


def test_run_sees_the_latest_of_what_asked_for_it_while_it_ran() -> None:
    """The same for wishes that waited aside."""
    queue: Queue[str] = Queue()
    queue.add(wish("a"), 0.0)
    assert taken(queue, 0.0) == ["a"]
    queue.add(wish("a", 10.0), 10.0)
    queue.add(wish("a", 12.0), 12.0)
    queue.done("a")
    assert taken_one(queue, 15.0).since == 12.0


def test_sight_of_a_refresh_in_an_hour_does_not_count_for_a_change_now() -> None:
    """It would make the run of now see a world that is not there yet."""
    for first, second in ((0, 1), (1, 0)):
        wishes = (wish("a", 3600.0, Lane.REFRESH, since=3599.0), wish("a", 5.0))
        queue: Queue[str] = Queue()
        queue.add(wishes[first], 5.0)
        queue.add(wishes[second], 5.0)
        assert taken_one(queue, 5.0).since == 5.0


def test_earlier_refresh_may_see_the_world_as_it_was_then() -> None:
    """Its own sight stands, although it lies ahead when it is made."""
    queue: Queue[str] = Queue()
    queue.add(wish("a", 100.0, Lane.REFRESH, since=99.0), 0.0)
    queue.add(wish("a", 60.0, Lane.REFRESH, since=59.0), 0.0)
    assert taken_one(queue, 60.0).since == 59.0


# --- what runs --------------------------------------------------------------------------------------------------


def test_running_resource_waits_aside_and_comes_back_once() -> None:
    """However often it is asked for while it runs, it runs once more, and not before it is done."""
    queue: Queue[str] = Queue()
    queue.add(wish("a"), 0.0)
    assert taken(queue, 0.0) == ["a"]
    for _ in range(3):
        queue.add(wish("a", 1.0), 1.0)
    assert taken(queue, 5.0) == []
    assert queue.next_due() is None
    queue.done("a")
    assert taken(queue, 5.0) == ["a"]
    queue.done("a")
    assert taken(queue, 5.0) == []


def test_running_resource_does_not_hold_up_the_others() -> None:
    """What waits for the end of its own run is passed by."""
    queue: Queue[str] = Queue()
    queue.add(wish("a"), 0.0)
    assert taken(queue, 0.0) == ["a"]
    queue.add(wish("a", 1.0), 1.0)
    queue.add(wish("b", 2.0, Lane.REFRESH), 2.0)
    assert taken(queue, 2.0) == ["b"]


def test_resource_that_is_not_due_does_not_hold_up_the_others() -> None:
    """Nor does one with a better lane."""
    queue: Queue[str] = Queue()
    queue.add(wish("a", 100.0, Lane.CHANGE), 0.0)
    queue.add(wish("b", 1.0, Lane.REFRESH), 0.0)
    assert taken(queue, 2.0) == ["b"]


def test_done_without_a_wish_leaves_nothing() -> None:
    """Nobody asked again."""
    queue: Queue[str] = Queue()
    queue.add(wish("a"), 0.0)
    assert taken(queue, 0.0) == ["a"]
    queue.done("a")
    assert queue.wish("a") is None
    assert queue.next_due() is None


# --- forgetting -------------------------------------------------------------------------------------------------


def test_forgotten_resource_does_not_run() -> None:
    """Whether it waited for its time, was due, or waited aside."""
    queue: Queue[str] = Queue()
    queue.add(wish("later", 100.0), 0.0)
    queue.add(wish("due"), 0.0)
    queue.add(wish("running"), -1.0)
    assert taken_one(queue, -0.0).key == "due"
    queue.done("due")
    queue.add(wish("due"), 0.0)
    assert taken_one(queue, 0.0).key == "running"
    queue.add(wish("running"), 0.0)
    for key in ("later", "due", "running"):
        queue.forget(key)
        assert queue.wish(key) is None
    queue.done("running")
    assert queue.next_due() is None
    assert taken(queue, 1e9) == []


def test_forgotten_resource_may_come_again() -> None:
    """Made anew, it is as any other; what was wished for before is over."""
    queue: Queue[str] = Queue()
    queue.add(wish("a", 1.0), 0.0)
    queue.forget("a")
    queue.add(wish("a", 50.0), 0.0)
    assert queue.next_due() == 50.0
    assert taken(queue, 1.0) == []
    assert taken(queue, 50.0) == ["a"]


def test_forgetting_what_is_not_there_is_harmless() -> None:
    """Deletions are told of resources that nobody waits for."""
    queue: Queue[str] = Queue()
    queue.forget("a")
    queue.done("a")
    assert queue.next_due() is None


# --- what is told about it --------------------------------------------------------------------------------------


def test_depth_counts_each_waiting_resource_in_its_lane() -> None:
    """Due or not, and aside too; not what runs."""
    queue: Queue[str] = Queue()
    queue.add(wish("a"), 0.0)
    assert taken(queue, 0.0) == ["a"]
    queue.add(wish("a", 0.0, Lane.CHANGE), 0.0)
    queue.add(wish("b", 99.0, Lane.REFRESH), 0.0)
    queue.add(wish("c", 0.0, Lane.RETRY), 0.0)
    queue.add(wish("c", 0.0, Lane.RETRY), 0.0)
    assert queue.depth() == {Lane.CHANGE: 1, Lane.RETRY: 1, Lane.REFRESH: 1}


# --- refreshes in company -----------------------------------------------------------------------------------------


def refresh(
    key: str, due: float, *, early: float = 2.0, name: str = "store", sight: float = 1.0
) -> Wish[str]:
    """A refresh that may come so much earlier in company."""
    return Wish(key, Lane.REFRESH, due, due - sight, "", Company(name, due - early))


def test_whoever_may_come_early_runs_with_the_first_that_is_due() -> None:
    """In the order in which they were added, and they may see the world as it does: so they share what they read."""
    queue: Queue[str] = Queue()
    for wanted in (refresh("b", 11.0), refresh("a", 10.0), refresh("c", 12.0), refresh("late", 12.5)):
        queue.add(wanted, 0.0)
    assert queue.take(9.9) is None
    taken = [taken_one(queue, 10.0) for _ in range(3)]
    assert [one.key for one in taken] == ["a", "b", "c"]
    assert [one.since for one in taken] == [9.0, 9.0, 9.0]
    assert queue.take(10.0) is None
    assert queue.next_due() == 12.5


def test_other_companies_are_left_alone() -> None:
    queue: Queue[str] = Queue()
    queue.add(refresh("a", 10.0, name="one"), 0.0)
    queue.add(refresh("b", 11.0, name="other"), 0.0)
    queue.add(wish("alone", 11.0, Lane.REFRESH), 0.0)
    assert taken_one(queue, 10.0).key == "a"
    assert queue.take(10.0) is None


def test_who_has_another_reason_to_run_is_not_called() -> None:
    """A change takes it out of its company, and so does running or being forgotten."""
    queue: Queue[str] = Queue()
    for key in ("first", "changed", "running", "forgotten"):
        queue.add(refresh(key, 10.0 if key == "first" else 11.0), 0.0)
    queue.add(wish("changed", 5.0), 5.0)
    assert taken_one(queue, 5.0).lane is Lane.CHANGE
    queue.add(wish("running", 6.0), 6.0)
    assert taken_one(queue, 6.0).key == "running"
    queue.forget("forgotten")
    assert taken_one(queue, 10.0).key == "first"
    assert queue.take(10.0) is None


def test_who_was_called_and_waits_for_a_place_can_still_change_or_be_forgotten() -> None:
    queue: Queue[str] = Queue()
    for key in ("first", "changed", "forgotten", "asked again"):
        queue.add(refresh(key, 10.0 if key == "first" else 11.0), 0.0)
    assert taken_one(queue, 10.0).key == "first"
    queue.forget("forgotten")
    queue.add(wish("changed", 10.5), 10.5)
    queue.add(refresh("asked again", 14.0), 10.5)
    assert [taken_one(queue, 10.5).key for _ in range(2)] == ["changed", "asked again"]
    assert queue.take(20.0) is None
    assert queue.next_due() is None


def test_a_company_of_thousands_is_called_once() -> None:
    """Not looked through again for each of them."""
    queue: Queue[str] = Queue()
    for number in range(20_000):
        queue.add(refresh(str(number), 10.0 + number / 20_000), 0.0)
    begun = time.perf_counter()
    taken = [taken_one(queue, 11.0).key for _ in range(20_000)]
    assert taken == [str(number) for number in range(20_000)]
    assert time.perf_counter() - begun < 2.0


# --- against a naive model --------------------------------------------------------------------------------------

KEYS = st.sampled_from("abcde")


class Model(RuleBasedStateMachine):
    """The queue beside a list that is searched whole each time."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: Queue[str] = Queue()
        self.now = 0.0
        self.waiting: dict[str, tuple[float, Lane, float]] = {}  # due, lane, since
        self.aside: dict[str, tuple[float, Lane, float]] = {}
        self.running: set[str] = set()

    def _joined(
        self, known: tuple[float, Lane, float] | None, new: tuple[float, Lane, float]
    ) -> tuple[float, Lane, float]:
        if known is None:
            return new
        due = min(known[0], new[0])
        soonest = max(due, self.now)
        own = min(known, new)[2]  # of the one that decides when
        seen = [since for _, _, since in (known, new) if since <= soonest]
        return due, min(known[1], new[1]), max([own, *seen])

    @rule(key=KEYS, delay=st.integers(0, 8), lane=st.sampled_from(Lane), early=st.integers(0, 3))
    def add(self, key: str, delay: int, lane: Lane, early: int) -> None:
        """Somebody wants a run; refreshes may look back a little."""
        due = self.now + delay
        since = max(self.now, due - early) if lane is Lane.REFRESH else self.now
        self.queue.add(Wish(key, lane, due, since, ""), self.now)
        place = self.aside if key in self.running else self.waiting
        place[key] = self._joined(place.get(key), (due, lane, since))

    @rule(seconds=st.integers(0, 5))
    def time_passes(self, seconds: int) -> None:
        """The clock goes on."""
        self.now += seconds

    @rule()
    def take(self) -> None:
        """The next one is one of the best lane among those due, and is told as the model has it."""
        found = self.queue.take(self.now)
        due = {key: known for key, known in self.waiting.items() if known[0] <= self.now}
        if not due:
            assert found is None
            return
        assert found is not None
        assert (found.due, found.lane, found.since) == due[found.key]
        assert found.since <= self.now
        assert found.lane is min(lane for _, lane, _ in due.values())
        assert found.key not in self.running
        del self.waiting[found.key]
        self.running.add(found.key)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        """A run ends."""
        key = data.draw(st.sampled_from(sorted(self.running)))
        self.queue.done(key)
        self.running.discard(key)
        if key in self.aside:
            self.waiting[key] = self.aside.pop(key)

    @rule(key=KEYS)
    def forget(self, key: str) -> None:
        """A resource is gone."""
        self.queue.forget(key)
        self.waiting.pop(key, None)
        self.aside.pop(key, None)

    @invariant()
    def next_due_is_exact(self) -> None:
        """Neither too early (a busy loop) nor too late (a missed run)."""
        told = self.queue.next_due()
        if not self.waiting:
            assert told is None
            return
        assert told is not None
        soonest = min(due for due, _, _ in self.waiting.values())
        assert max(told, self.now) == max(soonest, self.now)

    @invariant()
    def depth_is_right(self) -> None:
        """As many as there are."""
        assert sum(self.queue.depth().values()) == len(self.waiting) + len(self.aside)


Model.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAgainstAModel = Model.TestCase


# --- in heaps ---------------------------------------------------------------------------------------------------


def test_ten_thousand_resources_pass_in_no_time() -> None:
    """Adding, asking for the next time after each, and taking are not linear in what waits."""
    queue: Queue[str] = Queue()
    chance = random.Random(7)
    begun = time.perf_counter()
    for number in range(10_000):
        queue.add(wish(str(number), chance.random(), chance.choice(list(Lane))), 0.0)
        queue.next_due()
    for number in range(10_000):  # all become changes, so that each has left another lane
        queue.add(wish(str(number), 1.0, Lane.CHANGE), 1.0)
        queue.next_due()
    count = 0
    while queue.take(2.0) is not None:
        queue.next_due()
        count += 1
    assert count == 10_000
    assert time.perf_counter() - begun < 2.0


def test_asking_for_the_next_time_is_cheap_where_many_due_wishes_were_replaced() -> None:
    """Ten thousand due refreshes become changes; what is left of them is not looked through again and again."""
    queue: Queue[str] = Queue()
    for number in range(10_000):
        queue.add(wish(str(number), 0.0, Lane.REFRESH), 0.0)
    assert queue.take(0.0) is not None  # all are in their lane now
    for number in range(1, 10_000):
        queue.forget(str(number))
    begun = time.perf_counter()
    for _ in range(2_000):
        queue.next_due()
    assert time.perf_counter() - begun < 0.5


def test_wishes_that_were_replaced_are_not_kept() -> None:
    """A resource that changes all day, and is due again in a month each time, leaves no heap of dead wishes."""
    queue: Queue[str] = Queue()
    month = 30 * 86_400.0
    for second in range(20_000):
        now = float(second)
        queue.add(wish("a", now), now)
        assert queue.take(now) is not None
        queue.add(wish("a", now + month, Lane.REFRESH), now)
        queue.done("a")
    gc.collect()  # of what other tests left
    assert sum(isinstance(thing, Wish) for thing in gc.get_objects()) < 1_000


def test_lanes_that_are_closed_are_left_in_peace() -> None:
    """Only what may be taken is taken, and only it makes a due time that has passed."""
    queue: Queue[str] = Queue()
    queue.add(wish("retry", 1.0, Lane.RETRY), 0.0)
    queue.add(wish("later", 9.0, Lane.RETRY), 0.0)
    open_lanes = [Lane.CHANGE]
    assert queue.take(1.0, open_lanes) is None
    assert queue.next_due(open_lanes) == 9.0
    queue.add(wish("change", 2.0), 2.0)
    assert taken_one(queue, 2.0).key == "change"
    assert taken_one(queue, 2.0).key == "retry"
