"""The CustomResourceDefinitions, made of the typed resources and the rules."""

import copy
from typing import Any

import msgspec
import yaml

from adapters.cluster import Kind
from adapters.resources.kinds import (
    CLUSTER_EXTERNAL_SECRET,
    CLUSTER_PUSH_SECRET,
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    GROUP,
    OUR_KINDS,
    PUSH_SECRET,
    SECRET_STORE,
)
from adapters.resources.rules import rules_of
from adapters.resources.structure import READABLE, Schema, structure

HEADER = "# Made by `infisical-reconciler crds` from the typed resources; do not edit. A test fails when it is out of date.\n"


class Column(msgspec.Struct, frozen=True):
    """A column of `kubectl get`."""

    name: str
    path: str
    type: str = "string"


def _ready(field: str) -> str:
    return f'.status.conditions[?(@.type=="Ready")].{field}'


_AGE = Column("AGE", ".metadata.creationTimestamp", "date")
_STATUS = Column("Status", _ready("reason"))
_READY = Column("Ready", _ready("status"))
_LAST_SYNC = Column("Last Sync", ".status.refreshTime", "date")
_STORE_COLUMNS = (_AGE, _STATUS, Column("Capabilities", ".status.capabilities"), _READY)


class Presentation(msgspec.Struct, frozen=True):
    """How a kind appears to those who use kubectl."""

    columns: tuple[Column, ...]
    short_names: tuple[str, ...] = ()
    selectable: tuple[str, ...] = ()


PRESENTATIONS = {
    SECRET_STORE: Presentation(_STORE_COLUMNS, ("ss",)),
    CLUSTER_SECRET_STORE: Presentation(_STORE_COLUMNS, ("css",)),
    EXTERNAL_SECRET: Presentation(
        (
            Column("StoreType", ".spec.secretStoreRef.kind"),
            Column("Store", ".spec.secretStoreRef.name"),
            Column("Refresh Interval", ".spec.refreshInterval"),
            _STATUS,
            _READY,
            _LAST_SYNC,
        ),
        ("es",),
        (
            ".spec.secretStoreRef.name",
            ".spec.secretStoreRef.kind",
            ".spec.target.name",
            ".spec.refreshInterval",
        ),
    ),
    CLUSTER_EXTERNAL_SECRET: Presentation(
        (
            Column("Store", ".spec.externalSecretSpec.secretStoreRef.name"),
            Column("Refresh Interval", ".spec.refreshTime"),
            _READY,
        ),
        ("ces",),
    ),
    PUSH_SECRET: Presentation((_AGE, _STATUS, _LAST_SYNC), ("ps",)),
    CLUSTER_PUSH_SECRET: Presentation((_AGE, _STATUS)),
}


def crd(kind: Kind) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind of ours."""
    presentation = PRESENTATIONS[kind]
    names = {
        "kind": kind.name,
        "listKind": f"{kind.name}List",
        "plural": kind.plural,
        "singular": kind.name.lower(),
        "categories": ["external-secrets"],
    }
    if presentation.short_names:
        names["shortNames"] = [*presentation.short_names]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{kind.plural}.{GROUP}",
            "labels": {"external-secrets.io/component": "controller"},
        },
        "spec": {
            "group": GROUP,
            "names": names,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "conversion": {"strategy": "None"},
            "versions": [_version(kind, presentation), *([_older_version()] if kind.version == "v1" else [])],
        },
    }


def _version(kind: Kind, presentation: Presentation) -> dict[str, Any]:
    version: dict[str, Any] = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": validated_schema(kind)},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": column.name, "type": column.type, "jsonPath": column.path}
            for column in presentation.columns
        ],
    }
    if presentation.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in presentation.selectable]
    return version


def _older_version() -> dict[str, Any]:
    """A version that is listed only because a cluster may have stored it once: the API server does not let it go.

    Its schema keeps every field: an object that still lies in that version in etcd is read through it.
    """
    return {
        "name": "v1beta1",
        "served": False,
        "storage": False,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        "subresources": {"status": {}},
    }


def validated_schema(kind: Kind) -> Schema:
    """The schema of a kind with its rules."""
    schema = copy.deepcopy(structure(kind))
    _publish(schema)
    for rule, path in rules_of(kind):
        rules = _node(schema, path).setdefault("x-kubernetes-validations", [])
        rules.append({"rule": rule.cel, "message": rule.message})
    return schema


def _publish(node: Any) -> None:
    """Take out the keywords that are only for the typed resources."""
    if isinstance(node, dict):
        node.pop(READABLE, None)
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _publish(inner)


def _node(schema: Schema, path: str) -> Schema:
    for segment in path.split("."):
        name, elements, _ = segment.partition("[]")
        schema = schema["properties"][name]
        if elements:
            schema = schema["items"]
    return schema


def crd_documents() -> dict[str, str]:
    """The YAML of every CustomResourceDefinition, by the name of its file in deploy/crds/."""
    return {f"{GROUP}_{kind.plural}.yaml": crd_document(kind) for kind in OUR_KINDS}


def crd_document(kind: Kind) -> str:
    """The YAML of one."""
    return HEADER + yaml.safe_dump(crd(kind), sort_keys=False, width=110)
