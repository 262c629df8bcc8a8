"""The specs of resources, each read once: a spec does not change within a generation.

To check a manifest against schema and rules, and to make typed values of it, costs more than all else that a run does
in the process; a resource runs hundreds of times in a generation.
"""

from typing import Generic, TypeVar

from adapters.cluster import Object
from adapters.resources.faults import Faults
from adapters.resources.parsing import parse_as
from adapters.resources.structure import AnyResource
from reconciler.caches import Place, place_of

ResourceT = TypeVar("ResourceT", bound=AnyResource)


class Specs(Generic[ResourceT]):
    """What the spec of each resource of a kind says. Losing it costs a new look."""

    def __init__(self, resource: type[ResourceT]) -> None:
        self._resource = resource
        self._known: dict[Place, tuple[str, int, ResourceT | Faults]] = {}

    def of(self, object: Object) -> ResourceT | Faults:
        """The typed resource without its status, or what is wrong with its spec."""
        place, metadata = place_of(object), object["metadata"]
        uid, generation = metadata.get("uid", ""), metadata.get("generation", 0)
        known = self._known.get(place)
        if known is not None and known[:2] == (uid, generation):
            return known[2]
        read = parse_as(self._resource, {name: part for name, part in object.items() if name != "status"})
        self._known[place] = (uid, generation, read)
        return read

    def forget(self, place: Place) -> None:
        """The resource is gone."""
        self._known.pop(place, None)
