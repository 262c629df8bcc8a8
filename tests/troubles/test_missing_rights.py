"""A role that lacks one verb, on the real API server: which one is told, and to have it later is enough."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.resources.kinds import EXTERNAL_SECRET, SECRET_STORE
from reconciler.effects.observe_external_secret import FINALIZER
from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient
from tests.apiserver.preparing import RBAC, make_service_account
from tests.deploy.test_rights import granted
from tests.scenarios.scene import API_KEY, key
from tests.troubles.proxy import Proxy
from tests.troubles.troubled import Troubled, troubled_scene

pytestmark = pytest.mark.apiserver

Object = dict[str, Any]


def rights_but(verb: str, resource: str) -> list[Object]:
    """The rules of the manifest without one right."""
    rules: list[Object] = []
    for rule in granted():
        kept = [one for one in rule["resources"] if one != resource]
        if kept:
            rules.append({**rule, "resources": kept})
        verbs = [one for one in rule["verbs"] if one != verb]
        if kept != rule["resources"] and verbs:
            rules.append({**rule, "resources": [resource], "verbs": verbs})
    return rules


class Limited:
    """A scene whose controller has a role that can be completed."""

    def __init__(self, troubled: Troubled, api: ApiClient, role: str) -> None:
        self.troubled = troubled
        self.scene = troubled.scene
        self._api = api
        self._role = role

    async def grant(self) -> None:
        """The role is as the manifest has it, from now on."""
        await self._api.merge(f"{RBAC}/v1/clusterroles", self._role, "", {"rules": granted()})


@asynccontextmanager
async def lacking(
    verb: str, resource: str, apiserver: Access, proxy: Proxy, api: ApiClient, namespace: str
) -> AsyncIterator[Limited]:
    token = await make_service_account(api, namespace, "controller", cluster_rules=rights_but(verb, resource))
    kubeconfig = proxy.kubeconfig(f"{namespace}-limited", token=token)
    async with troubled_scene(apiserver, proxy, namespace, kubeconfig) as troubled:
        yield Limited(troubled, api, f"{namespace}-controller")


@pytest.mark.parametrize("verb", ["list", "watch"])
@pytest.mark.parametrize(
    "resource",
    ["secrets", "namespaces", "externalsecrets", "secretstores", "clustersecretstores", "pushsecrets"],
)
async def test_kind_that_may_not_be_followed(
    verb: str, resource: str, apiserver: Access, proxy: Proxy, api: ApiClient, namespace: str
) -> None:
    """`/readyz` and the log name the right; nothing runs before all is known, and then all goes on by itself."""
    said = f"the controller may not {verb} {resource}: check its ClusterRole"
    async with lacking(verb, resource, apiserver, proxy, api, namespace) as limited:
        scene = limited.scene
        await scene.apply(
            scene.credentials_secret(), scene.store(), scene.external_secret(data=[key("API_KEY")])
        )
        async with limited.troubled.starting():
            await limited.troubled.says(said)
            if verb == "list":
                assert not scene.journal.transitions
            await limited.grant()
        await scene.ready()
        await limited.troubled.follows()
        assert await scene.secret() == {"key": API_KEY}
        assert said in limited.troubled.log("a watch does not follow", resource=resource)
        await limited.troubled.ends_well()


async def get_credentials(limited: Limited, said: str) -> None:
    """The store says so."""
    scene = limited.scene
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.store_ready(status="False", said=said)
    await limited.grant()
    await scene.store_ready()


async def get_certificates(limited: Limited, said: str) -> None:
    """The store says so."""
    scene = limited.scene
    store = scene.store()
    store["spec"]["provider"]["infisical"]["caProvider"] = {
        "type": "ConfigMap",
        "name": "authority",
        "key": "ca.crt",
    }
    await scene.start()
    await scene.apply(scene.credentials_secret(), store)
    await scene.store_ready(status="False", said=said)
    await limited.grant()
    await scene.store_ready(status="False", said="certificates of caProvider are not there")


async def make_secret(limited: Limited, said: str) -> None:
    """The resource says so."""
    scene = limited.scene
    await scene.begin_with_store()
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    await scene.ready(status="False", said=said)
    await limited.grant()
    await scene.ready()


async def delete_former(limited: Limited, said: str) -> None:
    """The resource says so, and the new target is there."""
    scene = limited.scene
    await scene.begin()
    await scene.apply(scene.external_secret(data=[key("API_KEY")], target={"name": "renamed"}))
    await scene.ready(status="False", said=said)
    await limited.grant()
    await scene.holds(None)


async def take_off_finalizer(limited: Limited, said: str) -> None:
    """The resource says so, while it cannot go."""
    scene = limited.scene
    await scene.begin_with_store()
    held = scene.external_secret(data=[key("API_KEY")])
    held["metadata"]["finalizers"] = [FINALIZER]
    await scene.apply(held)
    await scene.ready()
    await scene.delete(EXTERNAL_SECRET, "wanted")
    await scene.ready(status="False", said=said)
    await limited.grant()

    async def gone() -> bool:
        return await scene.object(EXTERNAL_SECRET, "wanted") is None

    await scene.until(gone)


async def tell_status(limited: Limited, said: str) -> None:
    """The log says so, and the Secret is there."""
    scene = limited.scene
    await scene.begin_with_store()
    await scene.apply(scene.external_secret(data=[key("API_KEY")]))
    await scene.holds({"key": API_KEY})
    await scene.until(lambda: limited.troubled.log("statuses cannot be written") == [said])
    await limited.grant()
    await scene.ready()


async def tell_status_of_store(limited: Limited, said: str) -> None:
    """The log says so; what uses the store waits for its verdict."""
    scene = limited.scene
    await scene.start()
    await scene.apply(scene.credentials_secret(), scene.store())
    await scene.until(lambda: limited.troubled.log("statuses cannot be written") == [said])
    assert not await scene.condition(SECRET_STORE, "infisical")
    await limited.grant()
    await scene.store_ready()


async def tell_event(limited: Limited, said: str) -> None:
    """The log says so, once; nothing else suffers."""
    await limited.scene.begin()
    sentence = f"events cannot be written: {said.replace(':', ';')}"
    await limited.scene.until(lambda: limited.troubled.log(sentence) == ["None"])


CASES: dict[tuple[str, str], Callable[[Limited, str], Awaitable[None]]] = {
    ("get", "secrets"): get_credentials,
    ("get", "configmaps"): get_certificates,
    ("create", "secrets"): make_secret,
    ("patch", "secrets"): make_secret,
    ("delete", "secrets"): delete_former,
    ("patch", "externalsecrets"): take_off_finalizer,
    ("patch", "externalsecrets/status"): tell_status,
    ("patch", "secretstores/status"): tell_status_of_store,
    ("create", "events"): tell_event,
}


@pytest.mark.parametrize("right", CASES, ids=" ".join)
async def test_call_that_is_not_allowed(
    right: tuple[str, str], apiserver: Access, proxy: Proxy, api: ApiClient, namespace: str
) -> None:
    """Which right it is is told where the operator looks first; once it is there, all is well without a restart."""
    verb, resource = right
    async with lacking(verb, resource, apiserver, proxy, api, namespace) as limited:
        await CASES[right](limited, f"the controller may not {verb} {resource}: check its ClusterRole")
        await limited.troubled.ends_well()
