"""What goes with what: dependents with their owners, objects with their namespace; on both clusters the same in the end."""

import asyncio
import random
from collections.abc import Iterator

import pytest

from adapters.cluster import Change, ChangeType, Cluster, Expired, Kind, Object, Selection
from adapters.kubernetes.api import KubernetesCluster
from adapters.kubernetes.connect import connect
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import (
    CLUSTER_EXTERNAL_SECRET,
    CONFIG_MAP,
    EXTERNAL_SECRET,
    NAMESPACE,
    PUSH_SECRET,
    SECRET,
    SECRET_STORE,
)
from tests.adapters.clusters.agreement.comparison import Comparison
from tests.adapters.clusters.agreement.contents import right
from tests.adapters.clusters.agreement.moves import CURRENT, STALE, WRONG_UID, Move
from tests.adapters.clusters.agreement.tally import Tally
from tests.adapters.clusters.conftest import now
from tests.adapters.clusters.samples import secret, with_metadata
from tests.apiserver.access import Access
from tests.apiserver.fixtures import SayThrough
from tests.apiserver.server import ApiServer

pytestmark = pytest.mark.apiserver

OWNERS_STORIES = range(12)
NAMESPACES_STORIES = range(8)
_HOLD = ["example.test/hold"]


def owned_by(*owners: tuple[Kind, str]) -> list[Object]:
    return [
        {"apiVersion": kind.api_version, "kind": kind.name, "name": name, "uid": f"uid of {kind.name} {name}"}
        for kind, name in owners
    ]


def canary() -> Move:
    """An object without an owner from the start: when it is gone, the collector has come to all before it."""
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": WRONG_UID}
    return Move(
        "create", SECRET, "canary", content={**right(SECRET), "metadata": {"ownerReferences": [owner]}}
    )


def story_of_owners(chance: random.Random) -> list[Move]:
    kinds = [EXTERNAL_SECRET, SECRET, CONFIG_MAP, PUSH_SECRET, SECRET_STORE]
    things = [(CLUSTER_EXTERNAL_SECRET, "a"), *((kind, name) for kind in kinds[:3] for name in "ab")]
    things += [(kind, "a") for kind in kinds[3:]]
    story = [Move("create", kind, name, content=right(kind)) for kind, name in things[:3]]
    for _ in range(14):
        kind, name = chance.choice(things)
        owners = owned_by(
            *chance.sample([each for each in things if each != (kind, name)], chance.randint(0, 2))
        )
        owners = owners if kind.namespaced else []
        finalizers = _HOLD if chance.random() < 0.2 else []
        content = with_metadata(right(kind), ownerReferences=owners, finalizers=finalizers)
        operations = [{"op": "add", "path": "/metadata/ownerReferences", "value": owners}]
        story.append(
            chance.choice(
                [
                    Move("create", kind, name, content=content),
                    Move("apply", kind, name, content=content),
                    Move("patch", kind, name, content=operations),
                    Move("patch", kind, name, content=[{"op": "remove", "path": "/metadata/finalizers"}]),
                    Move("delete", kind, name, uid=chance.choice([None, CURRENT, STALE])),
                ]
            )
        )
    return [*story, canary()]


def story_of_a_namespace(chance: random.Random) -> list[Move]:
    holding, other = chance.sample([SECRET, CONFIG_MAP, EXTERNAL_SECRET], 2)
    held = with_metadata(right(holding), finalizers=_HOLD)
    plain = right(other)
    before = [
        Move(
            "create",
            NAMESPACE,
            "a",
            content=with_metadata(right(NAMESPACE), finalizers=chance.choice([[], _HOLD])),
        ),
        Move("create", holding, "held", content=held, namespace="a"),
        Move("create", other, "free", content=plain, namespace="a"),
        Move("apply", NAMESPACE, "a", "two", with_metadata(right(NAMESPACE), labels={"y": "2"})),
    ]
    late = [
        Move("create", other, "late", content=plain, namespace="a"),
        Move("apply", other, "late", content=plain, namespace="a"),
        Move(
            "apply", holding, "held", "two", with_metadata(right(holding), labels={"y": "2"}), namespace="a"
        ),
        Move("apply", NAMESPACE, "a", "two", with_metadata(right(NAMESPACE), labels={"z": "2"})),
        Move("create", NAMESPACE, "a", content=right(NAMESPACE)),
        Move("delete", NAMESPACE, "a"),
        Move("delete", holding, "held", namespace="a"),
        Move("status", NAMESPACE, "a", content={"phase": "Active"}),
    ]
    off = [{"op": "remove", "path": "/metadata/finalizers"}]
    end = [
        Move("patch", holding, "held", content=off, namespace="a"),
        Move("patch", NAMESPACE, "a", content=off),
    ]
    chance.shuffle(end)
    again = [
        Move("create", other, "late", content=plain, namespace="a"),
        Move("create", NAMESPACE, "a", content=right(NAMESPACE)),
        Move("create", other, "late", content=plain, namespace="a"),
    ]
    return [*before, Move("delete", NAMESPACE, "a"), *chance.sample(late, 4), *end, *again]


def hold_all(
    kubernetes: KubernetesCluster, runner: asyncio.Runner, tally: Tally, stories: list[list[Move]]
) -> None:
    """All at once, because controllers take their time. A failure names the story by its number."""

    async def hold(number: int, story: list[Move]) -> None:
        try:
            await Comparison(kubernetes, tally).hold_in_the_end(story)
        except AssertionError as error:
            error.add_note(f"story {number}:\n" + "\n".join(map(repr, story)))
            raise

    async def play() -> None:
        async with asyncio.TaskGroup() as group:
            for number, story in enumerate(stories):
                group.create_task(hold(number, story))

    runner.run(play())


def test_dependents_go_with_their_owners(
    kubernetes: KubernetesCluster, runner: asyncio.Runner, tally: Tally
) -> None:
    stories = [story_of_owners(random.Random(seed)) for seed in OWNERS_STORIES]
    hold_all(kubernetes, runner, tally, stories)


def test_objects_go_with_their_namespace(
    kubernetes: KubernetesCluster, runner: asyncio.Runner, tally: Tally
) -> None:
    stories = [story_of_a_namespace(random.Random(seed)) for seed in NAMESPACES_STORIES]
    hold_all(kubernetes, runner, tally, stories)


@pytest.mark.parametrize("kind", [SECRET, CONFIG_MAP, NAMESPACE], ids=lambda kind: kind.name)
def test_what_is_forgotten_cannot_be_watched_from(forgetful: Access, kind: Kind) -> None:
    async def play() -> None:
        local = LocalCluster(now, history=2)
        for number in range(4):
            await local.apply(secret("default", a=str(number)), "test")
        kubernetes = await connect({"KUBECONFIG": str(forgetful.kubeconfig)})
        try:
            assert await ended(kubernetes, kind) == await ended(local, kind) == [Expired()]
        finally:
            await kubernetes.close()

    asyncio.run(play())


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Access]:
    """A server that was started again, and so remembers no changes from before."""
    directory = tmp_path_factory.mktemp("forgetful") / "server"
    with ApiServer(directory, say=SayThrough(pytestconfig)) as server:
        server.restart()
        yield server.access


async def ended(cluster: Cluster, kind: Kind) -> list[object]:
    """What a watch from the first version of all tells, bookmarks left out."""
    events = cluster.watch(Selection(kind), "1", idle=10.0)
    return [event async for event in events if not is_bookmark(event)]


def is_bookmark(event: object) -> bool:
    return isinstance(event, Change) and event.type is ChangeType.BOOKMARK
