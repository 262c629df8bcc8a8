"""A directory of manifests as the author's side of a local cluster: loaded, then followed while files change."""

import asyncio
import contextlib
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from adapters.cluster import Absent, Conflict, Denied, Done, Kind, Refused, Unavailable
from adapters.local.cluster import LocalCluster
from adapters.local.manifests import (
    Manifest,
    ManifestMistake,
    ManifestNotice,
    Manifests,
    joined,
    manifest_files,
    read_file,
    read_manifests,
)
from adapters.local.state import MANIFEST_MANAGER, StateDirectory
from adapters.local.store import Key
from adapters.resources.kinds import CONFIG_MAP, NAMESPACE, SECRET

STATE_NAME = ".infisical-reconciler"
POLL_SECONDS = 0.5

_ORDER = (NAMESPACE, SECRET, CONFIG_MAP)  # what others refer to comes first, the rest after

Report = Callable[[ManifestMistake | ManifestNotice], None]


class UnusableManifests(Exception):
    """Manifests that cannot be loaded: `mistakes` are all of them. The text has a line for each."""

    def __init__(self, mistakes: Sequence[ManifestMistake]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


class _Seen(NamedTuple):
    """What tells a file from the same file after a change."""

    device: int
    inode: int
    size: int
    changed: int
    modified: int


Snapshot = dict[Path, _Seen]


async def load_manifests(cluster: LocalCluster, manifests: Manifests) -> None:
    """Put what was read into a cluster. Raises UnusableManifests where there are mistakes; then nothing is put."""
    if manifests.mistakes:
        raise UnusableManifests(manifests.mistakes)
    mistakes = await _apply(cluster, manifests.manifests)
    if mistakes:
        raise UnusableManifests(mistakes)


async def look_at_manifests(cluster: LocalCluster, paths: Sequence[Path]) -> Manifests:
    """Put into a cluster what is right in these files and directories, with what a controller that serves one of these
    directories keeps below it. Writes no file. Raises OSError.

    What was read is returned, with the mistakes: what they are in is not put, and stays as it was kept.
    """
    read = read_manifests(paths)
    mistakes = list(read.mistakes)
    for path in paths:
        if (path / STATE_NAME).is_dir():
            kept, unreadable = StateDirectory(path / STATE_NAME).restore()
            cluster.restore(kept, lambda key, object: None)
            mistakes += unreadable
    wanted = {manifest.key for manifest in read.manifests}
    for key in [key for key in _from_manifests(cluster) if key not in wanted and not mistakes]:
        await cluster.delete(*key)
    mistakes += await _apply(cluster, read.manifests)
    return Manifests(read.manifests, tuple(mistakes), read.notices)


class LocalDirectory:
    """Files and directories of manifests, followed into a cluster; what the cluster holds beyond them is kept in
    files below `state`."""

    def __init__(self, paths: Sequence[Path], state: Path, cluster: LocalCluster, report: Report) -> None:
        """`report` hears of notices, and of mistakes that are made later. `state` is usually STATE_NAME below the
        directory; it is made when it is needed."""
        self._paths = paths
        self._state = StateDirectory(state)
        self._cluster = cluster
        self._report = report
        self._files: dict[Path, Manifests] = {}
        self._broken: dict[Path, tuple[ManifestMistake, ...]] = {}
        self._snapshot: Snapshot = {}

    async def load(self) -> None:
        """Restore what was kept, and bring in the manifests; what has left them since the last time is deleted.

        Raises UnusableManifests: where a manifest has a mistake, before anything is changed. Raises OSError where
        the state directory cannot be read or written.
        """
        with contextlib.suppress(_Unseen):  # reading it tells
            self._snapshot = _look(self._paths)
        self._files = {file: read_file(file) for file in manifest_files(self._paths)}
        everything = joined(list(self._files.values()))
        if everything.mistakes:
            raise UnusableManifests(everything.mistakes)
        for notice in everything.notices:
            self._report(notice)
        kept, mistakes = self._state.restore()
        for mistake in mistakes:
            self._report(mistake)
        self._cluster.restore(kept, self._state.keep)
        wanted = {manifest.key for manifest in everything.manifests}
        await self._delete([key for key in _from_manifests(self._cluster) if key not in wanted])
        await load_manifests(self._cluster, everything)

    async def follow(self) -> None:
        """Look at the files twice a second, for ever, and bring in what has changed.

        A change is taken when a file was at rest from one look to the next, so that no half-written file is. A
        file with mistakes is reported, and its objects stay as they were. So do all objects while a path as a
        whole cannot be looked at: that is no order to delete what was below it.
        """
        before, unseen = self._snapshot, None
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                now, unseen = _look(self._paths), None
            except _Unseen as error:
                if unseen != error.path:
                    self._report(ManifestMistake(error.path, 0, "cannot be looked at; its objects stay"))
                unseen = error.path
                continue
            changed = {
                file
                for file in self._snapshot.keys() | now.keys()
                if before.get(file) == now.get(file) != self._snapshot.get(file)
            }
            before = now
            if changed:
                for file in changed:
                    self._snapshot.pop(file, None)
                self._snapshot |= {file: now[file] for file in changed & now.keys()}
                await self._take(changed)

    async def _take(self, changed: set[Path]) -> None:
        """Read what has changed, and what was broken: a mistake may have been in the other file."""
        read_anew = changed | self._broken.keys()
        files = {file: known for file, known in self._files.items() if file not in read_anew}
        broken: dict[Path, tuple[ManifestMistake, ...]] = {}
        for file in sorted(read_anew & self._snapshot.keys()):
            read = read_file(file)
            mistakes = joined([*files.values(), read]).mistakes
            if mistakes:
                broken[file] = mistakes
                read = self._files.get(file, _NOTHING)
            elif file in changed:
                for notice in read.notices:
                    self._report(notice)
            files[file] = read
        for file, mistakes in broken.items():
            if self._broken.get(file) != mistakes:
                for mistake in mistakes:
                    self._report(mistake)
        old, new = _by_key(self._files), _by_key(files)
        self._files, self._broken = files, broken
        await self._delete([key for key in old if key not in new])
        fresh = [
            manifest for key, manifest in new.items() if key not in old or old[key].object != manifest.object
        ]
        for mistake in await _apply(self._cluster, fresh):
            self._report(mistake)

    async def _delete(self, keys: Sequence[Key]) -> None:
        for key in keys:
            written = await self._cluster.delete(*key)
            if isinstance(written, Unavailable):
                message = f"{key.kind.name} {key.name} cannot be deleted, because this cannot be written"
                self._report(ManifestMistake(self._state.root, 0, message))


_NOTHING = Manifests((), (), ())


async def _apply(cluster: LocalCluster, manifests: Iterable[Manifest]) -> list[ManifestMistake]:
    """Apply objects, what others refer to first; what the cluster does not take is a mistake."""
    mistakes = []
    for manifest in sorted(manifests, key=lambda each: _rank(each.key.kind)):
        if manifest.key.namespace:
            cluster.ensure_namespace(manifest.key.namespace)
        match await cluster.apply(manifest.object, MANIFEST_MANAGER):
            case Done():
                pass
            case Refused(field=field):
                what = f"a change of {field}" if field else "this change"
                mistakes.append(manifest.mistake(field, f"the cluster does not take {what}"))
            case Unavailable():
                mistakes.append(
                    manifest.mistake("", "what the controller made cannot be written to its directory")
                )
            case Absent() | Conflict() | Denied():
                mistakes.append(manifest.mistake("metadata.namespace", "its namespace is being deleted"))
    return mistakes


def _from_manifests(cluster: LocalCluster) -> Iterator[Key]:
    for key, object in cluster.store.everything():
        entries = object["metadata"].get("managedFields") or []
        if any(entry.get("manager") == MANIFEST_MANAGER for entry in entries):
            yield key


def _by_key(files: Mapping[Path, Manifests]) -> dict[Key, Manifest]:
    return {manifest.key: manifest for manifest in joined(list(files.values())).manifests}


def _rank(kind: Kind) -> int:
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


class _Unseen(Exception):
    """A path that is not there any more, or that cannot be looked at: what is below it may all be well."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


def _look(paths: Sequence[Path]) -> Snapshot:
    """How the files are at this moment. Raises _Unseen where one cannot tell."""
    for path in paths:
        if not path.exists():
            raise _Unseen(path)
    seen: Snapshot = {}
    for file in manifest_files(paths):
        try:
            found = file.stat()
        except FileNotFoundError:
            continue  # since the directory was listed
        except OSError as error:
            raise _Unseen(file) from error
        if stat.S_ISDIR(found.st_mode):
            raise _Unseen(file)
        seen[file] = _Seen(found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns, found.st_mtime_ns)
    return seen
