"""What is defined and not built yet: answered clearly, never half done, and nothing of it is lost."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.cluster import Kind, Listed, Object, Selection
from adapters.resources.kinds import (
    CLUSTER_EXTERNAL_SECRET,
    CLUSTER_PUSH_SECRET,
    CLUSTER_SECRET_STORE,
    EVENT,
    PUSH_SECRET,
)
from tests.scenarios.scene import Scene, example, key

WHEN = "2026-01-01T00:00:00Z"


@pytest.fixture
async def wide(scene: Scene) -> AsyncIterator[str]:
    """A ClusterSecretStore of this scene's own class, so that only this scene's controller minds its users."""
    scene.controller_class = scene.namespace
    store = scene.store(f"wide-{scene.namespace}") | {"kind": "ClusterSecretStore"}
    store["spec"]["controller"] = scene.controller_class
    await scene.apply(store)
    yield store["metadata"]["name"]
    await scene.cluster.delete(CLUSTER_SECRET_STORE, "", store["metadata"]["name"])


def cluster_push_secret(name: str, store: str) -> Object:
    """One that would push in every namespace."""
    spec = example("push-secret", "PushSecret")["spec"]
    spec["secretStoreRefs"] = [{"name": store, "kind": "ClusterSecretStore"}]
    return {
        "apiVersion": "external-secrets.io/v1alpha1",
        "kind": "ClusterPushSecret",
        "metadata": {"name": name, "finalizers": ["example.com/theirs"]},
        "spec": {"pushSecretSpec": spec, "namespaceSelectors": [{"matchLabels": {"none": "such"}}]},
    }


def cluster_external_secret(name: str, store: str, scene: Scene) -> Object:
    """One that would make an ExternalSecret in every namespace."""
    spec = scene.external_secret(data=[key("API_KEY")])["spec"]
    spec["secretStoreRef"] = {"name": store, "kind": "ClusterSecretStore"}
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ClusterExternalSecret",
        "metadata": {"name": name, "finalizers": ["example.com/theirs"]},
        "spec": {"externalSecretSpec": spec, "namespaceSelectors": [{"matchLabels": {"none": "such"}}]},
    }


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (CLUSTER_EXTERNAL_SECRET, {"type", "status", "message"}),
        (CLUSTER_PUSH_SECRET, {"type", "status", "message", "reason", "lastTransitionTime"}),
    ],
    ids=lambda it: it.name if isinstance(it, Kind) else "",
)
async def test_cluster_wide_kind_is_told_so_and_otherwise_untouched(
    scene: Scene, wide: str, kind: Kind, fields: set[str]
) -> None:
    """Finalizers and what another controller wrote stay; a condition has the fields that its kind has."""
    name = f"everywhere-{scene.namespace}"
    made = (
        cluster_external_secret(name, wide, scene)
        if kind == CLUSTER_EXTERNAL_SECRET
        else cluster_push_secret(name, wide)
    )
    await scene.apply(made)
    theirs: dict[str, Any] = {"provisionedNamespaces": ["somewhere"]}
    await scene.cluster.patch_status(kind, "", name, theirs, "other")
    await scene.start()
    condition = await scene.ready(
        name, kind, status="False", said="this kind is not supported by this controller yet"
    )
    found = await scene.object(kind, name)
    assert found is not None
    assert set(condition) == fields
    assert found["metadata"]["finalizers"] == ["example.com/theirs"]
    assert found["status"]["provisionedNamespaces"] == ["somewhere"]
    assert not scene.requests()
    await scene.stop()
    await scene.cluster.patch(kind, "", name, [{"op": "remove", "path": "/metadata/finalizers"}], "author")
    await scene.cluster.delete(kind, "", name)


async def test_kind_that_uses_only_stores_of_others_is_left_alone(scene: Scene) -> None:
    """Not even a condition: its controller would wonder."""
    store = scene.store("theirs")
    store["spec"]["controller"] = "somebody-else"
    push = example("push-secret", "PushSecret")
    push["spec"]["secretStoreRefs"] = [{"name": "theirs", "kind": "SecretStore"}]
    await scene.apply(store, push)
    await scene.start()
    name = push["metadata"]["name"]
    await scene.until(lambda: scene.journal.ends(name) == ["passed_over"])
    assert await scene.condition(PUSH_SECRET, name) == {}


async def test_kind_that_is_told_is_told_once(scene: Scene, wide: str) -> None:
    """A restart, and the same condition again: nothing is written, and no second event."""
    name = f"everywhere-{scene.namespace}"
    made = cluster_push_secret(name, wide)
    del made["metadata"]["finalizers"]
    await scene.apply(made)
    await scene.start()
    await scene.ready(name, CLUSTER_PUSH_SECRET, status="False")
    await scene.ready(wide, CLUSTER_SECRET_STORE)
    async with scene.costs(scene.requests()):
        await scene.until(lambda: scene.journal.ends(name) == ["error", "error"])
    listed = await scene.cluster.list(Selection(EVENT, namespace="default"))
    assert isinstance(listed, Listed)
    assert [one["reason"] for one in listed.items if one["regarding"]["name"] == name] == ["Errored"]
    await scene.cluster.delete(CLUSTER_PUSH_SECRET, "", name)


@pytest.mark.parametrize("section", ["data", "dataFrom"])
async def test_generator_is_answered_by_a_condition_that_names_it(scene: Scene, section: str) -> None:
    """Values that are made up, and not read, are not built."""
    source = {"generatorRef": {"kind": "Password", "name": "generated"}}
    entry: Object = {**key("API_KEY"), "sourceRef": source} if section == "data" else {"sourceRef": source}
    await scene.begin_with_store()
    spec: dict[str, Any] = {section: [entry]}
    await scene.apply(scene.external_secret(**spec))
    await scene.ready(
        status="False", said=f"not supported by this controller yet: spec.{section}[0].sourceRef.generatorRef"
    )
    assert await scene.secret() is None


@pytest.mark.parametrize("policy", ["Orphan", "None", "CreateOrMerge"])
async def test_creation_policy_that_is_not_built_writes_nothing(scene: Scene, policy: str) -> None:
    """The Secret of that name stays as it is, whoever has it."""
    await scene.begin()
    before = await scene.version()
    await scene.apply(scene.external_secret(data=[key("DB_PASSWORD")], target={"creationPolicy": policy}))
    await scene.ready(status="False", said="not supported by this controller yet: spec.target.creationPolicy")
    assert await scene.version() == before
