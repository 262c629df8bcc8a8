"""Whether a cluster takes an object, and what it makes of it: the answer of an API server with our CRDs."""

from typing import Any

import msgspec

from adapters.cluster import Kind, Object
from adapters.resources.faults import Fault, Faults
from adapters.resources.kinds import OUR_KINDS
from adapters.resources.rules import broken_rules
from adapters.resources.schema_checks import faults, fill_in, prune
from adapters.resources.structure import structure


class Admitted(msgspec.Struct, frozen=True):
    """The object as it is stored: defaults filled in, unknown fields dropped; their paths are in `unknown`."""

    object: Object
    unknown: tuple[str, ...] = ()

    def __repr__(self) -> str:  # the object may be a Secret
        return f"<Admitted, {len(self.unknown)} unknown fields>"


def admit(kind: Kind, object: Object) -> Admitted | Faults:
    """What an API server does with an object that is to be created. The object given is left as it is."""
    if kind not in OUR_KINDS:
        return Admitted(object)
    result: Object = _copied(object)
    schema = structure(kind)
    unknown: list[str] = []
    # `metadata` is left as it is: its schema knows no fields.
    metadata = result.pop("metadata", {})
    prune(result, schema, "", unknown)
    fill_in(result, schema)
    found = [*faults(result, schema)]
    if not found:
        found = [
            Fault(broken.path, broken.rule.message, broken.rule.name) for broken in broken_rules(kind, result)
        ]
    result["metadata"] = metadata
    return Faults(tuple(found)) if found else Admitted(result, tuple(unknown))


def _copied(value: Any) -> Any:
    """A copy of plain JSON. Much cheaper than `copy.deepcopy`, which this once was a third of a run's time in."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_copied(each) for each in value]
    return value
