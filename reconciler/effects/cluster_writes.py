"""From the cluster's results of a write to the outcomes that machines are told."""

from adapters import cluster
from machines.outcomes import Absent, Conflict, Denied, Refused, Unavailable
from reconciler.effects.cluster_failures import denied, refused, unavailable


def unwritten(
    answer: cluster.Conflict | cluster.Refused | cluster.Denied | cluster.Unavailable | cluster.Absent,
) -> Conflict | Refused | Denied | Unavailable | Absent:
    """Why nothing was written."""
    match answer:
        case cluster.Conflict():
            return Conflict()
        case cluster.Refused():
            return refused(answer)
        case cluster.Denied():
            return denied(answer)
        case cluster.Unavailable():
            return unavailable(answer)
        case cluster.Absent():
            return Absent()
