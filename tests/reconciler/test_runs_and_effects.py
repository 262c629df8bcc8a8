"""A run between machine and world: every effect has its handler, and no cancellation leaves a lease behind."""

import asyncio
import datetime
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.cluster import Done
from adapters.journal import Subject
from adapters.local.cluster import LocalCluster
from machines.effects import Effect, Release, Writes
from machines.kernel import Asking
from machines.names import KindName, NamespaceName, ResourceName
from machines.outcomes import Outcome
from machines.registry import MACHINES
from reconciler.assembly import Options
from reconciler.controller import Controller
from reconciler.demonstration import example_manifests, example_project
from reconciler.driver import Clock
from reconciler.effects.registry import performer
from reconciler.metrics import Metrics
from reconciler.standin import ADMIN, InProcess, StandIn

SUBJECTS = {
    "ExternalSecret": Subject(
        KindName("ExternalSecret"), NamespaceName("default"), ResourceName("checkout-env")
    ),
    "SecretStore": Subject(KindName("SecretStore"), NamespaceName("default"), ResourceName("infisical")),
}
ASKED: set[tuple[str, type[Effect]]] = {
    (name, state.asks)
    for name, definition in MACHINES.items()
    for state in definition.states
    if isinstance(state, Asking)
}


PAIRS: list[tuple[str, type[Effect]]] = sorted(
    ((name, effect) for name, effect in ASKED if name in SUBJECTS),
    key=lambda pair: (pair[0], pair[1].__name__),
)


class Held(Controller):
    """A controller whose runs stop at the first effect of one type, until they are cancelled."""

    at: type[Effect] | None = None
    reached: asyncio.Event

    async def perform(self, effect: Effect, payload: Any) -> Outcome:
        if type(effect) is self.at:
            self.at = None
            self.reached.set()
            await asyncio.Event().wait()
        return await super().perform(effect, payload)


class Broken(Controller):
    """A controller in which one type of effect has a defect."""

    at: type[Effect] | None = None

    async def perform(self, effect: Effect, payload: Any) -> Outcome:
        if type(effect) is self.at:
            raise RuntimeError("a defect")
        return await super().perform(effect, payload)


class Ends:
    """A journal of states."""

    def __init__(self) -> None:
        self.states: list[str] = []

    def record(self, transition: Any) -> None:
        self.states.append(transition.to)


@asynccontextmanager
async def controller(kind: type[Controller]) -> AsyncIterator[tuple[Any, StandIn, Ends]]:
    """On the documented manifests, its store validated, nothing running by itself."""
    standin = StandIn(time.time)
    credentials = standin.add_machine("test", {example_project(standin): ADMIN})
    transport, ends = InProcess(standin), Ends()
    cluster = LocalCluster(lambda: datetime.datetime.now(datetime.UTC))
    manifests = example_manifests("http://infisical.test", credentials.client_id, credentials.client_secret)
    for documents in manifests.values():
        for document in documents:
            document["metadata"]["namespace"] = "default"
            assert isinstance(await cluster.create(document, "author"), Done)
    made = kind(
        cluster,
        lambda address, certificates: transport,
        ends,
        Clock(time.time),
        random.Random(1),
        Options(linger=0.0),
        Metrics(),
    )
    made.start()
    await made.synced()
    await made.run_once(SUBJECTS["SecretStore"], 0.0)
    try:
        yield made, standin, ends
    finally:
        await made.stop()
    assert not standin.tokens_alive
    assert all(token.revocations == 1 for token in standin.tokens)


async def test_every_effect_that_a_state_asks_for_has_a_handler_and_none_is_left_over() -> None:
    """The registry and the tables agree."""
    async with controller(Controller) as (made, _, _):
        assert performer(made.surroundings).effects == {effect for _, effect in ASKED}


@pytest.mark.parametrize(("machine", "effect"), [pair for pair in PAIRS if pair[1] is not Release])
async def test_cancelled_in_any_effect_a_run_gives_back_its_lease_and_stops(
    machine: str, effect: type[Effect]
) -> None:
    """Then CancelledError comes out; no token outlives it, and none is revoked twice."""
    if effect.__name__ in ("DeleteFormerTarget", "RemoveFinalizer"):
        assert effect.writes is Writes.CLUSTER  # these hold no lease; scenarios meet them
        return
    async with controller(Held) as (made, _, ends):
        made.surroundings.memory.validated.clear()
        made.reached = asyncio.Event()
        made.at = effect
        run = asyncio.create_task(made.run_once(SUBJECTS[machine], 0.0))
        await asyncio.wait_for(made.reached.wait(), 10)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert ends.states[-1] == "stopped"


@pytest.mark.parametrize(("machine", "effect"), [pair for pair in PAIRS if pair[0] == "ExternalSecret"])
async def test_a_defect_in_any_effect_leaves_no_lease(machine: str, effect: type[Effect]) -> None:
    """It comes out of the run; the controller reports it and goes on with the others."""
    if effect.__name__ in ("DeleteFormerTarget", "RemoveFinalizer"):
        return
    async with controller(Broken) as (made, _, _):
        made.at = effect
        with pytest.raises(RuntimeError):
            await made.run_once(SUBJECTS[machine], 0.0)
