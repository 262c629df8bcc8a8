"""A controller that starts while kinds cannot be listed: it says why, waits, and then misses nothing."""

from collections import Counter

import pytest

from tests.scenarios.scene import API_KEY, key
from tests.troubles.answers import AnswerLost, HalfSent, Late, Lost, Page, Status, Trouble
from tests.troubles.troubled import LISTS, Troubled

pytestmark = pytest.mark.apiserver

UNREACHABLE = "does not answer as it should: is it running, and is the way to it open?"
TOLD: dict[Trouble, str] = {
    Status(302): "something in between redirects (HTTP 302)",
    Status(409): UNREACHABLE,
    Status(410): "no longer has the changes since the last list",
    Status(429, retry_after=1): "limits requests (HTTP 429)",
    Status(500): "has a fault (HTTP 500)",
    Status(503): "has a fault (HTTP 503)",
    Status(401): "does not take the controller's token (HTTP 401)",
    Status(403): "the controller may not list {resource}: check its ClusterRole",
    Page(): UNREACHABLE,
    Page(b'{"ok": true}', "application/json"): UNREACHABLE,
    Lost(): UNREACHABLE,
    AnswerLost(): UNREACHABLE,
    HalfSent(): UNREACHABLE,
}


@pytest.mark.parametrize("resource", ["externalsecrets", "secrets"])
@pytest.mark.parametrize("trouble", TOLD, ids=str)
async def test_start_waits_for_what_cannot_be_listed(
    troubled: Troubled, resource: str, trouble: Trouble
) -> None:
    """Nothing runs before everything is known; then nothing is missing, and no other kind was listed twice."""
    scene = troubled.scene
    await scene.apply(scene.credentials_secret(), scene.store(), scene.external_secret(data=[key("API_KEY")]))
    plan = troubled.proxy.plan(trouble, verb="list", resource=resource, times=2)
    async with troubled.starting():
        await troubled.says(TOLD[trouble].format(resource=resource))
        assert not scene.journal.transitions
    await scene.ready()
    assert await scene.secret() == {"key": API_KEY}
    await troubled.ends_well()
    assert plan.met == 2
    assert troubled.lists() == LISTS + Counter({f"list {resource}": 2})


async def test_slow_lists_are_waited_for(troubled: Troubled) -> None:
    """And asked for once."""
    scene = troubled.scene
    await scene.apply(scene.credentials_secret(), scene.store(), scene.external_secret(data=[key("API_KEY")]))
    troubled.proxy.plan(Late(1.0), verb="list", times=None)
    async with troubled.starting():
        await troubled.says("externalsecrets: not listed yet")
    await scene.ready()
    await troubled.ends_well()
    assert troubled.lists() == LISTS


async def test_lists_that_all_fail_are_not_asked_for_in_a_storm(troubled: Troubled) -> None:
    """Nine kinds, for some seconds: a few requests each, and not all at the same moment."""
    plan = troubled.proxy.plan(Status(503), verb="list", times=None)
    async with troubled.starting():
        await troubled.scene.until(lambda: plan.met >= 36)
        times = [one.at for one in troubled.proxy.seen]
        troubled.proxy.clear()
    assert times[-1] - times[0] >= 1.5
    last = sorted(times)[-9:]
    assert last[-1] - last[0] > 0.05


async def test_list_that_expires_between_two_pages_is_begun_anew(
    troubled: Troubled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first page told is not taken for all there is."""
    monkeypatch.setattr("adapters.kubernetes.api.PAGE_SIZE", 2)
    scene = troubled.scene
    names = [f"wanted-{number}" for number in range(5)]
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.apply(*(scene.external_secret(name, data=[key("API_KEY")]) for name in names))
    plan = troubled.proxy.plan(Status(410), verb="list", resource="externalsecrets", first=1)
    async with troubled.starting():
        await scene.until(lambda: plan.met == 1)
    for name in names:
        await scene.ready(name)
    await troubled.ends_well()
    assert troubled.lists()["list externalsecrets"] == 2 + 3


@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_server_that_takes_requests_and_never_answers(
    troubled: Troubled, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call has a deadline; it is told, and asked again."""
    monkeypatch.setattr("adapters.kubernetes.requests.CALL_SECONDS", 0.5)
    scene = troubled.scene
    plan = troubled.proxy.plan(Late(60.0), verb=verb, resource="externalsecrets", times=2)
    async with troubled.starting():
        await troubled.says(f"externalsecrets: the API server {UNREACHABLE}")
    await scene.apply(scene.credentials_secret(), scene.store(), scene.external_secret(data=[key("API_KEY")]))
    await scene.ready()
    await troubled.ends_well()
    assert plan.met == 2
    assert troubled.lists()["list externalsecrets"] <= 3
