"""Plays a story on a cluster, in names of its own, and tells what came of it in words that any cluster would use."""

import uuid
from collections.abc import Iterable
from contextlib import aclosing
from typing import Any

import msgspec

from adapters.cluster import (
    Change,
    ChangeType,
    Cluster,
    Done,
    Kind,
    Listed,
    ListResult,
    Object,
    Read,
    Refused,
    Selection,
    WatchEvent,
    Written,
)
from adapters.field_sets import decode_fields
from adapters.resources.kinds import NAMESPACE, SECRET
from adapters.target_fields import migration
from tests.adapters.clusters.agreement.contents import right
from tests.adapters.clusters.agreement.moves import CURRENT, STALE, WRONG_UID, Move
from tests.adapters.clusters.agreement.refused_fields import RefusedFields
from tests.adapters.clusters.agreement.tally import Tally
from tests.adapters.clusters.samples import done, secret, version_of, with_metadata

IDLE = 20.0
_VARYING = ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp")
LAST = "zz-last"
"""The name of the object that is made when a story is over, so that watches know their end."""


class Answer(msgspec.Struct, frozen=True):
    """What came of a move."""

    move: str
    result: object
    object: object
    is_version_the_same: bool
    fields: frozenset[str] = (
        frozenset()
    )  # of a refusal: the one that was told, or could have been told as well

    def agrees_with(self, other: "Answer") -> bool:
        """Whether both say the same, or refuse for reasons of which either may come first."""
        same = msgspec.structs.replace(self, fields=frozenset()) == msgspec.structs.replace(
            other, fields=frozenset()
        )
        both_refuse = bool(self.fields and other.fields)
        alike = (self.move, self.object, self.is_version_the_same) == (
            other.move,
            other.object,
            other.is_version_the_same,
        )
        return same or (both_refuse and alike and bool(self.fields & other.fields))


class Player:
    """One story on one cluster. Everything that it makes has a name or a namespace that begins with `place`."""

    def __init__(
        self, cluster: Cluster, tally: Tally | None = None, fields: RefusedFields | None = None
    ) -> None:
        """`fields` tells of a local cluster what else a refusal could have named."""
        self.cluster = cluster
        self._fields = fields or RefusedFields()
        self.place = f"story-{uuid.uuid4().hex[:12]}"
        self._start = ""
        self._tally = tally
        self._words = {self.place: "PLACE"}
        self._seen: dict[tuple[Kind, str], Object | None] = {}

    async def begin(self) -> None:
        """Make the story's namespace."""
        made = await self.cluster.create(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.place}}, "test"
        )
        self._start = version_of(done(made))

    async def play(self, move: Move) -> Answer:
        """What came of a move."""
        if move.call == "list":
            listed = await self.cluster.list(Selection(move.kind, self._namespace(move.kind), move.content))
            self._count(move, listed)
            return Answer(repr(move), self._told(listed), None, True)
        before = await self.look(move)
        self._fields.forget()
        result = await self._ask(move, before)
        fields = self._fields.choice(result.field) if isinstance(result, Refused) else frozenset()
        after = await self.look(move)
        self._count(move, result)
        is_version_the_same = _version(before) == _version(after)
        return Answer(repr(move), self._told(result), self._plain(after), is_version_the_same, fields)

    async def look(self, move: Move) -> Object | None:
        """The object that a move is about, now."""
        where = (self._namespace_of(move), self.name(move.kind, move.name))
        found = await self.cluster.get(move.kind, *where)
        self._count(msgspec.structs.replace(move, call="get"), found)
        if not isinstance(found, Done) or found.object is None:
            return None
        self._words.setdefault(found.object["metadata"]["uid"], f"uid of {move.kind.name} {move.name}")
        return found.object

    async def state(self, moves: Iterable[Move]) -> dict[str, object]:
        """What is there of all that these moves are about."""
        found = {}
        for move in moves:
            object = await self.look(move)
            found[f"{move.kind.name} {move.namespace} {move.name}"] = self._plain(object)
        return found

    def name(self, kind: Kind, name: str) -> str:
        """What an object of the story is called in this cluster."""
        return name if kind.namespaced else f"{self.place}-{name}"

    async def events(self, kind: Kind) -> list[Answer]:
        """All that four watches of a kind tell from the story's beginning on, and what lists have at its end."""
        end = await self.cluster.create(self._last(kind), "test")
        done(end)
        namespace = self._namespace(kind)
        selections = (
            Selection(kind, namespace),
            Selection(kind, namespace, labels="x=1"),
            Selection(kind, namespace, labels="!y", metadata_only=True),
            Selection(kind, namespace, fields=f"metadata.name!={self.name(kind, 'b')}"),
        )
        return [
            Answer(
                _title(selection),
                await self._watched(selection),
                self._told(await self.cluster.list(selection)),
                is_version_the_same=True,
            )
            for selection in selections
        ]

    def _last(self, kind: Kind) -> Object:
        namespace = {"namespace": self.place} if kind.namespaced else {}
        return with_metadata(right(kind), name=self.name(kind, LAST), **namespace)

    async def _watched(self, selection: Selection) -> list[object]:
        told: list[object] = []
        async with aclosing(self.cluster.watch(selection, self._start, IDLE)) as events:
            async for event in events:
                self._count(Move("watch", selection.kind, ""), event)
                if not isinstance(event, Change):
                    return [*told, type(event).__name__]
                if event.type is ChangeType.BOOKMARK or not self._is_mine(event.object):
                    continue
                told.append((event.type.value, self._plain(event.object)))
                if event.object["metadata"]["name"] == self.name(selection.kind, LAST):
                    return told
        return [*told, "ended"]

    async def _ask(self, move: Move, before: Object | None) -> Written:
        metadata = before["metadata"] if before is not None else {}
        version = {CURRENT: metadata.get("resourceVersion"), STALE: "1", None: None}[move.version]
        uid = {CURRENT: metadata.get("uid"), STALE: WRONG_UID, None: None}[move.uid]
        where = (move.kind, self._namespace_of(move), self.name(move.kind, move.name))
        content = self._filled(move.content)
        match move.call:
            case "apply":
                return await self.cluster.apply(
                    self._object(move, content), move.manager, uid=uid, version=version
                )
            case "create":
                object = self._object(move, content)
                if move.version == STALE:
                    object = with_metadata(object, resourceVersion="1")
                return await self.cluster.create(object, move.manager)
            case "patch":
                return await self.cluster.patch(*where, content, move.manager)
            case "status":
                return await self.cluster.patch_status(*where, content, move.manager, version=version)
            case "delete":
                return await self.cluster.delete(*where, uid=uid, version=version)
            case _:
                return await self._write_target(move, before)

    async def _write_target(self, move: Move, there: Object | None) -> Written:
        data, exactly = move.content
        if there is not None:
            changes = migration(there, move.manager, data.keys(), exactly=exactly)
            if changes is not None:
                written = await self.cluster.patch(SECRET, self.place, move.name, changes, move.manager)
                if not isinstance(written, Done):
                    return written
        return await self.cluster.apply(secret(self.place, move.name, **data), move.manager)

    def _object(self, move: Move, content: Object) -> Object:
        place = {"namespace": self._namespace_of(move)} if move.kind.namespaced else {}
        return with_metadata(content, name=self.name(move.kind, move.name), **place)

    def _filled(self, content: Any) -> Any:
        """Contents may speak of uids and names as the story does; here they are the cluster's own."""
        text = msgspec.json.encode(content).decode()
        for word, meaning in reversed(self._words.items()):  # of uids that an object has had, the last
            text = text.replace(meaning, word)
        return msgspec.json.decode(text)

    def _namespace(self, kind: Kind) -> str | None:
        return self.place if kind.namespaced else None

    def _namespace_of(self, move: Move) -> str:
        if not move.kind.namespaced:
            return ""
        return f"{self.place}-{move.namespace}" if move.namespace else self.place

    def _is_mine(self, object: Object) -> bool:
        metadata = object["metadata"]
        if metadata.get("namespace"):
            return bool(metadata["namespace"] == self.place)
        return bool(metadata["name"].startswith(f"{self.place}-"))

    def _told(self, result: Read | Written | ListResult) -> object:
        match result:
            case Done(object):
                return None if object is None else self._plain(object)
            case Listed(items):
                return [self._plain(item) for item in items if self._is_mine(item)]
            case Refused():
                return repr(result)
            case _:
                return type(result).__name__

    def _plain(self, object: Object | None) -> object:
        if object is None:
            return None
        text = msgspec.json.encode(comparable(object)).decode()
        for word, meaning in self._words.items():
            text = text.replace(word, meaning)
        return msgspec.json.decode(text)

    def _count(self, move: Move, result: Read | Written | ListResult | WatchEvent) -> None:
        if self._tally is not None:
            self._tally.count(move.call, move.kind, result)


def comparable(object: Object) -> Object:
    """An object without what two clusters cannot have in common: uids, versions, times, the form of managedFields.

    The owners of each field are kept. What a controller says of the end of a namespace is left out.
    """
    if object["kind"] == NAMESPACE.name and "status" in object:
        status = {name: value for name, value in object["status"].items() if name != "conditions"}
        object = {**object, "status": status}
    metadata = {name: value for name, value in object["metadata"].items() if name not in _VARYING}
    metadata["isGoing"] = "deletionTimestamp" in object["metadata"]
    owners: dict[str, list[str]] = {}
    for entry in metadata.pop("managedFields", None) or []:
        owner = f"{entry['operation']} {entry['apiVersion']} {entry.get('subresource', '')}"
        for path in decode_fields(entry["fieldsV1"]):
            if object["kind"] == NAMESPACE.name and path[:2] == ("f:status", "f:conditions"):
                continue
            owners.setdefault("/".join(path), []).append(f"{entry['manager']} {owner}")
    metadata["owners"] = {path: sorted(names) for path, names in sorted(owners.items())}
    return {**object, "metadata": metadata}


def _version(object: Object | None) -> str | None:
    return None if object is None else version_of(object)


def _title(selection: Selection) -> str:
    parts = [selection.labels, selection.fields.split("!=")[0], "metadata" * selection.metadata_only]
    return f"{selection.kind.name} {' '.join(filter(None, parts))}".strip()
