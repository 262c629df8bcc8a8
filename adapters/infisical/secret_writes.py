"""The requests that write: one secret, several of a folder, a folder. Each is sent once, as far as repeating could do harm."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from adapters.infisical.answers import decoded
from adapters.infisical.exchange import Exchange, Reply, Retry
from adapters.infisical.failures import SecretsFailure, not_infisical, write_failure
from adapters.infisical.places import Place
from adapters.infisical.refusals import Asked, Meaning, Refusal
from adapters.infisical.routes import Routes
from adapters.infisical.secret_routes import (
    Version,
    batch_request,
    folder_request,
    write_request,
    written_in_batches_only,
)
from adapters.infisical.secret_text import SecretText
from adapters.infisical.transport import Answer, Request
from adapters.infisical.write_terms import Pending, Refused, Stored, Write, WriteAnswer
from machines.names import FolderPath
from machines.outcomes import Fault, Invalid, Missing, Thing

WITHOUT_BATCHES: Final = (
    600.0  # seconds after which a server without routes for batches is asked for them again
)
LARGEST_BODY: Final = 1024 * 1024  # bytes that a server takes


class WrittenBody(msgspec.Struct, frozen=True):
    """What a write is answered: the secrets, or what waits for a person in their place. None of it is looked into."""

    secret: msgspec.Raw = msgspec.Raw()
    secrets: msgspec.Raw = msgspec.Raw()
    approval: msgspec.Raw = msgspec.Raw()

    def __repr__(self) -> str:
        return "<WrittenBody>"


class FolderBody(msgspec.Struct, frozen=True):
    folder: msgspec.Raw


class SecretWrites:
    """The writes of one server's client."""

    def __init__(self, exchange: Exchange, routes: Routes) -> None:
        self._exchange = exchange
        self._routes = routes

    async def again(self, attempt: int, retry: Retry) -> bool:
        """Whether a write of which nothing is known may be tried once more, after a look; see `Exchange.again`."""
        return await self._exchange.again(attempt, retry)

    async def one(self, token: SecretText, place: Place, write: Write, retry: Retry) -> WriteAnswer:
        """One write: by its own request, or as a batch of one where its name can stand in no path."""
        if written_in_batches_only(place, write.name):
            return await self.many(token, place, (write,), retry)
        body = write_request(Version.V4, token, place, write).body or b""
        if len(body) > LARGEST_BODY:
            return _oversize(place, write)

        async def ask(version: Version) -> Reply:
            return await self._send(write_request(version, token, place, write), retry)

        return _answer(await self._routes.secrets.ask((Version.V4, Version.V3), ask), place, write)

    async def many(
        self, token: SecretText, place: Place, writes: Sequence[Write], retry: Retry
    ) -> WriteAnswer:
        """Writes of one kind, each of another name: all of them are done, or none is. Refused by NO_ROUTE where the
        server knows no such request."""
        kind = writes[0].kind
        lone = writes[0] if len(writes) == 1 else None
        if asyncio.get_running_loop().time() < self._routes.no_batches_until:
            return Refused(Missing(what=Thing.ROUTE), Meaning.NO_ROUTE)
        if lone is not None and self._size(token, place, writes) > LARGEST_BODY:
            return _oversize(place, lone)

        async def ask(version: Version) -> Reply:
            return await self._send(batch_request(version, token, place, kind, writes), retry)

        reply = await self._ask_batch(place, ask)
        return _answer(reply, place, lone)

    async def make_folder(
        self, token: SecretText, place: Place, folder: FolderPath, retry: Retry
    ) -> SecretsFailure | None:
        """Make a folder in one that is there; None: it is there now."""
        parent, _, name = folder.rpartition("/")
        request = folder_request(token, place, FolderPath(parent or "/"), name)
        reply = await self._exchange.send(request, Asked.FOLDERS, retry)
        if isinstance(reply, Answer):
            return None if decoded(reply, FolderBody) is not None else not_infisical(reply.status)
        if isinstance(reply, Refusal) and reply.meaning is Meaning.EXISTS:
            return None
        within = Place(place.project, place.environment, folder)
        return write_failure(reply, within)

    async def _send(self, request: Request, retry: Retry) -> Reply:
        return await self._exchange.send(request, Asked.WRITES, retry, repeatable=False)

    async def _ask_batch(self, place: Place, ask: Callable[[Version], Awaitable[Reply]]) -> Reply:
        if place.project.by_slug:
            return await ask(Version.V3)
        newest = self._routes.secrets.known
        versions = (Version.V3,) if newest is Version.V3 else (Version.V4, Version.V3)
        reply = await self._routes.batches.ask(versions, ask)
        if isinstance(reply, Refusal) and reply.meaning is Meaning.NO_ROUTE and newest is not None:
            self._routes.no_batches_until = asyncio.get_running_loop().time() + WITHOUT_BATCHES
        return reply

    def _size(self, token: SecretText, place: Place, writes: Sequence[Write]) -> int:
        return len(batch_request(Version.V3, token, place, writes[0].kind, writes).body or b"")


def _oversize(place: Place, write: Write) -> Refused:
    failure = Invalid(what=Fault.VALUE_TOO_LARGE, folder=place.folder, key=write.name)
    return Refused(failure, Meaning.OVERSIZE)


def _answer(reply: Reply, place: Place, lone: Write | None) -> WriteAnswer:
    if not isinstance(reply, Answer):
        failure = write_failure(reply, place, lone.name if lone is not None else None)
        return Refused(failure, reply.meaning if isinstance(reply, Refusal) else None)
    body = decoded(reply, WrittenBody)
    if body is not None and _is_there(body.approval):
        return Pending()
    if body is not None and (_is_there(body.secret) or _is_there(body.secrets)):
        return Stored()
    return Refused(not_infisical(reply.status))


def _is_there(part: msgspec.Raw) -> bool:
    return bytes(part) not in (b"", b"null")
