"""Files whose paths credentials give: read only below directories that the operator of the controller has named.

Whoever may write a Secret gives the path, so it must not lead anywhere else: neither by `..`, nor by a symbolic link,
nor by one that is put there between the check and the reading. Path and directories are resolved first, and compared
segment by segment; then the resolved path is walked from the directory on, without following any link. Volumes that
Kubernetes swaps by their link `..data` can be read: a swap in between shows as a segment that is gone, and the path
is resolved once more.
"""

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from adapters.auth.blocking import in_thread
from adapters.auth.credentials import Source, fault
from machines.outcomes import Denial, Denied, Fault, Invalid, Missing, Thing

LARGEST: Final = 1 << 20  # bytes of a file
_LONGEST: Final = 4096  # bytes of a path, as for the kernel
_PATIENCE: Final = 5.0  # seconds: a network file system may hang
# To pass through a directory needs no right to list it, where the system can tell the two apart.
_PASSING: Final = (os.O_PATH if sys.platform == "linux" else os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
# A pipe is opened without waiting for whoever writes to it.
_READING: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Place(msgspec.Struct, frozen=True):
    """A resolved path: a directory that may be read, and the segments below it."""

    directory: Path
    below: tuple[str, ...]


async def read_allowed(
    source: Source, path: str, directories: Sequence[Path]
) -> bytes | Missing | Denied | Invalid:
    """The content of a file below one of the directories. `source`: where the path was given, which a failure names.

    Invalid: no absolute path. Denied: it leads out of the directories, whether or not a file is there. Missing: no
    regular file, none that may be read, or one larger than LARGEST. Never blocks the loop.
    """
    if not _is_path(path):
        return fault(Fault.BAD_FILE_PATH, source)
    try:
        content = await in_thread(lambda: _read(path, directories), _PATIENCE)
    except OSError:  # a TimeoutError too
        return Missing(what=Thing.FILE, namespace=source.namespace, name=source.name, key=source.key)
    if content is None:
        return Denied(what=Denial.FILE, namespace=source.namespace, name=source.name, secret_key=source.key)
    return content


def _is_path(path: str) -> bool:
    try:
        return path.startswith("/") and "\0" not in path and len(os.fsencode(path)) < _LONGEST
    except UnicodeEncodeError:  # not to be written in this system's encoding of file names
        return False


def _read(path: str, directories: Sequence[Path]) -> bytes | None:
    """The content; None: it leads out of the directories. Raises OSError."""
    place = _resolved(path, directories)
    if place is None:
        return None
    try:
        return _content(place)
    except OSError:
        place = _resolved(path, directories)  # swapped in between?
        return None if place is None else _content(place)


def _resolved(path: str, directories: Sequence[Path]) -> Place | None:
    """Where a path leads, what is not there taken as it is written; None: out of the directories."""
    whole = Path(os.path.realpath(path))
    for directory in directories:
        base = Path(os.path.realpath(directory))
        if whole.is_relative_to(base):
            return Place(base, whole.relative_to(base).parts)
    return None


def _content(place: Place) -> bytes:
    """What is in the file at this place, no link followed. Raises OSError."""
    *passed, last = place.below or (".",)
    directory = os.open(place.directory, _PASSING)
    try:
        for segment in passed:
            below = os.open(segment, _PASSING | os.O_NOFOLLOW, dir_fd=directory)
            os.close(directory)
            directory = below
        file = os.open(last, _READING, dir_fd=directory)
        try:
            return _regular(file)
        finally:
            os.close(file)
    finally:
        os.close(directory)


def _regular(file: int) -> bytes:
    """All that is in a regular file of a bearable size. Raises OSError."""
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise OSError("no regular file")
    content = b""
    while part := os.read(file, LARGEST + 1 - len(content)):
        content += part
    if len(content) > LARGEST:
        raise OSError("too large")
    return content
