"""Leases in disorder: whoever comes, waits, is cancelled, complains or leaves, every token is revoked exactly once."""

import asyncio
import random

import pytest

from adapters.infisical.leases import Lease
from reconciler.standin import Dropped, Kind, Slow, Status
from reconciler.standin.faults import Fault
from tests.adapters.infisical.access import Situation
from tests.simulated_loop import simulated


class Storm:
    """Many users of a few credentials, and a server with its moods."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.situation = Situation(linger=chance.choice([0, 0.5, 2.0]))
        self.held = 0

    async def user(self) -> None:
        """Comes, holds for a while, and gives back; may complain, may be cancelled at any point."""
        chance, leases = self.chance, self.situation.leases
        await asyncio.sleep(chance.random() * 20)
        key = self.situation.key(chance.choice("12"))
        lease = await leases.acquire(key, self.situation.log_in, self.situation.revoke)
        if not isinstance(lease, Lease):
            return
        self.held += 1
        try:
            await asyncio.sleep(chance.random() * 3)
        finally:
            leases.release(lease, tainted=chance.random() < 0.05)

    async def blow(self) -> None:
        """Run all users, cancelling some."""
        for _ in range(6):
            moods: list[Fault] = [Slow(self.chance.random() * 3), Status(503), Dropped()]
            kind = self.chance.choice([Kind.LOGIN, Kind.REVOCATION])
            self.situation.server.faults.plan(kind, self.chance.choice(moods), after=self.chance.randrange(4))
        users = [asyncio.ensure_future(self.user()) for _ in range(60)]
        for user in self.chance.sample(users, 20):
            asyncio.get_running_loop().call_later(self.chance.random() * 22, user.cancel)
        await asyncio.gather(*users, return_exceptions=True)


@pytest.mark.parametrize("seed", range(60))
def test_every_token_of_a_storm_is_revoked_once(seed: int) -> None:
    @simulated
    async def scenario() -> None:
        storm = Storm(random.Random(seed))
        await storm.blow()
        server = storm.situation.server
        unrevoked = list(await storm.situation.leases.close(limit=60)) if seed % 2 else []
        await asyncio.sleep(60)
        unrevoked += storm.situation.unrevoked
        assert storm.held > 20
        # Those that could not be revoked, because the server failed too often, were told.
        assert len(server.tokens_alive) == len(unrevoked)
        assert len(unrevoked) <= 2
        revoked = [token for token in server.tokens if not token.alive]
        assert all(token.revocations == 1 for token in revoked)

    scenario()


@pytest.mark.parametrize("seed", range(20))
def test_closing_in_the_middle_of_a_storm_leaves_no_token(seed: int) -> None:
    @simulated
    async def scenario() -> None:
        chance = random.Random(seed)
        storm = Storm(chance)
        blowing = asyncio.ensure_future(storm.blow())
        await asyncio.sleep(chance.random() * 20)
        unrevoked = await storm.situation.leases.close(limit=60)
        await blowing
        assert len(storm.situation.server.tokens_alive) == len(unrevoked) + len(storm.situation.unrevoked)

    scenario()
