"""The local cluster answers random sequences of requests as the real API server does, and keeps the same objects."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.kubernetes.api import KubernetesCluster
from tests.adapters.clusters.agreement.comparison import Comparison
from tests.adapters.clusters.agreement.moves import Move, stories
from tests.adapters.clusters.agreement.tally import Tally

pytestmark = pytest.mark.apiserver

EXAMPLES = 120


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
