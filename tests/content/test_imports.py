import random

import pytest

from adapters.infisical.answers import Listing, RemoteSecret
from adapters.infisical.secret_text import SecretText
from reconciler.content.find import Candidate
from reconciler.content.imports import Duplicate, ListingContent, own_secrets, read_listing, values_of_folder
from reconciler.content.values import HIDDEN, Hidden, Value


def secret(
    name: str, text: str | None, path: str | None = None, version: float = 1, updated: str = ""
) -> RemoteSecret:
    """A secret of a list answer; one without a text is hidden."""
    return RemoteSecret(name, None if text is None else SecretText(text), path, version, updated)


def texts(values: dict[str, Value | Hidden]) -> dict[str, str]:
    return {
        name: "denied" if isinstance(value, Hidden) else value.reveal().decode()
        for name, value in values.items()
    }


SHARED = (
    secret("ONLY_SHARED", "from-shared"),
    secret("BOTH", "from-shared"),
    secret("PLAIN", "import-must-not-win"),
    secret("ONLY_DEEPER", "from-deeper"),
    secret("ONLY_SHARED", "deeper-must-not-win"),
)
EXTRA = (secret("ONLY_EXTRA", "from-extra"), secret("BOTH", "from-extra"))
OWN = (secret("OWN", "own-value", "/importer"), secret("PLAIN", "own-wins", "/importer"))


@pytest.mark.statement("S47")
@pytest.mark.statement("S48")
@pytest.mark.statement("S49")
def test_own_secrets_win_then_the_last_block_then_the_first_in_a_block() -> None:
    content = read_listing(Listing(OWN, (SHARED, EXTRA)), folder="/importer", recursive=False)
    assert texts(values_of_folder(content, "/importer")) == {
        "OWN": "own-value",
        "PLAIN": "own-wins",
        "ONLY_SHARED": "from-shared",
        "BOTH": "from-extra",
        "ONLY_EXTRA": "from-extra",
        "ONLY_DEEPER": "from-deeper",
    }
    assert content.duplicates == ()


def test_of_duplicates_the_highest_version_counts_then_the_latest_update_in_any_order() -> None:
    rivals = [
        secret("A", "old", "/", 1, "2026-01-03T00:00:00.000Z"),
        secret("A", "older update", "/", 2, "2026-01-01T00:00:00.000Z"),
        secret("A", "newest", "/", 2, "2026-01-02T00:00:00.000Z"),
        secret("B", "alone", "/"),
    ]
    for seed in range(6):
        random.Random(seed).shuffle(rivals)
        content = read_listing(Listing(tuple(rivals)), folder="/", recursive=False)
        assert texts(values_of_folder(content, "/")) == {"A": "newest", "B": "alone"}
        assert content.duplicates == (Duplicate("A", "/"),)


def test_a_denied_value_is_denied_and_no_import_takes_its_place() -> None:
    listing = Listing((secret("A", None, "/"),), ((secret("A", "imported"), secret("B", None)),))
    content = read_listing(listing, folder="/", recursive=False)
    assert values_of_folder(content, "/") == {"A": HIDDEN, "B": HIDDEN}


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
    listing = Listing((secret("A", "1", "/sub"),), ((secret("A", "2"),),))
    content = read_listing(listing, folder="/", recursive=True)
    own, imported = Candidate("A", "/sub", Value.of_text("1")), Candidate("A", None, Value.of_text("2"))
    assert content == ListingContent((own, imported), ())
    assert texts(values_of_folder(content, "/")) == {"A": "2"}
