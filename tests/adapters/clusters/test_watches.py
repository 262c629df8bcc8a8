"""Watches of both clusters: what they tell, from where, and how they end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from adapters.cluster import Change, ChangeType, Cluster, Expired, Listed, Selection
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import SECRET
from tests.adapters.clusters.conftest import now
from tests.adapters.clusters.samples import MANAGER, done, encode, secret, version_of, with_metadata
from tests.simulated_loop import simulated

IDLE = 20.0


async def version_now(cluster: Cluster, selection: Selection) -> str:
    listed = await cluster.list(selection)
    assert isinstance(listed, Listed)
    return listed.version


async def told(cluster: Cluster, selection: Selection, version: str, count: int) -> list[Change]:
    """So many changes, bookmarks left out."""
    changes: list[Change] = []
    async with asyncio.timeout(10), aclosing(cluster.watch(selection, version, IDLE)) as events:
        async for event in events:
            assert isinstance(event, Change)
            if event.type is not ChangeType.BOOKMARK:
                changes.append(event)
            if len(changes) == count:
                break
    return changes


async def test_a_watch_says_first_that_it_stands(cluster: Cluster, place: str) -> None:
    selection = Selection(SECRET, place)
    version = await version_now(cluster, selection)
    async with asyncio.timeout(10), aclosing(cluster.watch(selection, version, IDLE)) as events:
        first = await anext(events)
    assert isinstance(first, Change)
    assert first.type is ChangeType.BOOKMARK
    assert version_of(first.object) == version


async def test_a_watch_tells_every_change_after_its_version(cluster: Cluster, place: str) -> None:
    await cluster.apply(secret(place, "before", a="1"), MANAGER)
    selection = Selection(SECRET, place)
    version = await version_now(cluster, selection)
    made = done(await cluster.apply(secret(place, a="1"), MANAGER))
    changed = done(await cluster.apply(secret(place, a="2"), MANAGER))
    await cluster.apply(secret(place, a="2"), MANAGER)  # changes nothing
    await cluster.delete(SECRET, place, "sample")
    first, second, third = await told(cluster, selection, version, 3)
    assert (first.type, first.object) == (ChangeType.ADDED, made)
    assert (second.type, second.object) == (ChangeType.MODIFIED, changed)
    assert third.type is ChangeType.DELETED
    assert third.object["data"] == changed["data"]
    assert int(version_of(third.object)) > int(version_of(changed))


async def test_a_watch_resumes_where_another_ended(cluster: Cluster, place: str) -> None:
    selection = Selection(SECRET, place)
    version = await version_now(cluster, selection)
    await cluster.apply(secret(place, "one", a="1"), MANAGER)
    (first,) = await told(cluster, selection, version, 1)
    await cluster.apply(secret(place, "two", a="1"), MANAGER)
    (second,) = await told(cluster, selection, version_of(first.object), 1)
    assert second.object["metadata"]["name"] == "two"


async def test_a_watch_tells_what_happens_while_it_stands(cluster: Cluster, place: str) -> None:
    selection = Selection(SECRET, place)
    version = await version_now(cluster, selection)
    async with asyncio.timeout(10), aclosing(cluster.watch(selection, version, IDLE)) as events:
        await anext(events)
        waiting = asyncio.ensure_future(next_change(events))
        await cluster.apply(secret(place, a="1"), MANAGER)
        assert (await waiting).type is ChangeType.ADDED


async def next_change(events: AsyncIterator[object]) -> Change:
    async for event in events:
        if isinstance(event, Change) and event.type is not ChangeType.BOOKMARK:
            return event
    raise AssertionError("the watch ended")


async def test_an_object_that_leaves_the_selection_is_deleted_to_the_watch(
    cluster: Cluster, place: str
) -> None:
    selection = Selection(SECRET, place, labels="app=x")
    version = await version_now(cluster, selection)
    await cluster.apply(secret(place, a="1"), MANAGER)
    await cluster.apply(with_metadata(secret(place, a="1"), labels={"app": "x"}), MANAGER)
    left = done(await cluster.apply(with_metadata(secret(place, a="1"), labels={"app": "y"}), MANAGER))
    came, went = await told(cluster, selection, version, 2)
    assert came.type is ChangeType.ADDED
    assert went.type is ChangeType.DELETED
    assert version_of(went.object) == version_of(left)


async def test_a_watch_of_metadata_has_no_data(cluster: Cluster, place: str) -> None:
    selection = Selection(SECRET, place, metadata_only=True)
    version = await version_now(cluster, selection)
    made = done(await cluster.apply(secret(place, a="1"), MANAGER))
    (change,) = await told(cluster, selection, version, 1)
    assert change.object == {"apiVersion": "v1", "kind": "Secret", "metadata": made["metadata"]}


async def test_an_object_of_a_megabyte_comes_through(cluster: Cluster, place: str) -> None:
    selection = Selection(SECRET, place)
    version = await version_now(cluster, selection)
    large = {"op": "add", "path": "/data/large", "value": encode("x" * 1_000_000)}
    await cluster.apply(secret(place, a="1"), MANAGER)
    done(await cluster.patch(SECRET, place, "sample", [large], "test"))
    _, change = await told(cluster, selection, version, 2)
    assert len(change.object["data"]["large"]) > 1_300_000


async def test_a_silent_watch_ends(cluster: Cluster, place: str) -> None:
    selection = Selection(SECRET, place)
    version = await version_now(cluster, selection)
    events = [event async for event in cluster.watch(selection, version, 0.3)]
    assert all(isinstance(event, Change) and event.type is ChangeType.BOOKMARK for event in events)


@simulated
async def test_a_local_watch_of_what_is_forgotten_has_expired() -> None:
    cluster = LocalCluster(now, history=3)
    selection = Selection(SECRET)
    version = await version_now(cluster, selection)
    for number in range(3):
        await cluster.apply(secret("default", a=str(number)), MANAGER)
    assert len(await told(cluster, selection, version, 3)) == 3
    await cluster.apply(secret("default", a="last"), MANAGER)
    assert [event async for event in cluster.watch(selection, version, IDLE)] == [Expired()]


@simulated
async def test_a_local_watch_sends_bookmarks_so_that_it_is_not_silent() -> None:
    cluster = LocalCluster(now)
    selection = Selection(SECRET)
    version = await version_now(cluster, selection)
    async with aclosing(cluster.watch(selection, version, 150)) as events:
        await anext(events)
        bookmark = await anext(events)
    assert isinstance(bookmark, Change)
    assert bookmark.type is ChangeType.BOOKMARK
    assert asyncio.get_running_loop().time() == 60
