"""What is read: a project, an environment in it, a folder, and how its secrets shall be shown."""

import msgspec

from machines.names import FolderPath, RemoteName

LONGEST_IN_PATH = 100  # characters; a longer name gets the answer of a missing route
ABSENT_NAME = RemoteName(
    "INFISICAL_RECONCILER_PROBE"
)  # what is asked for to see whether a folder can be read


class Project(msgspec.Struct, frozen=True):
    """A project. `environments`: slugs, where the server told them. `by_slug`: its slug has a form that the
    project routes refuse, so that it has no known ID and is named by its slug, which v3 routes take. `slug`: by which
    it was found; servers of 2024 want it for batches."""

    id: str
    environments: frozenset[str] | None = None
    by_slug: bool = False
    slug: str | None = None


class Place(msgspec.Struct, frozen=True):
    """A folder of an environment (named by its slug)."""

    project: Project
    environment: str
    folder: FolderPath


class View(msgspec.Struct, frozen=True):
    """How secrets are shown: references expanded or as stored, with what the folder imports or without."""

    expand: bool = True
    imports: bool = True


def judged_by_list(name: str) -> bool:
    """Whether a name cannot be asked for singly, because it cannot stand in a path."""
    return len(name.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST_IN_PATH or name in ("", ".", "..")


def is_below(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or a folder below it, by whole segments."""
    root = folder.rstrip("/")
    return path.rstrip("/") == root or path.startswith(root + "/")
