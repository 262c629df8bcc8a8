"""What the controller made on a local cluster, kept in files, so that the next start begins where this one ended.

    <root>/secrets/<namespace>/<name>.yaml             a Secret that the controller wrote, ready for `kubectl apply`
    <root>/externalsecrets/<namespace>/<name>.yaml     a resource with its status, its uid and its finalizers
    <root>/clustersecretstores/<name>.yaml             the same of a cluster-wide kind

Directories have mode 0700 and files 0600; a file is replaced by renaming, so nobody reads half of one.
"""

import os
from pathlib import Path

import yaml

from adapters.cluster import Kind, Object
from adapters.local.manifests import ManifestMistake
from adapters.local.store import Key
from adapters.local.yaml_documents import YamlMistake, read_documents
from adapters.resources.kinds import CONFIG_MAP, OUR_KINDS, SECRET

MANIFEST_MANAGER = "manifests"
"""The field manager of what comes from manifest files."""

_KEPT_KINDS = (SECRET, CONFIG_MAP, *OUR_KINDS)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_PRIVATE_DIRECTORY, _PRIVATE_FILE = 0o700, 0o600


class StateDirectory:
    """A directory of kept objects."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def keep(self, key: Key, object: Object | None) -> None:
        """Write an object's file, or remove it. Raises OSError."""
        if key.kind not in _KEPT_KINDS:
            return
        file = self._file(key)
        if object is None or not _is_worth_keeping(key.kind, object):
            file.unlink(missing_ok=True)
            return
        self._make_directory(file.parent)
        text = yaml.dump(object, Dumper=_DUMPER, sort_keys=False, allow_unicode=True)
        unfinished = file.with_name(f".{file.name}.unfinished")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(descriptor, _PRIVATE_FILE)  # where a file of another mode was left there
            stream.write(text)
        unfinished.replace(file)

    def restore(self) -> tuple[list[tuple[Key, Object]], list[ManifestMistake]]:
        """All kept objects, and what could not be read. Raises OSError where the directory cannot be read."""
        kept: list[tuple[Key, Object]] = []
        mistakes: list[ManifestMistake] = []
        for kind in _KEPT_KINDS:
            for file in sorted((self.root / kind.plural).glob("*/*.yaml" if kind.namespaced else "*.yaml")):
                if file.name.startswith("."):
                    continue
                key = Key(kind, file.parent.name if kind.namespaced else "", file.stem)
                try:
                    kept.append((key, _read(key, file)))
                except YamlMistake as mistake:
                    mistakes.append(ManifestMistake(file, mistake.line, mistake.message))
        return kept, mistakes

    def _file(self, key: Key) -> Path:
        directory = self.root / key.kind.plural
        return (directory / key.namespace if key.kind.namespaced else directory) / f"{key.name}.yaml"

    def _make_directory(self, directory: Path) -> None:
        missing = []
        while not directory.exists():
            missing.append(directory)
            directory = directory.parent
        for each in reversed(missing):
            each.mkdir(_PRIVATE_DIRECTORY, exist_ok=True)


def _is_worth_keeping(kind: Kind, object: Object) -> bool:
    """Whether more is in it than manifests say; of our own kinds, the uid is."""
    managers = {entry.get("manager") for entry in object["metadata"].get("managedFields") or []}
    return kind in OUR_KINDS or managers != {MANIFEST_MANAGER}


def _read(key: Key, file: Path) -> Object:
    """Raises YamlMistake, and OSError."""
    documents = [document.value for document in read_documents(file.read_text(encoding="utf-8"))]
    object = documents[0] if len(documents) == 1 else None
    metadata = object.get("metadata") if isinstance(object, dict) else None
    if not isinstance(object, dict) or not isinstance(metadata, dict):
        raise YamlMistake(1, "is not a kept object")
    place = (
        object.get("apiVersion"),
        object.get("kind"),
        metadata.get("namespace", ""),
        metadata.get("name"),
    )
    if place != (key.kind.api_version, key.kind.name, key.namespace, key.name) or not metadata.get("uid"):
        raise YamlMistake(1, "is not the object that its name says")
    return object
