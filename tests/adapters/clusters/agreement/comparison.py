"""Plays the same story on the real cluster and on a new local one, and holds what they tell against each other."""

import datetime
import json
from difflib import unified_diff

from adapters.cluster import Cluster
from adapters.local.cluster import LocalCluster
from tests.adapters.clusters.agreement.moves import Move
from tests.adapters.clusters.agreement.player import Answer, Player
from tests.adapters.clusters.agreement.refused_fields import RefusedFields
from tests.adapters.clusters.agreement.tally import Tally
from tests.apiserver.client import eventually


def new_local_cluster() -> LocalCluster:
    return LocalCluster(lambda: datetime.datetime.now(datetime.UTC))


SECONDS_TO_SETTLE = 30.0  # a namespace in which something stays is looked at again after 8


class Comparison:
    """A real cluster, and a local one that nobody has asked yet."""

    def __init__(self, real: Cluster, tally: Tally, local: Cluster | None = None) -> None:
        self._fields = RefusedFields()
        self.real = Player(real, tally)
        self.local = Player(local or new_local_cluster(), fields=self._fields)

    async def hold(self, story: list[Move]) -> None:
        """Raises AssertionError at the first difference: in an answer, or in what watches told."""
        with self._fields.noting():
            await self.real.begin()
            await self.local.begin()
            for move in story:
                await self._hold_answer(move)
            for kind in dict.fromkeys(move.kind for move in story):
                told = zip(await self.real.events(kind), await self.local.events(kind), strict=True)
                for there, here in told:
                    _hold(here, there)

    async def hold_in_the_end(self, story: list[Move]) -> None:
        """As `hold`, for what a real cluster's controllers do a little later: each move waits until both have the same.

        Answers are compared, events are not. The last move must be one that the controllers come to after all others.
        """
        await self.real.begin()
        await self.local.begin()
        for move in story:
            there, here = await self.real.play(move), await self.local.play(move)
            assert here.result == there.result, f"{move!r}: {here.result} here, {there.result} there"
            try:
                await eventually(lambda: self._have_the_same(story), within=SECONDS_TO_SETTLE)
            except TimeoutError:
                _hold_states(move, await self.local.state(story), await self.real.state(story))

    async def _have_the_same(self, story: list[Move]) -> bool:
        return await self.real.state(story) == await self.local.state(story)

    async def _hold_answer(self, move: Move) -> None:
        there = await self.real.play(move)
        _hold(await self.local.play(move), there)


def _hold(here: Answer, there: Answer) -> None:
    if not here.agrees_with(there):
        lines = unified_diff(_lines(there), _lines(here), "real", "local", lineterm="", n=3)
        raise AssertionError("\n".join([here.move, *lines]))


def _hold_states(move: Move, here: object, there: object) -> None:
    _hold(Answer(repr(move), here, None, True), Answer(repr(move), there, None, True))


def _lines(answer: Answer) -> list[str]:
    told = (answer.result, answer.object, answer.is_version_the_same)
    return json.dumps(told, indent=1, sort_keys=True).splitlines()
