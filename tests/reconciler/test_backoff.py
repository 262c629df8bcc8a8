"""How long is waited after failures."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.backoff import CAP, FIRST, Backoff


class Chance(Random):
    """A number that is known beforehand in place of chance."""

    def __init__(self, number: float) -> None:
        super().__init__(0)
        self._number = number

    def random(self) -> float:
        """Always the same."""
        return self._number


def delays(number: int, *, chance: float = 0.0, cap: float = CAP) -> list[float]:
    """The delays after so many failures in a row."""
    backoff: Backoff[str] = Backoff(Chance(chance))
    return [backoff.failed("a", cap) for _ in range(number)]


def test_delay_doubles_up_to_the_cap() -> None:
    """1 s, 2 s, 4 s, ... and 300 s however often it failed."""
    assert delays(11) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_delay_is_capped_by_the_interval_of_the_resource() -> None:
    """What is refreshed each ten seconds is not left alone for longer because it failed."""
    assert delays(6, cap=10.0) == [1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize("cap", [0.0, 0.2, 1.0])
def test_delay_is_never_below_a_second(cap: float) -> None:
    """Not for a tiny interval either, and whatever chance says: no hot loop."""
    assert delays(5, chance=0.999, cap=cap) == [FIRST] * 5


def test_interval_of_a_month_does_not_raise_the_cap() -> None:
    """A failure is tried again within five minutes."""
    assert max(delays(30, cap=2_592_000.0)) == CAP


@given(failures=st.integers(1, 200), chance=st.floats(0, 1, exclude_max=True), cap=st.floats(0, 1e7))
def test_chance_takes_a_quarter_at_most(failures: int, chance: float, cap: float) -> None:
    """Jitter only shortens, by less than a quarter, and never below a second."""
    told, longest = delays(failures, chance=chance, cap=cap)[-1], delays(failures, cap=cap)[-1]
    assert max(FIRST, longest * 0.75) <= told <= longest <= CAP


def test_what_failed_together_drifts_apart() -> None:
    """From the second failure on, resources come back at different times."""
    backoff: Backoff[int] = Backoff(Random(3))
    first = {backoff.failed(number) for number in range(100)}
    second = {backoff.failed(number) for number in range(100)}
    assert first == {FIRST}
    assert len(second) == 100


def test_success_starts_anew() -> None:
    """The next failure is the first again; others are not touched."""
    backoff: Backoff[str] = Backoff(Chance(0.0))
    for key in ("a", "b"):
        for _ in range(5):
            backoff.failed(key)
    backoff.succeeded("a")
    assert (backoff.failures("a"), backoff.failures("b")) == (0, 5)
    assert (backoff.failed("a"), backoff.failed("b")) == (1.0, 32.0)


def test_success_of_what_never_failed_is_harmless() -> None:
    """Most resources never fail."""
    backoff: Backoff[str] = Backoff(Chance(0.0))
    backoff.succeeded("a")
    assert backoff.failures("a") == 0
