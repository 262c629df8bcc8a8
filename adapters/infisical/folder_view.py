"""What a listing says about a folder: its own secrets and what it imports brought into one view, purely.

The rules are the server's, as its single reads follow them, so that a listing and a single read of one key give the
same value: the folder's own secrets win; among imports the last block is looked at first, and in a block the first
secret of a name. Of two secrets with one name in one folder (nothing on the server prevents them) the one with the
highest version counts, then the one changed last.
"""

from collections.abc import Container, Iterable, Mapping
from functools import cached_property

import msgspec

from adapters.infisical.answers import Listing, RemoteSecret
from adapters.infisical.places import is_below
from adapters.infisical.secret_text import SecretText


class Entry(msgspec.Struct, frozen=True):
    """A secret of the view. `value` is None where the identity may not see it; `folder` is None for an imported
    one, which has no path of its own."""

    name: str
    value: SecretText | None
    folder: str | None

    def __repr__(self) -> str:
        return f"<Entry {self.name}>"


class FolderView(msgspec.Struct, frozen=True, dict=True):
    """Entries in the order of folder and name, imported ones last; each folder has a name once. `twice`: names
    that a folder had more than once."""

    entries: tuple[Entry, ...]
    twice: frozenset[str] = frozenset()

    def entry(self, name: str) -> Entry | None:
        """The entry of this name. Of several folders: the first one."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, Entry]:
        return {entry.name: entry for entry in reversed(self.entries)}

    def with_imports(self, values: Mapping[str, SecretText | None], absent: Container[str]) -> "FolderView":
        """The same view with other values of imported entries, and without those that turned out to be absent."""
        kept = (
            Entry(entry.name, values.get(entry.name, entry.value), None) if entry.folder is None else entry
            for entry in self.entries
            if entry.folder is not None or entry.name not in absent
        )
        return FolderView(tuple(kept), self.twice)

    def __repr__(self) -> str:
        return f"<FolderView of {len(self.entries)}>"


def folder_view(listing: Listing, folder: str, *, recursive: bool = False) -> FolderView:
    """The view of `folder`; `recursive`: and of the folders below it.

    Which folder an import block belongs to is not known in a recursive listing, so that any folder's own secret of
    the same name wins.
    """
    own: dict[tuple[str, str], RemoteSecret] = {}
    twice = set()
    for secret in listing.own:
        place = _folder_of(secret, folder)
        if recursive and not is_below(place, folder):
            continue  # servers of 2024 take folders by the prefix of their text
        former = own.get((place, secret.name))
        if former is not None:
            twice.add(secret.name)
        if former is None or _age(secret) > _age(former):
            own[place, secret.name] = secret
    names = {name for _, name in own}
    entries = [Entry(name, secret.value, place) for (place, name), secret in sorted(own.items(), key=_place)]
    imported = _imported(listing.blocks)
    entries += [
        Entry(name, secret.value, None) for name, secret in sorted(imported.items()) if name not in names
    ]
    return FolderView(tuple(entries), frozenset(twice))


def _imported(blocks: Iterable[Iterable[RemoteSecret]]) -> dict[str, RemoteSecret]:
    found: dict[str, RemoteSecret] = {}
    for block in reversed(list(blocks)):
        for secret in block:
            found.setdefault(secret.name, secret)
    return found


def _folder_of(secret: RemoteSecret, listed: str) -> str:
    if not secret.path:
        return listed
    return secret.path.rstrip("/") or "/"


def _age(secret: RemoteSecret) -> tuple[float, str]:
    return secret.version, secret.updated


def _place(item: tuple[tuple[str, str], RemoteSecret]) -> tuple[str, str]:
    return item[0]
