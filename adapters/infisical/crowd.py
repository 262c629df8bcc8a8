"""How many requests may be under way at one host: some at first, one after it was down, more with each answer.

A host that has just come back has cold caches and a crowd at its door. One request goes first; each answer makes room
for one more besides its own place, so that their number doubles with every round, up to a limit.
"""

from typing import Final

AT_FIRST: Final = 16
MOST: Final = 64


class Crowd:
    """The requests under way at one host."""

    def __init__(self) -> None:
        self.limit = AT_FIRST
        self.under_way = 0

    @property
    def room(self) -> int:
        """How many more may go."""
        return max(0, self.limit - self.under_way)

    def answered(self) -> None:
        """It took one well."""
        self.limit = min(self.limit + 1, MOST)

    def failed(self) -> None:
        """It may be more than it can bear."""
        self.limit = max(1, self.limit // 2)

    def again(self) -> None:
        """It begins anew: it was down, or asked for a pause."""
        self.limit = 1
