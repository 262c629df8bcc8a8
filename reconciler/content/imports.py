"""What a list answer says about each name: own secrets, imports, duplicates and denied values, by the server's rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from adapters.infisical.answers import Listing, RemoteSecret
from reconciler.content.find import Candidate
from reconciler.content.keys import is_within, normalise_folder
from reconciler.content.values import HIDDEN, Hidden, Value


class Duplicate(msgspec.Struct, frozen=True):
    """One name that stands more than once in one folder."""

    name: str
    path: str


class ListingContent(msgspec.Struct, frozen=True):
    """What a list answer comes down to: at most one candidate for a name and folder, at most one imported for a name.

    Own secrets come first. An imported secret whose name the folder itself has is left out when the listing covers
    that folder alone; a recursive one does not say which folder imports it, so it is kept.
    """

    candidates: tuple[Candidate, ...]
    duplicates: tuple[Duplicate, ...]


def value_of(secret: RemoteSecret) -> Value | Hidden:
    """The value of a secret, or what stands for one that the identity may not see."""
    return HIDDEN if secret.value is None else Value.of_text(secret.value.reveal())


def own_secrets(
    secrets: Iterable[RemoteSecret], *, folder: str, recursive: bool
) -> tuple[list[Candidate], list[Duplicate]]:
    """The secrets that really lie in a folder (with `recursive` also below it), one for each name and folder.

    Of duplicates the one with the highest version counts, then the latest update (a server writes its times so that
    texts compare as times do). Older servers take folders by text prefix when they recurse (`/app` brings `/app2`):
    a secret's own path decides; one without a path lies in the folder itself.
    """
    top = normalise_folder(folder)
    best: dict[tuple[str, str], RemoteSecret] = {}
    duplicates: dict[tuple[str, str], Duplicate] = {}
    for secret in secrets:
        path = top if secret.path is None else normalise_folder(secret.path)
        if path != top and not (recursive and is_within(top, path)):
            continue
        place = (secret.name, path)
        rival = best.get(place)
        if rival is not None:
            duplicates[place] = Duplicate(secret.name, path)
        if rival is None or (secret.version, secret.updated) > (rival.version, rival.updated):
            best[place] = secret
    candidates = [Candidate(name, path, value_of(secret)) for (name, path), secret in best.items()]
    return candidates, list(duplicates.values())


def imported_secrets(blocks: Sequence[Sequence[RemoteSecret]]) -> dict[str, RemoteSecret]:
    """The secret that imports give to each name: the last block's that has it, in a block the first of that name."""
    winners: dict[str, RemoteSecret] = {}
    for block in reversed(blocks):
        for secret in block:
            winners.setdefault(secret.name, secret)
    return winners


def read_listing(listing: Listing, *, folder: str, recursive: bool) -> ListingContent:
    """Everything that a list answer says, so that it agrees with single reads of the same names."""
    own, duplicates = own_secrets(listing.own, folder=folder, recursive=recursive)
    taken = set() if recursive else {candidate.name for candidate in own}
    imported = [
        Candidate(name, None, value_of(secret))
        for name, secret in imported_secrets(listing.blocks).items()
        if name not in taken
    ]
    return ListingContent(tuple(own + imported), tuple(duplicates))


def values_of_folder(content: ListingContent, folder: str) -> dict[str, Value | Hidden]:
    """What each name of one folder reads as, imports included; for a listing of that folder alone."""
    top = normalise_folder(folder)
    values: dict[str, Value | Hidden] = {}
    for candidate in content.candidates:
        if candidate.path is None or candidate.path == top:
            values.setdefault(candidate.name, candidate.value)
    return values
