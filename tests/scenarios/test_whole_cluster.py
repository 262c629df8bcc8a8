"""A controller for a whole cluster, on one with definitions that are not ours, or none at all."""

import asyncio
import copy
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.infisical.http import Network
from adapters.kubernetes.connect import connect
from adapters.resources.crds import crd
from adapters.resources.kinds import OUR_KINDS, SECRET, SECRET_STORE
from reconciler.standin import StandIn
from tests.apiserver.client import ApiClient
from tests.apiserver.preparing import install_crds
from tests.apiserver.server import ApiServer
from tests.scenarios.infisical import Infisical
from tests.scenarios.scene import API_KEY, LOGIN, SINGLE, VALIDATION, Scene, key

pytestmark = pytest.mark.apiserver


def without_rules(schema: Any) -> Any:
    """A schema without its rules, as an older controller's definitions are."""
    if isinstance(schema, dict):
        return {
            name: without_rules(part) for name, part in schema.items() if name != "x-kubernetes-validations"
        }
    return [without_rules(part) for part in schema] if isinstance(schema, list) else schema


@pytest.fixture
async def alone(own_apiserver: ApiServer) -> AsyncIterator[Scene]:
    """A scene on a server of its own, that has no definitions yet."""
    async with Infisical(StandIn(time.time)) as infisical, Network() as network:
        cluster = await connect({"KUBECONFIG": str(own_apiserver.access.kubeconfig)})
        scene = Scene(cluster, "default", infisical.standin, infisical.url, network)
        try:
            yield scene
        finally:
            await scene.stop()
            await cluster.close()


async def test_controller_waits_for_definitions_and_checks_what_they_do_not(
    alone: Scene, own_apiserver: ApiServer
) -> None:
    """Without definitions it says which are missing; with those of an older controller, that lack the rules, a
    resource that breaks one is told so by its condition, and served once it is mended."""
    scene = alone
    await scene.start(namespace=None)
    assert scene.controller is not None
    said = scene.controller.not_ready()
    assert "externalsecrets: this kind is not installed in the cluster; apply the CRDs" in said
    async with ApiClient(own_apiserver.access) as api:
        await install_crds(api, [without_rules(copy.deepcopy(crd(kind))) for kind in OUR_KINDS])
    broken = scene.store()
    broken["spec"]["provider"]["infisical"]["auth"]["universalAuthCredentials"]["clientId"]["namespace"] = "a"
    twice = scene.external_secret(data=[key("API_KEY"), key("DB_PASSWORD")])
    await scene.apply(scene.credentials_secret(), broken)
    condition = await scene.store_ready(status="False", said="namespace is not allowed in a SecretStore")
    assert condition["reason"] == "InvalidStoreConfiguration"
    await scene.until(lambda: not scene.controller or not scene.controller.not_ready())
    await scene.apply(scene.store())
    await scene.store_ready()
    scene.server.record.clear()
    await scene.apply(twice)
    await scene.ready(status="False", said="data has one secretKey twice")
    assert not scene.requests()
    await scene.apply(scene.external_secret(data=[key("API_KEY"), key("DB_PASSWORD", "other")]))
    await scene.ready()


async def test_namespaces_have_nothing_to_do_with_each_other(alone: Scene, own_apiserver: ApiServer) -> None:
    """The same names in two namespaces: each has its own store, its own credentials and its own Secret."""
    scene, names = alone, ("one", "two")
    async with ApiClient(own_apiserver.access) as api:
        await install_crds(api, [crd(kind) for kind in OUR_KINDS])
    scene.project.set_secret("prod", "/", "API_KEY", "of-production")
    await scene.apply(
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names)
    )
    wanted = scene.external_secret(data=[key("API_KEY")])
    await scene.start(namespace=None)
    for name, environment in zip(names, ("dev", "prod"), strict=True):
        scene.namespace = name
        await scene.apply(scene.credentials_secret(), scene.store(environmentSlug=environment), wanted)
    for name, value in (("one", API_KEY), ("two", "of-production")):
        scene.namespace = name
        await scene.ready()
        assert await scene.secret() == {"key": value}
    await scene.stop()
    each = LOGIN + VALIDATION + SINGLE
    assert scene.requests() == each + each


async def test_namespace_that_is_deleted_takes_everything_with_it(
    alone: Scene, own_apiserver: ApiServer
) -> None:
    """The controller neither holds it up nor makes anything anew in it, and goes on elsewhere."""
    scene = alone
    own_apiserver.start_controllers()
    async with ApiClient(own_apiserver.access) as api:
        await install_crds(api, [crd(kind) for kind in OUR_KINDS])
        await scene.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "short-lived"}})
        await scene.start(namespace=None)
        scene.namespace = "short-lived"
        await scene.apply(scene.credentials_secret(), scene.store())
        await scene.store_ready()
        names = [f"wanted-{number}" for number in range(5)]
        await scene.apply(
            *(scene.external_secret(name, refreshInterval="1s", data=[key("API_KEY")]) for name in names)
        )
        for name in names:
            await scene.ready(name)
        await api.delete("v1/namespaces", "short-lived")
        await api.until("v1/namespaces", "short-lived", "", lambda found: found is None, within=30)
    scene.namespace = "default"
    await scene.apply(scene.credentials_secret(), scene.store(), scene.external_secret(data=[key("API_KEY")]))
    await scene.ready()
    assert await scene.object(SECRET_STORE, "infisical") is not None


async def test_api_server_that_restarts_is_followed_again(alone: Scene, own_apiserver: ApiServer) -> None:
    """What happened while it was away is noticed, and nothing is written that stands there already."""
    scene = alone
    async with ApiClient(own_apiserver.access) as api:
        await install_crds(api, [crd(kind) for kind in OUR_KINDS])
    await scene.begin()
    await scene.apply(scene.external_secret("calm", data=[key("DB_PASSWORD")]))
    await scene.ready("calm")
    calm = await scene.version(name="calm")
    await asyncio.to_thread(own_apiserver.halt)
    assert scene.controller is not None
    controller = scene.controller
    await scene.until(controller.not_ready)
    await asyncio.to_thread(own_apiserver.resume)
    await scene.until(lambda: not controller.not_ready())
    await scene.delete(SECRET, "wanted")
    await scene.holds({"key": API_KEY})
    assert await scene.version(name="calm") == calm
    assert scene.counting.writes["apply Secret"] == 3
