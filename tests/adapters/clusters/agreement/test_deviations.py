"""Local clusters that differ from the real one in a single thing are found out: the comparison compares."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest

from adapters.cluster import (
    Change,
    ChangeType,
    Conflict,
    Done,
    Kind,
    Listed,
    ListResult,
    Object,
    Refused,
    Selection,
    WatchEvent,
    Written,
)
from adapters.kubernetes.api import KubernetesCluster
from adapters.local.cluster import LocalCluster
from adapters.resources.kinds import EXTERNAL_SECRET
from tests.adapters.clusters.agreement.comparison import Comparison
from tests.adapters.clusters.agreement.tally import Tally
from tests.adapters.clusters.agreement.tours import tour
from tests.adapters.clusters.conftest import now

pytestmark = pytest.mark.apiserver


class _NamesNoField(LocalCluster):
    async def create(self, object: Object, manager: str) -> Written:
        answer = await super().create(object, manager)
        return Refused() if isinstance(answer, Refused) else answer


class _KnowsNoManagers(LocalCluster):
    async def apply(
        self, object: Object, manager: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        return await super().apply(object, "one", uid=uid, version=version)


class _HoldsToNoVersion(LocalCluster):
    async def apply(
        self, object: Object, manager: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        return await super().apply(object, manager, uid=uid)


class _DeletesWhatChanged(LocalCluster):
    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str | None = None, version: str | None = None
    ) -> Written:
        return await super().delete(kind, namespace, name, version=version)


class _CallsConflictsRefusals(LocalCluster):
    async def patch(
        self, kind: Kind, namespace: str, name: str, operations: Sequence[Mapping[str, Any]], manager: str
    ) -> Written:
        answer = await super().patch(kind, namespace, name, operations, manager)
        return Refused() if isinstance(answer, Conflict) else answer


class _CountsNoGenerations(LocalCluster):
    async def patch_status(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        status: Mapping[str, Any],
        manager: str,
        *,
        version: str | None = None,
    ) -> Written:
        answer = await super().patch_status(kind, namespace, name, status, manager, version=version)
        if isinstance(answer, Done) and answer.object is not None:
            answer.object["metadata"]["generation"] += 1
        return answer


class _SelectsNothing(LocalCluster):
    async def list(self, selection: Selection) -> ListResult:
        answer = await super().list(selection)
        return Listed([], answer.version) if isinstance(answer, Listed) and selection.labels else answer


class _ForgetsDeletions(LocalCluster):
    async def watch(
        self, selection: Selection, version: str, idle: float
    ) -> AsyncGenerator[WatchEvent, None]:
        async for event in super().watch(selection, version, idle):
            if not isinstance(event, Change) or event.type is not ChangeType.DELETED:
                yield event


class _AddsTwice(LocalCluster):
    async def watch(
        self, selection: Selection, version: str, idle: float
    ) -> AsyncGenerator[WatchEvent, None]:
        async for event in super().watch(selection, version, idle):
            if isinstance(event, Change) and event.type is ChangeType.MODIFIED:
                yield Change(ChangeType.ADDED, event.object)
            else:
                yield event


_DEVIATIONS = (
    _NamesNoField,
    _KnowsNoManagers,
    _HoldsToNoVersion,
    _DeletesWhatChanged,
    _CallsConflictsRefusals,
    _CountsNoGenerations,
    _SelectsNothing,
    _ForgetsDeletions,
    _AddsTwice,
)


@pytest.mark.parametrize("deviation", _DEVIATIONS, ids=lambda deviation: deviation.__name__.strip("_"))
def test_a_cluster_that_deviates_is_found_out(
    kubernetes: KubernetesCluster, runner: asyncio.Runner, deviation: type[LocalCluster]
) -> None:
    comparison = Comparison(kubernetes, Tally(), deviation(now))
    with pytest.raises(AssertionError, match="--- real"):
        runner.run(comparison.hold(tour(EXTERNAL_SECRET)))
