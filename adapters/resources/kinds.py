"""The kinds of resources that the controller deals with."""

from typing import Final

from adapters.cluster import Kind, Object

GROUP: Final = "external-secrets.io"

SECRET_STORE: Final = Kind(GROUP, "v1", "SecretStore", "secretstores", True)
CLUSTER_SECRET_STORE: Final = Kind(GROUP, "v1", "ClusterSecretStore", "clustersecretstores", False)
EXTERNAL_SECRET: Final = Kind(GROUP, "v1", "ExternalSecret", "externalsecrets", True)
CLUSTER_EXTERNAL_SECRET: Final = Kind(GROUP, "v1", "ClusterExternalSecret", "clusterexternalsecrets", False)
PUSH_SECRET: Final = Kind(GROUP, "v1alpha1", "PushSecret", "pushsecrets", True)
CLUSTER_PUSH_SECRET: Final = Kind(GROUP, "v1alpha1", "ClusterPushSecret", "clusterpushsecrets", False)

OUR_KINDS: Final = (
    SECRET_STORE,
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    CLUSTER_EXTERNAL_SECRET,
    PUSH_SECRET,
    CLUSTER_PUSH_SECRET,
)

SECRET: Final = Kind("", "v1", "Secret", "secrets", True)
CONFIG_MAP: Final = Kind("", "v1", "ConfigMap", "configmaps", True)
NAMESPACE: Final = Kind("", "v1", "Namespace", "namespaces", False)
EVENT: Final = Kind("events.k8s.io", "v1", "Event", "events", True)
LEASE: Final = Kind("coordination.k8s.io", "v1", "Lease", "leases", True)

KNOWN_KINDS: Final = (*OUR_KINDS, SECRET, CONFIG_MAP, NAMESPACE, EVENT, LEASE)

_BY_NAME: Final = {(kind.api_version, kind.name): kind for kind in KNOWN_KINDS}


def kind_of(object: Object) -> Kind:
    """The kind that an object's apiVersion and kind name. Raises LookupError for one that is not listed here."""
    return _BY_NAME[object["apiVersion"], object["kind"]]
