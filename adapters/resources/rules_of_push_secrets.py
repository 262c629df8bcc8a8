"""The rules of PushSecret, which hold for the spec inside a ClusterPushSecret as well."""

from adapters.resources.kinds import CLUSTER_PUSH_SECRET, PUSH_SECRET
from adapters.resources.rule import Place, Rule, below

_SPEC = (Place(PUSH_SECRET, "spec"), Place(CLUSTER_PUSH_SECRET, "spec.pushSecretSpec"))
_DATA_TO = below(_SPEC, "dataTo[]")

PUSH_SECRET_RULES = (
    Rule(
        "data-to-names-a-store",
        _DATA_TO,
        "has(self.storeRef) && (has(self.storeRef.name) || has(self.storeRef.labelSelector))",
        "an entry of dataTo needs a storeRef with a name or a labelSelector",
        lambda entry: any(choice in entry.get("storeRef", {}) for choice in ("name", "labelSelector")),
    ),
    Rule(
        "bundle-or-rewrite",
        _DATA_TO,
        "!has(self.remoteKey) || !has(self.rewrite) || size(self.rewrite) == 0",
        "remoteKey and rewrite exclude each other: with remoteKey all keys go into one secret; leave one of them out",
        lambda entry: not ("remoteKey" in entry and entry.get("rewrite")),
    ),
    Rule(
        "push-rewrite-is-one-operation",
        below(_SPEC, "dataTo[].rewrite[]"),
        "has(self.regexp) != has(self.transform)",
        "an entry of rewrite must have exactly one of regexp and transform; write an entry for each operation",
        lambda entry: ("regexp" in entry) != ("transform" in entry),
    ),
)
