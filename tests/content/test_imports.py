import random

import pytest

from reconciler.content.find import Candidate
from reconciler.content.imports import (
    Duplicate,
    ImportBlock,
    ListedSecret,
    Listing,
    own_secrets,
    read_listing,
    values_of_folder,
)
from reconciler.content.values import HIDDEN, Hidden, Value


def secret(
    name: str,
    text: str,
    path: str | None = None,
    version: int = 1,
    updated_at: str = "",
    secret_type: str = "shared",
    hidden: bool = False,
) -> ListedSecret:
    return ListedSecret(name, Value.of_text(text), path, version, updated_at, secret_type, hidden)


def block(path: str, *secrets: ListedSecret) -> ImportBlock:
    return ImportBlock(path, "staging", secrets)


def texts(values: dict[str, Value | Hidden]) -> dict[str, str]:
    return {
        name: "denied" if isinstance(value, Hidden) else value.reveal().decode()
        for name, value in values.items()
    }


SHARED = block(
    "/shared",
    secret("ONLY_SHARED", "from-shared"),
    secret("BOTH", "from-shared"),
    secret("PLAIN", "import-must-not-win"),
    secret("ONLY_DEEPER", "from-deeper"),
    secret("ONLY_SHARED", "deeper-must-not-win"),
)
EXTRA = block("/extra", secret("ONLY_EXTRA", "from-extra"), secret("BOTH", "from-extra"))
OWN = [secret("OWN", "own-value", "/importer"), secret("PLAIN", "own-wins", "/importer")]


@pytest.mark.statement("S47")
@pytest.mark.statement("S48")
@pytest.mark.statement("S49")
def test_own_secrets_win_then_the_last_block_then_the_first_in_a_block() -> None:
    listing = read_listing(OWN, [SHARED, EXTRA], folder="/importer", recursive=False)
    assert texts(values_of_folder(listing, "/importer")) == {
        "OWN": "own-value",
        "PLAIN": "own-wins",
        "ONLY_SHARED": "from-shared",
        "BOTH": "from-extra",
        "ONLY_EXTRA": "from-extra",
        "ONLY_DEEPER": "from-deeper",
    }
    assert listing.duplicates == ()


def test_only_shared_secrets_count() -> None:
    own = [secret("A", "mine", "/", 9, secret_type="personal"), secret("A", "ours", "/")]
    blocks = [block("/x", secret("B", "mine", secret_type="personal"), secret("B", "ours"))]
    listing = read_listing(own, blocks, folder="/", recursive=False)
    assert texts(values_of_folder(listing, "/")) == {"A": "ours", "B": "ours"}
    assert listing.duplicates == ()


def test_of_duplicates_the_highest_version_counts_then_the_latest_update_in_any_order() -> None:
    rivals = [
        secret("A", "old", "/", 1, "2026-01-03T00:00:00.000Z"),
        secret("A", "older update", "/", 2, "2026-01-01T00:00:00.000Z"),
        secret("A", "newest", "/", 2, "2026-01-02T00:00:00.000Z"),
        secret("B", "alone", "/"),
    ]
    for seed in range(6):
        random.Random(seed).shuffle(rivals)
        listing = read_listing(rivals, [], folder="/", recursive=False)
        assert texts(values_of_folder(listing, "/")) == {"A": "newest", "B": "alone"}
        assert listing.duplicates == (Duplicate("A", "/"),)


def test_a_denied_value_is_denied_and_no_import_takes_its_place() -> None:
    own = [secret("A", "<placeholder>", "/", hidden=True)]
    blocks = [block("/x", secret("A", "imported"), secret("B", "<placeholder>", hidden=True))]
    listing = read_listing(own, blocks, folder="/", recursive=False)
    assert values_of_folder(listing, "/") == {"A": HIDDEN, "B": HIDDEN}


@pytest.mark.statement("S85")
def test_recursion_by_text_prefix_is_set_right_by_the_real_paths() -> None:
    secrets = [secret("A", "1", "/app"), secret("B", "2", "/app/nested"), secret("C", "3", "/app2")]
    candidates, _ = own_secrets(secrets, folder="/app", recursive=True)
    assert [(candidate.name, candidate.path) for candidate in candidates] == [
        ("A", "/app"),
        ("B", "/app/nested"),
    ]
    candidates, _ = own_secrets(secrets, folder="/app/", recursive=False)
    assert [(candidate.name, candidate.path) for candidate in candidates] == [("A", "/app")]


def test_a_secret_without_a_path_lies_in_the_folder_that_was_listed() -> None:
    candidates, _ = own_secrets([secret("A", "1")], folder="app", recursive=False)
    assert candidates == [Candidate("A", "/app", Value.of_text("1"))]


def test_a_recursive_listing_keeps_an_import_beside_an_own_secret_of_its_name() -> None:
    listing = read_listing(
        [secret("A", "1", "/sub")], [block("/x", secret("A", "2"))], folder="/", recursive=True
    )
    assert listing == Listing(
        (Candidate("A", "/sub", Value.of_text("1")), Candidate("A", None, Value.of_text("2"))), ()
    )
    assert texts(values_of_folder(listing, "/")) == {"A": "2"}
