"""What was compared: how many requests of each verb about each kind, and how they ended."""

from collections import Counter

from adapters.cluster import Change, Kind


class Tally:
    """Counts requests by verb, kind and kind of result."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def count(self, verb: str, kind: Kind, result: object) -> None:
        word = result.type.value if isinstance(result, Change) else type(result).__name__
        self.counts[verb, kind.name, word] += 1

    def add(self, other: "Tally") -> None:
        self.counts += other.counts

    def total(self) -> int:
        """Requests, each event of a watch counted as one."""
        return self.counts.total()

    def table(self, seconds: float) -> str:
        """A line for each verb and kind, under what they are together."""
        lines = [f"asked of both clusters in {seconds:.0f} s: {self.total()} requests and events"]
        for verb, kind in sorted({(verb, kind) for verb, kind, _ in self.counts}):
            ends = {end: count for (*pair, end), count in self.counts.items() if tuple(pair) == (verb, kind)}
            told = ", ".join(f"{end} {count}" for end, count in sorted(ends.items()))
            lines.append(f"  {verb:6} {kind:21} {sum(ends.values()):6}  {told}")
        return "\n".join(lines)
