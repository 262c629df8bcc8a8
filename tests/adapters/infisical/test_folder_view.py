"""One view of a folder, as the server's single reads see it."""

from adapters.infisical.answers import Listing, RemoteSecret
from adapters.infisical.folder_view import Entry, folder_view
from adapters.infisical.secret_text import SecretText


def secret(
    name: str, value: str | None = "v", path: str | None = None, version: int = 1, updated: str = ""
) -> RemoteSecret:
    return RemoteSecret(name, SecretText(value) if value is not None else None, path, version, updated)


def view(
    listing: Listing, folder: str = "/", recursive: bool = False
) -> list[tuple[str, str | None, str | None]]:
    return [
        (entry.name, entry.value.reveal() if entry.value else None, entry.folder)
        for entry in folder_view(listing, folder, recursive=recursive).entries
    ]


def test_own_secrets_win_then_the_last_block_then_the_first_in_a_block() -> None:
    listing = Listing(
        own=(secret("OWN", "own"),),
        blocks=(
            (secret("OWN", "loses"), secret("BOTH", "first block"), secret("FIRST", "1")),
            (secret("BOTH", "last block"), secret("BOTH", "of an import of that import")),
        ),
    )
    assert view(listing) == [
        ("OWN", "own", "/"),
        ("BOTH", "last block", None),
        ("FIRST", "1", None),
    ]


def test_of_two_with_one_name_the_highest_version_and_then_the_latest_counts() -> None:
    listing = Listing(
        own=(
            secret("A", "2", version=2, updated="2024-01-01T00:00:00.000Z"),
            secret("A", "10", version=10, updated="2023-01-01T00:00:00.000Z"),
            secret("B", "late", version=1, updated="2024-01-02T00:00:00.000Z"),
            secret("B", "early", version=1, updated="2024-01-01T00:00:00.000Z"),
            secret("C", "c"),
        )
    )
    assert view(listing) == [("A", "10", "/"), ("B", "late", "/"), ("C", "c", "/")]
    assert folder_view(listing, "/").twice == {"A", "B"}


def test_a_hidden_value_hides_and_is_not_replaced_by_an_import() -> None:
    listing = Listing(own=(secret("A", None),), blocks=((secret("A", "imported"),),))
    assert view(listing) == [("A", None, "/")]


def test_each_folder_of_a_recursive_listing_keeps_its_own() -> None:
    listing = Listing(
        own=(
            secret("A", "deep", "/app/below"),
            secret("A", "app", "/app/"),
            secret("A", "other folder", "/app2"),
            secret("A", "elsewhere", "/"),
        ),
        blocks=((secret("A", "imported"), secret("B", "imported")),),
    )
    assert view(listing, "/app", recursive=True) == [
        ("A", "app", "/app"),
        ("A", "deep", "/app/below"),
        ("B", "imported", None),
    ]
    assert view(Listing(own=(secret("A", "v", "/x"),)), "/", recursive=True) == [("A", "v", "/x")]


def test_nothing_shows_a_value() -> None:
    whole = folder_view(Listing(own=(secret("A", "hidden treasure"),)), "/")
    shown = f"{whole!r} {whole.entries!r} {secret('A', 'hidden treasure')!r} {whole.entry('A')!r}"
    assert "treasure" not in shown
    assert isinstance(whole.entry("A"), Entry)
    assert whole.entry("B") is None
