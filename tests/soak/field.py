"""The field of a soak: many ExternalSecrets, an Infisical server whose values change all the time, damage, and an eye on
every change of every Secret."""

import asyncio
import base64
import random
from collections import Counter
from typing import Any

from adapters.cluster import Change, ChangeType, Cluster, Done, Listed, Object, Selection
from adapters.resources.kinds import EXTERNAL_SECRET, SECRET
from reconciler.standin import ADMIN, StandIn
from tests.scenarios.manifests import CREDENTIALS, example

PARTS = ("a", "b", "c")
_FOLDERS = 20
_TOGETHER = 32  # requests under way at once, when manifests are made
_DAMAGE = "damage"


class Field:
    """So many resources in one namespace. Values of a resource are of one generation: none may be mixed, or go back."""

    def __init__(self, cluster: Cluster, namespace: str, standin: StandIn, url: str, resources: int) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._url = url
        self._chance = random.Random(1)
        self._project = standin.add_project("my-project")
        self._credentials = standin.add_machine("soak", {self._project: ADMIN})
        self._wanted = [0] * resources
        self._seen = [-1] * resources
        self.wrongs: list[str] = []
        self.changes: Counter[str] = Counter()
        self.written: Counter[str] = Counter()
        for number in range(resources):
            self._set(number)

    def _set(self, number: int) -> None:
        for part in PARTS:
            text = f"{number}.{self._wanted[number]}"
            self._project.set_secret("dev", f"/folder-{number % _FOLDERS}", f"KEY_{number}_{part}", text)

    async def plant(self) -> None:
        """Credentials, a store, and all resources."""
        login = {"clientId": self._credentials.client_id, "clientSecret": self._credentials.client_secret}
        await self._apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": CREDENTIALS},
                "data": {name: base64.b64encode(text.encode()).decode() for name, text in login.items()},
            }
        )
        store = example("store-universal-auth", "SecretStore")
        store["spec"]["provider"]["infisical"]["hostAPI"] = self._url
        await self._apply(store)
        gate = asyncio.Semaphore(_TOGETHER)

        async def make(number: int) -> None:
            async with gate:
                await self._apply(self._resource(number))

        await asyncio.gather(*(make(number) for number in range(len(self._wanted))))

    def _resource(self, number: int) -> Object:
        key = f"/folder-{number % _FOLDERS}/KEY_{number}"
        data = [{"secretKey": part, "remoteRef": {"key": f"{key}_{part}"}} for part in PARTS]
        return {
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {"name": f"wanted-{number}"},
            "spec": {"secretStoreRef": {"name": "infisical", "kind": "SecretStore"}, "data": data},
        }

    async def _apply(self, manifest: Object) -> None:
        manifest["metadata"]["namespace"] = self._namespace
        answer = await self._cluster.apply(manifest, "author")
        assert isinstance(answer, Done), f"{manifest['kind']} {manifest['metadata']['name']}: {answer}"

    # --- what changes --------------------------------------------------------------------------------------

    async def change_for_ever(self, pause: float) -> None:
        """One change after the other."""
        while True:
            number = self._chance.randrange(len(self._wanted))
            if self._chance.random() < 0.2:
                await self._damage(number)
            else:
                await self._change(number)
            await asyncio.sleep(pause)

    async def _change(self, number: int) -> None:
        self._wanted[number] += 1
        self._set(number)
        self.changes["values, and a refresh asked for"] += 1
        annotations = {"external-secrets.io/force-sync": str(self._wanted[number])}
        answer = await self._cluster.patch(
            EXTERNAL_SECRET,
            self._namespace,
            f"wanted-{number}",
            [{"op": "add", "path": "/metadata/annotations", "value": annotations}],
            "user",
        )
        assert isinstance(answer, Done), answer

    async def _damage(self, number: int) -> None:
        value = base64.b64encode(_DAMAGE.encode()).decode()
        answer = await self._cluster.patch(
            SECRET,
            self._namespace,
            f"wanted-{number}",
            [{"op": "replace", "path": "/data/a", "value": value}],
            "user",
        )
        if isinstance(answer, Done):  # else it was not made yet
            self.changes["damage to a Secret"] += 1

    # --- what is seen --------------------------------------------------------------------------------------

    async def look_on_for_ever(self, selection: Selection) -> None:
        """Follow all changes of a kind."""
        listed = await self._cluster.list(selection)
        assert isinstance(listed, Listed)
        for item in listed.items:
            self._look_at(Change(ChangeType.ADDED, item))
        version = listed.version
        while True:
            async for event in self._cluster.watch(selection, version, 60.0):
                assert isinstance(event, Change), f"the eye was shut: {event}"
                version = event.object["metadata"]["resourceVersion"]
                self._look_at(event)

    def _look_at(self, change: Change) -> None:
        if change.type is ChangeType.BOOKMARK:
            return
        self.written[f"{change.object['kind']} {change.type.value.lower()}"] += 1
        name = change.object["metadata"]["name"]
        if change.type is ChangeType.DELETED:
            self.wrongs.append(f"{change.object['kind']} {name} was deleted")
        elif change.object["kind"] == SECRET.name and name.startswith("wanted-"):
            self._look_at_secret(name, change.object)

    def _look_at_secret(self, name: str, secret: Object) -> None:
        number, held = int(name.removeprefix("wanted-")), _texts(secret)
        if set(held) != set(PARTS):
            self.wrongs.append(f"Secret {name} holds just {sorted(held)}")
            return
        sound = {text for text in held.values() if text != _DAMAGE}
        if len(sound) != 1:
            self.wrongs.append(f"Secret {name} is of several generations: {sorted(sound)}")
            return
        owner, generation = (int(part) for part in sound.pop().split("."))
        if owner != number or not self._seen[number] <= generation <= self._wanted[number]:
            self.wrongs.append(
                f"Secret {name} holds {owner}.{generation} after {self._seen[number]}, of {self._wanted[number]}"
            )
        self._seen[number] = generation

    # --- what is to be -------------------------------------------------------------------------------------

    async def lacking(self) -> list[str]:
        """What is not yet as it should be, resource by resource."""
        secrets = {
            one["metadata"]["name"]: one for one in await self._all(Selection(SECRET, self._namespace))
        }
        resources = await self._all(Selection(EXTERNAL_SECRET, self._namespace))
        found = [] if len(resources) == len(self._wanted) else ["a resource is lost"]
        ready = {one["metadata"]["name"]: _ready(one) for one in resources}
        for number, generation in enumerate(self._wanted):
            name = f"wanted-{number}"
            texts = _texts(secrets[name]) if name in secrets else {}
            if texts != dict.fromkeys(PARTS, f"{number}.{generation}"):
                found.append(f"{name} holds {texts}, not generation {generation}")
            elif not ready.get(name):
                found.append(f"{name} is not ready")
        return found

    async def _all(self, selection: Selection) -> list[Object]:
        listed = await self._cluster.list(selection)
        assert isinstance(listed, Listed), listed
        return listed.items


def _texts(secret: Object) -> dict[str, str]:
    return {name: base64.b64decode(text).decode() for name, text in (secret.get("data") or {}).items()}


def _ready(resource: Object) -> bool:
    conditions: list[dict[str, Any]] = (resource.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
