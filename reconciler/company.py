"""In whose company a resource is refreshed, and at which moment.

Everything that reads through one store and is due at about the same time runs together, and so shares a login and a
listing. Each store has a phase, a point of the interval of its own, that its refreshes move to: a controller that
has just started has all of its resources due at the same time an interval later, and should not ask for all at once.
"""

import zlib
from collections.abc import Hashable
from typing import NamedTuple

from adapters.resources.kinds import CLUSTER_SECRET_STORE
from machines.external_secret import company_window
from machines.outcomes import ExternalSecretObserved
from machines.push_outcomes import PushSecretObserved

_LARGEST = 2**32


class Turn(NamedTuple):
    """When a refresh comes, with whom, and from when on it may come with them. Seconds since 1970."""

    at: float
    company: Hashable
    earliest: float


def turn_of(observed: ExternalSecretObserved | PushSecretObserved, namespace: str, due: float) -> Turn | None:
    """The turn of a resource that is due at this time; None: it reads no store."""
    if not observed.stores or observed.interval <= 0:
        return None
    store = observed.stores[0]
    company = (store.kind, "" if store.kind == CLUSTER_SECRET_STORE.name else namespace, store.name)
    window = company_window(observed.interval)
    after_point = (
        due - _phase(company) * observed.interval
    ) % observed.interval  # the store's last one before
    # Half of the window to come nearer to that point, the other half for company. Just before the next one, it stays.
    near = after_point > observed.interval - window / 2.0
    return Turn(due if near else due - min(after_point, window / 2.0), company, due - window)


def _phase(store: tuple[str, ...]) -> float:
    """From 0 to 1, the same for the same store at all times, whichever process asks."""
    return zlib.crc32("/".join(store).encode()) / _LARGEST
