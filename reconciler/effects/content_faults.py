"""From what is wrong with content to the outcome that a machine is told."""

from machines.names import FolderPath, PropertyPath, RemoteName, SecretKey
from machines.outcomes import Fault, Invalid
from reconciler.content.faults import ContentFault, FaultKind

_FAULTS = {
    FaultKind.KEY_EMPTY: Fault.BAD_KEY,
    FaultKind.KEY_ENDS_WITH_SLASH: Fault.BAD_KEY,
    FaultKind.KEY_CLIMBS: Fault.BAD_KEY,
    FaultKind.PATH_CLIMBS: Fault.BAD_PATH,
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
    FaultKind.NO_SOURCE_KEY: Fault.NO_SOURCE_KEY,
    FaultKind.NOT_UTF8: Fault.NOT_UTF8,
    FaultKind.VALUE_TOO_LARGE: Fault.VALUE_TOO_LARGE,
    FaultKind.NO_OBJECT: Fault.NO_OBJECT,
    FaultKind.SAME_DESTINATION: Fault.SAME_DESTINATION,
}


def invalid(fault: ContentFault) -> Invalid:
    """The outcome of a fault: what is wrong, and the names that point at the place."""
    return Invalid(
        what=_FAULTS[fault.kind],
        key=remote_name(fault.key),
        property=_property(fault.property_path),
        folder=_folder(fault.path),
        secret_key=_secret_key(fault.secret_key),
    )


def remote_name(text: str | None) -> RemoteName | None:
    """A name at Infisical, unless it is none that could stand in a message."""
    try:
        return None if text is None else RemoteName(text)
    except ValueError:
        return None  # control characters, or longer than any name: not for a message


def _property(text: str | None) -> PropertyPath | None:
    try:
        return None if text is None else PropertyPath(text)
    except ValueError:
        return None


def _secret_key(text: str | None) -> SecretKey | None:
    try:
        return None if text is None else SecretKey(text)
    except ValueError:
        return None


def _folder(text: str | None) -> FolderPath | None:
    try:
        return None if text is None else FolderPath(text if text.startswith("/") else f"/{text}")
    except ValueError:
        return None
