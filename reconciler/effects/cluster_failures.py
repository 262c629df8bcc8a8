"""From the cluster's closed results to the outcomes that machines are told."""

from adapters import cluster
from machines.names import FieldPath, PluralName, Verb
from machines.outcomes import Denial, Denied, Refused, Service, Trouble, Unavailable


def unavailable(result: cluster.Unavailable) -> Unavailable:
    """The API server cannot be used just now."""
    why = {429: Trouble.LIMITED, 0: Trouble.REFUSED}.get(result.status, Trouble.FAULT)
    return Unavailable(service=Service.CLUSTER, why=why, status=result.status, after=result.after)


def denied(result: cluster.Denied) -> Denied:
    """RBAC says no."""
    return Denied(what=Denial.CLUSTER, verb=Verb(result.verb), resource=PluralName(result.resource))


def refused(result: cluster.Refused) -> Refused:
    """The API server will never take it."""
    try:
        field = FieldPath(result.field) if result.field else None
    except ValueError:
        field = None
    return Refused(field=field, webhook=result.rule)


def unreadable(result: cluster.Unavailable | cluster.Denied | cluster.Refused) -> Unavailable | Denied:
    """A read that gave nothing. A read is refused only by a broken API server."""
    if isinstance(result, cluster.Denied):
        return denied(result)
    if isinstance(result, cluster.Unavailable):
        return unavailable(result)
    return Unavailable(service=Service.CLUSTER, why=Trouble.FAULT)
