"""Cluster-wide stores: whose credentials they use, and which namespaces they admit."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import CLUSTER_SECRET_STORE
from tests.scenarios.scene import API_KEY, LOGIN, SINGLE, VALIDATION, Scene, key


@pytest.fixture
async def wide(scene: Scene) -> AsyncIterator[Object]:
    """A ClusterSecretStore of this scene's own class, whose credentials are read where it is used."""
    scene.controller_class = scene.namespace
    store = scene.store(f"wide-{scene.namespace}") | {"kind": "ClusterSecretStore"}
    store["spec"]["controller"] = scene.controller_class
    yield store
    await scene.cluster.delete(CLUSTER_SECRET_STORE, "", store["metadata"]["name"])


def user_of(store: Object, scene: Scene) -> Object:
    """A resource that uses a cluster-wide store."""
    wanted = scene.external_secret(data=[key("API_KEY")])
    wanted["spec"]["secretStoreRef"] = {"name": store["metadata"]["name"], "kind": "ClusterSecretStore"}
    return wanted


async def test_cluster_store_without_a_namespace_is_unknown_by_itself_and_works(
    scene: Scene, wide: Object
) -> None:
    """Its own validation asks nothing of anybody; each user logs in with the credentials of its own namespace."""
    async with scene.costs(
        LOGIN + SINGLE, status_ClusterSecretStore=1, status_ExternalSecret=1, apply_Secret=1
    ):
        await scene.apply(wide)
        condition = await scene.ready(
            wide["metadata"]["name"],
            CLUSTER_SECRET_STORE,
            said="the credentials are read in the namespace of each resource that uses this store",
        )
        assert condition["reason"] == "ValidationUnknown"
        await scene.apply(scene.credentials_secret(), user_of(wide, scene))
        await scene.ready()
    assert await scene.secret() == {"key": API_KEY}


async def test_user_of_a_cluster_store_is_told_that_its_namespace_lacks_the_credentials(
    scene: Scene, wide: Object
) -> None:
    """With the name of the Secret that it needs; when it appears, the next attempt finds it."""
    await scene.start()
    await scene.apply(wide, user_of(wide, scene))
    await scene.ready(
        status="False",
        said=f"the Secret {scene.namespace}/universal-auth-credentials with the credentials does not exist",
    )
    assert not scene.requests()
    await scene.apply(scene.credentials_secret())
    await scene.ready()


async def test_cluster_store_with_a_namespace_is_validated_with_the_credentials_there(
    scene: Scene, wide: Object
) -> None:
    """And validated again as soon as these change."""
    for selector in wide["spec"]["provider"]["infisical"]["auth"]["universalAuthCredentials"].values():
        selector["namespace"] = scene.namespace
    name = wide["metadata"]["name"]
    await scene.start()
    await scene.apply(wide)
    await scene.ready(name, CLUSTER_SECRET_STORE, status="False", said=f"{scene.namespace}/universal-auth")
    assert not scene.requests()
    await scene.apply(scene.credentials_secret())
    condition = await scene.ready(name, CLUSTER_SECRET_STORE)
    assert condition["reason"] == "Valid"
    await scene.stop()
    assert scene.requests() == LOGIN + VALIDATION


@pytest.mark.parametrize("form", ["namespaces", "namespaceRegexes", "namespaceSelector"])
async def test_cluster_store_admits_namespaces_by_name_by_pattern_and_by_label(
    scene: Scene, wide: Object, form: str
) -> None:
    """Who is not admitted is told to look at the conditions; who comes to be admitted is served at once."""
    selector = {"matchLabels": {"team": "ours"}}
    shut: Any = {"namespaces": ["other"], "namespaceRegexes": ["^other"], "namespaceSelector": selector}[form]
    wide["spec"]["conditions"] = [{form: shut}]
    name = wide["metadata"]["name"]
    await scene.start()
    await scene.apply(scene.credentials_secret(), wide, user_of(wide, scene))
    await scene.ready(
        status="False",
        said=f"ClusterSecretStore {name} does not admit this namespace: see its spec.conditions",
    )
    assert not scene.requests()
    if form == "namespaceSelector":
        labels = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": scene.namespace}}
        labels["metadata"]["labels"] = {"team": "ours"}  # type: ignore[index]
        await scene.apply(labels)
    else:
        opened = {"namespaces": [scene.namespace], "namespaceRegexes": [scene.namespace[1:-1]]}[form]
        wide["spec"]["conditions"].append({form: opened})
        await scene.apply(wide)
    await scene.ready()
