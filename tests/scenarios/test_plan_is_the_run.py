"""Whatever is wanted and whatever is there: what `plan` says is what the run then does, and afterwards nothing is left."""

import asyncio
import base64
import time
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.cluster import Done, Listed, Object, Selection
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import (
    CLUSTER_SECRET_STORE,
    EXTERNAL_SECRET,
    NAMESPACE,
    PUSH_SECRET,
    SECRET,
    SECRET_STORE,
)
from reconciler.assembly import Options
from reconciler.controller import subjects_of
from reconciler.demonstration import example_manifests
from reconciler.looking import Onlooker
from reconciler.planned import Action
from reconciler.planning import Outlook, Planner
from reconciler.standin import ADMIN, InProcess, Project, StandIn
from tests.scenarios.pushing import entry, push_secret, source

FOLDERS = ("/", "/my-app")
NAMES = ("A", "B", "C")
PATHS = tuple((folder, name) for folder in FOLDERS for name in NAMES)
VALUES = ("one", "two", '{"p":"one"}', '{"p":"two","q":"one"}', '{"p":"one","r":"\\u00e9"}', " padded ", "")

values = st.sampled_from(VALUES)
remote = st.dictionaries(st.sampled_from(PATHS), values, min_size=2)
local = st.fixed_dictionaries(dict.fromkeys(("a", "b", "c"), values))
entries = st.lists(
    st.tuples(st.sampled_from(("a", "b", "c")), st.sampled_from(PATHS), st.sampled_from(("", "", "p", "q"))),
    min_size=1,
    max_size=5,
    unique_by=lambda one: one[1:],
)
policies = st.fixed_dictionaries(
    {
        "deletionPolicy": st.sampled_from(("None", "Delete")),
        "updatePolicy": st.sampled_from(("Replace", "Replace", "IfNotExists")),
    }
)
target = st.none() | st.dictionaries(st.sampled_from(("A", "B", "other")), values)


def data_of(wanted: list[tuple[str, tuple[str, str], str]]) -> list[dict[str, Any]]:
    """Entries of a PushSecret: a key of the source, a folder and a name at Infisical, a property or none."""
    return [
        entry(key, name if folder == "/" else f"{folder}/{name}", **({"property": part} if part else {}))
        for key, (folder, name), part in wanted
    ]


class World:
    """A local cluster and a server in this process, with a store between them."""

    def __init__(self) -> None:
        self.server = StandIn(time.time)
        self.project: Project = self.server.add_project("my-project")
        self.project.add_folder("dev", "/my-app")
        self.cluster = LocalCluster(lambda: datetime.now(UTC))
        self.credentials = self.server.add_machine("machine", {self.project: ADMIN})

    def connect(self, address: object, certificates: bytes) -> InProcess:
        """Every address is this server's."""
        return InProcess(self.server)

    async def apply(self, *objects: Object) -> None:
        """As their author."""
        for object in objects:
            metadata = {"namespace": "default", **object["metadata"]}
            assert isinstance(await self.cluster.apply({**object, "metadata": metadata}, "author"), Done), (
                object
            )

    async def begin(self) -> None:
        """The documented store and its credentials."""
        documents = example_manifests(
            "http://infisical.example", self.credentials.client_id, self.credentials.client_secret
        )
        await self.apply(*documents["store-universal-auth"])

    async def plan(self) -> tuple[Outlook, ...]:
        """What is planned; nothing may be written by that."""
        before = self.cluster.store.revision, self.at_infisical()
        found = await Planner(self.cluster, self.connect, Options()).plan(lambda sentence: None)
        assert (self.cluster.store.revision, self.at_infisical()) == before
        assert not self.server.tokens_alive
        return found

    async def run(self) -> None:
        """One run of everything, for real."""
        onlooker = Onlooker(self.cluster, self.connect, Options(linger=3600.0))
        kinds = (SECRET_STORE, CLUSTER_SECRET_STORE, EXTERNAL_SECRET, PUSH_SECRET)
        await onlooker.look((NAMESPACE, SECRET, *kinds), needed=kinds)
        for several in (kinds[:2], kinds[2:]):
            for subject in subjects_of(onlooker, several):
                await onlooker.run_once(subject, asyncio.get_running_loop().time())
        await onlooker.stop()

    def at_infisical(self) -> dict[str, str]:
        """What the server holds, by path."""
        return {
            f"{folder.rstrip('/')}/{name}": value
            for folder in FOLDERS
            for name, value in self.project.values("dev", folder).items()
        }

    async def recorded(self) -> set[str]:
        """What the status of the PushSecret says is its own."""
        found = await self.cluster.get(PUSH_SECRET, "default", "pushed")
        assert isinstance(found, Done)
        assert found.object is not None
        record = (found.object.get("status") or {}).get("syncedPushSecrets") or {}
        return set(record.get("SecretStore/infisical") or {})

    async def secrets(self) -> dict[str, dict[str, str]]:
        """Data of the Secrets of the cluster, but for the credentials."""
        listed = await self.cluster.list(Selection(SECRET))
        assert isinstance(listed, Listed)
        return {
            one["metadata"]["name"]: dict(one.get("data") or {})
            for one in listed.items
            if one["metadata"]["name"] != "universal-auth-credentials"
        }


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[tuple[Action, str]]:
    """What became of each name."""
    return {
        (Action.CREATE if name not in before else Action.REMOVE if name not in after else Action.CHANGE, name)
        for name in {*before, *after}
        if before.get(name) != after.get(name)
    }


def encoded(data: dict[str, str]) -> dict[str, str]:
    """As in a Secret."""
    return {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}


@settings(max_examples=30)
@given(remote, local, entries, policies, entries)
def test_push_does_what_was_planned(
    remote: dict[tuple[str, str], str],
    local: dict[str, str],
    first: list[tuple[str, tuple[str, str], str]],
    policies: dict[str, str],
    second: list[tuple[str, tuple[str, str], str]],
) -> None:
    """Once for what is pushed first, and once more after the author changed what is pushed."""

    async def example() -> None:
        world = World()
        for (folder, name), value in remote.items():
            world.project.set_secret("dev", folder, name, value)
        await world.begin()
        secret = source()
        del secret["stringData"]
        await world.apply({**secret, "data": encoded(local)})
        for wanted in (first, second):
            await world.apply(push_secret(*data_of(wanted), **policies))
            (outlook,) = await world.plan()
            before, recorded = world.at_infisical(), await world.recorded()
            await world.run()
            at = " at SecretStore infisical"
            planned = {
                (one.action, one.thing.removesuffix(at))
                for one in outlook.planned
                if one.thing.endswith(at) and one.action is not Action.ADOPT
            }
            assert planned == changed(before, world.at_infisical())
            adopted = {one.thing.removesuffix(at) for one in outlook.planned if one.action is Action.ADOPT}
            assert adopted <= await world.recorded() - recorded
            (left,) = await world.plan()
            assert not left.planned
            assert left.error == outlook.error

    asyncio.run(example())


@settings(max_examples=30)
@given(
    st.fixed_dictionaries({("/", name): values for name in NAMES}) | remote,
    st.lists(st.sampled_from(NAMES), unique=True, min_size=1),
    target,
    st.booleans(),
)
def test_fetch_does_what_was_planned(
    remote: dict[tuple[str, str], str], wanted: list[str], there: dict[str, str] | None, renamed: bool
) -> None:
    """With and without a Secret that is there already, and a renaming afterwards."""

    async def example() -> None:
        world = World()
        for (folder, name), value in remote.items():
            world.project.set_secret("dev", folder, name, value)
        await world.begin()
        if there is not None:
            metadata = {"name": "wanted", "namespace": "default"}
            secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
            await world.apply({**secret, "data": encoded(there)})
        for name in ("wanted", "renamed") if renamed else ("wanted",):
            await world.apply(external_secret(wanted, name))
            (outlook,) = await world.plan()
            before = await world.secrets()
            await world.run()
            after = await world.secrets()
            planned = {(one.action, one.thing.removeprefix("Secret ")) for one in outlook.planned}
            adopted = {name for action, name in planned if action is Action.ADOPT}
            assert {one for one in planned if one[0] is not Action.ADOPT} == {
                one for one in changed(before, after) if one[1] not in adopted
            }
            for one in outlook.planned:
                data = set(one.parts) - {part for part in one.parts if " " in part[2:] or part == "~ owner"}
                name = one.thing.removeprefix("Secret ")
                if one.action in (Action.CHANGE, Action.ADOPT):
                    assert data == parts_of(before.get(name, {}), after.get(name, {}))
            (left,) = await world.plan()
            assert not left.planned
            assert left.error == outlook.error

    asyncio.run(example())


def external_secret(names: list[str], target: str) -> Object:
    """All of these names, into a Secret."""
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "wanted"},
        "spec": {
            "secretStoreRef": {"name": "infisical"},
            "target": {"name": target},
            "data": [{"secretKey": name, "remoteRef": {"key": name}} for name in names],
        },
    }


def parts_of(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """What became of each key."""
    return {
        f"{'+' if key not in before else '-' if key not in after else '~'} {key}"
        for key in {*before, *after}
        if before.get(key) != after.get(key)
    }
