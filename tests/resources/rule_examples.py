"""For each rule, changes to a small object that it takes and that it refuses."""

from typing import Any

import msgspec

from adapters.cluster import Kind
from adapters.resources.kinds import (
    CLUSTER_EXTERNAL_SECRET,
    CLUSTER_PUSH_SECRET,
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    PUSH_SECRET,
    SECRET_STORE,
)

Json = dict[str, Any]
INFISICAL = "spec.provider.infisical"
UNIVERSAL = f"{INFISICAL}.auth.universalAuthCredentials"
AUTHORITIES: Json = {"type": "Secret", "name": "ca", "key": "ca.crt"}
ACCOUNT = "kubernetes.io/service-account-token"


class Examples(msgspec.Struct, frozen=True):
    """`at` is where the API server and `admit` tell that the rule is broken."""

    at: str
    taken: tuple[Json, ...]
    refused: tuple[Json, ...]


def entry(key: str) -> Json:
    return {"secretKey": key, "remoteRef": {"key": key}}


def template(**fields: Any) -> Json:
    return {"spec.target": {"template": fields}}


def found(operation: Json) -> Json:
    return {"spec.dataFrom": [{"find": {}, "rewrite": [operation]}]}


def pushed(**fields: Any) -> Json:
    return {"spec.dataTo": [{"storeRef": {"name": "a"}, **fields}]}


REGEXP: Json = {"regexp": {"source": "a", "target": "b"}}
TRANSFORM: Json = {"transform": {"template": "t"}}
MERGE: Json = {"merge": {}}
STORES = (SECRET_STORE, CLUSTER_SECRET_STORE)
EXAMPLES: dict[tuple[str, tuple[Kind, ...]], Examples] = {
    ("project-slug-not-empty", STORES): Examples(
        f"{INFISICAL}.secretsScope.projectSlug",
        ({f"{INFISICAL}.secretsScope.projectSlug": "p"},),
        ({f"{INFISICAL}.secretsScope.projectSlug": ""},),
    ),
    ("environment-slug-not-empty", STORES): Examples(
        f"{INFISICAL}.secretsScope.environmentSlug",
        ({f"{INFISICAL}.secretsScope.environmentSlug": "e"},),
        ({f"{INFISICAL}.secretsScope.environmentSlug": ""},),
    ),
    ("host-is-http-url", STORES): Examples(
        f"{INFISICAL}.hostAPI",
        tuple(
            {f"{INFISICAL}.hostAPI": host}
            for host in (
                "https://app.infisical.com",
                "https://app.infisical.com/api",
                "HTTP://10.0.0.1:8080/",
                "http://infisical.security.svc/infisical/api/",
                "",
            )
        ),
        tuple(
            {f"{INFISICAL}.hostAPI": host}
            for host in (
                "app.infisical.com",
                "ftp://host",
                "https://",
                "https:///api",
                "https://a b",
                "https://a/?b",
            )
        ),
    ),
    ("one-source-of-authorities", (SECRET_STORE,)): Examples(
        INFISICAL,
        ({f"{INFISICAL}.caBundle": "YQ=="}, {f"{INFISICAL}.caProvider": AUTHORITIES}),
        ({f"{INFISICAL}.caBundle": "YQ==", f"{INFISICAL}.caProvider": AUTHORITIES},),
    ),
    ("one-source-of-authorities", (CLUSTER_SECRET_STORE,)): Examples(
        INFISICAL,
        ({f"{INFISICAL}.caProvider": {**AUTHORITIES, "namespace": "security"}},),
        (
            {
                f"{INFISICAL}.caBundle": "YQ==",
                f"{INFISICAL}.caProvider": {**AUTHORITIES, "namespace": "security"},
            },
        ),
    ),
    ("no-authority-namespace-in-a-store", (SECRET_STORE,)): Examples(
        f"{INFISICAL}.caProvider",
        ({f"{INFISICAL}.caProvider": AUTHORITIES},),
        ({f"{INFISICAL}.caProvider": {**AUTHORITIES, "namespace": "security"}},),
    ),
    ("authority-namespace-in-a-cluster-store", (CLUSTER_SECRET_STORE,)): Examples(
        f"{INFISICAL}.caProvider",
        ({f"{INFISICAL}.caProvider": {**AUTHORITIES, "namespace": "security"}},),
        ({f"{INFISICAL}.caProvider": AUTHORITIES},),
    ),
    ("universal-auth-keys", STORES): Examples(
        f"{UNIVERSAL}.clientSecret",
        ({f"{UNIVERSAL}.clientSecret": {"key": "k"}},),
        ({f"{UNIVERSAL}.clientSecret": {"name": "credentials"}},),
    ),
    ("no-universal-auth-namespace-in-a-store", (SECRET_STORE,)): Examples(
        f"{UNIVERSAL}.clientId",
        ({},),
        ({f"{UNIVERSAL}.clientId.namespace": "security"},),
    ),
    ("namespace-regexes-readable", STORES): Examples(
        "spec.conditions[0].namespaceRegexes[1]",
        ({"spec.conditions": [{"namespaceRegexes": ["^team-", r"(?i)a{2,3}\pL"]}]},),
        tuple(
            {"spec.conditions": [{"namespaceRegexes": ["fine", broken]}]}
            for broken in ("(", "[a", "a{2,1}", r"(a)\1", "(?=a)", "*")
        ),
    ),
    ("data-or-data-from", (EXTERNAL_SECRET,)): Examples(
        "spec",
        ({}, {"spec.data": [], "spec.dataFrom": [{"find": {}}]}),
        ({"spec.data": None}, {"spec.data": []}, {"spec.data": [], "spec.dataFrom": []}),
    ),
    ("secret-keys-differ", (EXTERNAL_SECRET,)): Examples(
        "spec",
        (
            {"spec.data": [entry("a"), entry("A"), entry("a.b"), entry("a-b")]},
            {"spec.data": [entry("a"), entry("a")], "spec.target": {"deletionPolicy": "Merge"}},
            {"spec.data": [entry("a"), entry("a")], "spec.target": {"deletionPolicy": "Delete"}},
            {"spec.data": [entry(f"key-{number}") for number in range(2000)]},
        ),
        (
            {"spec.data": [entry("a"), entry("b"), entry("a")]},
            {"spec.data": [entry(f"key-{number % 1999}") for number in range(2000)]},
        ),
    ),
    ("data-from-has-a-source", (EXTERNAL_SECRET,)): Examples(
        "spec.dataFrom[1]",
        ({"spec.dataFrom": [{"extract": {"key": "a"}}, {"find": {}}, {"sourceRef": {"storeRef": {}}}]},),
        ({"spec.dataFrom": [{"find": {}}, {}]}, {"spec.dataFrom": [{"find": {}}, {"rewrite": []}]}),
    ),
    ("data-from-has-one-source", (EXTERNAL_SECRET,)): Examples(
        "spec.dataFrom[0]",
        (
            {"spec.dataFrom": [{"extract": {"key": "a"}, "sourceRef": {"storeRef": {"name": "b"}}}]},
            {"spec.dataFrom": [{"sourceRef": {"generatorRef": {"kind": "Password", "name": "b"}}}]},
        ),
        (
            {"spec.dataFrom": [{"extract": {"key": "a"}, "find": {}}]},
            {
                "spec.dataFrom": [
                    {"find": {}, "sourceRef": {"generatorRef": {"kind": "Password", "name": "b"}}}
                ]
            },
            {
                "spec.dataFrom": [
                    {"extract": {"key": "a"}, "sourceRef": {"generatorRef": {"kind": "UUID", "name": "b"}}}
                ]
            },
        ),
    ),
    ("source-ref-not-empty", (EXTERNAL_SECRET,)): Examples(
        "spec.data[0].sourceRef",
        ({"spec.data[0].sourceRef": {"storeRef": {"name": "a"}}},),
        ({"spec.data[0].sourceRef": {}}, {"spec.data[0].sourceRef": {"store": "a"}}),
    ),
    ("rewrite-is-one-operation", (EXTERNAL_SECRET,)): Examples(
        "spec.dataFrom[0].rewrite[0]",
        (found(REGEXP), found(TRANSFORM), found(MERGE)),
        (
            found({}),
            found(REGEXP | MERGE),
            found(TRANSFORM | MERGE),
            found(REGEXP | TRANSFORM),
            found(REGEXP | TRANSFORM | MERGE),
        ),
    ),
    ("delete-only-what-is-owned", (EXTERNAL_SECRET,)): Examples(
        "spec.target",
        tuple(
            {"spec.target": {"deletionPolicy": "Delete", **policy}}
            for policy in ({}, {"creationPolicy": "Owner"}, {"creationPolicy": "Orphan"})
        ),
        tuple(
            {"spec.target": {"deletionPolicy": "Delete", "creationPolicy": policy}}
            for policy in ("Merge", "None", "CreateOrMerge")
        ),
    ),
    ("merge-needs-a-secret", (EXTERNAL_SECRET,)): Examples(
        "spec.target",
        (
            {"spec.target": {"deletionPolicy": "Merge"}},
            {"spec.target": {"deletionPolicy": "Merge", "creationPolicy": "Merge"}},
            {"spec.target": {"creationPolicy": "None"}},
        ),
        ({"spec.target": {"deletionPolicy": "Merge", "creationPolicy": "None"}},),
    ),
    ("template-target-known", (EXTERNAL_SECRET,)): Examples(
        "spec.target",
        (
            template(
                templateFrom=[
                    {"literal": "x"},
                    {"target": "Data"},
                    {"target": "labels"},
                    {"target": "ANNOTATIONS"},
                ]
            ),
            {
                "spec.target": {
                    "manifest": {"apiVersion": "v1", "kind": "ConfigMap"},
                    "template": {"templateFrom": [{"target": "spec.config"}]},
                }
            },
        ),
        (
            template(templateFrom=[{"target": "Data"}, {"target": "spec.config"}]),
            template(templateFrom=[{"target": ""}]),
        ),
    ),
    ("no-service-account-token", (EXTERNAL_SECRET,)): Examples(
        "spec.target.template",
        (
            template(type=ACCOUNT),
            template(type=ACCOUNT, metadata={"annotations": {"a": "b"}}, templateFrom=[{"target": "Labels"}]),
            template(
                type="Opaque", metadata={"annotations": {"kubernetes.io/service-account.name": "admin"}}
            ),
        ),
        (
            template(type=ACCOUNT, metadata={"annotations": {"kubernetes.io/service-account.name": "admin"}}),
            template(type=ACCOUNT, templateFrom=[{"target": "Annotations", "literal": "a: b"}]),
            template(type=ACCOUNT, templateFrom=[{"literal": "a"}, {"target": "annotations"}]),
        ),
    ),
    ("no-bootstrap-token", (EXTERNAL_SECRET,)): Examples(
        "spec.target.template",
        (template(type="Opaque"), template()),
        (template(type="bootstrap.kubernetes.io/token"),),
    ),
    ("data-to-names-a-store", (PUSH_SECRET,)): Examples(
        "spec.dataTo[0]",
        (
            {"spec.dataTo": [{"storeRef": {"name": "a"}}]},
            {"spec.dataTo": [{"storeRef": {"labelSelector": {"matchLabels": {"a": "b"}}}}]},
        ),
        ({"spec.dataTo": [{}]}, {"spec.dataTo": [{"storeRef": {"kind": "SecretStore"}}]}),
    ),
    ("bundle-or-rewrite", (PUSH_SECRET,)): Examples(
        "spec.dataTo[0]",
        (pushed(remoteKey="b", rewrite=[]), pushed(rewrite=[TRANSFORM])),
        (pushed(remoteKey="b", rewrite=[TRANSFORM]),),
    ),
    ("push-rewrite-is-one-operation", (PUSH_SECRET,)): Examples(
        "spec.dataTo[0].rewrite[0]",
        (pushed(rewrite=[REGEXP]), pushed(rewrite=[TRANSFORM])),
        (pushed(rewrite=[{}]), pushed(rewrite=[REGEXP | TRANSFORM]), pushed(rewrite=[MERGE])),
    ),
}

INNER_SPECS = {
    EXTERNAL_SECRET: (CLUSTER_EXTERNAL_SECRET, "externalSecretSpec"),
    PUSH_SECRET: (CLUSTER_PUSH_SECRET, "pushSecretSpec"),
}


class Example(msgspec.Struct, frozen=True):
    """One example: what is changed in the small object of a kind, and the path that a rule then complains about."""

    rule: str
    kind: Kind
    changes: Json
    broken_at: str | None

    @property
    def title(self) -> str:
        return f"{self.rule}-{self.kind.name}-{'refused' if self.broken_at else 'taken'}"


def examples() -> list[Example]:
    """All of them; those of ExternalSecret and PushSecret also inside the cluster-wide kinds."""
    found = []
    for (rule, kinds), group in EXAMPLES.items():
        for kind in kinds:
            for changes, at in [(each, None) for each in group.taken] + [
                (each, group.at) for each in group.refused
            ]:
                found.append(Example(rule, kind, changes, at))
                if kind in INNER_SPECS:
                    outer, field = INNER_SPECS[kind]
                    inside = {_inside(path, field): value for path, value in changes.items()}
                    found.append(Example(rule, outer, inside, at and _inside(at, field)))
    return found


def _inside(path: str, field: str) -> str:
    return path.replace("spec", f"spec.{field}", 1)
