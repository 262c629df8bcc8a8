"""The resources of a simulated day: what their authors want, as manifests and as the checks understand it."""

import base64
import random
from collections.abc import Callable

import msgspec

from adapters.cluster import Done, Object
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import CLUSTER_SECRET_STORE, EXTERNAL_SECRET, SECRET, SECRET_STORE
from reconciler.standin import Identity
from tests.simulation.history import History
from tests.simulation.patience import WATCHES_BACK
from tests.simulation.remote import ENVIRONMENTS, FOLDERS, KEYS, Folder, Remote
from tests.simulation.troubles import Scope, Troubles

AUTHOR = "author"
TEAMS = ("team-a", "team-b", "team-c", "team-d")
INTERVALS = (
    (60.0, 4),
    (600.0, 16),
    (3600.0, 120),
    (21600.0, 400),
    (43200.0, 200),
    (86400.0, 260),
)
"""Refresh intervals in seconds, and how common they are."""

StoreKey = tuple[str, str, str]  # kind, namespace, name
Place = tuple[str, str]  # namespace, name


class Store(msgspec.Struct, frozen=True):
    """A store as its author wants it."""

    kind: str
    namespace: str
    name: str
    folder: Folder  # which it reads
    credentials: Place
    interval: int = 3600  # seconds between validations
    retries: int = 3

    @property
    def key(self) -> StoreKey:
        """What resources refer to."""
        return self.kind, self.namespace, self.name


class Entry(msgspec.Struct, frozen=True):
    """One entry of spec.data."""

    secret_key: str
    store: StoreKey
    path: str  # of the folder
    key: str


class Wanted(msgspec.Struct, frozen=True):
    """An ExternalSecret as its author wants it. Without entries: all that is in the folder of its store."""

    namespace: str
    name: str
    target: str
    interval: float
    store: StoreKey
    entries: tuple[Entry, ...]

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.namespace, self.name

    @property
    def stores(self) -> tuple[StoreKey, ...]:
        """All stores that it reads."""
        return tuple(dict.fromkeys((self.store, *(entry.store for entry in self.entries))))


class Population:
    """All stores and resources, what they were when, and the hands that write them."""

    def __init__(
        self,
        cluster: LocalCluster,
        remote: Remote,
        troubles: Troubles,
        chance: random.Random,
        now: Callable[[], float],
    ) -> None:
        self._cluster = cluster
        self._remote = remote
        self._troubles = troubles
        self._chance = chance
        self._now = now
        self._number = 0
        self.ever: set[str] = set()  # names of all resources and targets that ever were wanted
        self.wanted: dict[Place, Wanted] = {}
        self.stores: dict[StoreKey, Store] = {}
        self.identities: dict[Place, Identity] = {}  # by the Secret of their credentials
        self.wishes: History[Place, Wanted | None] = History()
        self.scopes: History[StoreKey, Folder | None] = History()

    # --- stores --------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """The stores that are there from the beginning: two of each team's own, and two for all."""
        for team in TEAMS:
            self._cluster.ensure_namespace(team)
        for number, team in enumerate(TEAMS):
            for name, host, slug in (("own", "alpha", "payments"), ("other", "beta", "billing")):
                environment = ENVIRONMENTS[number % 2]
                folder = Folder(host, slug, environment, FOLDERS[number % len(FOLDERS)])
                await self.add_store(Store("SecretStore", team, name, folder, (team, f"{name}-login")))
        for name, slug in (("shared", "search"), ("common", "payments")):
            folder = Folder("alpha", slug, "prod", "/")
            await self.add_store(Store("ClusterSecretStore", "", name, folder, (TEAMS[0], f"{name}-login")))

    async def add_store(self, store: Store) -> None:
        """A store, and its credentials where they are not there yet."""
        if store.credentials not in self.identities:
            identity = self._remote.identity(store.folder.host, "-".join(store.credentials))
            self.identities[store.credentials] = identity
            await self.write_credentials(store.credentials)
        self.stores[store.key] = store
        self.scopes.note(store.key, store.folder, self._now())
        await self._apply(_store_manifest(store, self._remote.hosts[store.folder.host].url))
        self._troubles.touch(("store", *store.key))

    async def remove_store(self, key: StoreKey) -> Store:
        """Delete a store; its resources stay."""
        store = self.stores.pop(key)
        self.scopes.note(key, None, self._now())
        kind = SECRET_STORE if store.kind == SECRET_STORE.name else CLUSTER_SECRET_STORE
        assert isinstance(await self._cluster.delete(kind, store.namespace, store.name), Done)
        return store

    async def write_credentials(self, place: Place) -> None:
        """Rotate: a new client secret, written into the cluster, and the former ones end."""
        identity = self.identities[place]
        server = next(
            host.server
            for host in self._remote.hosts.values()
            if identity.id in host.server.accounts.identities
        )
        server.revoke_client_secrets(identity)
        assert identity.universal is not None
        login = {"clientId": identity.universal.client_id, "clientSecret": server.add_client_secret(identity)}
        data = {key: base64.b64encode(text.encode()).decode() for key, text in login.items()}
        await self._apply({**_head(SECRET.api_version, "Secret", place), "type": "Opaque", "data": data})
        self._troubles.touch(("credentials", *place))

    async def remove_credentials(self, place: Place) -> None:
        """Delete the Secret of credentials."""
        assert isinstance(await self._cluster.delete(SECRET, *place), Done)

    # --- resources -----------------------------------------------------------------------------------------

    def draw(self, namespace: str = "", name: str = "") -> Wanted:
        """Some resource: a new one, or one of this name."""
        chance = self._chance
        namespace = namespace or chance.choice(TEAMS)
        if not name:
            self._number += 1
            name = f"app-{self._number:04}"
        usable = sorted(key for key in self.stores if key[1] in ("", namespace))
        store = chance.choice(usable)
        folder = self.stores[store].folder
        (interval,) = chance.choices(
            [interval for interval, _ in INTERVALS], [weight for _, weight in INTERVALS]
        )
        entries: list[Entry] = []
        if chance.random() < 0.9:
            path = chance.choice((folder.path, *FOLDERS))
            for number, key in enumerate(chance.sample(KEYS, chance.choice((1, 2, 3, 3, 5)))):
                other = chance.choice(usable) if chance.random() < 0.03 else store
                entries.append(Entry(f"value-{number}", other, path, key))
        target = name if chance.random() < 0.8 else f"{name}-target"
        return Wanted(namespace, name, target, interval, store, tuple(entries))

    async def write(self, wanted: Wanted) -> None:
        """Create the resource, or change it."""
        self.wanted[wanted.place] = wanted
        self.ever |= {wanted.name, wanted.target}
        self.wishes.note(wanted.place, wanted, self._now())
        self._troubles.touch(("resource", *wanted.place))
        await self._apply(_resource_manifest(wanted))

    async def remove(self, place: Place) -> None:
        """Delete the resource."""
        del self.wanted[place]
        self.wishes.note(place, None, self._now())
        self._troubles.touch(("resource", *place))
        assert isinstance(await self._cluster.delete(EXTERNAL_SECRET, *place), Done)

    async def _apply(self, manifest: Object) -> None:
        answer = await self._cluster.apply(manifest, AUTHOR)
        assert isinstance(answer, Done), f"{manifest['kind']} {manifest['metadata']['name']}: {answer}"

    # --- what the checks ask -------------------------------------------------------------------------------

    def concerns(self, wanted: Wanted) -> list[Scope]:
        """Whose troubles are those of a resource."""
        scopes: list[Scope] = [("cluster",), ("resource", *wanted.place)]
        for key in wanted.stores:
            scopes.append(("store", *key))
            store = self.stores.get(key)
            if store is not None:
                scopes += [
                    ("host", store.folder.host),
                    ("credentials", *store.credentials),
                    ("folder", *store.folder),
                ]
                scopes += [
                    ("folder", *store.folder._replace(path=entry.path))
                    for entry in wanted.entries
                    if entry.store == key
                ]
        return scopes

    def problem(self, place: Place, data: dict[str, str], since: float) -> str | None:
        """Why a Secret of this data is none that the resource at this place can have, as Infisical was at some moment
        from `since` on; None: it can. What a controller knows of the cluster may be older, where watches were down."""
        problem = f"its resource {place} is not there"
        for wanted in self.wishes.during(place, self.known_since(since)):
            if wanted is None:
                continue
            found = self._problem(wanted, data, since)
            if found is None:
                return None
            problem = found
        return problem

    def known_since(self, since: float) -> float:
        """From when on what happens in the cluster is known at this time: earlier where watches were down."""
        down = self._troubles.last((("cluster",),))
        return since - WATCHES_BACK if down > since - WATCHES_BACK else since

    def _problem(self, wanted: Wanted, data: dict[str, str], since: float) -> str | None:
        if not wanted.entries:
            for scope in self.scopes.during(wanted.store, self.known_since(since)):
                if scope is not None and any(
                    data == held for held in self._remote.folders.during(scope, since)
                ):
                    return None
            return f"it never was what {wanted.store} held"
        if set(data) != {entry.secret_key for entry in wanted.entries}:
            return f"it has the keys {sorted(data)}"
        groups: dict[tuple[StoreKey, str], list[Entry]] = {}
        for entry in wanted.entries:
            groups.setdefault((entry.store, entry.path), []).append(entry)
        for (store, path), entries in groups.items():
            if not self._held(store, path, entries, data, since):
                return f"{[data[entry.secret_key] for entry in entries]} is not of {store} {path}"
        return None

    def _held(
        self, store: StoreKey, path: str, entries: list[Entry], data: dict[str, str], since: float
    ) -> bool:
        for scope in self.scopes.during(store, self.known_since(since)):
            if scope is None:
                continue
            for held in self._remote.folders.during(scope._replace(path=path), since):
                if held is not None and all(
                    held.get(entry.key) == data[entry.secret_key] for entry in entries
                ):
                    return True
        return False


def _head(api_version: str, kind: str, place: Place) -> Object:
    metadata = {"name": place[1], "namespace": place[0]} if place[0] else {"name": place[1]}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _store_manifest(store: Store, url: str) -> Object:
    namespace, name = store.credentials
    reference = {"name": name} if store.namespace else {"name": name, "namespace": namespace}
    infisical = {
        "hostAPI": url,
        "auth": {
            "universalAuthCredentials": {
                field: {**reference, "key": field} for field in ("clientId", "clientSecret")
            }
        },
        "secretsScope": {
            "projectSlug": store.folder.project,
            "environmentSlug": store.folder.environment,
            "secretsPath": store.folder.path,
        },
    }
    spec = {
        "provider": {"infisical": infisical},
        "refreshInterval": store.interval,
        "retrySettings": {"maxRetries": store.retries},
    }
    return {**_head("external-secrets.io/v1", store.kind, (store.namespace, store.name)), "spec": spec}


def _resource_manifest(wanted: Wanted) -> Object:
    def reference(key: StoreKey) -> Object:
        return {"kind": key[0], "name": key[2]}

    spec: Object = {
        "refreshInterval": f"{wanted.interval:.0f}s",
        "secretStoreRef": reference(wanted.store),
        "target": {"name": wanted.target},
    }
    if wanted.entries:
        spec["data"] = [
            {
                "secretKey": entry.secret_key,
                "remoteRef": {"key": f"{entry.path.rstrip('/')}/{entry.key}"},
                **(
                    {} if entry.store == wanted.store else {"sourceRef": {"storeRef": reference(entry.store)}}
                ),
            }
            for entry in wanted.entries
        ]
    else:
        spec["dataFrom"] = [{"find": {"name": {"regexp": ".*"}}}]
    return {**_head("external-secrets.io/v1", EXTERNAL_SECRET.name, wanted.place), "spec": spec}
