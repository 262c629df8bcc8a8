"""What happens in a simulated day: what authors and administrators do, and what fails. All drawn from the seed."""

import base64
from collections.abc import Awaitable, Callable

import msgspec

from adapters.cluster import Conflict, Done, Expired, Unavailable, Written
from adapters.infisical.transport import Unreachable
from adapters.local.store import Key
from adapters.resources.kinds import SECRET
from reconciler.content.metadata import LABEL_MANAGED
from reconciler.standin.limits import CLOUD_LIMITS, NO_LIMITS, Limits
from tests.simulation.day import CLUSTER, Day
from tests.simulation.invariants import MORE
from tests.simulation.remote import KEYS, Folder
from tests.simulation.troubles import Scope

MINUTE = 60.0


class Moves:
    """Everybody who moves something. `FREQUENCIES` says what, and how common it is."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self._population = day.population
        self._remote = day.remote
        self._chance = day.chance
        self._busy: set[object] = set()  # what one trouble at a time is enough for
        self.made: dict[str, int] = {}

    async def one(self) -> None:
        """Any move."""
        names = list(FREQUENCIES)
        (name,) = self._chance.choices(names, [FREQUENCIES[name] for name in names])
        self.made[name] = self.made.get(name, 0) + 1
        move: Callable[[], Awaitable[None]] = getattr(self, name)
        await move()

    def _trouble(self, scope: Scope, seconds: float, ending: Callable[[], Awaitable[None]]) -> None:
        """A trouble that lasts so long."""
        self._day.troubles.begin(scope)
        self._busy.add(scope)

        async def end() -> None:
            await ending()
            self._day.troubles.end(scope)
            self._busy.discard(scope)

        self._day.later(seconds, end)

    # --- authors -------------------------------------------------------------------------------------------

    async def create_resource(self) -> None:
        """A new resource."""
        wanted = self._population.draw()
        await self._population.write(wanted)
        self._day.checks.deadlines.written(wanted)

    async def change_resource(self) -> None:
        """A resource gets other entries, another interval, store or target."""
        former = self._chance.choice(list(self._population.wanted.values()))
        wanted = self._population.draw(former.namespace, former.name)
        if self._chance.random() < 0.5:
            wanted = msgspec.structs.replace(wanted, target=former.target)
        await self._population.write(wanted)
        self._day.checks.deadlines.written(wanted)

    async def delete_resource(self) -> None:
        """A resource goes, and its Secret with it. Perhaps one of its name comes back."""
        former = self._chance.choice(list(self._population.wanted.values()))
        await self._population.remove(former.place)
        if self._chance.random() < 0.3:

            async def again() -> None:
                if former.place not in self._population.wanted:
                    wanted = self._population.draw(*former.place)
                    await self._population.write(wanted)
                    self._day.checks.deadlines.written(wanted)

            self._day.later(self._chance.choice((0.01, 0.05, 5.0, 120.0)), again)

    async def fleeting_resource(self) -> None:
        """A new resource is deleted at once, perhaps in the middle of its first run."""
        wanted = self._population.draw()
        await self._population.write(wanted)

        async def gone() -> None:
            if self._population.wanted.get(wanted.place) is wanted:
                await self._population.remove(wanted.place)

        self._day.later(self._chance.uniform(0.0, 0.15), gone)

    async def change_store(self) -> None:
        """A store is edited: harmlessly, or to read another environment."""
        store = self._chance.choice(list(self._population.stores.values()))
        folder = store.folder
        if self._chance.random() < 0.4:
            folder = folder._replace(environment="dev" if folder.environment == "prod" else "prod")
        await self._population.add_store(
            msgspec.structs.replace(store, folder=folder, retries=self._chance.randint(1, 4))
        )

    async def remake_store(self) -> None:
        """A store is deleted, and made anew after a while."""
        key = self._chance.choice(list(self._population.stores))
        scope = ("store", *key)
        if len(self._population.stores) < 8:
            return
        store = await self._population.remove_store(key)
        self._trouble(
            scope, self._chance.uniform(0.0, 20 * MINUTE), lambda: self._population.add_store(store)
        )

    async def rotate_credentials(self) -> None:
        """A new client secret; the former one ends at once."""
        place = self._chance.choice(list(self._population.identities))
        if ("credentials", *place) not in self._busy:
            await self._population.write_credentials(place)

    async def lose_credentials(self) -> None:
        """The Secret of credentials is deleted, and comes back after a while."""
        place = self._chance.choice(list(self._population.identities))
        scope = ("credentials", *place)
        if scope not in self._busy:
            await self._population.remove_credentials(place)
            self._trouble(
                scope,
                self._chance.uniform(1.0, 10 * MINUTE),
                lambda: self._population.write_credentials(place),
            )

    # --- what happens to targets ---------------------------------------------------------------------------

    async def spoil_target(self) -> None:
        """A target is changed or deleted by hand."""
        wanted = self._chance.choice(list(self._population.wanted.values()))
        place = (wanted.namespace, wanted.target)
        secret = self._day.cluster.store.get(Key(SECRET, *place))
        if secret is None:
            return
        self._day.checks.by_hand(place)
        self._day.troubles.touch(("resource", *wanted.place))
        match self._chance.randrange(4):
            case 0:
                answer = await self._day.cluster.delete(SECRET, *place)
            case 1:
                label = LABEL_MANAGED.replace("/", "~1")
                answer = await self._patch(place, {"op": "remove", "path": f"/metadata/labels/{label}"})
            case 2:
                answer = await self._patch(place, {"op": "add", "path": f"/data/{MORE}", "value": "bW9yZQ=="})
            case _:
                key = sorted(secret["data"])[0]
                spoilt = base64.b64encode(b"by hand").decode()
                answer = await self._patch(place, {"op": "replace", "path": f"/data/{key}", "value": spoilt})
        assert isinstance(answer, Done | Conflict), answer  # a conflict: it was spoilt like this already

    async def _patch(self, place: tuple[str, str], operation: dict[str, str]) -> Written:
        return await self._day.cluster.patch(SECRET, *place, [operation], "kubectl-edit")

    # --- administrators of Infisical -----------------------------------------------------------------------

    def _some_folder(self) -> Folder:
        return self._chance.choice(self._remote.places)

    async def change_secret(self) -> None:
        """A value changes."""
        place = self._some_folder()
        if self._remote.folders.now(place) is not None and ("folder", *place) not in self._busy:
            self._remote.change(place, self._chance.choice(KEYS))

    async def lose_key(self) -> None:
        """A key is deleted, and comes back after a while."""
        place, key = self._some_folder(), self._chance.choice(KEYS)
        scope = ("folder", *place)
        if scope in self._busy:
            return
        self._remote.remove(place, key)
        self._trouble(
            scope, self._chance.uniform(1.0, 20 * MINUTE), self._do(self._remote.change, place, key)
        )

    async def lose_folder(self) -> None:
        """A folder is deleted, and comes back after a while."""
        place = self._some_folder()
        scope = ("folder", *place)
        if scope in self._busy or place.path == "/":
            return
        self._remote.remove_folder(place)
        self._trouble(scope, self._chance.uniform(1.0, 20 * MINUTE), self._do(self._remote.fill, place))

    async def remake_project(self) -> None:
        """A project is deleted and made anew."""
        host, slug = self._chance.choice((("alpha", "payments"), ("alpha", "search"), ("beta", "billing")))
        if not any(scope[:3] == ("folder", host, slug) for scope in self._busy if isinstance(scope, tuple)):
            self._remote.remake_project(host, slug)
            self._day.troubles.touch(("host", host))

    async def end_tokens(self) -> None:
        """All tokens of a server end."""
        self._remote.hosts[self._chance.choice(("alpha", "beta"))].server.end_tokens()

    @staticmethod
    def _do(act: Callable[..., None], *arguments: object) -> Callable[[], Awaitable[None]]:
        async def ending() -> None:
            act(*arguments)

        return ending

    # --- failures of servers -------------------------------------------------------------------------------

    async def _host_trouble(self, shortest: float, longest: float, **how: object) -> None:
        host = self._remote.hosts[self._chance.choice(("alpha", "beta"))]
        scope = ("host", host.name)
        if scope in self._busy:
            return
        checks = self._day.checks
        for name, value in how.items():
            setattr(host, name, value)
        alone = "down" in how and not checks.outage
        if alone:
            checks.outages += 1
            checks.outage, checks.outage_host, checks.outage_began = checks.outages, host.name, checks.now

        async def well() -> None:
            host.down, host.slow, host.failing = None, 0.0, 0.0
            host.server.limit(NO_LIMITS)
            if alone:
                checks.outage = 0

        self._trouble(scope, self._chance.uniform(shortest, longest), well)

    async def host_down(self) -> None:
        """A server does not answer."""
        why = self._chance.choice(
            (Unreachable.REFUSED, Unreachable.BROKEN, Unreachable.TIMED_OUT, Unreachable.UNRESOLVED)
        )
        await self._host_trouble(MINUTE, 30 * MINUTE, down=why)

    async def host_slow(self) -> None:
        """A server needs 10 s for each answer."""
        await self._host_trouble(MINUTE, 15 * MINUTE, slow=10.0)

    async def host_failing(self) -> None:
        """A server answers 503 to a part of the requests."""
        await self._host_trouble(MINUTE, 15 * MINUTE, failing=self._chance.choice((0.1, 0.5, 1.0)))

    async def host_limited(self) -> None:
        """A server has limits for a while: those of Infisical Cloud, or tight ones, that its answers may not tell."""
        name = self._chance.choice(("alpha", "beta"))
        if ("host", name) in self._busy:
            return
        host = self._remote.hosts[name]
        tight = Limits(total=30, reads=15, writes=10, secrets=10, told=self._chance.random() < 0.5)
        host.server.limit(self._chance.choice((CLOUD_LIMITS, tight)))

        async def unlimited() -> None:
            host.server.limit(NO_LIMITS)

        self._trouble(("host", name), self._chance.uniform(MINUTE, 30 * MINUTE), unlimited)

    # --- failures of the cluster ---------------------------------------------------------------------------

    async def cluster_down(self) -> None:
        """The API server goes away, and comes back."""
        if CLUSTER in self._busy:
            return
        weather = self._day.weather
        weather.down = True
        weather.interrupt(Unavailable())

        async def back() -> None:
            weather.down = False

        self._trouble(CLUSTER, self._chance.uniform(5.0, 5 * MINUTE), back)

    async def cluster_failing(self) -> None:
        """The API server fails a part of the calls, and the answers to some writes are lost."""
        if CLUSTER in self._busy:
            return
        weather = self._day.weather
        weather.failing, weather.losing = 0.2, 0.2

        async def well() -> None:
            weather.failing = weather.losing = 0.0

        self._trouble(CLUSTER, self._chance.uniform(5.0, 5 * MINUTE), well)

    async def watches_expire(self) -> None:
        """All watches end with 410."""
        self._day.weather.interrupt(Expired())

    async def restart(self) -> None:
        """The controller is stopped, and started again after a while."""
        await self._again(self._day.stop)

    async def crash(self) -> None:
        """The controller dies, and is started again after a while."""
        await self._again(self._day.crash)

    async def _again(self, end: Callable[[], Awaitable[None]]) -> None:
        if CLUSTER in self._busy:
            return
        await end()
        self._trouble(CLUSTER, self._chance.uniform(0.1, 60.0), self._day.begin)


FREQUENCIES = {
    "create_resource": 60,
    "change_resource": 60,
    "delete_resource": 60,
    "fleeting_resource": 40,
    "change_store": 6,
    "remake_store": 3,
    "rotate_credentials": 12,
    "lose_credentials": 4,
    "spoil_target": 60,
    "change_secret": 300,
    "lose_key": 20,
    "lose_folder": 8,
    "remake_project": 3,
    "end_tokens": 6,
    "host_down": 5,
    "host_slow": 4,
    "host_failing": 6,
    "host_limited": 4,
    "cluster_down": 5,
    "cluster_failing": 5,
    "watches_expire": 12,
    "restart": 3,
    "crash": 4,
}
"""How common each move is, against the others."""
