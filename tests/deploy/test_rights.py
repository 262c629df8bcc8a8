"""The rights in the manifest: enough for a whole life, and none too many."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.cluster import Cluster, Conflict, Kind, Read, Selection, WatchEvent, Written
from adapters.cluster import ListResult as Listing
from adapters.infisical.http import Network
from adapters.kubernetes.connect import connect
from adapters.resources.kinds import EXTERNAL_SECRET, PUSH_SECRET, SECRET, kind_of
from reconciler.driver import Clock
from reconciler.effects.observe_external_secret import FINALIZER
from reconciler.election import Candidacy, Election
from reconciler.fence import Fence
from reconciler.standin import StandIn
from reconciler.standin.server import Server
from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient
from tests.apiserver.preparing import install_crds, make_service_account, read_crds, request_token
from tests.apiserver.server import ApiServer
from tests.scenarios.counting import CountingCluster
from tests.scenarios.pushing import entry, push_secret, source
from tests.scenarios.scene import Scene, example

MANIFEST = Path(__file__).parent.parent.parent / "deploy" / "manifest.yaml"
NOT_WITHIN_A_TEST = {
    (
        "events.k8s.io",
        "events",
        "patch",
    ),  # the count of an event that happens again is written a minute later
}
DEPLOYED = "infisical-reconciler"  # the account in the manifest, its namespace and its Lease
Object = dict[str, Any]
Right = tuple[str, str, str]


class Watched(CountingCluster):
    """Notes which right each call needs; the first apply is told that somebody else was quicker."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.used: set[Right] = set()
        self.conflicts = 1

    def _use(self, verb: str, kind: Kind, part: str = "") -> None:
        self.used.add((kind.group, f"{kind.plural}{part}", verb))

    async def get(self, kind: Kind, namespace: str, name: str) -> Read:
        self._use("get", kind)
        return await super().get(kind, namespace, name)

    async def list(self, selection: Selection) -> Listing:
        self._use("list", selection.kind)
        return await super().list(selection)

    def watch(self, selection: Selection, version: str, idle: float) -> AsyncGenerator[WatchEvent, None]:
        self._use("watch", selection.kind)
        return super().watch(selection, version, idle)

    async def apply(
        self, object: Object, manager: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        self._use("patch", SECRET)
        self._use("create", SECRET)  # for an apply that makes one
        self.used.add(("external-secrets.io", "externalsecrets/finalizers", "update"))  # to be its owner
        if version is not None and self.conflicts:
            self.conflicts -= 1
            return Conflict()
        return await super().apply(object, manager, uid=uid, version=version)

    async def create(self, object: Object, manager: str) -> Written:
        self._use("create", kind_of(object))
        return await super().create(object, manager)

    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        self._use("patch", kind)
        return await super().patch(kind, namespace, name, operations, manager)

    async def patch_status(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        status: Mapping[str, Any],
        manager: str,
        *,
        version: str | None = None,
    ) -> Written:
        self._use("patch", kind, "/status")
        return await super().patch_status(kind, namespace, name, status, manager, version=version)

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        self._use("delete", kind)
        return await super().delete(kind, namespace, name, uid=uid, version=version)


def granted(kind: str = "ClusterRole") -> list[Object]:
    """The rules of the manifest's ClusterRole, or of its Role."""
    documents = yaml.safe_load_all(MANIFEST.read_text())
    rules: list[Object] = next(one["rules"] for one in documents if one["kind"] == kind)
    return rules


def rights_of(rules: list[Object]) -> set[Right]:
    """All that rules allow."""
    return {
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.apiserver
async def test_manifest_is_taken_and_its_rights_are_those_of_a_whole_life(own_apiserver: ApiServer) -> None:
    """With the account's own token: stores validated, targets written, drift mended, renamed, deleted, and told."""
    await own_apiserver.access.kubectl("apply", "-f", str(MANIFEST))
    async with ApiClient(own_apiserver.access) as api:
        await install_crds(api, read_crds())
        token = await make_service_account(api, "default", "controller", cluster_rules=granted())
        deployed = await request_token(api, DEPLOYED, DEPLOYED)
    account = own_apiserver.access.as_user("controller", token)
    standin = StandIn(time.time)
    async with Network() as network, Server(standin) as served:
        admin = await connect({"KUBECONFIG": str(own_apiserver.access.kubeconfig)})
        limited = await connect({"KUBECONFIG": str(account.kubeconfig)})
        scene = Scene(admin, "default", standin, served.url, network)
        watched = scene.counting = Watched(limited)
        try:
            await scene.start(namespace=None)
            await _whole_life(scene)
        finally:
            await scene.stop()
            await admin.close()
            await limited.close()
    await _elects(own_apiserver.access.as_user("deployed", deployed))
    rights = rights_of(granted())
    assert watched.used <= rights
    assert rights - watched.used == NOT_WITHIN_A_TEST


async def _elects(account: Access) -> None:
    """The deployed account leads by the Lease of its name, and gives it back; another Lease is none of its business."""
    cluster = await connect({"KUBECONFIG": str(account.kubeconfig)})
    watched, fence = Watched(cluster), Fence()
    try:
        for _ in range(2):  # it is made once, and taken over once
            candidate = _candidate(watched, DEPLOYED, fence)
            standing = asyncio.create_task(candidate.run())
            await asyncio.wait_for(candidate.elected.wait(), 10)
            standing.cancel()
            await asyncio.wait([standing])
            await candidate.release()
        other = _candidate(cluster, "another", fence)
        standing = asyncio.create_task(other.run())
        async with asyncio.timeout(10):
            while True:
                if other.not_ready():
                    break
                await asyncio.sleep(0.02)
        assert "may not get leases: check its Role" in other.not_ready()[0]
        standing.cancel()
        await asyncio.wait([standing])
    finally:
        await cluster.close()
    assert watched.used == rights_of(granted("Role"))


def _candidate(cluster: Cluster, name: str, fence: Fence) -> Election:
    return Election(cluster, Candidacy(DEPLOYED, name, "a-pod"), Clock(time.time), lambda: 0.0, fence)


async def _whole_life(scene: Scene) -> None:
    store = scene.store()
    cluster_store = store | {"kind": "ClusterSecretStore", "metadata": {"name": "everywhere"}}
    auth = cluster_store["spec"]["provider"]["infisical"]["auth"]["universalAuthCredentials"]
    with_certificates = scene.store("with-certificates")
    with_certificates["spec"]["provider"]["infisical"]["caProvider"] = {
        "type": "ConfigMap",
        "name": "authority",
        "key": "ca.crt",
    }
    await scene.apply(scene.credentials_secret(), store, with_certificates)
    await scene.store_ready()
    await scene.store_ready("with-certificates", status="False", said="certificates")
    for selector in auth.values():
        selector["namespace"] = "default"
    await scene.apply(cluster_store)

    wanted = scene.external_secret(data=[{"secretKey": "key", "remoteRef": {"key": "API_KEY"}}])
    wanted["metadata"]["finalizers"] = [FINALIZER]
    await scene.apply(wanted)
    await scene.ready()
    await scene.delete(SECRET, "wanted")
    await scene.until(lambda: scene.object(SECRET, "wanted"))
    wanted["spec"]["target"] = {"name": "renamed"}
    wanted["spec"]["data"][0]["remoteRef"]["key"] = "DB_PASSWORD"
    await scene.apply(wanted)
    await scene.until(lambda: _is_gone(scene, SECRET, "wanted"))
    wanted["spec"]["data"][0]["secretKey"] = (
        "another"  # onto a version: the conflict that `Watched` has in store
    )
    await scene.apply(wanted)
    await scene.until(lambda: _holds(scene, "renamed", "another"))

    stores = [{"name": "infisical"}, {"name": "everywhere", "kind": "ClusterSecretStore"}]
    pushed = push_secret(entry("key", "PUSHED"), secretStoreRefs=stores, deletionPolicy="Delete")
    await scene.apply(source(key="value"), pushed)
    await scene.ready("pushed", PUSH_SECRET)
    await scene.delete(PUSH_SECRET, "pushed")
    await scene.until(lambda: _is_gone(scene, PUSH_SECRET, "pushed"))
    assert "PUSHED" not in scene.project.values("dev", "/")

    push = example("push-secret", "PushSecret")
    fan_out = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ClusterExternalSecret",
        "metadata": {"name": "all"},
    }
    push_out = {
        "apiVersion": "external-secrets.io/v1alpha1",
        "kind": "ClusterPushSecret",
        "metadata": {"name": "all"},
    }
    await scene.apply(
        push,
        fan_out | {"spec": {"externalSecretSpec": wanted["spec"]}},
        push_out | {"spec": {"pushSecretSpec": push["spec"], "namespaceSelectors": [{}]}},
    )
    await scene.ready(push["metadata"]["name"], PUSH_SECRET, status="False")
    await scene.delete(EXTERNAL_SECRET, "wanted")
    await scene.until(lambda: _is_gone(scene, EXTERNAL_SECRET, "wanted"))
    assert scene.controller is not None
    await scene.until(
        lambda: {"status ClusterSecretStore", "status ClusterPushSecret"} <= set(scene.counting.writes)
    )
    await scene.until(lambda: "status ClusterExternalSecret" in scene.counting.writes)
    await asyncio.wait_for(scene.controller.surroundings.events.flush(), 10)


async def _is_gone(scene: Scene, kind: Kind, name: str) -> bool:
    return await scene.object(kind, name) is None


async def _holds(scene: Scene, name: str, key: str) -> bool:
    return key in (await scene.secret(name) or {})
