"""The CustomResourceDefinitions: those in deploy/crds are those of the code, and say what users rely on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.cluster import Kind
from adapters.resources.crds import crd, crd_documents
from adapters.resources.kinds import CLUSTER_PUSH_SECRET, EXTERNAL_SECRET, OUR_KINDS, SECRET_STORE
from adapters.resources.rules import ALL_RULES

DEPLOYED = Path(__file__).parents[2] / "deploy" / "crds"
KINDS = pytest.mark.parametrize("kind", OUR_KINDS, ids=lambda kind: kind.name)
# What `kubectl apply` keeps of an object in an annotation has to fit into it.
LONGEST_ANNOTATION = 256 * 1024


def served(kind: Kind) -> dict[str, Any]:
    version: dict[str, Any] = crd(kind)["spec"]["versions"][0]
    return version


def nodes(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(inner, f"{path}.{name}" if path else name)
    for name in ("items", "additionalProperties"):
        if name in schema:
            yield from nodes(schema[name], f"{path}[]")


def stored_defaults(kind: Kind) -> dict[str, Any]:
    return {
        path: node["default"]
        for path, node in nodes(served(kind)["schema"]["openAPIV3Schema"])
        if "default" in node
    }


def test_the_deployed_ones_are_those_of_the_code() -> None:
    deployed = {file.name: file.read_text() for file in DEPLOYED.iterdir()}
    assert deployed == crd_documents(), "run `infisical-reconciler crds` to write them again"


@KINDS
def test_one_version_is_stored_and_the_older_one_only_listed(kind: Kind) -> None:
    versions = {each["name"]: (each["served"], each["storage"]) for each in crd(kind)["spec"]["versions"]}
    older = {"v1beta1": (False, False)} if kind.version == "v1" else {}
    assert versions == {kind.version: (True, True)} | older


@KINDS
def test_what_users_see_of_a_kind(kind: Kind) -> None:
    definition = crd(kind)
    assert definition["metadata"]["labels"] == {"external-secrets.io/component": "controller"}
    assert definition["spec"]["names"]["categories"] == ["external-secrets"]
    assert served(kind)["subresources"] == {"status": {}}


def test_short_names_and_columns() -> None:
    assert {kind.name: crd(kind)["spec"]["names"].get("shortNames") for kind in OUR_KINDS} == {
        "SecretStore": ["ss"],
        "ClusterSecretStore": ["css"],
        "ExternalSecret": ["es"],
        "ClusterExternalSecret": ["ces"],
        "PushSecret": ["ps"],
        "ClusterPushSecret": None,
    }
    columns = {
        kind.name: [each["name"] for each in served(kind)["additionalPrinterColumns"]] for kind in OUR_KINDS
    }
    assert columns == {
        "SecretStore": ["AGE", "Status", "Capabilities", "Ready"],
        "ClusterSecretStore": ["AGE", "Status", "Capabilities", "Ready"],
        "ExternalSecret": ["StoreType", "Store", "Refresh Interval", "Status", "Ready", "Last Sync"],
        "ClusterExternalSecret": ["Store", "Refresh Interval", "Ready"],
        "PushSecret": ["AGE", "Status", "Last Sync"],
        "ClusterPushSecret": ["AGE", "Status"],
    }


def test_the_defaults_that_are_stored_and_no_others() -> None:
    assert stored_defaults(SECRET_STORE) == {
        "spec.provider.infisical.hostAPI": "https://app.infisical.com/api",
        "spec.provider.infisical.secretsScope.secretsPath": "/",
        "spec.provider.infisical.secretsScope.recursive": False,
        "spec.provider.infisical.secretsScope.expandSecretReferences": True,
    }
    template = "spec.target.template"
    assert stored_defaults(EXTERNAL_SECRET) == {
        "spec.refreshInterval": "1h0m0s",
        "spec.target": {"creationPolicy": "Owner", "deletionPolicy": "Retain"},
        "spec.target.creationPolicy": "Owner",
        "spec.target.deletionPolicy": "Retain",
        f"{template}.engineVersion": "v2",
        f"{template}.mergePolicy": "Replace",
        f"{template}.templateFrom[].target": "Data",
        f"{template}.templateFrom[].configMap.items[].templateAs": "Values",
        f"{template}.templateFrom[].secret.items[].templateAs": "Values",
        "spec.data[].sourceRef.generatorRef.apiVersion": "generators.external-secrets.io/v1alpha1",
        "spec.dataFrom[].sourceRef.generatorRef.apiVersion": "generators.external-secrets.io/v1alpha1",
        "spec.dataFrom[].rewrite[].merge.strategy": "Extract",
        "spec.dataFrom[].rewrite[].merge.conflictPolicy": "Error",
        "spec.dataFrom[].rewrite[].merge.priorityPolicy": "Strict",
        "status.binding.name": "",
    }
    push = "spec.pushSecretSpec"
    assert {
        path: value for path, value in stored_defaults(CLUSTER_PUSH_SECRET).items() if "template" not in path
    } == {
        f"{push}.refreshInterval": "1h0m0s",
        f"{push}.updatePolicy": "Replace",
        f"{push}.deletionPolicy": "None",
        f"{push}.secretStoreRefs[].kind": "SecretStore",
        f"{push}.dataTo[].storeRef.kind": "SecretStore",
        f"{push}.dataTo[].conversionStrategy": "None",
        f"{push}.data[].conversionStrategy": "None",
        f"{push}.selector.generatorRef.apiVersion": "generators.external-secrets.io/v1alpha1",
    }


@KINDS
def test_every_field_is_described(kind: Kind) -> None:
    schema = served(kind)["schema"]["openAPIV3Schema"]
    unexplained = {
        path
        for path, node in nodes(schema)
        if "description" not in node and path != "metadata" and not path.endswith("]")
    }
    assert unexplained == set()


@KINDS
def test_every_rule_stands_in_it(kind: Kind) -> None:
    schema = served(kind)["schema"]["openAPIV3Schema"]
    there = {
        (path, rule["rule"], rule["message"])
        for path, node in nodes(schema)
        for rule in node.get("x-kubernetes-validations", [])
    }
    assert there == {
        (place.path, rule.cel, rule.message)
        for rule in ALL_RULES
        for place in rule.places
        if place.kind == kind
    }


@KINDS
def test_kubectl_can_apply_it(kind: Kind) -> None:
    assert len(yaml.safe_dump(crd(kind))) < LONGEST_ANNOTATION
