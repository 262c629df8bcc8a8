"""The real API server, with our CRDs, agrees with `admit`: on what is refused, and on what becomes of the rest."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.cluster import Kind, Object
from adapters.resources.faults import Faults
from adapters.resources.kinds import OUR_KINDS
from adapters.resources.rules import ALL_RULES
from adapters.resources.schema import admit
from tests.apiserver.access import Access
from tests.apiserver.client import ApiClient
from tests.resources.dry_run import DryRun, Refusal
from tests.resources.full_manifests import FULL
from tests.resources.manifests import manifest, with_changes
from tests.resources.rule_examples import Example, examples
from tests.resources.strategies import objects, statuses, well_formed

pytestmark = pytest.mark.apiserver

THOROUGHLY = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
KINDS = pytest.mark.parametrize("kind", OUR_KINDS, ids=lambda kind: kind.name)
MESSAGES = {rule.name: rule.message for rule in ALL_RULES}


@pytest.fixture(scope="module")
def server(apiserver: Access) -> Iterator[DryRun]:
    with DryRun(apiserver) as dry_run:
        yield dry_run


def content(object: Object) -> Object:
    """Without what the server adds of its own."""
    return {name: value for name, value in object.items() if name != "metadata"}


def agree(server: DryRun, kind: Kind, object: Object) -> None:
    expected, answer = admit(kind, object), server.create(kind, object)
    if isinstance(answer, Refusal):
        assert answer.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY), answer.message
        assert isinstance(expected, Faults), answer.message
        # Where the schema is kept, both say the same about every rule.
        if all(fault.rule for fault in expected.faults):
            assert {rule for rule, message in MESSAGES.items() if message in answer.message} == {
                fault.rule for fault in expected.faults
            }
    else:
        assert not isinstance(expected, Faults), str(expected)
        assert content(answer) == content(expected.object)


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.title)
def test_every_example_of_a_rule(server: DryRun, example: Example) -> None:
    answer = server.create(example.kind, with_changes(example.kind, example.changes))
    if example.broken_at is None:
        assert not isinstance(answer, Refusal), answer.message
    else:
        assert isinstance(answer, Refusal)
        assert f"{example.broken_at}: Invalid value" in answer.message
        assert MESSAGES[example.rule] in answer.message


@KINDS
async def test_every_documented_field_is_stored(api: ApiClient, namespace: str, kind: Kind) -> None:
    where = namespace if kind.namespaced else ""
    full = {**FULL[kind], "metadata": {"name": namespace, **({"namespace": where} if where else {})}}
    resource = f"{kind.api_version}/{kind.plural}"
    await api.create(full)
    try:
        await api.merge(resource, namespace, where, {"status": full["status"]}, "status")
        stored = content(await api.get(resource, namespace, where))
        assert stored["spec"] == full["spec"]
        given = {name: value for name, value in full["status"].items() if value is not None}
        assert stored["status"] == given
    finally:
        await api.delete(resource, namespace, where)


@KINDS
async def test_statuses(server: DryRun, api: ApiClient, kind: Kind) -> None:
    resource, where = f"{kind.api_version}/{kind.plural}", "default" if kind.namespaced else ""
    name = f"statuses-of-{kind.name.lower()}"
    await api.apply(manifest(kind, name=name))
    there = await api.get(resource, name, where)

    @settings(THOROUGHLY, max_examples=50)
    @given(statuses(kind))
    def check(status: Object) -> None:
        answer = server.replace_status(kind, {**there, "status": status})
        expected = admit(kind, {**manifest(kind), "status": status})
        assert not isinstance(answer, Refusal), answer.message
        assert not isinstance(expected, Faults), str(expected)
        assert answer["status"] == expected.object["status"]

    try:
        check()
    finally:
        await api.delete(resource, name, where)


@KINDS
def test_well_formed_objects(server: DryRun, kind: Kind) -> None:
    @THOROUGHLY
    @given(well_formed(kind))
    def check(object: Object) -> None:
        agree(server, kind, object)

    check()


@KINDS
def test_objects_with_mistakes(server: DryRun, kind: Kind) -> None:
    @THOROUGHLY
    @given(objects(kind))
    def check(object: Object) -> None:
        agree(server, kind, object)

    check()
