import pytest

from machines.names import FieldPath
from machines.outcomes import Fault, Invalid
from reconciler.content.faults import ContentFault, FaultKind, invalid


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_of_fault_is_one_that_a_machine_can_be_told(kind: FaultKind) -> None:
    assert isinstance(invalid(ContentFault(kind)).what, Fault)


def test_the_outcome_names_what_the_fault_names() -> None:
    fault = ContentFault(FaultKind.PROPERTY_ABSENT, key="/a/FOO", property_path="b.c")
    field = FieldPath("spec.data[0].remoteRef.property")
    outcome = invalid(fault, field)
    assert outcome == Invalid(what=Fault.NO_PROPERTY, field=field, key="/a/FOO", property="b.c")  # type: ignore[arg-type]  # a name is a text


def test_a_folder_at_fault_is_named_like_a_key() -> None:
    assert invalid(ContentFault(FaultKind.FIND_PATH_RELATIVE, path="a/b")).key == "a/b"


def test_a_name_that_no_outcome_can_carry_is_made_fit() -> None:
    outcome = invalid(ContentFault(FaultKind.KEY_INVALID, secret_key="a\nb" + "x" * 300))
    assert outcome.secret_key is not None
    assert outcome.secret_key.startswith("a\ufffdb")
    assert outcome.secret_key.endswith("x…")
