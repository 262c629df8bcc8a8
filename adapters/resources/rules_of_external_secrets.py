"""The rules of ExternalSecret, which hold for the spec inside a ClusterExternalSecret as well."""

from typing import Any

from adapters.resources.kinds import CLUSTER_EXTERNAL_SECRET, EXTERNAL_SECRET
from adapters.resources.rule import Place, Rule, below

_SPEC = (Place(EXTERNAL_SECRET, "spec"), Place(CLUSTER_EXTERNAL_SECRET, "spec.externalSecretSpec"))
_TARGET = below(_SPEC, "target")
_TEMPLATE = below(_SPEC, "target.template")
_DATA_FROM = below(_SPEC, "dataFrom[]")

Json = dict[str, Any]


def _no_duplicates(spec: Json) -> bool:
    if spec.get("target", {}).get("deletionPolicy", "Retain") != "Retain":
        return True
    keys = [entry["secretKey"] for entry in spec.get("data", [])]
    return len(keys) == len(set(keys))


def _owns_what_it_deletes(target: Json) -> bool:
    return target.get("deletionPolicy") != "Delete" or target.get("creationPolicy", "Owner") in (
        "Owner",
        "Orphan",
    )


def _has_something_to_merge_with(target: Json) -> bool:
    return not (target.get("deletionPolicy") == "Merge" and target.get("creationPolicy") == "None")


def _known_part(source: Json) -> bool:
    return source.get("target", "Data").lower() in ("data", "annotations", "labels")


def _names_no_service_account(template: Json) -> bool:
    if template.get("type") != "kubernetes.io/service-account-token":
        return True
    annotations = template.get("metadata", {}).get("annotations", {})
    return "kubernetes.io/service-account.name" not in annotations and not any(
        source.get("target", "").lower() == "annotations" for source in template.get("templateFrom", [])
    )


EXTERNAL_SECRET_RULES = (
    Rule(
        "data-or-data-from",
        _SPEC,
        "(has(self.data) && size(self.data) > 0) || (has(self.dataFrom) && size(self.dataFrom) > 0)",
        "nothing to fetch; write data (single keys) or dataFrom (many at once)",
        lambda spec: bool(spec.get("data") or spec.get("dataFrom")),
    ),
    Rule(
        "secret-keys-differ",
        _SPEC,
        # Comparing all pairs would cost more than the API server allows. Building a map fails at a key that it has already,
        # and a rule that fails refuses the object.
        "!has(self.data) || (has(self.target) && has(self.target.deletionPolicy)"
        " && self.target.deletionPolicy != 'Retain')"
        " || self.data.transformMapEntry(index, entry, {entry.secretKey: index}).size() == self.data.size()",
        "data has one secretKey twice; give each entry its own key (or, with another deletionPolicy than Retain, "
        "the last one wins)",
        _no_duplicates,
    ),
    Rule(
        "data-from-has-a-source",
        _DATA_FROM,
        "has(self.extract) || has(self.find) || has(self.sourceRef)",
        "an entry of dataFrom is empty; write extract, find or sourceRef",
        lambda entry: any(source in entry for source in ("extract", "find", "sourceRef")),
    ),
    Rule(
        "data-from-has-one-source",
        _DATA_FROM,
        "!(has(self.extract) && has(self.find)) && !((has(self.extract) || has(self.find))"
        " && has(self.sourceRef) && has(self.sourceRef.generatorRef))",
        "extract, find and sourceRef.generatorRef exclude each other; write an entry of dataFrom for each",
        lambda entry: (
            sum(("extract" in entry, "find" in entry, "generatorRef" in entry.get("sourceRef", {}))) <= 1
        ),
    ),
    Rule(
        "source-ref-not-empty",
        below(_SPEC, "data[].sourceRef", "dataFrom[].sourceRef"),
        "has(self.storeRef) || has(self.generatorRef)",
        "sourceRef is empty; write storeRef or generatorRef, or leave sourceRef out",
        lambda source: "storeRef" in source or "generatorRef" in source,
    ),
    Rule(
        "rewrite-is-one-operation",
        below(_SPEC, "dataFrom[].rewrite[]"),
        "has(self.regexp) ? !has(self.transform) && !has(self.merge) : has(self.transform) != has(self.merge)",
        "an entry of rewrite must have exactly one of regexp, transform and merge; write an entry for each operation",
        lambda entry: sum(operation in entry for operation in ("regexp", "transform", "merge")) == 1,
    ),
    Rule(
        "delete-only-what-is-owned",
        _TARGET,
        "!has(self.deletionPolicy) || self.deletionPolicy != 'Delete' || !has(self.creationPolicy)"
        " || self.creationPolicy in ['Owner', 'Orphan']",
        "deletionPolicy Delete needs a Secret of one's own; write creationPolicy Owner, or another deletionPolicy",
        _owns_what_it_deletes,
    ),
    Rule(
        "merge-needs-a-secret",
        _TARGET,
        "!has(self.deletionPolicy) || self.deletionPolicy != 'Merge' || !has(self.creationPolicy)"
        " || self.creationPolicy != 'None'",
        "deletionPolicy Merge does not go with creationPolicy None, which writes no Secret; change one of the two",
        _has_something_to_merge_with,
    ),
    Rule(
        "template-target-known",
        _TARGET,
        "has(self.manifest) || !has(self.template) || !has(self.template.templateFrom)"
        " || self.template.templateFrom.all(source, !has(source.target)"
        " || source.target.lowerAscii() in ['data', 'annotations', 'labels'])",
        "a templateFrom has an unknown target; for a Secret write Data, Annotations or Labels",
        lambda target: (
            "manifest" in target
            or all(_known_part(source) for source in target.get("template", {}).get("templateFrom", []))
        ),
    ),
    Rule(
        "no-service-account-token",
        _TEMPLATE,
        "!has(self.type) || self.type != 'kubernetes.io/service-account-token'"
        " || ((!has(self.metadata) || !has(self.metadata.annotations)"
        " || !('kubernetes.io/service-account.name' in self.metadata.annotations))"
        " && (!has(self.templateFrom) || self.templateFrom.all(source, !has(source.target)"
        " || source.target.lowerAscii() != 'annotations')))",
        "a Secret of type kubernetes.io/service-account-token that names a service account would make the cluster mint "
        "its token; leave out the annotation kubernetes.io/service-account.name and templates for annotations",
        _names_no_service_account,
    ),
    Rule(
        "no-bootstrap-token",
        _TEMPLATE,
        "!has(self.type) || self.type != 'bootstrap.kubernetes.io/token'",
        "a Secret of type bootstrap.kubernetes.io/token would let machines join the cluster; write another type",
        lambda template: template.get("type") != "bootstrap.kubernetes.io/token",
    ),
)
