import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.content.hashes import created_by, data_hash, name_hash, synced_resource_version
from tests.content.go_program import Go


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"foo": b"value1", "bar": b"value2"}, "1bed8bcbcb4547ffe19a19cd47d9078e84aa6598266d86b99f992d64"),
        ({}, "74a974446e359fb3e6baff9bd0058950e6edd0f040888d9989b0a11b"),
    ],
)
def test_data_hash(data: dict[str, bytes], expected: str) -> None:
    assert data_hash(data) == expected


def test_created_by() -> None:
    assert created_by("default", "my-es") == "b8464376b5fe3535e690594280bfe59b60be2603cb6cbb6d6c8bcbb4"


def test_synced_resource_version_changes_with_generation_annotations_and_labels() -> None:
    expected = "3-6ee08b1e6308371322db46ffd6e44d85577c0ba431e835c152bee5bc"
    assert synced_resource_version(3, annotations={"b": "2", "a": "1"}, labels={"x": "y"}) == expected
    assert synced_resource_version(4, annotations={"b": "2", "a": "1"}, labels={"x": "y"}) != expected
    assert synced_resource_version(3, annotations={"b": "2", "a": "1"}, labels=None) != expected


def test_absent_and_empty_labels_hash_alike() -> None:
    bare = synced_resource_version(1, annotations=None, labels=None)
    assert bare == synced_resource_version(1, annotations={}, labels={})


def test_hashes_are_those_of_go(go: Go) -> None:
    names = st.text(max_size=8)

    @given(st.dictionaries(names, st.binary(max_size=8), max_size=5))
    def compare_data(data: dict[str, bytes]) -> None:
        assert data_hash(data) == go.hash_data(data)

    @given(st.dictionaries(names, names, max_size=4), st.dictionaries(names, names, max_size=4))
    def compare_metadata(annotations: dict[str, str], labels: dict[str, str]) -> None:
        version = synced_resource_version(7, annotations=annotations, labels=labels)
        assert version == f"7-{go.hash_metadata(annotations, labels)}"

    compare_data()
    compare_metadata()
    assert created_by("team", "app") == go.hash_text("team/app")
    assert name_hash("app") == go.hash_text("app")
