"""Manifests in files and directories: read, checked as a cluster would, and every mistake told with its line."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from adapters.cluster import Kind, Object
from adapters.local.admission import admitted, decoded, without_unknown
from adapters.local.store import Key
from adapters.local.yaml_documents import YamlDocument, YamlMistake, read_documents
from adapters.resources.faults import Faults
from adapters.resources.kinds import CONFIG_MAP, GROUP, NAMESPACE, OUR_KINDS, SECRET

DEFAULT_NAMESPACE = "default"
SUFFIXES = (".yaml", ".yml", ".json")

_READ_KINDS = {(kind.api_version, kind.name): kind for kind in (SECRET, CONFIG_MAP, NAMESPACE, *OUR_KINDS)}
_SERVED = {kind.name: kind.api_version for kind in OUR_KINDS}


class ManifestMistake(msgspec.Struct, frozen=True):
    """Something that the author of a file must mend, at a line counted from 1 (0: the file as a whole)."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


class ManifestNotice(msgspec.Struct, frozen=True):
    """Something that is read past, and that the author may not have meant."""

    file: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class Manifest(msgspec.Struct, frozen=True):
    """One object of a file."""

    key: Key
    object: Object
    file: Path
    document: YamlDocument
    path: str = ""  # where the object is in the document: `items[0]` in a List

    def __repr__(self) -> str:  # it may be a Secret
        return f"<Manifest {self.key.kind.name} at {self.file}:{self.line_of('')}>"

    def line_of(self, field: str) -> int:
        """The line of one of the object's fields."""
        return self.document.line_of(f"{self.path}.{field}")

    def mistake(self, field: str, message: str) -> ManifestMistake:
        """A mistake in one of the object's fields."""
        return ManifestMistake(
            self.file, self.line_of(field), f"{self.key.kind.name} {self.key.name}: {message}"
        )


class Manifests(msgspec.Struct, frozen=True):
    """What was read: the objects that are right, and all that is to be said of the others."""

    manifests: tuple[Manifest, ...]
    mistakes: tuple[ManifestMistake, ...]
    notices: tuple[ManifestNotice, ...]


def manifest_files(paths: Sequence[Path]) -> list[Path]:
    """The files that paths name: files as they are, directories with all below but hidden ones, in order.

    A path that does not exist, and a directory that cannot be listed, are returned as they are: reading them tells.
    """
    files: dict[Path, None] = {}

    def unlisted(error: OSError) -> None:
        files[Path(error.filename)] = None

    for path in paths:
        if not path.is_dir():
            files[path] = None
            continue
        for directory, names, leaves in os.walk(path, onerror=unlisted):
            names[:] = sorted(name for name in names if not name.startswith("."))
            for leaf in sorted(leaves):
                if leaf.endswith(SUFFIXES) and not leaf.startswith("."):
                    files[Path(directory, leaf)] = None
    return list(files)


def read_manifests(paths: Sequence[Path]) -> Manifests:
    """Everything in these files and directories, with every mistake at once, also that an object is there twice."""
    return joined([read_file(file) for file in manifest_files(paths)])


def joined(parts: Sequence[Manifests]) -> Manifests:
    """Several files as one: an object that is in two places is a mistake in the second."""
    first: dict[Key, Manifest] = {}
    mistakes = [mistake for part in parts for mistake in part.mistakes]
    for part in parts:
        for manifest in part.manifests:
            known = first.setdefault(manifest.key, manifest)
            if known is not manifest:
                place = f"{known.file}:{known.line_of('')}"
                mistakes.append(manifest.mistake("", f"is already in {place}"))
    notices = [notice for part in parts for notice in part.notices]
    return Manifests(tuple(first.values()), tuple(mistakes), tuple(notices))


def read_file(file: Path) -> Manifests:
    """The objects of one file."""
    reading = _FileReading(file)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        reading.mistakes.append(ManifestMistake(file, 0, "is not text in UTF-8"))
    except IsADirectoryError:
        reading.mistakes.append(ManifestMistake(file, 0, "cannot be listed"))
    except OSError as error:
        reading.mistakes.append(ManifestMistake(file, 0, f"cannot be read: {error.strerror}"))
    else:
        reading.read(text)
    return Manifests(tuple(reading.manifests), tuple(reading.mistakes), tuple(reading.notices))


class _FileReading:
    """What has come out of one file so far."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.manifests: list[Manifest] = []
        self.mistakes: list[ManifestMistake] = []
        self.notices: list[ManifestNotice] = []

    def read(self, text: str) -> None:
        try:
            for document in read_documents(text):
                for path, value in _objects(document.value):
                    self._take(document, path, value)
        except YamlMistake as mistake:
            self.mistakes.append(ManifestMistake(self._file, mistake.line, mistake.message))

    def _take(self, document: YamlDocument, path: str, value: Any) -> None:
        def wrong(field: str, message: str) -> None:
            line = document.line_of(f"{path}.{field}")
            self.mistakes.append(ManifestMistake(self._file, line, message))

        if not isinstance(value, dict):
            wrong("", "is no Kubernetes object")
            return
        version, name = value.get("apiVersion"), value.get("kind")
        if not isinstance(version, str) or not isinstance(name, str):
            wrong("", "apiVersion and kind are required")
            return
        kind = _READ_KINDS.get((version, name))
        if kind is None:
            self._take_unknown(document, path, version, name)
            return
        metadata = value.get("metadata")
        if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
            wrong("metadata", f"{name}: metadata.name is required")
            return
        self._take_object(document, path, kind, value)

    def _take_unknown(self, document: YamlDocument, path: str, version: str, name: str) -> None:
        line = document.line_of(f"{path}.apiVersion")
        served = _SERVED.get(name)
        if version.split("/")[0] == GROUP and served is not None:
            message = f"{name} is served as {served}, not as {version}"
            self.mistakes.append(ManifestMistake(self._file, line, message))
        else:
            self.notices.append(ManifestNotice(self._file, line, f"{version} {name} is not read here"))

    def _take_object(self, document: YamlDocument, path: str, kind: Kind, value: dict[str, Any]) -> None:
        metadata = dict(value["metadata"])
        if kind.namespaced:
            metadata["namespace"] = metadata.get("namespace") or DEFAULT_NAMESPACE
        else:
            metadata.pop("namespace", None)
        object = decoded(kind, {**value, "metadata": metadata})
        key = Key(kind, metadata.get("namespace", ""), metadata["name"])
        manifest = Manifest(key, object, self._file, document, path)
        answer = admitted(kind, object, None)
        if isinstance(answer, Faults):
            self.mistakes += [manifest.mistake(fault.path, str(fault)) for fault in answer.faults]
            return
        self.notices += [
            ManifestNotice(
                self._file, manifest.line_of(field), f"{kind.name} {key.name}: {field} is not known"
            )
            for field in answer.unknown
        ]
        known = without_unknown(kind, object) if answer.unknown else object
        self.manifests.append(msgspec.structs.replace(manifest, object=known))


def _objects(value: Any) -> Iterator[tuple[str, Any]]:
    """The objects of a document, with their path in it: one, or the items of a List."""
    if isinstance(value, dict) and str(value.get("kind", "")).endswith("List"):
        items = value.get("items")
        if isinstance(items, list):
            for index, item in enumerate(items):
                yield f"items[{index}]", item
            return
    yield "", value
