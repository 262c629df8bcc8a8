"""The Infisical servers of a simulated day: what they hold, and the wire to them, with its latencies and outages.

Each value says where it is from, and which of the values of its key it is, so that none can be taken for another.
"""

import asyncio
import random
from collections.abc import Callable
from typing import NamedTuple, Protocol

from adapters.infisical.transport import Answer, Request, TransportError, Unreachable
from reconciler.standin import ADMIN, Identity, InProcess, Kind, Project, StandIn
from tests.simulation.history import History
from tests.simulation.life import Life

ENVIRONMENTS = ("dev", "prod")
FOLDERS = ("/", "/app-0", "/app-1", "/app-2", "/app-3")
KEYS = tuple(f"KEY_{number:02}" for number in range(12))


class Folder(NamedTuple):
    """Where secrets lie."""

    host: str
    project: str  # slug
    environment: str
    path: str


class Listener(Protocol):
    """Is told of every request."""

    def asked(self, host: "Host", kind: Kind) -> None:
        """A request is sent."""
        ...

    def answered(self, host: "Host", kind: Kind, answer: Answer | None) -> None:
        """Its answer arrived; None: none did."""
        ...


class Host:
    """One server, and how it is at the moment."""

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self.name = name
        self.url = f"http://{name}.example:8080"
        self.server = StandIn(now)
        self.projects: dict[str, Project] = {}
        self.down: Unreachable | None = None
        self.slow = 0.0  # seconds by which each answer is late
        self.failing = 0.0  # the part of requests that is answered with 503
        self.closed_until = 0.0  # the loop's time until which a 429 asked for silence


class Remote:
    """All servers, filled, and the history of all folders."""

    def __init__(self, chance: random.Random, now: Callable[[], float]) -> None:
        self._chance = chance
        self._now = now
        self._number = 0
        self.hosts = {name: Host(name, now) for name in ("alpha", "beta")}
        self.folders: History[Folder, dict[str, str] | None] = History()
        self.places: list[Folder] = []
        for host, slugs in (("alpha", ("payments", "search")), ("beta", ("billing",))):
            for slug in slugs:
                self.hosts[host].projects[slug] = self.hosts[host].server.add_project(
                    slug, environments=ENVIRONMENTS
                )
                for environment in ENVIRONMENTS:
                    for path in FOLDERS:
                        place = Folder(host, slug, environment, path)
                        self.places.append(place)
                        self.fill(place)

    def project(self, place: Folder) -> Project:
        """The project of a folder."""
        return self.hosts[place.host].projects[place.project]

    def identity(self, host: str, name: str) -> Identity:
        """A machine identity with universal auth that may do everything on its server."""
        server = self.hosts[host].server
        identity = server.add_identity(name, dict.fromkeys(self.hosts[host].projects.values(), ADMIN))
        server.add_universal_auth(identity)
        return identity

    def fill(self, place: Folder) -> None:
        """Give each key of a folder a value of its own."""
        for key in KEYS:
            self._put(place, key)
        self._note(place)

    def change(self, place: Folder, key: str) -> None:
        """A new value for a key."""
        self._put(place, key)
        self._note(place)

    def remove(self, place: Folder, key: str) -> None:
        """Delete a key."""
        self.project(place).remove_secret(place.environment, place.path, key)
        self._note(place)

    def remove_folder(self, place: Folder) -> None:
        """Delete a folder, which is not the root."""
        self.project(place).remove_folder(place.environment, place.path)
        self._note(place)

    def remake_project(self, host: str, slug: str) -> None:
        """The project is deleted, and made anew under its slug with new values."""
        self.hosts[host].projects[slug] = self.hosts[host].server.remake_project(slug)
        for place in self.places:
            if (place.host, place.project) == (host, slug):
                self.fill(place)

    def _put(self, place: Folder, key: str) -> None:
        self._number += 1
        text = f"{place.host} {place.project} {place.environment} {place.path} {key} {self._number}"
        self.project(place).set_secret(place.environment, place.path, key, text)

    def _note(self, place: Folder) -> None:
        there = self.project(place).folder(place.environment, place.path) is not None
        held = self.project(place).values(place.environment, place.path) if there else None
        self.folders.note(place, held, self._now())


class Wire:
    """The transport of one life of the controller to one server."""

    def __init__(self, host: Host, life: Life, chance: random.Random, listener: Listener) -> None:
        self._host = host
        self._life = life
        self._chance = chance
        self._listener = listener
        self._server = InProcess(host.server)

    async def send(self, request: Request) -> Answer:
        """Answer the request as the server is at the moment. Raises TransportError."""
        host, kind = self._host, _kind_of(request)
        await self._life.goes_on()
        self._listener.asked(host, kind)
        answer: Answer | None = None
        try:
            answer = await self._answer(request)
        finally:
            if self._life.alive:
                self._listener.answered(host, kind, answer)
        return answer

    async def _answer(self, request: Request) -> Answer:
        host = self._host
        await asyncio.sleep(self._chance.uniform(0.005, 0.02))
        await self._life.goes_on()
        if (down := host.down) is not None:
            if down is Unreachable.TIMED_OUT:
                await asyncio.sleep(30.0)
            raise TransportError(down)
        if host.failing and self._chance.random() < host.failing:
            return Answer(status=503)
        answer = await self._server.send(request)
        await asyncio.sleep(self._chance.uniform(0.005, 0.02) + host.slow)
        await self._life.goes_on()
        if answer.status == 429:
            wait = float(answer.headers.get("retry-after", 0))
            host.closed_until = max(host.closed_until, asyncio.get_running_loop().time() + wait)
        return answer


def _kind_of(request: Request) -> Kind:
    path = request.path
    if path == "/api/status":
        return Kind.STATUS
    if path.endswith("/login"):
        return Kind.LOGIN
    if path.endswith("/token/revoke"):
        return Kind.REVOCATION
    if "/projects/slug/" in path or "/workspace/" in path:
        return Kind.RESOLUTION
    return Kind.LISTING if path.rstrip("/").endswith(("secrets", "raw")) else Kind.SINGLE
