"""A scene: a cluster, an Infisical server on loopback, a controller between them, and the moves of a user."""

import asyncio
import base64
import copy
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from adapters.cluster import Absent, Cluster, Done, Kind, Listed, Object, Refused, Selection
from adapters.infisical.http import Network
from adapters.resources.kinds import (
    EVENT,
    EXTERNAL_SECRET,
    SECRET,
    SECRET_STORE,
)
from reconciler.assembly import Options
from reconciler.controller import Controller
from reconciler.demonstration import example_project
from reconciler.driver import Clock
from reconciler.metrics import Metrics
from reconciler.standin import ADMIN, StandIn
from tests.scenarios.collected import Collected
from tests.scenarios.counting import CountingCluster
from tests.scenarios.manifests import API_KEY, CREDENTIALS, example, key, kind_named, named

PATIENCE = 15.0  # seconds until a scenario is held to have failed
LINGER = 60.0  # seconds: longer than any scenario, so that what a burst shares does not hang on the machine's speed
LOGIN = Counter(login=1, resolution=1, revocation=1)
"""What a burst under one lease costs, whatever it reads."""
VALIDATION = Counter(single=1)
RESOLUTION = Counter(resolution=1)
LISTING = Counter(listing=1)
SINGLE = Counter(single=1)


class Scene:
    """What a scenario acts on. The documented project `my-project` is there, and a machine identity for it."""

    def __init__(self, cluster: Cluster, namespace: str, server: StandIn, url: str, network: Network) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.server = server
        self.url = url
        self.project = example_project(server)
        self.credentials = server.add_machine("scene", {self.project: ADMIN})
        self.counting = CountingCluster(cluster)
        self.journal = Collected()
        self.controller: Controller | None = None
        self.metrics = Metrics()
        self._network = network
        self._task: asyncio.Task[None] | None = None

    # --- the controller ------------------------------------------------------------------------------------

    async def start(self, **options: Any) -> None:
        """A controller that looks after this scene's namespace, and cluster-wide stores of its class."""
        settings = Options(namespace=self.namespace, controller_class=self.controller_class, linger=LINGER)
        settings = type(settings)(
            **({name: getattr(settings, name) for name in settings.__struct_fields__} | options)
        )
        self.controller = Controller(
            self.counting,
            self._network.transport,
            self.journal,
            Clock(time.time),
            random.Random(1),
            settings,
            self.metrics,
        )
        self._task = asyncio.create_task(self.controller.run())
        await self.controller.synced()

    controller_class = "default"

    async def stop(self) -> None:
        """Stop the controller; what it raised is raised here."""
        if self.controller is None or self._task is None:
            return
        await self.controller.stop()
        self.controller, task, self._task = None, self._task, None
        await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error

    # --- the user's moves ----------------------------------------------------------------------------------

    def store(self, name: str = "infisical", **scope: Any) -> Object:
        """The documented SecretStore, pointed at the server; `scope` changes its secretsScope."""
        store = example("store-universal-auth", "SecretStore")
        store["metadata"] = {"name": name}
        infisical = store["spec"]["provider"]["infisical"]
        infisical["hostAPI"] = self.url
        infisical["secretsScope"] |= scope
        return store

    def credentials_secret(self, name: str = CREDENTIALS) -> Object:
        """The documented Secret of credentials, with those of this scene's identity."""
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name},
            "type": "Opaque",
            "stringData": {
                "clientId": self.credentials.client_id,
                "clientSecret": self.credentials.client_secret,
            },
        }

    def external_secret(self, name: str = "wanted", **spec: Any) -> Object:
        """An ExternalSecret of the store `infisical`."""
        return {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {"name": name},
            "spec": {"secretStoreRef": {"name": "infisical", "kind": "SecretStore"}, **copy.deepcopy(spec)},
        }

    async def begin(self, **spec: Any) -> Object:
        """A controller, a store that is ready, and a resource `wanted` that is synced (API_KEY unless `spec` says
        otherwise); the manifest of the latter."""
        wanted = self.external_secret(**({"data": [key("API_KEY")]} | spec))
        await self.begin_with_store()
        await self.apply(wanted)
        await self.ready()
        return wanted

    async def begin_with_store(self, **scope: Any) -> None:
        """A controller, and a store that is ready; `scope` changes its secretsScope."""
        await self.start()
        await self.apply(self.credentials_secret(), self.store(**scope))
        await self.store_ready()

    async def refused(self, object: Object) -> Refused:
        """Apply a manifest that the cluster does not take; what it said."""
        manifest = copy.deepcopy(object)
        if kind_named(manifest["kind"]).namespaced:
            manifest["metadata"].setdefault("namespace", self.namespace)
        answer = await self.cluster.apply(manifest, "author")
        assert isinstance(answer, Refused), answer
        return answer

    async def apply(self, *objects: Object) -> None:
        """Apply manifests to the scene's namespace, as their author."""
        for object in objects:
            manifest = copy.deepcopy(object)
            kind = kind_named(manifest["kind"])
            if kind.namespaced:
                manifest["metadata"].setdefault("namespace", self.namespace)
            if "stringData" in manifest:
                manifest["data"] = {
                    key: base64.b64encode(text.encode()).decode()
                    for key, text in manifest.pop("stringData").items()
                }
            answer = await self.cluster.apply(manifest, "author")
            assert isinstance(answer, Done), f"{manifest['kind']} {manifest['metadata']['name']}: {answer}"

    async def refresh(self, name: str = "wanted") -> None:
        """Ask for a refresh, by the annotation that does so."""
        await self.annotate(EXTERNAL_SECRET, name, {"external-secrets.io/force-sync": str(time.monotonic())})

    async def annotate(self, kind: Kind, name: str, annotations: Mapping[str, str]) -> None:
        """Set annotations."""
        answer = await self.cluster.patch(
            kind,
            self.namespace,
            name,
            [{"op": "add", "path": "/metadata/annotations", "value": annotations}],
            "user",
        )
        assert isinstance(answer, Done), answer

    async def delete(self, kind: Kind, name: str) -> None:
        """Delete an object."""
        assert isinstance(await self.cluster.delete(kind, self.namespace, name), Done)

    # --- what a user sees ----------------------------------------------------------------------------------

    async def object(self, kind: Kind, name: str) -> Object | None:
        """An object as it is; None: there is none."""
        answer = await self.cluster.get(kind, self.namespace if kind.namespaced else "", name)
        if isinstance(answer, Absent):
            return None
        assert isinstance(answer, Done)
        return answer.object

    async def secret(self, name: str = "wanted") -> dict[str, str] | None:
        """The decoded data of a Secret."""
        found = await self.object(SECRET, name)
        if found is None:
            return None
        return {key: base64.b64decode(text).decode() for key, text in (found.get("data") or {}).items()}

    async def condition(self, kind: Kind, name: str) -> dict[str, Any]:
        """The Ready condition as it is; empty where there is none."""
        found = await self.object(kind, name)
        conditions = ((found or {}).get("status") or {}).get("conditions") or []
        return next((dict(one) for one in conditions if one["type"] == "Ready"), {})

    async def ready(
        self, name: str = "wanted", kind: Kind = EXTERNAL_SECRET, *, status: str = "True", said: str = ""
    ) -> dict[str, Any]:
        """Wait for a Ready condition of this status whose message holds a text; the condition."""
        last: dict[str, Any] = {}

        async def holds() -> bool:
            nonlocal last
            last = await self.condition(kind, name)
            return last.get("status") == status and said in last.get("message", "")

        await self.until(holds, lambda: f"{kind.name} {name} has {last}")
        return last

    async def holds(self, data: Mapping[str, str] | None, name: str = "wanted") -> None:
        """Wait until a Secret holds just this data; None: until there is none."""
        found: dict[str, str] | None = None

        async def does() -> bool:
            nonlocal found
            found = await self.secret(name)
            return found == data

        await self.until(does, lambda: f"Secret {name} holds {found}")

    @asynccontextmanager
    async def runs(self, *names: str, end: str = "ready", more: int = 1) -> AsyncIterator[None]:
        """What is done in the block lets each of these resources run so many times more, and come to this end."""
        for name in names:  # one whose status is written already may still be on its way to its end
            await self.until(lambda name=name: not self.journal.is_under_way(name))  # type: ignore[misc]
        before = {name: len(self.journal.ends(name)) for name in names}
        yield
        for name in names:
            await self.until(
                lambda name=name: (
                    len(self.journal.ends(name)) >= before[name] + more  # type: ignore[misc]
                    and self.journal.ends(name)[-1] == end
                ),
                lambda name=name: f"{name} ended {self.journal.ends(name)}",  # type: ignore[misc]
            )

    async def version(self, kind: Kind = SECRET, name: str = "wanted") -> str:
        """The resource version of an object that is there."""
        found = await self.object(kind, name)
        assert found is not None, f"{kind.name} {name} is not there"
        return str(found["metadata"]["resourceVersion"])

    async def store_ready(self, name: str = "infisical", **wanted: Any) -> dict[str, Any]:
        """Wait for the condition of the store."""
        return await self.ready(name, SECRET_STORE, **wanted)

    async def until(
        self, holds: Callable[[], Any], otherwise: Callable[[], str] = lambda: "it did not happen"
    ) -> None:
        """Look again and again until something (an async or plain question) holds."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    if self._task is not None and self._task.done():
                        self._task.result()
                    answer = holds()
                    if asyncio.iscoroutine(answer):
                        answer = await answer
                    if answer:
                        return
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"after {PATIENCE} s: {otherwise()}; ends: {self._ends()}") from None

    def _ends(self) -> list[str]:
        return [f"{one.subject.name}: {one.to}" for one in self.journal.transitions if one.end][-20:]

    async def events(self, name: str) -> list[tuple[str, str]]:
        """Reasons and notes of the events about an object, once what runs has ended and all that was told is written."""
        assert self.controller is not None
        await self.controller.idle()
        await self.controller.surroundings.events.flush()
        listed = await self.cluster.list(Selection(EVENT, namespace=self.namespace))
        assert isinstance(listed, Listed)
        return [(one["reason"], one["note"]) for one in listed.items if one["regarding"]["name"] == name]

    # --- what it costs -------------------------------------------------------------------------------------

    @asynccontextmanager
    async def costs(self, requests: Counter[str], *, tokens: int = 0, **writes: int) -> AsyncIterator[None]:
        """The life of a controller, from its start before the block to its stop after it, costs just these requests
        to Infisical, and these writes to the cluster, such as `apply_Secret=1, status_ExternalSecret=1`. `tokens` live
        afterwards."""
        await self.stop()
        self.server.record.clear()
        self.counting.writes.clear()
        await self.start()
        yield
        await self.stop()
        assert self.requests() == requests
        assert self.counting.writes == Counter(
            {name.replace("_", " "): number for name, number in writes.items()}
        )
        assert self.tokens_alive() == tokens

    def tokens_alive(self) -> int:
        """How many tokens of logins live at the server."""
        return len(self.server.tokens_alive)

    def requests(self) -> Counter[str]:
        """What was asked of Infisical, by kind of request."""
        return Counter({kind.value: number for kind, number in self.server.counts().items()})


__all__ = ["API_KEY", "CREDENTIALS", "Scene", "example", "key", "kind_named", "named"]
