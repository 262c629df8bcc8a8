"""What every cluster answers: each call, its precondition, and each way in which it can fail."""

import asyncio
from typing import Any

import pytest

from adapters.cluster import Absent, Cluster, Conflict, Done, Kind, Listed, Object, Refused, Selection
from adapters.kubernetes.api import KubernetesCluster
from adapters.resources.kinds import EXTERNAL_SECRET, NAMESPACE, SECRET
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
from tests.apiserver.client import eventually

UNKNOWN = Kind("no.such.group", "v1", "Thing", "things", True)


async def test_an_applied_object_can_be_read(cluster: Cluster, place: str) -> None:
    applied = done(await cluster.apply(secret(place, a="1"), MANAGER))
    assert done(await cluster.get(SECRET, place, "sample")) == applied
    assert plain(applied) == {"a": "1"}
    assert applied["type"] == "Opaque"


async def test_the_same_apply_again_changes_nothing(cluster: Cluster, place: str) -> None:
    first = done(await cluster.apply(secret(place, a="1"), MANAGER))
    again = done(await cluster.apply(secret(place, a="1"), MANAGER))
    assert again == first


async def test_the_same_apply_changes_nothing_later_either(cluster: Cluster, place: str) -> None:
    empty: dict[str, Any] = {"labels": {}, "annotations": {}, "finalizers": [], "ownerReferences": []}
    objects = [with_metadata(object, **empty) for object in (secret(place), external_secret(place))]
    first = [done(await cluster.apply(object, MANAGER)) for object in objects]
    await asyncio.sleep(1.05)  # the API server looks at the second of its clock
    assert [done(await cluster.apply(object, MANAGER)) for object in objects] == first


async def test_an_apply_removes_what_it_applied_before(cluster: Cluster, place: str) -> None:
    await cluster.apply(with_metadata(secret(place, a="1", b="2"), labels={"x": "1"}), MANAGER)
    applied = done(await cluster.apply(secret(place, a="1"), MANAGER))
    assert plain(applied) == {"a": "1"}
    assert "labels" not in applied["metadata"]


async def test_an_apply_leaves_what_others_manage(cluster: Cluster, place: str) -> None:
    await cluster.apply(secret(place, a="1"), MANAGER)
    await cluster.apply(secret(place, b="2"), "other")
    add = [{"op": "add", "path": "/data/c", "value": encode("3")}]
    await cluster.patch(SECRET, place, "sample", add, "third")
    applied = done(await cluster.apply(secret(place, a="new"), MANAGER))
    assert plain(applied) == {"a": "new", "b": "2", "c": "3"}


async def test_an_apply_takes_a_field_from_another_manager(cluster: Cluster, place: str) -> None:
    await cluster.apply(secret(place, a="1"), "other")
    await cluster.apply(secret(place, a="2"), MANAGER)
    after = done(await cluster.apply(secret(place, b="2"), "other"))
    assert plain(after) == {"a": "2", "b": "2"}


async def test_a_key_that_two_managers_applied_goes_with_the_last(cluster: Cluster, place: str) -> None:
    await cluster.apply(secret(place, a="1", b="2"), "other")
    await cluster.apply(secret(place, a="1", b="2"), MANAGER)
    assert plain(done(await cluster.apply(secret(place, a="1"), MANAGER))) == {"a": "1", "b": "2"}
    assert plain(done(await cluster.apply(secret(place, a="1"), "other"))) == {"a": "1"}


async def test_an_apply_onto_a_version_that_has_passed_is_a_conflict(cluster: Cluster, place: str) -> None:
    first = done(await cluster.apply(secret(place, a="1"), MANAGER))
    second = done(await cluster.apply(secret(place, a="2"), MANAGER, version=version_of(first)))
    assert await cluster.apply(secret(place, a="3"), MANAGER, version=version_of(first)) == Conflict()
    assert done(await cluster.get(SECRET, place, "sample")) == second


async def test_an_apply_onto_a_uid_never_makes_another_object(cluster: Cluster, place: str) -> None:
    uid = done(await cluster.apply(secret(place, a="1"), MANAGER))["metadata"]["uid"]
    done(await cluster.apply(secret(place, a="2"), MANAGER, uid=uid))
    await cluster.delete(SECRET, place, "sample")
    assert await cluster.apply(secret(place, a="3"), MANAGER, uid=uid) == Conflict()
    assert await cluster.get(SECRET, place, "sample") == Absent()
    done(await cluster.apply(secret(place, a="4"), MANAGER))
    assert await cluster.apply(secret(place, a="5"), MANAGER, uid=uid) == Conflict()


async def test_an_apply_onto_a_version_alone_makes_an_absent_object(cluster: Cluster, place: str) -> None:
    done(await cluster.apply(secret(place, a="1"), MANAGER, version="1"))


async def test_text_is_folded_into_data(cluster: Cluster, place: str) -> None:
    made = done(await cluster.create({**secret(place, a="1"), "stringData": {"a": "2", "b": "ü"}}, "test"))
    assert plain(made) == {"a": "2", "b": "ü"}
    assert "stringData" not in made


async def test_creating_what_is_there_is_a_conflict(cluster: Cluster, place: str) -> None:
    done(await cluster.create(secret(place, a="1"), "test"))
    assert await cluster.create(secret(place, a="1"), "test") == Conflict()


async def test_nothing_is_made_in_a_namespace_that_is_not_there(cluster: Cluster) -> None:
    assert await cluster.create(secret("no-such-namespace", a="1"), "test") == Absent()
    assert await cluster.apply(secret("no-such-namespace", a="1"), "test") == Absent()


async def test_what_is_not_there_is_absent_to_every_call(cluster: Cluster, place: str) -> None:
    assert await cluster.get(SECRET, place, "none") == Absent()
    assert await cluster.delete(SECRET, place, "none") == Absent()
    assert await cluster.patch(SECRET, place, "none", [], "test") == Absent()
    assert await cluster.patch_status(EXTERNAL_SECRET, place, "none", {}, "test") == Absent()


async def test_a_kind_that_is_not_installed_is_absent(cluster: Cluster, place: str) -> None:
    assert await cluster.get(UNKNOWN, place, "none") == Absent()
    assert await cluster.list(Selection(UNKNOWN)) == Absent()
    assert [event async for event in cluster.watch(Selection(UNKNOWN), "1", 5)] == [Absent()]


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "test", "path": "/metadata/resourceVersion", "value": "1"}],
        [{"op": "test", "path": "/data/a", "value": "other"}],
        [{"op": "remove", "path": "/data/none"}],
        [{"op": "add", "path": "/none/deeper", "value": "eA=="}],
        [{"op": "replace", "path": "/metadata/resourceVersion", "value": "1"}],
        [{"op": "replace", "path": "/metadata/uid", "value": "1"}],
    ],
    ids=lambda operations: "-".join(operations[0][part] for part in ("op", "path")),
)
async def test_a_patch_of_an_object_that_has_changed_is_a_conflict(
    cluster: Cluster, place: str, operations: list[dict[str, Any]]
) -> None:
    before = done(await cluster.apply(secret(place, a="1"), MANAGER))
    add = {"op": "add", "path": "/data/b", "value": encode("2")}
    assert await cluster.patch(SECRET, place, "sample", [*operations, add], "test") == Conflict()
    assert done(await cluster.get(SECRET, place, "sample")) == before


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        ({"op": "add", "path": "/data/a b", "value": "eA=="}, "data[a b]"),
        ({"op": "add", "path": "/data/b", "value": "!"}, ""),
        ({"op": "add", "path": "/data", "value": 5}, ""),
        ({"op": "replace", "path": "/type", "value": "other"}, "type"),
        ({"op": "replace", "path": "/metadata/name", "value": "other"}, ""),
        ({"op": "add", "path": "/metadata/labels", "value": {"a": "b c"}}, "metadata.labels"),
        ({"op": "add", "path": "/metadata/annotations", "value": {"a b": "c"}}, "metadata.annotations"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_what_a_cluster_never_takes_is_refused_with_the_field(
    cluster: Cluster, place: str, operation: dict[str, Any], field: str
) -> None:
    await cluster.apply(secret(place, a="1"), MANAGER)
    assert await cluster.patch(SECRET, place, "sample", [operation], "test") == Refused(field)


async def test_an_immutable_secret_keeps_its_data(cluster: Cluster, place: str) -> None:
    done(await cluster.apply({**secret(place, a="1"), "immutable": True}, MANAGER))
    changed = {**secret(place, a="2"), "immutable": True}
    assert await cluster.apply(changed, MANAGER) == Refused("data")
    assert await cluster.apply(secret(place, a="1"), MANAGER) == Refused("immutable")
    labelled = with_metadata({**secret(place, a="1"), "immutable": True}, labels={"x": "y"})
    assert done(await cluster.apply(labelled, MANAGER))["metadata"]["labels"] == {"x": "y"}


async def test_a_rule_of_ours_refuses_with_the_field(cluster: Cluster, place: str) -> None:
    assert await cluster.create(external_secret(place, data=[]), "test") == Refused("spec")
    wrong = external_secret(place, target={"creationPolicy": "Nobody"})
    assert await cluster.create(wrong, "test") == Refused("spec.target.creationPolicy")


async def test_status_and_the_rest_are_written_apart(cluster: Cluster, place: str) -> None:
    made = done(await cluster.create({**external_secret(place), "status": {"refreshTime": None}}, "test"))
    assert "status" not in made
    assert made["metadata"]["generation"] == 1
    status = {"syncedResourceVersion": "1-x", "binding": {"name": "sample"}}
    reported = done(await cluster.patch_status(EXTERNAL_SECRET, place, "sample", status, "test"))
    assert reported["status"] == status
    assert reported["metadata"]["generation"] == 1
    change = [
        {"op": "replace", "path": "/spec/data/0/remoteRef/key", "value": "OTHER"},
        {"op": "replace", "path": "/status/syncedResourceVersion", "value": "2-x"},
    ]
    changed = done(await cluster.patch(EXTERNAL_SECRET, place, "sample", change, "test"))
    assert changed["status"] == status
    assert changed["metadata"]["generation"] == 2


async def test_a_status_patch_merges_and_removes(cluster: Cluster, place: str) -> None:
    await cluster.create(external_secret(place), "test")
    await cluster.patch_status(EXTERNAL_SECRET, place, "sample", {"syncedResourceVersion": "1-x"}, "test")
    condition = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    patch = {"conditions": [condition], "syncedResourceVersion": None}
    reported = done(await cluster.patch_status(EXTERNAL_SECRET, place, "sample", patch, "test"))
    assert reported["status"] == {"conditions": [condition]}
    again = done(await cluster.patch_status(EXTERNAL_SECRET, place, "sample", patch, "test"))
    assert again == reported


async def test_a_status_patch_of_a_version_that_has_passed_is_a_conflict(
    cluster: Cluster, place: str
) -> None:
    first = done(await cluster.create(external_secret(place), "test"))
    status = {"syncedResourceVersion": "1-x"}
    call = ("sample", status, "test")
    done(await cluster.patch_status(EXTERNAL_SECRET, place, *call, version=version_of(first)))
    refused = await cluster.patch_status(EXTERNAL_SECRET, place, *call, version=version_of(first))
    assert refused == Conflict()


async def test_a_deletion_holds_to_its_preconditions(cluster: Cluster, place: str) -> None:
    made = done(await cluster.apply(secret(place, a="1"), MANAGER))
    assert await cluster.delete(SECRET, place, "sample", uid="another") == Conflict()
    assert await cluster.delete(SECRET, place, "sample", version="1") == Conflict()
    uid = made["metadata"]["uid"]
    assert await cluster.delete(SECRET, place, "sample", uid=uid, version=version_of(made)) == Done()
    assert await cluster.get(SECRET, place, "sample") == Absent()


async def test_finalizers_hold_a_deletion_back(cluster: Cluster, place: str) -> None:
    await cluster.create(with_metadata(external_secret(place), finalizers=["example.test/hold"]), "test")
    assert await cluster.delete(EXTERNAL_SECRET, place, "sample") == Done()
    going = done(await cluster.get(EXTERNAL_SECRET, place, "sample"))
    assert going["metadata"]["deletionTimestamp"]
    assert going["metadata"]["generation"] == 2
    more = [{"op": "add", "path": "/metadata/finalizers/-", "value": "example.test/more"}]
    refused = await cluster.patch(EXTERNAL_SECRET, place, "sample", more, "test")
    assert refused == Refused("metadata.finalizers")
    off = [{"op": "remove", "path": "/metadata/finalizers"}]
    done(await cluster.patch(EXTERNAL_SECRET, place, "sample", off, "test"))
    assert await cluster.get(EXTERNAL_SECRET, place, "sample") == Absent()


async def test_a_list_has_what_is_selected(cluster: Cluster, place: str) -> None:
    await cluster.create(with_metadata(secret(place, "one", a="1"), labels={"app": "x", "tier": "y"}), "test")
    await cluster.create(with_metadata(secret(place, "two", a="1"), labels={"app": "z"}), "test")
    await cluster.create(secret(place, "three", a="1"), "test")

    async def names(labels: str = "", fields: str = "") -> list[str]:
        listed = await cluster.list(Selection(SECRET, place, labels, fields))
        assert isinstance(listed, Listed)
        return [item["metadata"]["name"] for item in listed.items]

    assert await names() == ["one", "three", "two"]
    assert await names("app=x") == ["one"]
    assert await names("app!=x") == ["three", "two"]
    assert await names("app in (x, z),tier") == ["one"]
    assert await names("!app") == ["three"]
    assert await names("app notin (z)") == ["one", "three"]
    assert await names(fields="metadata.name=two") == ["two"]
    assert await names(fields="metadata.name!=two") == ["one", "three"]


async def test_a_list_of_metadata_has_no_data(cluster: Cluster, place: str) -> None:
    made = done(await cluster.create(secret(place, a="1"), "test"))
    listed = await cluster.list(Selection(SECRET, place, metadata_only=True))
    assert isinstance(listed, Listed)
    assert listed.items == [{"apiVersion": "v1", "kind": "Secret", "metadata": made["metadata"]}]


async def test_list_items_say_what_they_are(cluster: Cluster, place: str) -> None:
    made = done(await cluster.create(secret(place, a="1"), "test"))
    listed = await cluster.list(Selection(SECRET, place))
    assert isinstance(listed, Listed)
    assert listed.items == [made]


async def test_a_selector_that_is_none_is_refused(cluster: Cluster, place: str) -> None:
    assert await cluster.list(Selection(SECRET, place, labels="a=(")) == Refused()


def owned_by(object: Object, owner: Object) -> Object:
    fields = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], **_names(owner)}
    return with_metadata(object, ownerReferences=[fields])


def _names(owner: Object) -> dict[str, str]:
    return {name: owner["metadata"][name] for name in ("name", "uid")}


@pytest.fixture
def collector(request: pytest.FixtureRequest, cluster: Cluster) -> None:
    """Where the cluster is a real one, something that collects garbage and ends namespaces."""
    if isinstance(cluster, KubernetesCluster):
        request.getfixturevalue("controllers")


async def gone(cluster: Cluster, kind: Kind, namespace: str, name: str) -> None:
    async def is_gone() -> bool:
        return await cluster.get(kind, namespace, name) == Absent()

    await eventually(is_gone, within=90)  # what collects is slow where much is asked of it


@pytest.mark.usefixtures("collector")
async def test_what_was_owned_goes_with_its_owner(cluster: Cluster, place: str) -> None:
    owner = done(await cluster.create(external_secret(place), "test"))
    await cluster.create(owned_by(secret(place, "owned"), owner), "test")
    await cluster.create(secret(place, "free"), "test")
    await cluster.delete(EXTERNAL_SECRET, place, "sample")
    await gone(cluster, SECRET, place, "owned")
    done(await cluster.get(SECRET, place, "free"))


@pytest.mark.usefixtures("collector")
async def test_one_of_two_owners_is_enough(cluster: Cluster, place: str) -> None:
    owners = [done(await cluster.create(external_secret(place, name), "test")) for name in ("one", "two")]
    both = [owned_by(secret(place), owner)["metadata"]["ownerReferences"][0] for owner in owners]
    await cluster.create(with_metadata(secret(place, "owned"), ownerReferences=both), "test")
    await cluster.delete(EXTERNAL_SECRET, place, "one")

    async def has_one_owner() -> bool:
        owned = done(await cluster.get(SECRET, place, "owned"))
        return bool(owned["metadata"]["ownerReferences"] == both[1:])

    await eventually(has_one_owner, within=40)
    await cluster.delete(EXTERNAL_SECRET, place, "two")
    await gone(cluster, SECRET, place, "owned")


@pytest.mark.usefixtures("collector")
async def test_a_namespace_goes_with_what_is_in_it_but_not_before_its_finalizers(
    cluster: Cluster, place: str
) -> None:
    await cluster.create(secret(place), "test")
    await cluster.create(with_metadata(external_secret(place), finalizers=["example.test/hold"]), "test")
    assert await cluster.delete(NAMESPACE, "", place) == Done()
    await gone(cluster, SECRET, place, "sample")
    assert done(await cluster.get(NAMESPACE, "", place))["status"]["phase"] == "Terminating"
    assert await cluster.create(secret(place, "late"), "test") == Absent()
    off = [{"op": "remove", "path": "/metadata/finalizers"}]
    await cluster.patch(EXTERNAL_SECRET, place, "sample", off, "test")
    await gone(cluster, NAMESPACE, "", place)
