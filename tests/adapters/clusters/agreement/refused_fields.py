"""Which fields a refusal could have named: an API server walks its schemas in no order, and names what it met first."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from adapters.cluster import Conflict, Refused
from adapters.local.admission import Undecodable, refusal
from adapters.resources.faults import Faults


class RefusedFields:
    """The fields of the last refusal of a local cluster, as far as their order is chance."""

    def __init__(self) -> None:
        self._faults: Faults | None = None

    def forget(self) -> None:
        self._faults = None

    def choice(self, field: str) -> frozenset[str]:
        """What a server could have named as well as `field`."""
        if self._faults is None or isinstance(self._faults, Undecodable) or field.startswith("metadata"):
            return frozenset({field})
        paths = frozenset(fault.path for fault in self._faults.faults)
        return paths if field in paths else frozenset({field})

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Look over the shoulder of the local clusters of this process."""

        def noted(faults: Faults) -> Refused | Conflict:
            self._faults = faults
            return refusal(faults)

        with patch("adapters.local.cluster.refusal", noted), patch("adapters.local.lifecycle.refusal", noted):
            yield
