"""Somebody who writes into a folder of a stand-in in the same process, on simulated time."""

import asyncio
from collections.abc import Mapping

from adapters.infisical.places import Place
from adapters.infisical.readings import Reader
from adapters.infisical.secret_text import SecretText
from adapters.infisical.writes import Stored, Write, WriteKind, WriteResult, Writes
from machines.names import FolderPath, RemoteName
from reconciler.standin import Access, Age
from tests.adapters.infisical.access import Situation

STORED = Stored()


class Writing:
    """A server with a folder /app, and somebody who writes into it. Made inside a running loop."""

    def __init__(self, age: Age = Age.CURRENT, *, create_folders: bool = False) -> None:
        self.situation = Situation(age)
        self.server, self.remote = self.situation.server, self.situation.remote
        self.remote.add_folder("dev", "/app")
        self.readings = self.situation.readings
        self.writes = Writes(self.readings, create_folders=create_folders)

    async def ready(self, folder: str = "/app", rights: Access | None = None) -> tuple[Reader, Place]:
        """Logged in, the project resolved, and the server's routes known; nothing counted yet."""
        credentials = None if rights is None else self.situation.machine(rights)
        reader = await self.situation.reader(version="1" if rights is None else "2", credentials=credentials)
        place = await self.situation.place(reader, folder)
        root = Place(place.project, "dev", FolderPath("/"))
        await self.readings.compare(reader, root, [RemoteName("ANY")], since=now())
        await asyncio.sleep(10)
        self.server.record.clear()
        return reader, place

    async def write(self, reader: Reader, place: Place, *wanted: Write) -> list[WriteResult]:
        """What one run gets."""
        return await self.writes.write(reader, place, wanted)

    @property
    def asked(self) -> dict[str, int]:
        """Requests by kind."""
        return {kind.value: number for kind, number in self.situation.counts().items()}

    def values(self, folder: str = "/app") -> Mapping[str, str]:
        """What the server holds."""
        return self.remote.values("dev", folder)


def now() -> float:
    """On the loop's clock."""
    return asyncio.get_running_loop().time()


def create(name: str, value: str = "v") -> Write:
    """A creation."""
    return Write(WriteKind.CREATE, RemoteName(name), SecretText(value))


def update(name: str, value: str = "w") -> Write:
    """An update."""
    return Write(WriteKind.UPDATE, RemoteName(name), SecretText(value))


def delete(name: str) -> Write:
    """A deletion."""
    return Write(WriteKind.DELETE, RemoteName(name))
