"""Which fields a secret has in an answer, by what was asked and the age of the server."""

import enum
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from reconciler.standin.ages import Age
from reconciler.standin.model import Content, Secret
from reconciler.standin.world import World

HIDDEN = "<hidden-by-infisical>"
"""Stands in the place of a value that is not shown."""


class Shape(enum.Enum):
    """What the secret is an answer to."""

    SINGLE = enum.auto()
    VERSION = enum.auto()
    IMPORTED = enum.auto()
    LISTED = enum.auto()
    IN_IMPORT = enum.auto()
    CREATED = enum.auto()
    UPDATED = enum.auto()
    DELETED = enum.auto()


_CORE = (
    "id",
    "_id",
    "workspace",
    "environment",
    "version",
    "type",
    "secretKey",
    "secretValue",
    "secretComment",
)
_PLAIN = (
    *_CORE,
    "secretReminderNote",
    "secretReminderRepeatDays",
    "skipMultilineEncoding",
    "createdAt",
    "updatedAt",
)
_ROTATED = ("isRotatedSecret", "rotationId")
_LABELS = ("tags", "secretMetadata")

_YEAR_2025 = {
    Shape.SINGLE: (*_PLAIN, "secretValueHidden", *_LABELS),
    Shape.VERSION: (*_PLAIN, "secretValueHidden"),
    Shape.IMPORTED: (*_PLAIN, *_ROTATED, "secretValueHidden", *_LABELS),
    Shape.LISTED: (*_PLAIN, *_ROTATED, "secretPath", "secretValueHidden", *_LABELS),
    Shape.IN_IMPORT: (*_CORE, "skipMultilineEncoding", *_ROTATED, "secretValueHidden", "secretMetadata"),
    Shape.CREATED: (*_PLAIN, *_ROTATED),
    Shape.UPDATED: (*_PLAIN, *_ROTATED, "secretValueHidden"),
    Shape.DELETED: (*_PLAIN, "secretValueHidden"),
}

_SHAPES: Mapping[Age, Mapping[Shape, tuple[str, ...]]] = {
    Age.YEAR_2025: _YEAR_2025,
    Age.CURRENT: _YEAR_2025
    | {
        Shape.SINGLE: (*_YEAR_2025[Shape.SINGLE], "secretPath"),
        Shape.IMPORTED: (*_YEAR_2025[Shape.IMPORTED], "secretPath"),
    },
    Age.YEAR_2024: dict.fromkeys(Shape, _CORE)
    | {Shape.SINGLE: (*_CORE, "tags"), Shape.LISTED: (*_CORE, "secretPath")},
}


class Place(msgspec.Struct, frozen=True):
    """Where a secret is: project id, environment and folder."""

    project: str
    environment: str
    path: str


def moment(at: float) -> str:
    """A time as the API writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown(
    world: World, shape: Shape, place: Place, secret: Secret, content: Content, value: str | None
) -> dict[str, object]:
    """The secret as an answer has it; `value` None: not to be shown."""
    everything: dict[str, object] = {
        "id": secret.id,
        "_id": secret.id,
        "workspace": place.project,
        "environment": place.environment,
        "version": content.version,
        "type": "personal" if secret.owner else "shared",
        "secretKey": content.key,
        "secretValue": HIDDEN if value is None else value,
        "secretComment": content.comment,
        "secretReminderNote": None,
        "secretReminderRepeatDays": None,
        "skipMultilineEncoding": content.skip_multiline_encoding,
        "createdAt": moment(secret.created_at),
        "updatedAt": moment(content.updated_at),
        "isRotatedSecret": False,
        "rotationId": None,
        "secretPath": place.path,
        "secretValueHidden": value is None,
        "tags": [{"id": secret.id, "slug": tag, "name": tag} for tag in content.tags],
        "secretMetadata": [],
    }
    if shape is Shape.IN_IMPORT and not world.dialect.workspace_in_imports:
        everything["workspace"] = ""
    return {name: everything[name] for name in _SHAPES[world.age][shape]}
