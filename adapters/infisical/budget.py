"""How many requests to a host may be repeated: where many fail, repeating each of them would only double the burden."""

import asyncio
from typing import Final

_MOST: Final = 10.0
_FOR_AN_ANSWER: Final = 0.1
_FOR_A_SECOND: Final = 0.1


class RetryBudget:
    """One for each host. A repetition costs one; a tenth comes back with each answer and with each second."""

    def __init__(self) -> None:
        self._left = _MOST
        self._since = 0.0

    def answered(self) -> None:
        """A request was answered."""
        self._left = min(_MOST, self._left + _FOR_AN_ANSWER)

    def spend(self) -> bool:
        """Whether one more may be repeated; it counts as repeated then."""
        now = asyncio.get_running_loop().time()
        self._left = min(_MOST, self._left + (now - self._since) * _FOR_A_SECOND)
        self._since = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
