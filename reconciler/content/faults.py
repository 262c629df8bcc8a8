"""The one exception of this package: what is wrong with a name, a path or a value, without ever holding the value."""

from __future__ import annotations

import enum
import re
from typing import Final, TypeVar

from machines.names import FieldPath, Name, PropertyPath, RemoteName, SecretKey
from machines.outcomes import Fault, Invalid

NameT = TypeVar("NameT", bound=Name)

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_CUT: Final = 200


class FaultKind(enum.StrEnum):
    """Everything that content can have wrong with it."""

    KEY_EMPTY = "key-empty"
    KEY_ENDS_WITH_SLASH = "key-ends-with-slash"
    KEY_CLIMBS = "key-climbs"
    """A remote key has a segment `..`."""
    PATH_CLIMBS = "path-climbs"
    """A folder path (secretsPath, find.path) has a segment `..`."""

    NOT_JSON = "not-json"
    NOT_OBJECT = "not-object"
    PROPERTY_ABSENT = "property-absent"
    PROPERTY_UNSUPPORTED = "property-unsupported"
    """The property's syntax is broken, or uses something that is not supported."""

    FIND_UNBOUNDED = "find-unbounded"
    """Neither find.name nor find.path is given."""
    FIND_TAGS = "find-tags"
    FIND_PATH_RELATIVE = "find-path-relative"
    FIND_PATH_UNREACHABLE = "find-path-unreachable"
    """find.path lies outside of what the store's scope lists."""
    REGEXP_INVALID = "regexp-invalid"

    KEY_COLLISION = "key-collision"
    """Two keys became the same one by conversion."""
    KEY_INVALID = "key-invalid"
    """A key that the data of a Kubernetes Secret cannot have."""
    NOT_BASE64 = "not-base64"
    NOT_BASE64_URL = "not-base64-url"
    NULL_BYTE = "null-byte"


class ContentFault(Exception):
    """A name, a path or a value is not as it has to be.

    Holds the kind and the names that a report needs to point at the place: `key` (a remote key), `property_path`,
    `path` (a folder), `secret_key` (a key of the target), `other_key` (the second of two that collide). Never a value,
    and no text of a parser or decoder.
    """

    def __init__(
        self,
        kind: FaultKind,
        *,
        key: str | None = None,
        property_path: str | None = None,
        path: str | None = None,
        secret_key: str | None = None,
        other_key: str | None = None,
    ) -> None:
        self.kind = kind
        self.key = key
        self.property_path = property_path
        self.path = path
        self.secret_key = secret_key
        self.other_key = other_key
        super().__init__(kind)

    def __str__(self) -> str:
        names = {
            "key": self.key,
            "property": self.property_path,
            "path": self.path,
            "secret key": self.secret_key,
            "other key": self.other_key,
        }
        shown = ", ".join(f"{label} {name!r}" for label, name in names.items() if name is not None)
        return f"{self.kind.value}: {shown}" if shown else self.kind.value


_OUTCOMES: Final = {
    FaultKind.KEY_EMPTY: Fault.BAD_KEY,
    FaultKind.KEY_ENDS_WITH_SLASH: Fault.BAD_KEY,
    FaultKind.KEY_CLIMBS: Fault.BAD_KEY,
    FaultKind.PATH_CLIMBS: Fault.BAD_KEY,
    FaultKind.NOT_JSON: Fault.NO_JSON,
    FaultKind.NOT_OBJECT: Fault.NO_JSON,
    FaultKind.PROPERTY_ABSENT: Fault.NO_PROPERTY,
    FaultKind.PROPERTY_UNSUPPORTED: Fault.BAD_PROPERTY,
    FaultKind.FIND_UNBOUNDED: Fault.FIND_WITHOUT_CHOICE,
    FaultKind.FIND_TAGS: Fault.FIND_TAGS,
    FaultKind.FIND_PATH_RELATIVE: Fault.FIND_RELATIVE_PATH,
    FaultKind.FIND_PATH_UNREACHABLE: Fault.FIND_UNREACHABLE_PATH,
    FaultKind.REGEXP_INVALID: Fault.BAD_REGEXP,
    FaultKind.KEY_COLLISION: Fault.SAME_KEY,
    FaultKind.KEY_INVALID: Fault.INVALID_SECRET_KEY,
    FaultKind.NOT_BASE64: Fault.BAD_ENCODING,
    FaultKind.NOT_BASE64_URL: Fault.BAD_ENCODING,
    FaultKind.NULL_BYTE: Fault.NULL_BYTE,
}


def _shown(form: type[NameT], text: str | None) -> NameT | None:
    """A name in the form that an outcome may carry: control characters replaced, cut where it is too long."""
    if text is None or form.form.fullmatch(text):
        return None if text is None else form(text)
    printable = _CONTROL.sub("\ufffd", text)
    return form(printable if len(printable) <= _CUT else printable[:_CUT] + "…")


def invalid(fault: ContentFault, field: FieldPath | None = None) -> Invalid:
    """The outcome that tells a machine of a fault. `field` is where in the manifest its author finds the cause."""
    return Invalid(
        what=_OUTCOMES[fault.kind],
        field=field,
        key=_shown(RemoteName, fault.key if fault.key is not None else fault.path),
        property=_shown(PropertyPath, fault.property_path),
        secret_key=_shown(SecretKey, fault.secret_key),
    )
