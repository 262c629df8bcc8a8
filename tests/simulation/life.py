"""One life of the controller's process: what it does after its death does not happen."""

import asyncio

from adapters.journal import Journal, Transition


class Life:
    """Alive until killed."""

    def __init__(self) -> None:
        self.alive = True

    async def goes_on(self) -> None:
        """Return at once, or never."""
        if not self.alive:
            await asyncio.get_running_loop().create_future()


class MortalJournal:
    """A journal that a dead process does not write to."""

    def __init__(self, life: Life, journal: Journal) -> None:
        self._life = life
        self._journal = journal

    def record(self, transition: Transition) -> None:
        """Take one transition, of a living process."""
        if self._life.alive:
            self._journal.record(transition)
