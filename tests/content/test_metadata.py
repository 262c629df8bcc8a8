import base64

import pytest

from reconciler.content.hashes import created_by, data_hash
from reconciler.content.metadata import Owner, desired_secret, field_manager
from reconciler.content.values import Value

OWNER = Owner("team", "my-es", "0d9a")


def test_an_owned_target_says_whose_it_is() -> None:
    secret = desired_secret(
        "target", {"A": Value(b"1")}, OWNER, owned=True, labels={"app": "x"}, annotations={"note": "y"}
    )
    assert secret == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "target",
            "namespace": "team",
            "labels": {
                "app": "x",
                "reconcile.external-secrets.io/managed": "true",
                "reconcile.external-secrets.io/created-by": created_by("team", "my-es"),
            },
            "annotations": {"note": "y", "reconcile.external-secrets.io/data-hash": data_hash({"A": b"1"})},
            "ownerReferences": [
                {
                    "apiVersion": "external-secrets.io/v1",
                    "kind": "ExternalSecret",
                    "name": "my-es",
                    "uid": "0d9a",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "type": "Opaque",
        "data": {"A": base64.b64encode(b"1").decode()},
    }


def test_a_target_that_is_not_owned_has_no_owner_but_is_managed() -> None:
    secret = desired_secret("target", {}, OWNER, owned=False, labels={}, annotations={}, immutable=True)
    assert secret["metadata"]["labels"] == {"reconcile.external-secrets.io/managed": "true"}
    assert "ownerReferences" not in secret["metadata"]
    assert secret["immutable"] is True


def test_the_data_hash_of_a_merged_target_covers_what_others_keep_in_it() -> None:
    secret = desired_secret(
        "target",
        {"A": Value(b"new")},
        OWNER,
        owned=False,
        labels={},
        annotations={},
        kept_data={"A": b"old", "B": b"theirs"},
    )
    expected = data_hash({"A": b"new", "B": b"theirs"})
    assert secret["metadata"]["annotations"]["reconcile.external-secrets.io/data-hash"] == expected
    assert list(secret["data"]) == ["A"]


@pytest.mark.parametrize("length", [1, 27])
def test_the_field_manager_names_the_resource(length: int) -> None:
    name = "n" * length
    assert field_manager(name) == f"externalsecrets.external-secrets.io/{name}"


def test_the_field_manager_of_a_long_name_is_hashed() -> None:
    manager = field_manager("n" * 28)
    assert manager.startswith("externalsecrets.external-secrets.io/sha3/")
    assert len(manager.rpartition("/")[2]) == 56
