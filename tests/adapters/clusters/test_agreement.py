"""The local cluster answers random sequences of requests as the real API server does, and keeps the same objects."""

import asyncio
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.cluster import Cluster, Done, Object
from adapters.kubernetes.connect import connect
from adapters.local.cluster import LocalCluster
from tests.adapters.clusters.conftest import now
from tests.adapters.clusters.moves import Move, comparable, comparable_object, make, moves
from tests.apiserver.access import Access

pytestmark = pytest.mark.apiserver

EXAMPLES = 60


async def played(cluster: Cluster, sequence: list[Move]) -> list[object]:
    """What came of each move: the answer, the object afterwards, and whether its version moved on."""
    place = f"agreement-{uuid.uuid4().hex[:12]}"
    await cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place}}, "test")
    story: list[object] = []
    for move in sequence:
        before = await look(cluster, place, move)
        result = await make(cluster, place, move)
        after = await look(cluster, place, move)
        story.append(
            (
                move.call,
                move.kind.name,
                comparable(result),
                None if after is None else comparable_object(after),
                version(before) == version(after),
            )
        )
    return story


async def look(cluster: Cluster, place: str, move: Move) -> Object | None:
    found = await cluster.get(move.kind, place, move.name)
    return found.object if isinstance(found, Done) else None


def version(object: Object | None) -> str | None:
    return None if object is None else object["metadata"]["resourceVersion"]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(sequence=st.lists(moves(), min_size=1, max_size=8))
def test_both_clusters_tell_the_same_story(apiserver: Access, sequence: list[Move]) -> None:
    async def play() -> None:
        kubernetes = await connect({"KUBECONFIG": str(apiserver.kubeconfig)})
        try:
            real = await played(kubernetes, sequence)
        finally:
            await kubernetes.close()
        local = await played(LocalCluster(now), sequence)
        for here, there in zip(local, real, strict=True):
            assert here == there

    asyncio.run(play())
