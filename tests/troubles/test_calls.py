"""Calls that fail in passing, one of each kind: nobody notices, and what is done is done once."""

import base64
from collections.abc import Awaitable, Callable

import pytest

from adapters.resources.kinds import EXTERNAL_SECRET, SECRET
from reconciler.effects.observe_external_secret import FINALIZER
from tests.scenarios.scene import API_KEY, Scene, key
from tests.troubles.answers import AnswerLost, HalfSent, Late, Lost, Page, Status, Trouble
from tests.troubles.troubled import LISTS, Troubled

pytestmark = pytest.mark.apiserver

PASSING = (
    Status(429, retry_after=1),
    Status(500),
    Status(503),
    Status(504),
    Page(),
    Lost(),
    AnswerLost(),
    HalfSent(),
    Late(1.0),
)


async def apply(scene: Scene) -> None:
    """A Secret is made anew."""
    await scene.delete(SECRET, "wanted")
    await scene.holds({"key": API_KEY})


async def get(scene: Scene) -> None:
    """A Secret that somebody else made is looked at, and taken over."""
    content = {"key": base64.b64encode(b"of somebody").decode()}
    await scene.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "taken-over"}, "data": content},
        scene.external_secret("taken-over", data=[key("API_KEY")]),
    )
    await scene.ready("taken-over")
    await scene.holds({"key": API_KEY}, "taken-over")


async def status(scene: Scene) -> None:
    """A refresh is told."""
    before = await scene.object(EXTERNAL_SECRET, "wanted")
    await scene.refresh()

    async def told() -> bool:
        after = await scene.object(EXTERNAL_SECRET, "wanted")
        assert before is not None
        assert after is not None
        return bool(after["status"]["syncedResourceVersion"] != before["status"]["syncedResourceVersion"])

    await scene.until(told)


async def event(scene: Scene) -> None:
    """Something has happened."""
    scene.project.set_secret("dev", "/", "API_KEY", "changed")
    await scene.refresh()
    await scene.holds({"key": "changed"})

    async def told() -> bool:
        return "Updated" in [reason for reason, _ in await scene.events("wanted")]

    await scene.until(told)


async def delete(scene: Scene) -> None:
    """The target gets another name."""
    await scene.apply(scene.external_secret(data=[key("API_KEY")], target={"name": "renamed"}))
    await scene.holds({"key": API_KEY}, "renamed")
    await scene.holds(None)


async def patch(scene: Scene) -> None:
    """A resource with the finalizer of another controller's times is deleted."""
    held = scene.external_secret("held", data=[key("API_KEY")])
    held["metadata"]["finalizers"] = [FINALIZER]
    await scene.apply(held)
    await scene.ready("held")
    await scene.delete(EXTERNAL_SECRET, "held")

    async def gone() -> bool:
        return await scene.object(EXTERNAL_SECRET, "held") is None

    await scene.until(gone)


CALLS: dict[tuple[str, str], Callable[[Scene], Awaitable[None]]] = {
    ("apply", "secrets"): apply,
    ("get", "secrets"): get,
    ("merge", "externalsecrets/status"): status,
    ("create", "events"): event,
    ("delete", "secrets"): delete,
    ("patch", "externalsecrets"): patch,
}


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
@pytest.mark.parametrize("trouble", PASSING, ids=str)
async def test_call_that_fails_in_passing_is_made_again_and_nobody_notices(
    troubled: Troubled, call: tuple[str, str], trouble: Trouble
) -> None:
    """Twice in a row: no condition turns, no event complains, and no resource is run for it once more."""
    scene, (verb, resource) = troubled.scene, call
    await scene.begin()
    await scene.events("wanted")
    plan = troubled.proxy.plan(trouble, verb=verb, resource=resource, times=2)
    await CALLS[call](scene)
    await troubled.ends_well()
    if trouble != Late(1.0):
        assert plan.met == 2
    assert {"error"} & set(scene.journal.ends("wanted")) == set()
    assert not [reason for reason, _ in await scene.events("wanted") if reason == "UpdateFailed"]
    assert troubled.lists() == LISTS
    times = [one.at for one in troubled.proxy.calls(verb, resource)][-3:]
    if trouble == Status(429, retry_after=1):
        assert times[1] - times[0] >= 1.0
        assert times[2] - times[1] >= 1.0
