"""How fast one host may be asked: a gate that all requests to it pass, and that a 429 closes for a while."""

import asyncio


class Pace:
    """One for each host. Waits only through the event loop."""

    def __init__(self) -> None:
        self._closed_until = 0.0

    def remaining(self) -> float:
        """Seconds until the gate opens; 0 when it is open."""
        return max(0.0, self._closed_until - asyncio.get_running_loop().time())

    def close_for(self, seconds: float) -> None:
        """The host asked for a pause: nobody sends anything to it before that."""
        until = asyncio.get_running_loop().time() + seconds
        self._closed_until = max(self._closed_until, until)

    async def passed(self) -> None:
        """Wait until the gate is open."""
        while True:
            wait = self.remaining()
            if wait == 0:
                return
            await asyncio.sleep(wait)
