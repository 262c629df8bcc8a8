"""Writing several secrets of one folder with as few requests as it takes, so that each gets its own result.

A batch is all or nothing. One that is refused says little about why: what is there is looked at once, so that creations
of what exists become updates, updates of what is absent creations, and deletions of what is absent are done; then it is
halved until those at fault are alone. What may have been carried out, though no answer came, is looked at before it is
sent again: the server keeps no names unique, and a creation sent twice would make two secrets.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from adapters.infisical.exchange import in_doubt
from adapters.infisical.failures import SecretsFailure
from adapters.infisical.places import Place, View
from adapters.infisical.reading_terms import Found, Reader
from adapters.infisical.readings import Readings
from adapters.infisical.refusals import Meaning
from adapters.infisical.secret_routes import Version
from adapters.infisical.write_items import GONE, Item, in_parts
from adapters.infisical.write_terms import (
    Refused,
    Stored,
    WriteAnswer,
    WriteKind,
    WriteResult,
)
from machines.names import FolderPath
from machines.outcomes import (
    AbsentKey,
    Denial,
    Denied,
    Fault,
    Invalid,
    LeaseRefused,
    Missing,
    ProjectGone,
    Service,
    Thing,
    Trouble,
    Unavailable,
)

_MOST_TURNS: Final = 2  # how often a creation may turn into an update, or the other way round
_HOPELESS: Final = 2  # how often all parts of a batch may be refused before each is asked alone
_RAW: Final = View(expand=False, imports=False)
_ROOT: Final = FolderPath("/")
_NOTHING_TO_SEE: Final = frozenset({Meaning.PERMISSION, Meaning.OVERSIZE})
"""Refusals that are not about what is there."""


class FolderWriting:
    """The writes of one folder that were gathered, carried out once."""

    def __init__(self, reader: Reader, place: Place, readings: Readings, *, create_folders: bool) -> None:
        self._reader = reader
        self._place = place
        self._readings = readings
        self._may_make_folders = create_folders and not place.project.by_slug
        self._over: SecretsFailure | None = None  # why nothing further can be written here

    async def carry_out(self, items: Sequence[Item], attempt: int = 1) -> None:
        """Give each of the items its result. `attempt`: how often they are tried with this."""
        for kind in WriteKind:
            for part in in_parts([item for item in items if item.kind is kind and item.result is None]):
                refused = await self._tried(part, attempt)
                if refused is not None:
                    await self._divide(part, refused)

    # --- one request and what it means ---------------------------------------------------------------------

    async def _tried(self, items: Sequence[Item], attempt: int = 1) -> Refused | None:
        """One request for items of one kind. None: each has its result now; else they were refused as a whole."""
        answer = await self._sent(items)
        if not isinstance(answer, Refused):
            for item in items:
                item.settle(answer)
            return None
        failure = answer.failure
        if answer.meaning is None and isinstance(failure, Unavailable) and in_doubt(failure):
            await self._in_doubt(items, failure, attempt)
            return None
        if self._over is not None or _concerns_all(answer):
            self._over = failure
            for item in items:
                item.settle(failure)
            return None
        if len(items) == 1:
            return await self._alone(items[0], answer, attempt)
        return answer

    async def _sent(self, items: Sequence[Item]) -> WriteAnswer:
        """One request, and a second one where the folder had to be made."""
        answer = await self._sent_once(items)
        if isinstance(answer, Refused) and isinstance(answer.failure, Missing):
            deletion, missing = items[0].kind is WriteKind.DELETE, answer.failure
            if deletion and missing.what in GONE:
                return Stored()
            if missing.what is Thing.FOLDER and self._over is None:
                client, token = self._reader.client, self._reader.lease.token
                located = await client.located(missing, token, self._place, _RAW, self._reader.retry)
                if not self._may_make_folders or located != missing:
                    return Refused(located)
                self._may_make_folders = False
                failure = await self._make_folder(self._place.folder)
                if failure is None:
                    return await self._sent_once(items)
                self._over = failure
                return Refused(failure)
        return answer

    async def _sent_once(self, items: Sequence[Item]) -> WriteAnswer:
        if self._over is not None:
            return Refused(self._over)
        reader = self._reader
        writes, writer = [item.write for item in items], reader.client.writes
        try:
            if len(writes) == 1:
                return await writer.one(reader.lease.token, self._place, writes[0], reader.retry)
            return await writer.many(reader.lease.token, self._place, writes, reader.retry)
        finally:
            self._readings.drop(self._place)

    async def _alone(self, item: Item, answer: Refused, attempt: int) -> Refused | None:
        """One that was refused by itself."""
        if answer.meaning is Meaning.NO_SECRET and item.kind is WriteKind.DELETE:
            item.settle(Stored())
            return None
        if item.turns < _MOST_TURNS:
            if answer.meaning is Meaning.EXISTS and item.onto_nothing:
                item.result = self._met(item, (await self._seen([item]))[0])
                return None
            if answer.meaning is Meaning.EXISTS and item.kind is WriteKind.CREATE:
                item.turn(WriteKind.UPDATE)
                return await self._tried([item], attempt)
            if answer.meaning is Meaning.NO_SECRET and item.kind is WriteKind.UPDATE:
                item.turn(WriteKind.CREATE)
                return await self._tried([item], attempt)
        item.settle(answer.failure)
        return None

    async def _make_folder(self, folder: FolderPath) -> SecretsFailure | None:
        """Make a folder, and those above it where they are absent; None: it is there."""
        writer, token, retry = self._reader.client.writes, self._reader.lease.token, self._reader.retry
        made = await writer.make_folder(token, self._place, folder, retry)
        parent = FolderPath(folder.rpartition("/")[0] or "/")
        if isinstance(made, Missing) and made.what is Thing.FOLDER and parent != _ROOT:
            above = await self._make_folder(parent)
            return above or await writer.make_folder(token, self._place, folder, retry)
        return made

    # --- refused as a whole, or perhaps carried out ----------------------------------------------------------

    async def _divide(self, items: Sequence[Item], refused: Refused) -> None:
        """Find out which of a refused batch are at fault, and write the others."""
        if refused.meaning is Meaning.NO_ROUTE:
            await self._each(items)
        elif refused.meaning is Meaning.DANGLING:
            await self._referring_apart(items)
        elif refused.meaning not in _NOTHING_TO_SEE and not all(item.looked for item in items):
            absent = await self._look(items)
            await self.carry_out([item for item in items if item not in absent])
            await self._each(absent)
        else:
            await self._halve(items)

    async def _each(self, items: Sequence[Item], attempt: int = 1) -> None:
        for item in items:
            await self._tried([item], attempt)

    async def _referring_apart(self, items: Sequence[Item], attempt: int = 1) -> None:
        """Values with references go singly, after the others: servers of 2025 want a reference's target to be there, and
        do not see it in the same batch. They may refer to each other: as long as one is stored, others may follow."""
        await self.carry_out([item for item in items if not item.refers], attempt)
        left = [item for item in items if item.refers]
        while left:
            for item in left:
                item.result = None
            await self._each(left, attempt)
            dangling = [item for item in left if item.dangles]
            if len(dangling) == len(left):
                return
            left = dangling

    async def _halve(self, items: Sequence[Item]) -> None:
        """Each half by itself, until those at fault are alone."""
        parts, hopeless = [list(items)], 0
        while parts:
            halves = [half for part in parts for half in _halves(part)]
            refused = [half for half in halves if await self._tried(half) is not None]
            hopeless += len(refused) == len(halves)
            if hopeless == _HOPELESS:
                await self._each([item for part in refused for item in part])
                return
            parts = refused

    async def _look(self, items: Sequence[Item]) -> list[Item]:
        """See what is there, and what is to be done therefore. Answers deletions of what is not seen: each is asked by
        itself, since what may not be seen is not listed either, and would be forgotten."""
        absent = []
        for item, there in zip(items, await self._seen(items), strict=True):
            item.looked = True
            if isinstance(there, AbsentKey) and item.kind is WriteKind.DELETE:
                absent.append(item)
            elif isinstance(there, AbsentKey) and item.kind is WriteKind.UPDATE:
                item.turn(WriteKind.CREATE)
            elif isinstance(there, Found) and item.holds(there):
                item.result = Stored()
            elif isinstance(there, Found) and item.onto_nothing:
                item.result = self._met(item, there)
            elif isinstance(there, Denied) and item.onto_nothing:
                pass  # servers of 2024 say so of what is absent, too: to be tried alone
            elif isinstance(there, Found | Denied) and item.kind is WriteKind.CREATE:
                item.turn(WriteKind.UPDATE)
        return absent

    async def _seen(self, items: Sequence[Item]) -> Sequence[Found | AbsentKey | Denied | None]:
        now = asyncio.get_running_loop().time()
        names = [item.name for item in items]
        compared = (await self._readings.compare(self._reader, self._place, names, since=now)).result
        if isinstance(compared, Missing) and compared.what in GONE:
            return [AbsentKey(key=item.name, folder=self._place.folder) for item in items]
        if isinstance(compared, SecretsFailure):
            return [None] * len(items)
        return [compared.values[name] for name in names]

    async def _in_doubt(self, items: Sequence[Item], failure: Unavailable, attempt: int) -> None:
        """No answer told what came of it: look, and try again what was not done."""
        again = await self._reader.client.writes.again(attempt, self._reader.retry)
        seen = await self._seen(items) if again else [None] * len(items)
        for item, there in zip(items, seen, strict=True):
            match there, item.kind:
                case AbsentKey(), WriteKind.DELETE:
                    item.result = Stored()
                case AbsentKey(), WriteKind.UPDATE:
                    item.turn(WriteKind.CREATE)
                case Found(), _ if item.holds(there):
                    item.result = Stored()
                case Found(), WriteKind.CREATE if item.onto_nothing:
                    item.result = self._met(item, there)
                case Found(), WriteKind.CREATE:
                    item.turn(WriteKind.UPDATE)
                case (AbsentKey() | Found(), _) | (Denied(), WriteKind.UPDATE | WriteKind.DELETE):
                    pass
                case _:  # not seen, or not to be tried again
                    item.result = failure if again or attempt == 1 else self._given_up(item, failure)
        left = [item for item in items if item.result is None]
        if failure.why is Trouble.FAULT and len(left) > 1:
            # Servers of 2025 fail on a batch in which one value refers into a folder that is not there.
            await self._referring_apart(left, attempt + 1)
        else:
            await self.carry_out(left, attempt + 1)

    def _met(self, item: Item, there: Found | AbsentKey | Denied | None) -> WriteResult:
        """Something is there where nothing should be. What is not listed may not be seen."""
        if isinstance(there, Denied):
            return there
        if isinstance(there, Found):
            changed = Unavailable(service=Service.INFISICAL, why=Trouble.CHANGED)
            return Stored() if item.holds(there) else changed
        return Denied(what=Denial.READ, folder=self._place.folder, key=item.name)

    def _given_up(self, item: Item, failure: Unavailable) -> SecretsFailure:
        """It failed each time. Servers of 2025 do so on a reference into a folder that is not there, and answer the looks
        in between."""
        routes = self._reader.client.routes
        old = routes.secrets.known is Version.V3 and routes.expands_singly is not False
        if old and item.refers and failure.why is Trouble.FAULT and failure.status == 500:
            return Invalid(what=Fault.DANGLING_REFERENCE, folder=self._place.folder, key=item.name)
        return failure


def _concerns_all(refused: Refused) -> bool:
    """Whether it would be the same for every other secret of the folder."""
    failure = refused.failure
    if refused.meaning in (Meaning.EXISTS, Meaning.NO_SECRET):
        return False
    if isinstance(failure, Denied):
        return failure.what is Denial.MEMBERSHIP
    if isinstance(failure, Missing):
        return failure.what is not Thing.ROUTE
    return isinstance(failure, LeaseRefused | ProjectGone | Unavailable)


def _halves(items: list[Item]) -> tuple[list[Item], list[Item]]:
    middle = len(items) // 2
    return items[:middle], items[middle:]
