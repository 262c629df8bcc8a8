"""A journal that scenarios can ask."""

from adapters.journal import Transition


class Collected:
    """A journal in a list."""

    def __init__(self) -> None:
        self.transitions: list[Transition] = []

    def record(self, transition: Transition) -> None:
        self.transitions.append(transition)

    def ends(self, name: str) -> list[str]:
        """Where the runs of a resource ended."""
        return [one.to for one in self.transitions if one.end and one.subject.name == name]

    def is_under_way(self, name: str) -> bool:
        """Whether a run of a resource has begun and not ended."""
        last = next((one for one in reversed(self.transitions) if one.subject.name == name), None)
        return last is not None and not last.end
