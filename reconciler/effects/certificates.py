"""The certificates that a store trusts besides those of the system: from caBundle, or from what caProvider names."""

import base64
import binascii

from adapters import cluster
from adapters.cluster import Cluster
from adapters.resources.kinds import CONFIG_MAP, SECRET
from adapters.resources.stores import CaProviderType
from machines.names import ResourceName, SecretKey
from machines.outcomes import Denied, Fault, Invalid, Missing, Thing, Unavailable
from reconciler.effects.cluster_failures import unreadable
from reconciler.stores import Connection

_PEM = b"-----BEGIN CERTIFICATE-----"


async def certificates(
    connection: Connection, reader: Cluster
) -> bytes | Invalid | Missing | Denied | Unavailable:
    """Certificates in PEM; empty where the store names none."""
    if connection.ca_bundle:
        return bundled_certificates(connection.ca_bundle)
    if connection.ca_provider is None:
        return b""
    provider = connection.ca_provider
    kind = SECRET if provider.type is CaProviderType.SECRET else CONFIG_MAP
    missing = Missing(
        what=Thing.CERTIFICATES,
        namespace=connection.ca_namespace,
        name=ResourceName(provider.name),
        key=SecretKey(provider.key or ""),
    )
    answer = await reader.get(kind, connection.ca_namespace, provider.name)
    if isinstance(answer, cluster.Absent):
        return missing
    if not isinstance(answer, cluster.Done) or answer.object is None:
        assert not isinstance(answer, cluster.Done)
        return unreadable(answer)
    text = (answer.object.get("data") or {}).get(provider.key or "")
    if text is None:
        return missing
    content = base64.b64decode(text) if kind == SECRET else text.encode()
    return content if _PEM in content else Invalid(what=Fault.BAD_CERTIFICATES)


def bundled_certificates(ca_bundle: str) -> bytes | Invalid:
    """PEM out of a caBundle: base64 once (as documented) or twice, or PEM as it is."""
    bundle = ca_bundle.encode()
    for _ in range(3):
        if _PEM in bundle:
            return bundle
        try:
            bundle = base64.b64decode(b"".join(bundle.split()), validate=True)
        except binascii.Error:
            break
    return Invalid(what=Fault.BAD_CERTIFICATES)
