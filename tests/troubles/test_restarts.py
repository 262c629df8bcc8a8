"""An API server that goes away and comes back: by the proxy for many resources, and for real."""

import asyncio
from collections import Counter

import pytest

from adapters.resources.crds import crd
from adapters.resources.kinds import OUR_KINDS, SECRET
from tests.apiserver.client import ApiClient
from tests.apiserver.preparing import install_crds
from tests.apiserver.server import ApiServer
from tests.scenarios.scene import API_KEY, Scene, key, named
from tests.troubles.answers import Status
from tests.troubles.proxy import Proxy
from tests.troubles.troubled import LISTS, Troubled, troubled_scene

pytestmark = pytest.mark.apiserver

MANY = [f"wanted-{number}" for number in range(30)]


def answered_lists(proxy: Proxy) -> Counter[str]:
    """How often each kind was listed; a server that has just started refuses some kinds for a moment."""
    return Counter(one.call for one in proxy.seen if one.verb == "list" and one.status == 200)


async def synced(scene: Scene) -> None:
    """Many resources that are ready."""
    await scene.begin_with_store()
    await scene.apply(*(scene.external_secret(name, dataFrom=[named("^API")]) for name in MANY))
    for name in MANY:
        await scene.ready(name)


async def test_changes_while_nobody_answers_arrive_when_somebody_does(troubled: Troubled) -> None:
    """Each resource that changed is run, no other, nothing is listed anew, and nobody asks in a storm."""
    scene, proxy = troubled.scene, troubled.proxy
    await synced(scene)
    await troubled.controller.idle()
    await troubled.controller.surroundings.events.flush()
    runs = Counter(scene.journal.ends(name).count("ready") for name in MANY)
    assert runs == Counter({1: len(MANY)})
    calm = {name: await scene.version(name=name) for name in MANY[2:]}
    await proxy.goes_down()
    await scene.until(lambda: len(troubled.controller.not_ready()) == len(LISTS))
    assert all(
        "is it running, and is the way to it open?" in said for said in troubled.controller.not_ready()
    )
    await scene.apply(scene.external_secret(MANY[0], data=[key("DB_PASSWORD")]))
    await scene.delete(SECRET, MANY[1])
    await scene.apply(scene.external_secret("new", data=[key("API_KEY")]))
    before = len(proxy.seen)
    await proxy.comes_back()
    await scene.holds({"key": "example-database-password"}, MANY[0])
    await scene.ready("new")
    await scene.until(lambda: scene.secret(MANY[1]))
    await troubled.ends_well()
    assert troubled.lists() == LISTS
    assert {name: await scene.version(name=name) for name in calm} == calm
    assert all(len(scene.journal.ends(name)) == 1 for name in calm)
    assert len(proxy.seen) - before <= len(LISTS) + 20


@pytest.mark.usefixtures("impatient")
async def test_refreshes_while_nobody_answers_are_made_up_for(troubled: Troubled) -> None:
    """Thirty writes fail at once; they are tried again by back-off, not all the time, and each Secret is written
    once."""
    scene, proxy = troubled.scene, troubled.proxy
    await synced(scene)
    await troubled.controller.idle()
    scene.project.set_secret("dev", "/", "API_KEY", "changed")
    plan = proxy.plan(Status(503), verb="apply", resource="secrets", times=None)
    for name in MANY:
        await scene.refresh(name)
    await scene.until(lambda: plan.met >= len(MANY))
    for name in MANY:
        await scene.ready(name, status="False", said="cannot be used just now (HTTP 503)")
    assert plan.met <= 3 * len(MANY)
    proxy.clear()
    for name in MANY:
        await scene.ready(name)
    await troubled.ends_well()
    written = Counter(one.name for one in proxy.calls("apply", "secrets") if one.arrived)
    assert written == Counter(dict.fromkeys(MANY, 2))
    assert troubled.lists() == LISTS


async def test_limited_requests_come_when_the_server_said(troubled: Troubled) -> None:
    """Thirty writes are told to come again after a second: each comes once more, not before, and not all at one
    moment."""
    scene, proxy = troubled.scene, troubled.proxy
    await synced(scene)
    await troubled.controller.idle()
    scene.project.set_secret("dev", "/", "API_KEY", "changed")
    for name in MANY:
        proxy.plan(Status(429, retry_after=1), verb="apply", resource="secrets", name=name)
    for name in MANY:
        await scene.refresh(name)
    for name in MANY:
        await scene.until(lambda name=name: len(proxy.calls_about("apply", "secrets", name)) == 3)  # type: ignore[misc]
    await troubled.ends_well()
    again = []
    for name in MANY:
        _, refused, repeated = proxy.calls_about("apply", "secrets", name)
        assert repeated.at - refused.at >= 1.0
        again.append(repeated.at - refused.at)
        assert scene.journal.ends(name) == ["ready", "ready"]
    assert max(again) - min(again) > 0.1


async def test_server_that_dies_and_starts_anew(own_apiserver: ApiServer) -> None:
    """For real, twice, with changes while it is away and just before: none is lost, and versions that the new
    process no longer knows cost one list each at most."""
    async with ApiClient(own_apiserver.access) as api:
        await install_crds(api, [crd(kind) for kind in OUR_KINDS])
    async with (
        Proxy(own_apiserver.access) as proxy,
        troubled_scene(own_apiserver.access, proxy, "default", proxy.kubeconfig("restarts")) as troubled,
    ):
        scene = troubled.scene
        await scene.begin()
        await scene.apply(scene.external_secret("calm", data=[key("API_KEY")]))
        await scene.ready("calm")
        calm = await scene.version(name="calm")
        lists = answered_lists(proxy)
        for number in range(2):
            await scene.delete(SECRET, "wanted")
            await asyncio.to_thread(own_apiserver.halt)
            await scene.until(troubled.controller.not_ready)
            await asyncio.to_thread(own_apiserver.resume)
            await scene.apply(scene.external_secret(f"new-{number}", data=[key("API_KEY")]))
            await scene.ready(f"new-{number}")
            await scene.holds({"key": API_KEY})
        await troubled.ends_well()
        assert await scene.version(name="calm") == calm
        again = answered_lists(proxy) - lists
        assert all(number <= 2 for number in again.values()), again
        assert len(scene.journal.ends("calm")) == 1
