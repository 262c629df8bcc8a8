"""The kinds of resource that the program reads or writes."""

from adapters.cluster import Kind, Object

SECRET = Kind("", "v1", "Secret", "secrets", True)
CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps", True)
NAMESPACE = Kind("", "v1", "Namespace", "namespaces", False)
EVENT = Kind("", "v1", "Event", "events", True)
LEASE = Kind("coordination.k8s.io", "v1", "Lease", "leases", True)

GROUP = "external-secrets.io"
SECRET_STORE = Kind(GROUP, "v1", "SecretStore", "secretstores", True)
CLUSTER_SECRET_STORE = Kind(GROUP, "v1", "ClusterSecretStore", "clustersecretstores", False)
EXTERNAL_SECRET = Kind(GROUP, "v1", "ExternalSecret", "externalsecrets", True)
CLUSTER_EXTERNAL_SECRET = Kind(GROUP, "v1", "ClusterExternalSecret", "clusterexternalsecrets", False)
PUSH_SECRET = Kind(GROUP, "v1alpha1", "PushSecret", "pushsecrets", True)
CLUSTER_PUSH_SECRET = Kind(GROUP, "v1alpha1", "ClusterPushSecret", "clusterpushsecrets", False)

CORE_KINDS = (SECRET, CONFIG_MAP, NAMESPACE, EVENT, LEASE)
OUR_KINDS = (
    SECRET_STORE,
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    CLUSTER_EXTERNAL_SECRET,
    PUSH_SECRET,
    CLUSTER_PUSH_SECRET,
)
KINDS = {(kind.api_version, kind.name): kind for kind in (*CORE_KINDS, *OUR_KINDS)}


def kind_of(object: Object) -> Kind:
    """The kind that an object's apiVersion and kind name. Raises LookupError for one that is not listed here."""
    return KINDS[object["apiVersion"], object["kind"]]
