"""What a PushSecret pushes to one store: its `data` and `dataTo`, expanded to single entries with their values."""

from __future__ import annotations

import builtins
import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from adapters.infisical.stored_form import trimmed
from adapters.resources.push_secrets import (
    PushConversionStrategy,
    PushData,
    PushDataTo,
    PushSecretSpec,
    PushStoreReference,
)
from adapters.resources.rewrites import RewriteRegexp
from machines.names import RemoteName
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.json_writing import object_text
from reconciler.content.keys import resolve_key
from reconciler.content.regexps import replacer, searcher
from reconciler.content.values import Value

MAXIMAL_SIZE: Final = 1024 * 1024 - 16 * 1024
"""Bytes that a value may have in the JSON of a request: what a server takes, less room for names and paths."""

_ESCAPED_CHARACTER: Final = re.compile("_U([0-9a-fA-F]{4,5})_")
_SURROGATES: Final = range(0xD800, 0xE000)
_NOTHING: Final = Value(b"")

Chooses = Callable[[PushStoreReference], bool]


class SourceIdentity(msgspec.Struct, frozen=True):
    """Which state of which source Secret: `version` is its resourceVersion."""

    name: str
    uid: str
    version: str


class Source(msgspec.Struct, frozen=True):
    """A source Secret with its values by key. Its repr shows none (a `Value` never does)."""

    name: str
    uid: str
    version: str
    data: Mapping[str, Value]

    @property
    def identity(self) -> SourceIdentity:
        return SourceIdentity(self.name, self.uid, self.version)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One value and where it goes.

    `property` is a path in the remote value, None: the whole value. `recorded` is the entry of `data` in the form of
    the manifest. With `fault` this entry cannot be pushed (NOT_UTF8, VALUE_TOO_LARGE), which does not concern others;
    `value` is then not to be used.
    """

    remote_key: str
    property: str | None
    value: Value
    source: SourceIdentity
    recorded: dict[str, Any]
    fault: ContentFault | None = None

    @builtins.property  # not the field
    def name(self) -> str:
        """The entry's name in the record: `<remoteKey>` or `<remoteKey>/<property>`, as the author wrote them."""
        return self.remote_key if self.property is None else f"{self.remote_key}/{self.property}"


class _Keys(msgspec.Struct, frozen=True):
    """A source as one entry sees it: the source's keys by their converted names."""

    source: Source
    original: Mapping[str, str]

    def value(self, name: str) -> Value:
        return self.source.data[self.original[name]]


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return "\ufffd" if code in _SURROGATES else chr(code)


def _keys(source: Source, conversion: PushConversionStrategy) -> _Keys:
    """Raises ContentFault KEY_COLLISION when two keys become one."""
    if conversion is PushConversionStrategy.NONE:
        return _Keys(source, {key: key for key in source.data})
    original: dict[str, str] = {}
    for key in source.data:
        name = _ESCAPED_CHARACTER.sub(_character, key)
        if name in original:
            raise ContentFault(FaultKind.KEY_COLLISION, secret_key=original[name], other_key=key)
        original[name] = key
    return _Keys(source, original)


def entries_for(spec: PushSecretSpec, sources: Sequence[Source], chosen: Chooses) -> list[Entry]:
    """All entries for one store, those of `data` first, then those of `dataTo`, each in order of the sources' names.

    `chosen` tells whether the storeRef of an entry of `dataTo` means this store. Raises ContentFault for what only a
    change of the manifest (or of the source's keys) mends: NO_SOURCE_KEY, REGEXP_INVALID, KEY_COLLISION, KEY_EMPTY,
    KEY_ENDS_WITH_SLASH, KEY_CLIMBS, or SAME_DESTINATION for two entries with one name in the record.
    """
    ordered = sorted(sources, key=lambda source: source.name)
    entries: list[Entry] = []
    explicit: set[tuple[str, str]] = set()
    for data in spec.data:
        entries += _explicit(data, ordered, explicit)
    for data_to in spec.data_to:
        if data_to.store_ref is not None and chosen(data_to.store_ref):
            for source in ordered:
                entries += _expanded(data_to, source, explicit)
    _check_destinations(entries)
    return entries


def _explicit(data: PushData, sources: Sequence[Source], explicit: set[tuple[str, str]]) -> Iterator[Entry]:
    """The entries of one entry of `data`; notes in `explicit` which key of which source it names."""
    secret_key = data.match.secret_key or None
    remote = data.match.remote_ref
    found = False
    for source in sources:
        keys = _keys(source, data.conversion_strategy)
        if secret_key is None:
            yield _whole(keys, keys.original, remote.remote_key, remote.property, data)
        elif secret_key in keys.original:
            explicit.add((source.name, keys.original[secret_key]))
            yield _single(keys, secret_key, remote.remote_key, remote.property, data)
        else:
            continue
        found = True
    if not found:
        raise ContentFault(FaultKind.NO_SOURCE_KEY, key=remote.remote_key, secret_key=secret_key)


def _expanded(data_to: PushDataTo, source: Source, explicit: set[tuple[str, str]]) -> Iterator[Entry]:
    """The entries that one entry of `dataTo` makes of a source.

    A bundle holds every key that matches; only where a key would go by itself does an explicit entry win.
    """
    keys = _keys(source, data_to.conversion_strategy)
    pattern = None if data_to.match is None else data_to.match.regexp
    matches = searcher(pattern or "")
    rewrites = [_rewrite(operation.regexp) for operation in data_to.rewrite]
    matched = sorted(filter(matches, keys.original))
    if data_to.remote_key is not None:
        if matched:
            yield _whole(keys, matched, data_to.remote_key, None, data_to)
        return
    for name in matched:
        if (source.name, keys.original[name]) in explicit:
            continue
        remote_key = name
        for rewrite in rewrites:
            remote_key = rewrite(remote_key)
        if not remote_key.strip():
            raise ContentFault(FaultKind.KEY_EMPTY, key=remote_key, secret_key=name)
        yield _single(keys, name, remote_key, None, data_to)


def _rewrite(operation: RewriteRegexp | None) -> Callable[[str], str]:
    if operation is None:  # a template
        raise ContentFault(FaultKind.REGEXP_INVALID)
    return replacer(operation.source, operation.target)


def _single(
    keys: _Keys, name: str, remote_key: str, property_path: str | None, written: PushData | PushDataTo
) -> Entry:
    value = keys.value(name)
    fault = _fault(value, remote_key, name)
    return _entry(keys, name, remote_key, property_path, written, _NOTHING if fault else value, fault)


def _whole(
    keys: _Keys,
    names: Iterable[str],
    remote_key: str,
    property_path: str | None,
    written: PushData | PushDataTo,
) -> Entry:
    """An entry whose value is a JSON object of strings."""
    fault: ContentFault | None = None
    members: dict[str, str] = {}
    for name in sorted(names):
        content = keys.value(name)
        fault = fault or _fault(content, remote_key, name)
        if fault is None:
            members[name] = content.reveal().decode()
    value = _NOTHING
    if fault is None:
        value = Value.of_text(object_text(members))
        fault = _fault(value, remote_key, None)
    return _entry(keys, None, remote_key, property_path, written, value, fault)


def _entry(
    keys: _Keys,
    secret_key: str | None,
    remote_key: str,
    property_path: str | None,
    written: PushData | PushDataTo,
    value: Value,
    fault: ContentFault | None,
) -> Entry:
    _check(remote_key)
    remote_ref = {"remoteKey": remote_key}
    if property_path:
        remote_ref["property"] = property_path
    match: dict[str, Any] = {"remoteRef": remote_ref}
    if secret_key is not None:
        match["secretKey"] = secret_key
    recorded: dict[str, Any] = {
        "match": match,
        "conversionStrategy": written.conversion_strategy.value,
    }
    if written.metadata is not None:
        recorded["metadata"] = written.metadata
    return Entry(
        remote_key=remote_key,
        property=property_path or None,
        value=value,
        source=keys.source.identity,
        recorded=recorded,
        fault=fault,
    )


def _check(remote_key: str) -> None:
    """Raises ContentFault for a remote key that no secret can have."""
    name = resolve_key("/", remote_key).name
    if not trimmed(name):
        raise ContentFault(FaultKind.KEY_EMPTY, key=remote_key)
    if RemoteName.form.fullmatch(remote_key) is None:  # control characters, or too long
        raise ContentFault(FaultKind.KEY_CLIMBS, key=remote_key)


def _fault(value: Value, remote_key: str, secret_key: str | None) -> ContentFault | None:
    """Why a server cannot store a value."""
    text: str | None = None
    with contextlib.suppress(UnicodeDecodeError):
        text = value.reveal().decode()
    if text is None:
        return ContentFault(FaultKind.NOT_UTF8, key=remote_key, secret_key=secret_key)
    if is_too_large(text):
        return ContentFault(FaultKind.VALUE_TOO_LARGE, key=remote_key, secret_key=secret_key)
    return None


def is_too_large(text: str) -> bool:
    """Whether a value is more than a server takes in one request."""
    return len(text) > MAXIMAL_SIZE or len(msgspec.json.encode(text)) > MAXIMAL_SIZE


def _check_destinations(entries: Sequence[Entry]) -> None:
    """Two entries of one name would also be one in the record. Raises ContentFault SAME_DESTINATION."""
    names: set[str] = set()
    for entry in entries:
        if entry.name in names:
            raise ContentFault(FaultKind.SAME_DESTINATION, key=entry.remote_key, property_path=entry.property)
        names.add(entry.name)
