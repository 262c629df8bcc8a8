"""Targets that others wrote to, on both clusters: what is ours goes when we no longer want it, and then silence."""

from typing import Any

import pytest

from adapters.cluster import Cluster, Object
from adapters.resources.kinds import SECRET
from adapters.target_fields import Held, held, migration
from tests.adapters.clusters.samples import (
    MANAGER,
    done,
    encode,
    external_secret,
    plain,
    secret,
    version_of,
    with_metadata,
)


async def write(cluster: Cluster, wanted: Object, *, exactly: bool) -> tuple[Object, int]:
    """As the controller writes a target: the object, and how many requests that changed something it took."""
    place = wanted["metadata"]["namespace"]
    observed = done(await cluster.get(SECRET, place, "sample"))
    operations = migration(observed, MANAGER, wanted["data"].keys(), exactly=exactly)
    version, changes = version_of(observed), 0
    if operations is not None:
        version = version_of(done(await cluster.patch(SECRET, place, "sample", operations, MANAGER)))
        changes += 1
    written = done(await cluster.apply(wanted, MANAGER, version=version))
    return written, changes + (version_of(written) != version)


async def assert_silence(cluster: Cluster, wanted: Object, *, exactly: bool) -> None:
    before = done(await cluster.get(SECRET, wanted["metadata"]["namespace"], "sample"))
    for _ in range(3):
        assert await write(cluster, wanted, exactly=exactly) == (before, 0)


async def kubectl_adds(cluster: Cluster, place: str, key: str) -> None:
    add = [{"op": "add", "path": f"/data/{key}", "value": encode("foreign")}]
    done(await cluster.patch(SECRET, place, "sample", add, "kubectl-edit"))


async def owner(cluster: Cluster, place: str) -> list[dict[str, Any]]:
    made = done(await cluster.apply(external_secret(place), "test"))
    return [
        {
            "apiVersion": made["apiVersion"],
            "kind": made["kind"],
            "name": "sample",
            "uid": made["metadata"]["uid"],
            "controller": True,
        }
    ]


async def test_a_foreign_key_goes_and_then_there_is_silence(cluster: Cluster, place: str) -> None:
    wanted = secret(place, a="1", b="2")
    await cluster.apply(wanted, MANAGER)
    await kubectl_adds(cluster, place, "foreign")
    written, changes = await write(cluster, wanted, exactly=True)
    assert plain(written) == {"a": "1", "b": "2"}
    assert changes == 1
    await assert_silence(cluster, wanted, exactly=True)


async def test_a_foreign_key_stays_where_targets_are_merged(cluster: Cluster, place: str) -> None:
    wanted = secret(place, a="1")
    await cluster.apply(wanted, MANAGER)
    await kubectl_adds(cluster, place, "foreign")
    written, _ = await write(cluster, wanted, exactly=False)
    assert plain(written) == {"a": "1", "foreign": "foreign"}
    await assert_silence(cluster, wanted, exactly=False)


@pytest.mark.parametrize("exactly", [True, False])
async def test_what_was_written_by_updates_under_our_name_is_ours(
    cluster: Cluster, place: str, exactly: bool
) -> None:
    owners = await owner(cluster, place)
    former = with_metadata(
        secret(place, a="1", b="2"),
        labels={"app": "x", "old": "1"},
        annotations={"note.test/x": "1"},
        ownerReferences=owners,
    )
    await cluster.create(former, MANAGER)
    wanted = with_metadata(secret(place, a="new"), labels={"app": "x"}, ownerReferences=owners)
    written, _ = await write(cluster, wanted, exactly=exactly)
    assert plain(written) == {"a": "new"}
    assert written["metadata"]["labels"] == {"app": "x"}
    assert "annotations" not in written["metadata"]
    assert written["metadata"]["ownerReferences"] == owners
    entries = written["metadata"]["managedFields"]
    assert [(entry["manager"], entry["operation"]) for entry in entries] == [(MANAGER, "Apply")]
    await assert_silence(cluster, wanted, exactly=exactly)


async def test_old_entries_beside_an_apply_of_ours_are_joined_to_it(cluster: Cluster, place: str) -> None:
    await cluster.apply(secret(place, a="1"), MANAGER)
    add = [{"op": "add", "path": "/data/b", "value": encode("2")}]
    await cluster.patch(SECRET, place, "sample", add, MANAGER)
    written, _ = await write(cluster, secret(place, a="1"), exactly=False)
    assert plain(written) == {"a": "1"}
    await assert_silence(cluster, secret(place, a="1"), exactly=False)


async def test_a_key_that_we_share_goes_when_we_drop_it(cluster: Cluster, place: str) -> None:
    await cluster.apply(secret(place, a="1", b="2"), "other")
    await cluster.apply(secret(place, a="1", b="2"), MANAGER)
    written, _ = await write(cluster, secret(place, a="1"), exactly=True)
    assert plain(written) == {"a": "1"}
    await assert_silence(cluster, secret(place, a="1"), exactly=True)


async def test_a_shared_key_that_we_want_needs_no_migration(cluster: Cluster, place: str) -> None:
    await cluster.apply(secret(place, a="1"), "other")
    await cluster.apply(secret(place, a="1"), MANAGER)
    await assert_silence(cluster, secret(place, a="1"), exactly=True)


async def test_a_secret_of_somebody_else_is_taken_over(cluster: Cluster, place: str) -> None:
    await cluster.create(with_metadata(secret(place, a="old", b="2"), labels={"theirs": "1"}), "helm")
    written, _ = await write(cluster, secret(place, a="1"), exactly=True)
    assert plain(written) == {"a": "1"}
    assert written["metadata"]["labels"] == {"theirs": "1"}
    await assert_silence(cluster, secret(place, a="1"), exactly=True)


async def test_the_migration_holds_for_the_observed_version_only(cluster: Cluster, place: str) -> None:
    await cluster.create(secret(place, a="1"), MANAGER)
    observed = done(await cluster.get(SECRET, place, "sample"))
    await kubectl_adds(cluster, place, "meanwhile")
    operations = migration(observed, MANAGER, {"a"}, exactly=False)
    assert operations is not None
    conflict = await cluster.patch(SECRET, place, "sample", operations, MANAGER)
    assert type(conflict).__name__ == "Conflict"


async def test_what_is_held_is_told_by_name(cluster: Cluster, place: str) -> None:
    metadata = {"labels": {"app.test/x": "1"}, "annotations": {"note.test/a.b": "1"}}
    await cluster.apply(with_metadata(secret(place, a="1"), **metadata), MANAGER)
    await kubectl_adds(cluster, place, "foreign")
    observed = done(await cluster.get(SECRET, place, "sample"))
    assert held(observed, MANAGER) == Held(
        frozenset({"a"}), frozenset({"app.test/x"}), frozenset({"note.test/a.b"})
    )
    assert held(observed, "kubectl-edit").data == {"foreign"}
    assert held(observed, "nobody") == Held(frozenset(), frozenset(), frozenset())


def test_an_object_without_managed_fields_has_no_holders() -> None:
    bare = with_metadata(secret("default", a="1"), resourceVersion="1")
    assert held(bare, MANAGER).data == frozenset()
    assert migration(bare, MANAGER, {"a"}, exactly=True) is None
    assert migration(bare, MANAGER, set(), exactly=True) == [
        {"op": "test", "path": "/metadata/resourceVersion", "value": "1"},
        {"op": "remove", "path": "/data/a"},
    ]
