"""One object of each kind with every field that users know, none of which may get lost."""

from typing import Any

from adapters.cluster import Kind, Object
from adapters.resources.kinds import (
    CLUSTER_EXTERNAL_SECRET,
    CLUSTER_PUSH_SECRET,
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    PUSH_SECRET,
    SECRET_STORE,
)

Json = dict[str, Any]
TIME = "2024-02-29T12:00:00Z"


def _object(kind: Kind, spec: Json, status: Json) -> Object:
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": "full"},
        "spec": spec,
        "status": status,
    }


def _selector(key: str, **more: str) -> Json:
    return {"name": "credentials", "key": key, **more}


LABELS: Json = {
    "matchLabels": {"team": "a"},
    "matchExpressions": [{"key": "tier", "operator": "In", "values": ["x", "y"]}],
}
CONDITION: Json = {
    "type": "Ready",
    "status": "True",
    "reason": "SecretSynced",
    "message": "secret synced",
    "lastTransitionTime": TIME,
}
GENERATOR: Json = {"apiVersion": "generators.external-secrets.io/v1alpha1", "kind": "Password", "name": "g"}
READING: Json = {"conversionStrategy": "Unicode", "decodingStrategy": "Base64URL", "nullBytePolicy": "Fail"}
REMOTE: Json = {"key": "k", "property": "p", "version": "1", "metadataPolicy": "Fetch", **READING}
REGEXP: Json = {"regexp": {"source": "a", "target": "b"}}
TRANSFORM: Json = {"transform": {"template": "{{ .value }}"}}
MERGE: Json = {
    "merge": {
        "into": "all",
        "strategy": "JSON",
        "conflictPolicy": "Ignore",
        "priority": ["a"],
        "priorityPolicy": "IgnoreNotFound",
    }
}
TEMPLATE: Json = {
    "type": "Opaque",
    "engineVersion": "v2",
    "mergePolicy": "Merge",
    "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}, "finalizers": ["example.com/f"]},
    "data": {"url": "https://{{ .host }}"},
    "templateFrom": [
        {
            "configMap": {"name": "t", "items": [{"key": "k", "templateAs": "KeysAndValues"}]},
            "target": "Annotations",
            "valuesDecodingStrategy": "Auto",
        },
        {"secret": {"name": "t", "items": [{"key": "k", "templateAs": "Values"}]}, "target": "Labels"},
        {"literal": "a: b", "target": "Data"},
    ],
}
INFISICAL: Json = {
    "hostAPI": "https://infisical.example.com",
    "auth": {
        "universalAuthCredentials": {"clientId": _selector("id"), "clientSecret": _selector("secret")},
        "azureAuthCredentials": {"identityId": _selector("id"), "resource": _selector("resource")},
        "gcpIdTokenAuthCredentials": {"identityId": _selector("id")},
        "gcpIamAuthCredentials": {
            "identityId": _selector("id"),
            "serviceAccountKeyFilePath": _selector("path"),
        },
        "jwtAuthCredentials": {"identityId": _selector("id"), "jwt": _selector("jwt")},
        "ldapAuthCredentials": {
            "identityId": _selector("id"),
            "ldapUsername": _selector("user"),
            "ldapPassword": _selector("password"),
        },
        "ociAuthCredentials": {
            "identityId": _selector("id"),
            "privateKey": _selector("key"),
            "privateKeyPassphrase": _selector("passphrase"),
            "fingerprint": _selector("fingerprint"),
            "userId": _selector("user"),
            "tenancyId": _selector("tenancy"),
            "region": _selector("region"),
        },
        "kubernetesAuthCredentials": {
            "identityId": _selector("id"),
            "serviceAccountTokenPath": _selector("path", namespace="elsewhere"),
        },
        "awsAuthCredentials": {"identityId": _selector("id")},
        "tokenAuthCredentials": {"accessToken": _selector("token")},
    },
    "secretsScope": {
        "projectSlug": "p",
        "environmentSlug": "e",
        "organizationSlug": "o",
        "secretsPath": "/app",
        "recursive": True,
        "expandSecretReferences": False,
    },
}
STORE: Json = {
    "controller": "default",
    "retrySettings": {"maxRetries": 3, "retryInterval": "10s"},
    "refreshInterval": 300,
    "conditions": [{"namespaceSelector": LABELS, "namespaces": ["a"], "namespaceRegexes": ["^team-"]}],
}
STORE_STATUS: Json = {"conditions": [CONDITION], "capabilities": "ReadWrite"}
AUTHORITIES: Json = {"type": "ConfigMap", "name": "ca", "key": "ca.crt", "namespace": "security"}
EXTERNAL: Json = {
    "secretStoreRef": {"name": "infisical", "kind": "ClusterSecretStore"},
    "refreshPolicy": "OnChange",
    "refreshInterval": "15m",
    "syncWindows": {"kind": "deny", "windows": [{"schedule": "0 0 * * *", "duration": "1h"}]},
    "target": {
        "name": "target",
        "creationPolicy": "CreateOrMerge",
        "deletionPolicy": "Merge",
        "immutable": True,
        "template": TEMPLATE,
        "manifest": {"apiVersion": "v1", "kind": "ConfigMap"},
    },
    "data": [
        {
            "secretKey": "a",
            "remoteRef": REMOTE,
            "sourceRef": {"storeRef": {"name": "s", "kind": "SecretStore"}},
        },
        {"secretKey": "b", "remoteRef": {"key": "k"}, "sourceRef": {"generatorRef": GENERATOR}},
    ],
    "dataFrom": [
        {"extract": REMOTE, "rewrite": [REGEXP, TRANSFORM, MERGE]},
        {"find": {"path": "/a", "name": {"regexp": ".*"}, "tags": {"a": "b"}, **READING}},
        {"sourceRef": {"generatorRef": GENERATOR}},
        {"find": {}, "sourceRef": {"storeRef": {"name": "s", "kind": "SecretStore"}}},
    ],
}
PUSHED: Json = {
    "match": {"secretKey": "a", "remoteRef": {"remoteKey": "A", "property": "p"}},
    "metadata": {"free": {"form": [1]}},
    "conversionStrategy": "ReverseUnicode",
}
PUSH: Json = {
    "refreshInterval": "15m",
    "secretStoreRefs": [
        {"name": "infisical", "kind": "SecretStore"},
        {"labelSelector": LABELS, "kind": "ClusterSecretStore"},
    ],
    "updatePolicy": "IfNotExists",
    "deletionPolicy": "Delete",
    "selector": {"secret": {"name": "source", "selector": LABELS}},
    "template": TEMPLATE,
    "data": [PUSHED],
    "dataTo": [
        {
            "storeRef": {"name": "infisical", "labelSelector": LABELS, "kind": "SecretStore"},
            "match": {"regexp": "^A"},
            "rewrite": [REGEXP, TRANSFORM],
            "metadata": "text",
            "conversionStrategy": "None",
        },
        {
            "storeRef": {"name": "infisical", "kind": "SecretStore"},
            "remoteKey": "BUNDLE",
            "conversionStrategy": "None",
        },
    ],
}
METADATA: Json = {"labels": {"a": "b"}, "annotations": {"c": "d"}}
NAMESPACES: Json = {
    "provisionedNamespaces": ["a"],
    "failedNamespaces": [{"namespace": "b", "reason": "taken"}],
}

FULL: dict[Kind, Object] = {
    SECRET_STORE: _object(
        SECRET_STORE, {**STORE, "provider": {"infisical": {**INFISICAL, "caBundle": "YQ=="}}}, STORE_STATUS
    ),
    CLUSTER_SECRET_STORE: _object(
        CLUSTER_SECRET_STORE,
        {
            **STORE,
            "refreshInterval": "5m",
            "provider": {"infisical": {**INFISICAL, "caProvider": AUTHORITIES}},
        },
        STORE_STATUS,
    ),
    EXTERNAL_SECRET: _object(
        EXTERNAL_SECRET,
        EXTERNAL,
        {
            "refreshTime": TIME,
            "syncedResourceVersion": "1-abc",
            "conditions": [CONDITION, {"type": "Deleted", "status": "False"}],
            "binding": {"name": "target"},
        },
    ),
    CLUSTER_EXTERNAL_SECRET: _object(
        CLUSTER_EXTERNAL_SECRET,
        {
            "externalSecretSpec": EXTERNAL,
            "externalSecretName": "es",
            "externalSecretMetadata": METADATA,
            "namespaceSelector": LABELS,
            "namespaceSelectors": [LABELS, {}],
            "namespaces": ["a"],
            "refreshTime": "1h",
        },
        {
            "externalSecretName": "es",
            **NAMESPACES,
            "conditions": [{"type": "Ready", "status": "False", "message": "one or more namespaces failed"}],
        },
    ),
    PUSH_SECRET: _object(
        PUSH_SECRET,
        PUSH,
        {
            "refreshTime": None,
            "syncedResourceVersion": "1-abc",
            "syncedPushSecrets": {"SecretStore/infisical": {"A/p": PUSHED}},
            "conditions": [CONDITION],
        },
    ),
    CLUSTER_PUSH_SECRET: _object(
        CLUSTER_PUSH_SECRET,
        {
            "pushSecretSpec": {**PUSH, "selector": {"generatorRef": GENERATOR}},
            "pushSecretName": "ps",
            "pushSecretMetadata": METADATA,
            "namespaceSelectors": [LABELS],
            "refreshTime": "1h",
        },
        {"pushSecretName": "ps", **NAMESPACES, "conditions": [CONDITION]},
    ),
}
