"""The runner, on a clock that jumps."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Hashable

import pytest

from reconciler.queue import EVERY_LANE, Lane, Queue, Wish
from reconciler.runner import Runner
from tests.simulated_loop import simulated


def wish(key: str, due: float = 0.0, lane: Lane = Lane.CHANGE) -> Wish[str]:
    """A wish for a time on the loop's clock."""
    return Wish(key, lane, due, due, "")


class CountingQueue(Queue[str]):
    """A queue that counts how often it is asked for what to run."""

    asked = 0

    def take(
        self,
        now: float,
        lanes: Collection[Lane] = EVERY_LANE,
        may: Callable[[Hashable], bool] = lambda group: True,
    ) -> Wish[str] | None:
        """The same, counted."""
        self.asked += 1
        return super().take(now, lanes, may)


class Works:
    """Runs that take their time; what ran when is kept."""

    def __init__(
        self,
        limit: int = 10,
        seconds: float = 1.0,
        group: Callable[[str], Hashable] = lambda key: None,
    ) -> None:
        self.seconds = seconds
        self.began: list[tuple[str, float]] = []
        self.ended: list[tuple[str, float]] = []
        self.cancelled: list[str] = []
        self.under_way: Counter[str] = Counter()
        self.most = 0
        self.queue = CountingQueue(group)
        self.runner: Runner[str] = Runner(self.queue, self.work, limit)
        self.now = asyncio.get_running_loop().time
        self.task = asyncio.get_running_loop().create_task(self.runner.run())

    async def work(self, wish: Wish[str]) -> None:
        """One run."""
        key = wish.key
        self.began.append((key, self.now()))
        self.under_way[key] += 1
        assert self.under_way[key] == 1, "two runs of one resource at once"
        self.most = max(self.most, self.under_way.total())
        try:
            await asyncio.sleep(self.seconds)
            self.ended.append((key, self.now()))
        except asyncio.CancelledError:
            self.cancelled.append(key)
            raise
        finally:
            self.under_way[key] -= 1

    async def stop(self) -> None:
        """End the loop; what it raised is raised here."""
        self.task.cancel()
        await asyncio.wait([self.task])
        if not self.task.cancelled():
            self.task.result()


@simulated
async def test_resource_runs_at_its_time() -> None:
    """To the moment, whether it was known long before or came just now."""
    works = Works()
    works.runner.add(wish("later", 60.0))
    works.runner.add(wish("now"))
    await asyncio.sleep(30.0)
    works.runner.add(wish("changed", 30.0))
    works.runner.add(wish("sooner", 45.0))
    await asyncio.sleep(100.0)
    assert works.began == [("now", 0.0), ("changed", 30.0), ("sooner", 45.0), ("later", 60.0)]
    await works.stop()


@simulated
async def test_limit_is_kept_and_used() -> None:
    """Ten resources, four places: three rounds, never five at once."""
    works = Works(limit=4)
    for number in range(10):
        works.runner.add(wish(str(number)))
    await asyncio.sleep(10.0)
    assert works.most == 4
    assert Counter(time for _, time in works.began) == {0.0: 4, 1.0: 4, 2.0: 2}
    await works.stop()


@simulated
async def test_freed_place_goes_to_the_best_lane() -> None:
    """Whoever came first."""
    works = Works(limit=1)
    works.runner.add(wish("first"))
    await asyncio.sleep(0.5)
    for key, lane in (("refresh", Lane.REFRESH), ("retry", Lane.RETRY), ("change", Lane.CHANGE)):
        works.runner.add(wish(key, 0.5, lane))
    await asyncio.sleep(10.0)
    assert [key for key, _ in works.began] == ["first", "change", "retry", "refresh"]
    await works.stop()


@simulated
async def test_resource_never_runs_twice_at_once_and_runs_again_for_what_came_meanwhile() -> None:
    """Three changes while it runs are one more run, right after."""
    works = Works()
    works.runner.add(wish("a"))
    for _ in range(3):
        await asyncio.sleep(0.2)
        works.runner.add(wish("a", 0.2))
    await asyncio.sleep(10.0)
    assert works.began == [("a", 0.0), ("a", 1.0)]
    await works.stop()


@simulated
async def test_hanging_retries_and_refreshes_leave_places_to_changes() -> None:
    """A server that hangs takes no more than three quarters of the places, retries alone half of them."""
    works = Works(limit=8, seconds=1000.0)
    for number in range(20):
        works.runner.add(wish(f"retry{number}", 0.0, Lane.RETRY))
    await asyncio.sleep(1.0)
    assert works.most == 4
    for number in range(20):
        works.runner.add(wish(f"refresh{number}", 1.0, Lane.REFRESH))
    await asyncio.sleep(1.0)
    assert works.most == 6
    for number in range(20):
        works.runner.add(wish(f"change{number}", 2.0))
    await asyncio.sleep(1.0)
    assert works.most == 8
    assert [key for key, _ in works.began[6:]] == ["change0", "change1"]
    await works.runner.drain(0.0)
    await works.stop()


@simulated
async def test_groups_that_hang_leave_places_to_each_other() -> None:
    """One has three quarters at most; of the rest, the next has three quarters again: there is always one for a third."""
    works = Works(limit=64, seconds=1000.0, group=lambda key: key[0])
    for number in range(100):
        works.runner.add(wish(f"a{number}"))
    await asyncio.sleep(1.0)
    assert Counter(key[0] for key, _ in works.began) == {"a": 48}
    for number in range(100):
        works.runner.add(wish(f"b{number}", 1.0))
    await asyncio.sleep(1.0)
    assert Counter(key[0] for key, _ in works.began) == {"a": 48, "b": 12}
    works.runner.add(wish("c", 2.0))
    await asyncio.sleep(1.0)
    assert works.began[-1] == ("c", 2.0)
    await works.runner.drain(0.0)
    await works.stop()


@simulated
async def test_groups_take_turns_and_each_keeps_its_order() -> None:
    """Of two that wait for the same places, none waits for all of the other's."""
    works = Works(limit=1, group=lambda key: key[0])
    for key in ("a1", "a2", "a3", "b1", "b2"):
        works.runner.add(wish(key))
    await asyncio.sleep(10.0)
    assert [key for key, _ in works.began] == ["a1", "b1", "a2", "b2", "a3"]
    await works.stop()


@simulated
async def test_waiting_for_places_of_a_group_costs_nothing() -> None:
    """The loop does not turn while what is due may not start yet, and goes on as soon as it may."""
    works = Works(limit=4, seconds=3600.0, group=lambda key: key[0])
    for number in range(5):
        works.runner.add(wish(f"a{number}"))
    await asyncio.sleep(1800.0)
    assert len(works.began) == 3
    assert works.queue.asked < 20
    await asyncio.sleep(1801.0)
    assert len(works.began) == 5
    await works.runner.drain(0.0)
    await works.stop()


@simulated
async def test_waiting_for_a_place_costs_nothing() -> None:
    """The loop does not turn while what is due may not start yet (the simulated clock would stand still)."""
    works = Works(limit=2, seconds=3600.0)
    for number in range(5):
        works.runner.add(wish(str(number), 0.0, Lane.RETRY))
    await asyncio.sleep(1800.0)
    assert works.queue.asked < 20
    await works.runner.drain(0.0)
    await works.stop()


@simulated
async def test_single_place_serves_every_lane() -> None:
    """With a limit of one nothing is kept free, or nothing would ever run."""
    works = Works(limit=1)
    for key, lane in (("retry", Lane.RETRY), ("refresh", Lane.REFRESH), ("change", Lane.CHANGE)):
        works.runner.add(wish(key, 0.0, lane))
    await asyncio.sleep(10.0)
    assert len(works.ended) == 3
    await works.stop()


@simulated
async def test_drain_lets_runs_finish() -> None:
    """Those that end within the patience end by themselves, and it does not wait longer than they do."""
    works = Works(seconds=3.0)
    works.runner.add(wish("a"))
    await asyncio.sleep(1.0)
    await works.stop()
    await works.runner.drain(5.0)
    assert works.ended == [("a", 3.0)]
    assert works.now() == 3.0
    assert works.cancelled == []


@simulated
async def test_drain_cancels_what_takes_too_long() -> None:
    """And waits until that has ended too."""
    works = Works(seconds=60.0)
    works.runner.add(wish("a"))
    works.runner.add(wish("b"))
    await asyncio.sleep(1.0)
    await works.stop()
    await works.runner.drain(5.0)
    assert sorted(works.cancelled) == ["a", "b"]
    assert works.now() == 6.0
    assert list(works.runner.running) == []


@simulated
async def test_nothing_starts_after_the_loop_was_cancelled() -> None:
    """Not what waited for a place, not what becomes due, not what is asked for while it drains."""
    works = Works(limit=1, seconds=3.0)
    works.runner.add(wish("running"))
    works.runner.add(wish("waiting"))
    works.runner.add(wish("due", 2.0))
    await asyncio.sleep(1.0)
    works.task.cancel()
    works.runner.add(wish("late", 1.0))
    works.runner.add(wish("running", 1.0))
    await works.runner.drain(60.0)
    await asyncio.sleep(60.0)
    assert [key for key, _ in works.began] == ["running"]
    await works.stop()


@simulated
async def test_draining_an_idle_runner_returns_at_once() -> None:
    """Nothing runs, nothing is waited for."""
    works = Works()
    await works.runner.drain(60.0)
    assert works.now() == 0.0
    await works.stop()


class _DefectError(Exception):
    """Raised by a run that should not raise."""


async def _failing(wish: Wish[str]) -> None:
    await asyncio.sleep(0.0)
    raise _DefectError(wish.key)


@simulated
async def test_what_a_run_raises_comes_out() -> None:
    """A defect of the program is not swallowed: the loop ends with it."""
    runner = Runner(Queue[str](), _failing, 4)
    runner.add(wish("a"))
    with pytest.raises(_DefectError, match="a"):
        await runner.run()


@simulated
async def test_run_that_was_cancelled_from_outside_frees_its_place() -> None:
    """It is over like any other, and the loop goes on."""
    works = Works(limit=1, seconds=5.0)
    works.runner.add(wish("a"))
    works.runner.add(wish("b"))
    await asyncio.sleep(1.0)
    next(task for task in asyncio.all_tasks() if task.get_name() == "a").cancel()
    await asyncio.sleep(1.0)
    assert works.began == [("a", 0.0), ("b", 1.0)]
    await works.runner.drain(60.0)
    await works.stop()


@simulated
async def test_idle_waits_for_what_runs_and_what_is_due_and_for_nothing_else() -> None:
    """What is due in an hour is not waited for."""
    works = Works(limit=1)
    for key in ("a", "b", "c"):
        works.runner.add(wish(key))
    works.runner.add(wish("later", 3600.0, Lane.REFRESH))
    await works.runner.idle()
    assert works.now() == 3.0
    assert [key for key, _ in works.ended] == ["a", "b", "c"]
    await works.stop()


@simulated
async def test_forgotten_resource_does_not_run() -> None:
    """A resource that is gone before its turn."""
    works = Works()
    works.runner.add(wish("a", 5.0))
    await asyncio.sleep(1.0)
    works.runner.forget("a")
    await asyncio.sleep(10.0)
    assert works.began == []
    await works.stop()
