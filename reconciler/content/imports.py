"""What a list answer says about each name: own secrets, imports, duplicates and denied values, by the server's rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from reconciler.content.find import Candidate
from reconciler.content.keys import is_within, normalise_folder
from reconciler.content.values import HIDDEN, Hidden, Value

SHARED: Final = "shared"


class ListedSecret(msgspec.Struct, frozen=True):
    """One secret of a list answer, as parsed.

    `path` is its folder (None where the answer gives none: secrets of an import block), `updated_at` the server's own
    ISO 8601 text (UTC, so that texts compare as times), `hidden` that the value is a placeholder.
    """

    name: str
    value: Value
    path: str | None = None
    version: int = 0
    updated_at: str = ""
    type: str = SHARED
    hidden: bool = False


class ImportBlock(msgspec.Struct, frozen=True):
    """What one import of a folder brings along, in the server's order: the source's own secrets before its imports."""

    path: str
    environment: str
    secrets: tuple[ListedSecret, ...]


class Duplicate(msgspec.Struct, frozen=True):
    """One name that stands more than once in one folder."""

    name: str
    path: str


class Listing(msgspec.Struct, frozen=True):
    """What a list answer comes down to: at most one candidate for a name and folder, at most one imported for a name.

    Own secrets come first. An imported secret whose name one of the candidates' folders has too is left out when the
    listing covers one folder only; a recursive one does not say which folder imports it.
    """

    candidates: tuple[Candidate, ...]
    duplicates: tuple[Duplicate, ...]


def _content(secret: ListedSecret) -> Value | Hidden:
    return HIDDEN if secret.hidden else secret.value


def own_secrets(
    secrets: Iterable[ListedSecret], *, folder: str, recursive: bool
) -> tuple[list[Candidate], list[Duplicate]]:
    """The shared secrets that really lie in a folder (with `recursive` also below it), one for each name and folder.

    Of duplicates the one with the highest version counts, then the latest update. Older servers take folders by text
    prefix when they recurse (`/app` brings `/app2`): a secret's own path decides.
    """
    top = normalise_folder(folder)
    best: dict[tuple[str, str], ListedSecret] = {}
    duplicates: dict[tuple[str, str], Duplicate] = {}
    for secret in secrets:
        if secret.type != SHARED:
            continue
        path = top if secret.path is None else normalise_folder(secret.path)
        if path != top and not (recursive and is_within(top, path)):
            continue
        place = (secret.name, path)
        rival = best.get(place)
        if rival is not None:
            duplicates[place] = Duplicate(secret.name, path)
        if rival is None or (secret.version, secret.updated_at) > (rival.version, rival.updated_at):
            best[place] = secret
    candidates = [Candidate(name, path, _content(secret)) for (name, path), secret in best.items()]
    return candidates, list(duplicates.values())


def imported_secrets(blocks: Sequence[ImportBlock]) -> dict[str, Value | Hidden]:
    """The value that imports give to each name: the last block that has it, in a block the first secret of that name."""
    values: dict[str, Value | Hidden] = {}
    for block in reversed(blocks):
        for secret in block.secrets:
            if secret.type == SHARED:
                values.setdefault(secret.name, _content(secret))
    return values


def read_listing(
    secrets: Iterable[ListedSecret], blocks: Sequence[ImportBlock], *, folder: str, recursive: bool
) -> Listing:
    """Everything that a list answer says, so that it agrees with single reads of the same names."""
    own, duplicates = own_secrets(secrets, folder=folder, recursive=recursive)
    taken = set() if recursive else {candidate.name for candidate in own}
    imported = [
        Candidate(name, None, value) for name, value in imported_secrets(blocks).items() if name not in taken
    ]
    return Listing(tuple(own + imported), tuple(duplicates))


def values_of_folder(listing: Listing, folder: str) -> dict[str, Value | Hidden]:
    """What each name of one folder reads as, imports included; for a listing of that folder alone."""
    top = normalise_folder(folder)
    values: dict[str, Value | Hidden] = {}
    for candidate in listing.candidates:
        if candidate.path is None or candidate.path == top:
            values.setdefault(candidate.name, candidate.value)
    return values
