"""What the resource definitions offer and this controller does not do yet. It is told so, never ignored.

A resource that uses one of these fields is answered by a condition that names it, and is left alone otherwise.
"""

from collections.abc import Iterator

from adapters.resources.external_secrets import CreationPolicy, DeletionPolicy, ExternalSecret
from adapters.resources.push_secrets import PushSecret
from adapters.resources.remote_data import RemoteReference, SourceReference
from machines.names import FieldPath


def unsupported_of_external_secret(resource: ExternalSecret) -> tuple[FieldPath, ...]:
    """The fields of an ExternalSecret that ask for something that is not built."""
    return tuple(FieldPath(path) for path in _external_secret(resource))


def _external_secret(resource: ExternalSecret) -> Iterator[str]:
    spec = resource.spec
    if spec.sync_windows is not None:
        yield "spec.syncWindows"
    target = spec.target
    if target.creation_policy is not CreationPolicy.OWNER:
        yield "spec.target.creationPolicy"
    if target.deletion_policy is not DeletionPolicy.RETAIN:
        yield "spec.target.deletionPolicy"
    if target.immutable:
        yield "spec.target.immutable"
    if target.template is not None:
        yield "spec.target.template"
    if target.manifest is not None:
        yield "spec.target.manifest"
    for number, entry in enumerate(spec.data):
        yield from _source(f"spec.data[{number}]", entry.source_ref)
    for number, several in enumerate(spec.data_from):
        yield from _source(f"spec.dataFrom[{number}]", several.source_ref)
        if several.rewrite:
            yield f"spec.dataFrom[{number}].rewrite"


def unsupported_of_push_secret(resource: PushSecret) -> tuple[FieldPath, ...]:
    """The fields of a PushSecret that ask for something that is not built."""

    def of() -> Iterator[str]:
        spec = resource.spec
        if spec.selector.generator_ref is not None:
            yield "spec.selector.generatorRef"
        if spec.template is not None:
            yield "spec.template"
        for number, several in enumerate(spec.data_to):
            for index, rewrite in enumerate(several.rewrite):
                if rewrite.transform is not None:
                    yield f"spec.dataTo[{number}].rewrite[{index}].transform"

    return tuple(FieldPath(path) for path in of())


def _source(path: str, source: SourceReference | None) -> Iterator[str]:
    if source is not None and source.generator_ref is not None:
        yield f"{path}.sourceRef.generatorRef"


def without_effect(resource: ExternalSecret) -> tuple[FieldPath, ...]:
    """Fields that Infisical has nothing for, so that they change nothing; a warning says so."""

    def of(path: str, reference: RemoteReference | None) -> Iterator[str]:
        if reference is not None and reference.version:
            yield f"{path}.version"
        if reference is not None and reference.metadata_policy != "None":
            yield f"{path}.metadataPolicy"

    found: list[str] = []
    for number, entry in enumerate(resource.spec.data):
        found.extend(of(f"spec.data[{number}].remoteRef", entry.remote_ref))
    for number, several in enumerate(resource.spec.data_from):
        found.extend(of(f"spec.dataFrom[{number}].extract", several.extract))
    return tuple(FieldPath(path) for path in found)
