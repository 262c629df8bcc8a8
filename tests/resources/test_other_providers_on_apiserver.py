"""A cluster where External Secrets Operator was installed first: our definitions come on top, and nothing is lost."""

import copy
from typing import Any

import pytest

from adapters.cluster import Object
from adapters.resources.crds import crd
from adapters.resources.kinds import OUR_KINDS, SECRET_STORE
from tests.apiserver.client import ApiClient
from tests.apiserver.preparing import CRDS, install_crds
from tests.apiserver.server import ApiServer

pytestmark = pytest.mark.apiserver

STORES = "external-secrets.io/v1/secretstores"
OLD_STORES = "external-secrets.io/v1beta1/secretstores"
TEXT = {"type": "string"}
VAULT = {
    "type": "object",
    "required": ["server"],
    "properties": {
        "server": TEXT,
        "version": {"type": "string", "default": "v2"},
        "headers": {"type": "object", "additionalProperties": TEXT},
        "auth": {
            "type": "object",
            "properties": {
                "kubernetes": {
                    "type": "object",
                    "properties": {"mountPath": TEXT, "audiences": {"type": "array", "items": TEXT}},
                }
            },
        },
    },
}
SPEC: dict[str, Any] = {
    "controller": "default",
    "refreshInterval": 60,
    "retrySettings": {"maxRetries": 5, "retryInterval": "10s"},
    "conditions": [
        {"namespaces": ["a"], "namespaceRegexes": ["^b"], "namespaceSelector": {"matchLabels": {"c": "d"}}}
    ],
    "provider": {
        "vault": {
            "server": "https://vault.example.com",
            "headers": {"X-Team": "a"},
            "auth": {"kubernetes": {"mountPath": "kubernetes", "audiences": ["vault"]}},
        }
    },
}
STATUS = {
    "capabilities": "ReadWrite",
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Valid",
            "message": "store validated",
            "lastTransitionTime": "2024-02-29T12:00:00Z",
        }
    ],
}


def peers_definition(stored: str) -> Object:
    """The definition of SecretStore with another provider's fields spelled out, both versions served."""
    ours = crd(SECRET_STORE)
    schema = copy.deepcopy(ours["spec"]["versions"][0]["schema"])
    provider = schema["openAPIV3Schema"]["properties"]["spec"]["properties"]["provider"]
    del provider["x-kubernetes-preserve-unknown-fields"]
    provider["properties"] = {"vault": VAULT}
    versions = [
        {
            "name": name,
            "served": True,
            "storage": name == stored,
            "schema": schema,
            "subresources": {"status": {}},
        }
        for name in ("v1beta1", "v1")
    ]
    metadata = {
        "name": ours["metadata"]["name"],
        "annotations": {"controller-gen.kubebuilder.io/version": "v0.19.0"},
    }
    return {**ours, "metadata": metadata, "spec": {**ours["spec"], "versions": versions}}


def store(version: str, name: str) -> Object:
    return {
        "apiVersion": f"external-secrets.io/{version}",
        "kind": "SecretStore",
        "metadata": {"name": name, "namespace": "default", "annotations": {"kept": "yes"}},
        "spec": SPEC,
    }


def what_counts(found: Object) -> Object:
    return {"spec": found["spec"], "status": found["status"], "annotations": found["metadata"]["annotations"]}


async def test_nothing_of_another_providers_store_is_lost(own_apiserver: ApiServer) -> None:
    async with ApiClient(own_apiserver.access) as api:
        # Years ago in v1beta1, then in v1: both versions are on record as stored once.
        for version, resource in (("v1beta1", OLD_STORES), ("v1", STORES)):
            await install_crds(api, [peers_definition(version)])
            await api.create(store(version, f"in-{version}"))
            await api.merge(resource, f"in-{version}", "default", {"status": STATUS}, "status")
        before = {
            name: what_counts(await api.get(STORES, name, "default")) for name in ("in-v1beta1", "in-v1")
        }

        await install_crds(api, [crd(kind) for kind in OUR_KINDS])
        definition = await api.get(CRDS, crd(SECRET_STORE)["metadata"]["name"])
        assert set(definition["status"]["storedVersions"]) == {"v1beta1", "v1"}

        for name, was in before.items():
            assert what_counts(await api.get(STORES, name, "default")) == was
            await api.merge(STORES, name, "default", {"metadata": {"labels": {"touched": "yes"}}})
            assert what_counts(await api.get(STORES, name, "default")) == was
        assert before["in-v1"]["spec"]["provider"]["vault"]["version"] == "v2"
        assert before["in-v1"]["spec"]["provider"]["vault"]["auth"] == SPEC["provider"]["vault"]["auth"]


async def test_kubectl_applies_the_files_over_a_peers(own_apiserver: ApiServer) -> None:
    async with ApiClient(own_apiserver.access) as api:
        await install_crds(api, [peers_definition("v1")])
        deployed = own_apiserver.access
        for _ in range(2):
            await deployed.kubectl("apply", "-f", "deploy/crds")
        names = {each["metadata"]["name"] for each in await api.list(CRDS)}
        assert names == {crd(kind)["metadata"]["name"] for kind in OUR_KINDS}
