"""The one exception of this package: what is wrong with a name, a path or a value, without ever holding the value."""

from __future__ import annotations

import enum


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

    NO_SOURCE_KEY = "no-source-key"
    """What is pushed has no such key."""
    NOT_UTF8 = "not-utf8"
    VALUE_TOO_LARGE = "value-too-large"
    """More than the server takes in one request."""
    NO_OBJECT = "no-object"
    """A property shall be set or deleted in a remote value that is no JSON object."""
    SAME_DESTINATION = "same-destination"
    """Two entries go to the same place."""


class ContentFault(Exception):
    """A name, a path or a value is not as it has to be.

    Holds the kind and the names that a report needs to point at the place: `key` (a remote key), `property_path`,
    `path` (a folder), `secret_key` (a key of the target, or of what is pushed), `other_key` (the second of two that collide). Never a value,
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
