"""Single flight: work that several wait for and that is done once."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")


class Flight(Generic[Result]):
    """Work in a task of its own. Cancelling one who waits leaves the others alone; when the last one leaves, the
    work is given up."""

    def __init__(self, work: Coroutine[Any, Any, Result]) -> None:
        self._task = asyncio.get_running_loop().create_task(work)
        self._waiting = 0
        self._given_up = False

    @property
    def under_way(self) -> bool:
        """It has no result yet, and may be joined."""
        return not self._task.done() and not self._given_up

    @property
    def joinable(self) -> bool:
        """It has a result, or will have one."""
        return self.under_way or (
            self._task.done() and not self._task.cancelled() and self._task.exception() is None
        )

    async def result(self) -> Result:
        """Wait for the result."""
        self._waiting += 1
        try:
            return await asyncio.shield(self._task)
        finally:
            self._waiting -= 1
            if self._waiting == 0 and not self._task.done():
                self._given_up = True
                self._task.cancel()
