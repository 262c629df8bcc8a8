"""Where a remote key points: the folder and the name of a secret in Infisical."""

from __future__ import annotations

import msgspec

from reconciler.content.faults import ContentFault, FaultKind


class Location(msgspec.Struct, frozen=True):
    """One secret's place: a normalised absolute folder (`/`, `/my-app`) and the name in it."""

    folder: str
    name: str


def _segments(path: str) -> list[str]:
    """The parts of a path without the empty ones and `.`, which mean nothing; `..` is kept for the caller to refuse."""
    return [segment for segment in path.split("/") if segment not in ("", ".")]


def _joined(segments: list[str]) -> str:
    return "/" + "/".join(segments)


def normalise_folder(path: str) -> str:
    """A folder path as the server knows it: one leading slash, none doubled, none at the end; empty is the root.

    Raises ContentFault PATH_CLIMBS for a `..` segment.
    """
    segments = _segments(path)
    if ".." in segments:
        raise ContentFault(FaultKind.PATH_CLIMBS, path=path)
    return _joined(segments)


def resolve_key(secrets_path: str, key: str) -> Location:
    """The place that a remote key names, for reads and pushes alike.

    `FOO` lies in secrets_path, `/my-app/FOO` in `/my-app` whatever secrets_path says, `sub/FOO` in `sub` below
    secrets_path. Raises ContentFault KEY_EMPTY, KEY_ENDS_WITH_SLASH, KEY_CLIMBS (a `..` anywhere in the key), or
    PATH_CLIMBS for a secrets_path with `..`.
    """
    if not key.strip():
        raise ContentFault(FaultKind.KEY_EMPTY, key=key)
    if key.endswith("/"):
        raise ContentFault(FaultKind.KEY_ENDS_WITH_SLASH, key=key)
    folder, slash, name = key.rpartition("/")
    if name == ".." or ".." in _segments(folder):
        raise ContentFault(FaultKind.KEY_CLIMBS, key=key)
    if not slash:
        return Location(normalise_folder(secrets_path), name)
    if key.startswith("/"):
        return Location(_joined(_segments(folder)), name)
    return Location(_joined(_segments(normalise_folder(secrets_path)) + _segments(folder)), name)


def is_within(folder: str, path: str) -> bool:
    """Whether a normalised path is the normalised folder or lies below it, by whole segments."""
    return folder == "/" or path == folder or path.startswith(folder + "/")


def depth_below(folder: str, path: str) -> int:
    """How many folders a normalised path lies below a normalised folder that contains it."""
    return len(_segments(path)) - len(_segments(folder))
