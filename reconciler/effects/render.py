"""Making the desired Secret of what was read."""

from collections.abc import Iterator

from adapters.resources.external_secrets import ExternalSecret
from adapters.resources.remote_data import DataFrom
from machines.effects import Render
from machines.outcomes import Fault, Invalid, Outcome, Rendered
from reconciler.content.assemble import DataEntry, SeveralEntry, assemble
from reconciler.content.extract import extract
from reconciler.content.faults import ContentFault
from reconciler.content.metadata import Owner, desired_secret
from reconciler.content.values import Value
from reconciler.effects.apply import agrees
from reconciler.effects.content_faults import invalid
from reconciler.payload import ExternalSecretPayload

LARGEST = 1024 * 1024
"""Bytes of data that the API server takes in one Secret."""


async def render(effect: Render, payload: ExternalSecretPayload) -> Outcome:
    """Performs Render: the whole desired Secret, or what is wrong; and whether the target is like that already."""
    assert payload.resource is not None
    assert payload.object is not None
    resource, metadata = payload.resource, payload.object["metadata"]
    try:
        data = assemble(_several(resource, payload), _single(resource, payload))
    except ContentFault as fault:
        return invalid(fault)
    if sum(len(value.reveal()) for value in data.values()) > LARGEST:
        return Invalid(what=Fault.TOO_LARGE)
    owner = Owner(metadata["namespace"], metadata["name"], metadata["uid"])
    payload.desired = desired_secret(
        resource.spec.target.name or metadata["name"],
        data,
        owner,
        owned=True,
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
    )
    return Rendered(keys=len(data), agrees=agrees(payload))


def _several(resource: ExternalSecret, payload: ExternalSecretPayload) -> Iterator[SeveralEntry]:
    for number, entry in enumerate(resource.spec.data_from):
        read = payload.read["dataFrom", number]
        yield _entry(entry, read)


def _entry(entry: DataFrom, read: Value | dict[str, Value]) -> SeveralEntry:
    source = entry.extract or entry.find
    assert source is not None
    if isinstance(read, Value):
        assert entry.extract is not None
        values = extract(read, key=entry.extract.key, property_path=entry.extract.property or "")
    else:
        values = read
    return SeveralEntry(
        values,
        conversion=source.conversion_strategy,
        decoding=source.decoding_strategy,
        null_bytes=source.null_byte_policy,
    )


def _single(resource: ExternalSecret, payload: ExternalSecretPayload) -> Iterator[DataEntry]:
    for number, entry in enumerate(resource.spec.data):
        read = payload.read["data", number]
        assert isinstance(read, Value)
        yield DataEntry(
            entry.secret_key,
            entry.remote_ref.key,
            read,
            property_path=entry.remote_ref.property or "",
            decoding=entry.remote_ref.decoding_strategy,
            null_bytes=entry.remote_ref.null_byte_policy,
        )
