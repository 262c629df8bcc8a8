"""What an Infisical server holds of a project: environments, folders, secrets with their versions, imports, policies.

Plain state without rules: who may do what, and what a request is answered, is decided elsewhere. No repr shows a value.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import msgspec

_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def trimmed(text: str) -> str:
    """The text without the white space at its ends, as JavaScript understands white space."""
    return text.strip(_SPACE)


def stored(value: str) -> str:
    """What the server keeps of a value: trimmed, but for one final line break if there was one."""
    return trimmed(value) + ("\n" if value.endswith("\n") else "")


def without_final_slash(path: str) -> str:
    """Trailing slashes of a folder's path do not matter."""
    return path if path == "/" else path.rstrip("/") or ("/" if path else "")


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a secret."""

    key: str
    value: str
    version: int
    comment: str = ""
    skip_multiline_encoding: bool = False
    tags: tuple[str, ...] = ()
    updated_at: float = 0.0

    def __repr__(self) -> str:
        return f"<Content of {self.key}, version {self.version}>"


@dataclass(repr=False)
class Secret:
    """A secret: its present content and those before. `owner` is the person whose own it is; None: shared."""

    id: str
    content: Content
    owner: str | None = None
    created_at: float = 0.0
    earlier: list[Content] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<Secret {self.content.key}>"

    def put(self, content: Content) -> None:
        """Make `content` the present version."""
        self.earlier.append(self.content)
        self.content = content

    def at(self, version: int) -> Content | None:
        """The content of that version, if there was one."""
        return next((c for c in (*self.earlier, self.content) if c.version == version), None)


@dataclass(frozen=True)
class Import:
    """A folder that another one imports."""

    environment: str
    path: str


@dataclass
class Folder:
    """A folder of one environment. Nothing keeps names unique, as on the real server."""

    id: str
    environment: str
    path: str
    secrets: list[Secret] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)

    def named(self, key: str, owner: str | None = None) -> Secret | None:
        """The shared secret of that name, or with `owner` that person's own."""
        return next((s for s in self.secrets if s.content.key == key and s.owner == owner), None)


@dataclass
class Environment:
    """An environment and its folders by path; the root folder is always there."""

    id: str
    slug: str
    name: str
    folders: dict[str, Folder]


@dataclass
class ChangePolicy:
    """Changes in matching folders of an environment wait for a person. `path` is a pattern."""

    environment: str
    path: str = "*"
    machines_pass: bool = False

    def covers(self, environment: str, path: str) -> bool:
        """Whether a change there has to wait."""
        return environment == self.environment and fnmatchcase(path, self.path)


@dataclass
class Approval:
    """A change that waits for a person. `merge` carries it out."""

    id: str
    environment: str
    path: str
    keys: tuple[str, ...]
    merge: Callable[[], None] = field(repr=False)
    merged: bool = False


@dataclass
class Webhook:
    """Where a project announces changes of a folder. `path` is a pattern."""

    id: str
    environment: str
    path: str
    url: str
    key: str = field(default="", repr=False)

    def covers(self, environment: str, path: str) -> bool:
        """Whether a change there is announced here."""
        return environment == self.environment and fnmatchcase(path, self.path)


def folders_below(environment: Environment, path: str, by_text: bool = False) -> Iterator[Folder]:
    """The folder and all below it; `by_text`: all whose path begins with the same characters."""
    prefix = path if by_text or path == "/" else f"{path}/"
    for folder in environment.folders.values():
        if folder.path == path or folder.path.startswith(prefix):
            yield folder
