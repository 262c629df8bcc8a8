import copy
import pickle

import pytest

from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.find import Candidate
from reconciler.content.values import Value, reveal_all

SECRET = "correct horse"


def test_no_ordinary_way_of_showing_a_value_shows_its_content() -> None:
    value = Value.of_text(SECRET)
    for shown in (
        repr(value),
        str(value),
        f"{value}",
        f"{value:>20}",
        f"{value} {value!r}",
        repr({"A": value}),
    ):
        assert SECRET not in shown
    assert SECRET not in repr(Candidate("A", "/", value))
    assert not hasattr(value, "__dict__")


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_value_is_not_pickled_and_not_copied(take: object) -> None:
    assert callable(take)
    with pytest.raises(TypeError, match="cannot be pickled") as caught:
        take(Value.of_text(SECRET))
    assert SECRET not in str(caught.value)


def test_values_are_compared_by_their_content_and_revealed_on_purpose() -> None:
    assert Value.of_text("ü") == Value("ü".encode())
    assert Value(b"a") != Value(b"b")
    assert Value(b"a") != b"a"
    assert len({Value(b"a"), Value(b"a")}) == 1
    assert reveal_all({"A": Value(b"a")}) == {"A": b"a"}


def test_a_fault_tells_kind_and_names() -> None:
    fault = ContentFault(FaultKind.PROPERTY_ABSENT, key="FOO", property_path="a.b")
    assert str(fault) == "property-absent: key 'FOO', property 'a.b'"
    assert str(ContentFault(FaultKind.FIND_TAGS)) == "find-tags"
