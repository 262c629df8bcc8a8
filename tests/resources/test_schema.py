"""What an API server would make of an object: unknown fields go, defaults come, mistakes are told."""

import copy

import pytest

from adapters.cluster import Kind
from adapters.resources.faults import Faults
from adapters.resources.kinds import CONFIG_MAP, EXTERNAL_SECRET, OUR_KINDS, PUSH_SECRET, SECRET_STORE
from adapters.resources.schema import Admitted, admit
from tests.resources.full_manifests import FULL
from tests.resources.manifests import manifest, with_changes


def admitted(kind: Kind, changes: dict[str, object]) -> Admitted:
    answer = admit(kind, with_changes(kind, changes))
    assert isinstance(answer, Admitted), str(answer)
    return answer


@pytest.mark.parametrize("kind", OUR_KINDS, ids=lambda kind: kind.name)
def test_every_documented_field_is_kept(kind: Kind) -> None:
    answer = admit(kind, FULL[kind])
    assert isinstance(answer, Admitted), str(answer)
    assert answer.unknown == ()
    assert answer.object == FULL[kind], "nothing lost, and every default was written out"


def test_unknown_fields_are_dropped_and_told() -> None:
    answer = admitted(
        EXTERNAL_SECRET, {"spec.target": {"nmae": "a"}, "spec.data[0].remoteRef.porperty": "b", "extra": 1}
    )
    assert set(answer.unknown) == {"spec.target.nmae", "spec.data[0].remoteRef.porperty", "extra"}
    assert "nmae" not in answer.object["spec"]["target"]


def test_a_provider_keeps_what_only_its_own_controller_knows() -> None:
    provider = {"vault": {"server": "https://vault", "auth": {"nested": [{"deep": None}]}}}
    answer = admitted(SECRET_STORE, {"spec.provider": provider})
    assert (answer.object["spec"]["provider"], answer.unknown) == (provider, ())


def test_a_provider_is_exactly_one() -> None:
    both = with_changes(SECRET_STORE, {"spec.provider.vault": {}})
    answer = admit(SECRET_STORE, both)
    assert isinstance(answer, Faults)
    assert str(answer) == "spec.provider: must have at most 1 fields, not 2"
    assert isinstance(admit(SECRET_STORE, with_changes(SECRET_STORE, {"spec.provider": {}})), Faults)


def test_free_form_metadata_of_a_push_stays_as_it_is() -> None:
    entry = {"match": {"remoteRef": {"remoteKey": "A"}}, "metadata": {"any": [1, {"thing": None}]}}
    answer = admitted(PUSH_SECRET, {"spec.data": [entry]})
    assert answer.object["spec"]["data"][0]["metadata"] == entry["metadata"]


def test_nulls_are_dropped_or_replaced_by_the_default() -> None:
    object = manifest(EXTERNAL_SECRET)
    object["spec"] |= {
        "refreshInterval": None,
        "secretStoreRef": None,
        "target": {"name": None, "creationPolicy": None},
    }
    answer = admit(EXTERNAL_SECRET, object)
    assert isinstance(answer, Admitted)
    assert answer.object["spec"]["refreshInterval"] == "1h0m0s"
    assert "secretStoreRef" not in answer.object["spec"]
    assert answer.object["spec"]["target"] == {"creationPolicy": "Owner", "deletionPolicy": "Retain"}


def test_the_object_given_is_left_as_it_is() -> None:
    object = with_changes(EXTERNAL_SECRET, {"spec.unknown": 1})
    before = copy.deepcopy(object)
    admit(EXTERNAL_SECRET, object)
    assert object == before


def test_other_kinds_are_not_its_matter() -> None:
    object = {"kind": "ConfigMap", "data": {"a": "b"}}
    answer = admit(CONFIG_MAP, object)
    assert isinstance(answer, Admitted)
    assert answer.object == object


def test_what_was_admitted_is_not_shown() -> None:
    assert "my-project" not in repr(admit(SECRET_STORE, manifest(SECRET_STORE)))
