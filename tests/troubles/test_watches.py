"""Watches that break, expire, are silent or are refused: no change is lost, and nothing is listed without need."""

import itertools
from collections import Counter

import pytest

from adapters.resources.kinds import SECRET
from tests.scenarios.scene import API_KEY, key
from tests.troubles.answers import (
    Ends,
    Expires,
    Lost,
    OnlyWatches,
    Page,
    Silent,
    Status,
    Trouble,
)
from tests.troubles.troubled import LISTS, Troubled

pytestmark = pytest.mark.apiserver

RESOURCES = ("externalsecrets", "secretstores", "secrets", "secrets (managed)")


async def change(troubled: Troubled, resource: str) -> None:
    """Something that only this watch tells of."""
    scene = troubled.scene
    match resource:
        case "externalsecrets":
            await scene.apply(scene.external_secret(data=[key("DB_PASSWORD")]))
        case "secretstores":
            await scene.apply(scene.store(environmentSlug="absent"))
        case "secrets":
            wrong = scene.credentials_secret()
            wrong["stringData"]["clientSecret"] = "wrong"
            await scene.apply(wrong)
        case "secrets (managed)":
            await scene.delete(SECRET, "wanted")


async def arrives(troubled: Troubled, resource: str) -> None:
    """What that change brings about."""
    scene = troubled.scene
    match resource:
        case "externalsecrets":
            await scene.holds({"key": "example-database-password"})
        case "secretstores":
            await scene.store_ready(status="False", said='no environment "absent"')
        case "secrets":
            await scene.store_ready(status="False", said="refuses the credentials")
        case "secrets (managed)":
            await scene.holds({"key": API_KEY})


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("trouble", [Expires(), Ends(), Ends(properly=False)], ids=str)
async def test_watch_that_stops_loses_no_change(
    troubled: Troubled, resource: str, trouble: OnlyWatches
) -> None:
    """Only where its version has expired is there another list, of that kind, once."""
    await troubled.scene.begin()
    before = troubled.watches(resource)
    assert troubled.proxy.interrupt(resource, trouble) == 1
    await change(troubled, resource)
    await arrives(troubled, resource)
    await troubled.ends_well()
    relisted = Counter({f"list {resource}": 1}) if trouble == Expires() else Counter()
    assert troubled.lists() == LISTS + relisted
    assert troubled.watches(resource) <= before + 2
    told = troubled.log("a watch is begun anew", resource=resource)
    assert len(told) == relisted.total()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("resource", RESOURCES)
async def test_watch_that_falls_silent_is_opened_anew(troubled: Troubled, resource: str) -> None:
    """From where it was: what it did not tell meanwhile is told then, and the log says what may be the matter."""
    await troubled.scene.begin()
    assert troubled.proxy.interrupt(resource, Silent()) == 1
    await change(troubled, resource)
    await arrives(troubled, resource)
    await troubled.ends_well()
    assert troubled.lists() == LISTS
    assert (
        "does a proxy or firewall on the way" in troubled.log("a watch does not follow", resource=resource)[0]
    )
    assert troubled.log("a watch follows", resource=resource)


TOLD: dict[Trouble, str] = {
    Status(302): "something in between redirects (HTTP 302)",
    Status(409): "has a fault (HTTP 409)",
    Status(429, retry_after=1): "limits requests (HTTP 429)",
    Status(500): "has a fault (HTTP 500)",
    Status(503): "has a fault (HTTP 503)",
    Status(401): "does not take the controller's token (HTTP 401): check its service account",
    Status(403): "the controller may not watch {resource}: check its ClusterRole",
    Page(): "does not answer as it should",
    Lost(): "does not answer as it should",
    Ends(properly=False): "does not answer as it should",
}


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("trouble", TOLD, ids=str)
async def test_watch_that_cannot_be_opened_is_opened_later(
    troubled: Troubled, resource: str, trouble: Trouble
) -> None:
    """Twice in a row. Meanwhile `/readyz` and the log say why, and nothing is listed anew."""
    await troubled.scene.begin()
    plan = troubled.proxy.plan(trouble, verb="watch", resource=resource, times=2)
    assert troubled.proxy.interrupt(resource, Ends()) == 1
    await change(troubled, resource)
    said = TOLD[trouble].format(resource=resource.removesuffix(" (managed)"))
    await troubled.says(f"{resource}: ")
    assert said in troubled.controller.not_ready()[0]
    assert troubled.measured(resource) == 0.0
    await arrives(troubled, resource)
    await troubled.ends_well()
    assert troubled.measured(resource) == 1.0
    assert plan.met == 2
    assert troubled.lists() == LISTS
    assert said in troubled.log("a watch does not follow", resource=resource)[0]
    assert troubled.log("a watch follows", resource=resource)
    times = [one.at for one in troubled.proxy.calls("watch", resource)][-3:]
    if trouble == Lost():
        times[
            1:2
        ] = []  # a GET over a connection that was used before is sent again at once: it may just have ended
    least = 1.0 if trouble == Status(429, retry_after=1) else 0.25
    assert all(later - earlier >= least for earlier, later in itertools.pairwise(times))


@pytest.mark.parametrize("resource", RESOURCES)
async def test_watch_whose_version_is_too_old_at_its_start_is_preceded_by_a_list(
    troubled: Troubled, resource: str
) -> None:
    """One for each refusal; the second waits, as the first did not help."""
    await troubled.scene.begin()
    plan = troubled.proxy.plan(Status(410), verb="watch", resource=resource, times=2)
    assert troubled.proxy.interrupt(resource, Ends()) == 1
    await change(troubled, resource)
    await arrives(troubled, resource)
    await troubled.scene.until(lambda: plan.met == 2)
    await troubled.ends_well()
    assert troubled.lists() == LISTS + Counter({f"list {resource}": 2})
    first, second = troubled.proxy.calls("list", resource)[-2:]
    assert second.at - first.at >= 0.25


@pytest.mark.usefixtures("hasty")
async def test_all_watches_silent_at_once(troubled: Troubled) -> None:
    """As when a node loses its way: everything is found out, and nothing is listed."""
    await troubled.scene.begin()
    for resource in {one.resource for one in troubled.proxy.seen if one.verb == "watch"}:
        assert troubled.proxy.interrupt(resource, Silent()) == 1
    await troubled.scene.delete(SECRET, "wanted")
    await troubled.scene.holds({"key": API_KEY})
    await troubled.ends_well()
    assert troubled.lists() == LISTS
