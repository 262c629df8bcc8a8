"""The data of an ExternalSecret, from what was read for each of its entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from adapters.resources.remote_data import ConversionStrategy, DecodingStrategy, NullBytePolicy
from reconciler.content.conversion import check_keys, convert_keys
from reconciler.content.decoding import check_null_bytes, decode
from reconciler.content.properties import select
from reconciler.content.values import Value

Rewrite = Callable[[dict[str, Value]], dict[str, Value]]


class DataEntry(msgspec.Struct, frozen=True):
    """One entry of `data` with what was read for it. `key` is the remote key, an empty `property_path` none."""

    secret_key: str
    key: str
    value: Value
    property_path: str = ""
    decoding: DecodingStrategy = DecodingStrategy.NONE
    null_bytes: NullBytePolicy = NullBytePolicy.IGNORE


class SeveralEntry(msgspec.Struct, frozen=True):
    """One entry of `dataFrom` with what was read for it: what `extract` or `find` gave.

    `rewrite` is all its operations in one function, None where it has none: only then are keys converted.
    """

    values: Mapping[str, Value]
    rewrite: Rewrite | None = None
    conversion: ConversionStrategy = ConversionStrategy.DEFAULT
    decoding: DecodingStrategy = DecodingStrategy.NONE
    null_bytes: NullBytePolicy = NullBytePolicy.IGNORE


def _finished(value: Value, decoding: DecodingStrategy, null_bytes: NullBytePolicy, secret_key: str) -> Value:
    decoded = decode(value, decoding, secret_key=secret_key)
    check_null_bytes(decoded, null_bytes, secret_key=secret_key)
    return decoded


def several(entry: SeveralEntry) -> dict[str, Value]:
    """What one `dataFrom` entry adds: rewritten or converted, then keys checked (an empty one is dropped), decoded."""
    if entry.rewrite is None:
        values = convert_keys(entry.values, entry.conversion)
    else:
        values = entry.rewrite(dict(entry.values))
    values.pop("", None)
    check_keys(values)
    return {key: _finished(value, entry.decoding, entry.null_bytes, key) for key, value in values.items()}


def single(entry: DataEntry) -> Value:
    """The value of one `data` entry: its property if it names one, then decoded."""
    value = entry.value
    if entry.property_path:
        value = select(value, entry.property_path, key=entry.key)
    return _finished(value, entry.decoding, entry.null_bytes, entry.secret_key)


def assemble(data_from: Iterable[SeveralEntry], data: Iterable[DataEntry]) -> dict[str, Value]:
    """All data of an ExternalSecret: `dataFrom` in order, then `data` in order, a later key in place of an earlier one.

    An entry whose secret is missing and may be is left out by the caller. Raises ContentFault for the first entry that
    has something wrong, whatever comes after it; nothing is left half done.
    """
    assembled: dict[str, Value] = {}
    for group in data_from:
        assembled.update(several(group))
    for entry in data:
        check_keys([entry.secret_key])
        assembled[entry.secret_key] = single(entry)
    return assembled
