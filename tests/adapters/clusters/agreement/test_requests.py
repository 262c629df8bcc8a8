"""The local cluster answers random sequences of requests as the real API server does, and keeps the same objects."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.cluster import Kind
from adapters.kubernetes.api import KubernetesCluster
from tests.adapters.clusters.agreement.comparison import Comparison
from tests.adapters.clusters.agreement.contents import KINDS
from tests.adapters.clusters.agreement.moves import Move, stories
from tests.adapters.clusters.agreement.tally import Tally
from tests.adapters.clusters.agreement.tours import reachable, tour

pytestmark = pytest.mark.apiserver

EXAMPLES = 100


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(story=stories())
def test_both_clusters_tell_the_same_story(
    kubernetes: KubernetesCluster, runner: asyncio.Runner, tally: Tally, story: list[Move]
) -> None:
    runner.run(Comparison(kubernetes, tally).hold(story))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_both_tell_the_same_of_every_end_that_a_request_can_have(
    kubernetes: KubernetesCluster, runner: asyncio.Runner, tally: Tally, kind: Kind
) -> None:
    ends = Tally()
    runner.run(Comparison(kubernetes, ends).hold(tour(kind)))
    tally.add(ends)
    assert reachable(kind) <= ends.counts.keys()
