"""What every object has: its metadata, and conditions in its status."""

from enum import StrEnum
from typing import Annotated, Any

import msgspec

from adapters.resources.fields import Part, Time, about

Labels = dict[str, str]


class OwnerReference(Part, frozen=True, kw_only=True):
    """Who made an object; the garbage collector deletes it after its last owner."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool = False


class Metadata(Part, frozen=True, kw_only=True):
    """The metadata that the controller reads. `generation` counts the changes of the spec."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    labels: Labels = msgspec.field(default_factory=dict)
    annotations: Labels = msgspec.field(default_factory=dict)
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()


class Resource(Part, frozen=True, kw_only=True):
    """The root of an object; each kind adds `spec` and `status`."""

    api_version: Annotated[str, about("Group and version of the kind, such as external-secrets.io/v1.")] = ""
    kind: Annotated[str, about("The kind of the object.")] = ""
    metadata: Metadata = Metadata()


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Part, frozen=True, kw_only=True):
    """One statement about the state of a resource."""

    type: Annotated[str, about("What the condition is about, such as Ready.")]
    status: Annotated[str, about("True, False or Unknown.")]
    reason: Annotated[str | None, about("One word for why it is so.")] = None
    message: Annotated[str | None, about("What happened, where, and what to do about it.")] = None
    last_transition_time: Annotated[Time | None, about("When the status of this condition last changed.")] = (
        None
    )


class TemplateMetadata(Part, frozen=True, kw_only=True):
    """Labels and annotations for an object that the controller makes."""

    labels: Annotated[Labels, about("Labels by their key.")] = msgspec.field(default_factory=dict)
    annotations: Annotated[Labels, about("Annotations by their key.")] = msgspec.field(default_factory=dict)


FreeForm = Any
"""A value whose form is another's matter; it is kept as it is."""
