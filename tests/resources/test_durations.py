"""Durations are read and written as Go does it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.resources.durations import DurationError, formatted, seconds, store_interval


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1h30m", 5400),
        ("15s", 15),
        ("0", 0),
        ("+0", 0),
        ("-0", 0),
        ("0s", 0),
        ("1.5h", 5400),
        (".5m", 30),
        ("1.s", 1),
        ("-5m", -300),
        ("100ms", 0.1),
        ("3us", 3e-6),
        ("3µs", 3e-6),
        ("3μs", 3e-6),
        ("7ns", 7e-9),
        ("1m1h", 3660),
        ("1h1h", 7200),
        ("2562047h47m16s", 9223372036),
    ],
)
def test_it_reads(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "-",
        "5",
        "h",
        ".s",
        "1d",
        "1w",
        "1H",
        "1h 3m",
        " 1h",
        "1h ",
        "1e3s",
        "--1h",
        "1h-3m",
        "1,5h",
        "∞",
        "٣s",
    ],
)
def test_it_refuses(text: str) -> None:
    with pytest.raises(DurationError, match="write"):
        seconds(text)


@pytest.mark.parametrize("text", ["2562048h", "9" * 100_000 + "h", "99999999999999999999ns"])
def test_it_refuses_what_go_cannot_hold(text: str) -> None:
    with pytest.raises(DurationError, match="too long"):
        seconds(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0s"),
        (3600, "1h0m0s"),
        (5400, "1h30m0s"),
        (90, "1m30s"),
        (1.5, "1.5s"),
        (0.1, "100ms"),
        (0.0015, "1.5ms"),
        (3e-6, "3µs"),
        (7e-9, "7ns"),
        (-60, "-1m0s"),
        (3661.25, "1h1m1.25s"),
    ],
)
def test_it_writes(value: float, expected: str) -> None:
    assert formatted(value) == expected


@given(st.integers(0, 10**15))
def test_what_it_writes_it_reads(nanoseconds: int) -> None:
    assert round(seconds(formatted(nanoseconds / 1e9)) * 1e9) == round(nanoseconds / 1e9 * 1e9)


@pytest.mark.parametrize(("value", "expected"), [(None, 0), (0, 0), (300, 300), ("5m", 300), ("0", 0)])
def test_the_interval_of_a_store_is_a_number_or_a_duration(value: int | str | None, expected: float) -> None:
    assert store_interval(value) == expected


@pytest.mark.parametrize("value", [-1, "-5m", "300", "soon"])
def test_an_interval_that_is_negative_or_unreadable_is_refused(value: int | str) -> None:
    with pytest.raises(DurationError):
        store_interval(value)
