"""Durations as Go writes and reads them, which is how every interval in a resource is spelled: `1h30m`, `15s`, `0`.

Here they become seconds (float) and back. A store's `refreshInterval` may also be a whole number of seconds.
"""

import re

_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # U+00B5, the micro sign
    "μs": 1_000,  # U+03BC, the Greek letter; Go takes both
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_TERM = re.compile(r"(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?(?P<unit>ns|us|µs|μs|ms|s|m|h)(?![a-zµμ])")
_LONGEST = 2**63 - 1  # nanoseconds, some 292 years


class DurationError(ValueError):
    """Not a duration. The text says what is wrong and shows how one is written; it does not repeat the input."""


def seconds(text: str) -> float:
    """Seconds of a duration in Go's spelling; may be negative. Raises DurationError."""
    sign = -1 if text.startswith("-") else 1
    rest = text.removeprefix("-") if sign < 0 else text.removeprefix("+")
    if rest == "0":
        return 0.0
    if not rest:
        raise DurationError("empty; write a number and a unit, such as 1h, 15m or 30s")
    total = position = 0
    while position < len(rest):
        term = _TERM.match(rest, position)
        if term is None or not (term["whole"] or term["part"]):
            raise DurationError(
                "not a duration; write numbers with a unit (ns, us, ms, s, m, h), such as 1h30m"
            )
        total += _nanoseconds(term["whole"] or "0", term["part"] or "", _NANOSECONDS[term["unit"]])
        position = term.end()
    if total > _LONGEST:
        raise DurationError("too long; the longest duration is about 292 years")
    return sign * total / 1_000_000_000


def _nanoseconds(whole: str, part: str, unit: int) -> int:
    # No duration has that many digits; converting a megabyte of them would take minutes.
    if len(whole.lstrip("0")) > 19:
        raise DurationError("too long; the longest duration is about 292 years")
    part = part[:18]
    return int(whole) * unit + (int(part) * unit // 10 ** len(part) if part else 0)


def formatted(value: float) -> str:
    """The same as Go prints it: `1h0m0s`, `1.5s`, `100ms`, `0s`. `value` is in seconds."""
    nanoseconds = round(value * 1_000_000_000)
    sign, nanoseconds = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if nanoseconds == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if nanoseconds < 1000 * size:
            return f"{sign}{_decimal(nanoseconds, size)}{unit}"
    minutes, rest = divmod(nanoseconds, _NANOSECONDS["m"])
    hours, minutes = divmod(minutes, 60)
    in_seconds = _decimal(rest, _NANOSECONDS["s"])
    if hours:
        return f"{sign}{hours}h{minutes}m{in_seconds}s"
    return f"{sign}{minutes}m{in_seconds}s" if minutes else f"{sign}{in_seconds}s"


def _decimal(amount: int, size: int) -> str:
    whole, part = divmod(amount, size)
    digits = f"{part:0{len(str(size)) - 1}d}".rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)


def store_interval(value: int | str | None) -> float:
    """Seconds of a store's `refreshInterval`: a whole number of seconds or a duration; 0 leaves it to the controller.

    Raises DurationError, also for a negative one.
    """
    if value is None:
        return 0.0
    result = float(value) if isinstance(value, int) else seconds(value)
    if result < 0:
        raise DurationError(
            "negative; write 0 to leave the interval to the controller, or a duration such as 5m"
        )
    return result
