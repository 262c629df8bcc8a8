"""Watches of an API server: its lines of JSON, one event each."""

from collections.abc import AsyncGenerator
from typing import Literal

import aiohttp
import msgspec

from adapters.cluster import (
    Absent,
    Change,
    ChangeType,
    Conflict,
    Denied,
    Expired,
    Object,
    Refused,
    Selection,
    Unavailable,
    WatchEvent,
    bookmark,
)
from adapters.kubernetes.answers import Failure, classify_event
from adapters.kubernetes.requests import UNREACHABLE, UNREADABLE, Connection, Request, hang_up, lines


class _Event(msgspec.Struct, frozen=True):
    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]
    object: Object


_EVENTS = msgspec.json.Decoder(_Event)


async def events(
    connection: Connection, request: Request, selection: Selection, version: str, idle: float
) -> AsyncGenerator[WatchEvent, None]:
    """The events of one watch, as the cluster protocol wants them."""
    response = await connection.stream(request)
    if not isinstance(response, aiohttp.ClientResponse):
        yield _end(response)
        return
    try:
        yield bookmark(selection.kind, version)
        async for line in lines(response.content, idle):
            event = _event(line, selection)
            yield event
            if not isinstance(event, Change):
                return
    except TimeoutError:
        return  # silent for too long: as if the server had ended it
    except (*UNREACHABLE, *UNREADABLE):
        yield Unavailable()
    finally:
        hang_up(response)


def with_kind(item: Object, selection: Selection) -> Object:
    """Items of lists say neither apiVersion nor kind, and metadata-only ones say PartialObjectMetadata."""
    return {**item, "apiVersion": selection.kind.api_version, "kind": selection.kind.name}


def _event(line: bytes, selection: Selection) -> WatchEvent:
    event = _EVENTS.decode(line)
    if event.type == "ERROR":
        return _end(classify_event(event.object, "watch", selection.kind.plural))
    metadata = event.object.get("metadata")
    if not isinstance(metadata, dict) or not metadata.get("resourceVersion"):
        raise msgspec.ValidationError("no object of Kubernetes")
    return Change(ChangeType(event.type), with_kind(event.object, selection))


def _end(failure: Failure) -> WatchEvent:
    match failure:
        case Expired() | Denied() | Unavailable() | Absent():
            return failure
        case Conflict():  # no server answers a watch so
            return Unavailable(409)
        case Refused():  # a version from the future, or unreadable: listing again mends both
            return Expired()
