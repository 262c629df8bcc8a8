"""Watches that break, expire, are silent or are refused: no change is lost, and nothing is listed without need."""

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
@pytest.mark.parametrize("trouble", [Silent(), Expires(), Ends(), Ends(properly=False)], ids=str)
async def test_watch_that_stops_loses_no_change(
    troubled: Troubled, resource: str, trouble: OnlyWatches
) -> None:
    """Only where its version has expired is there another list, of that kind, once."""
    if trouble == Silent():
        troubled.cluster.idle = 0.5
    await troubled.scene.begin()
    before = troubled.watches(resource)
    assert troubled.proxy.interrupt(resource, trouble) == 1
    await change(troubled, resource)
    await arrives(troubled, resource)
    relisted = Counter({f"list {resource}": 1}) if isinstance(trouble, Expires) else Counter()
    assert troubled.lists() == LISTS + relisted
    if trouble != Silent():
        assert troubled.watches(resource) <= before + 2
    await troubled.ends_well()


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize(
    "trouble",
    [
        Status(410),
        Status(409),
        Status(429, retry_after=1),
        Status(500),
        Status(401),
        Status(403),
        Page(),
        Lost(),
        Silent(),
        Ends(properly=False),
    ],
    ids=str,
)
async def test_watch_that_cannot_be_opened_is_opened_later(
    troubled: Troubled, resource: str, trouble: Trouble
) -> None:
    """Twice in a row. Meanwhile the operator is told why."""
    if trouble == Silent():
        troubled.cluster.idle = 0.5
    await troubled.scene.begin()
    plan = troubled.proxy.plan(trouble, verb="watch", resource=resource, times=2)
    assert troubled.proxy.interrupt(resource, Ends()) == 1
    await change(troubled, resource)
    await arrives(troubled, resource)
    await troubled.scene.until(lambda: plan.met == 2)
    await troubled.follows()
    relisted = Counter({f"list {resource}": 2}) if trouble == Status(410) else Counter()
    assert troubled.lists() == LISTS + relisted
    await troubled.ends_well()
