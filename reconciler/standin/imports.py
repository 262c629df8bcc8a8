"""What a folder imports, as blocks: one for each import, with what the imported folder imports itself."""

import msgspec

from reconciler.standin.access import Access, Action
from reconciler.standin.model import Folder, Import, Secret
from reconciler.standin.project import Project

_DEPTH = 10


class Imported(msgspec.Struct, frozen=True):
    """A secret and the folder that it is in."""

    secret: Secret
    folder: Folder


class Block(msgspec.Struct, frozen=True):
    """All that comes by one import; of a name that comes twice, the first alone."""

    source: Folder
    secrets: tuple[Imported, ...]


def blocks(project: Project, folder: Folder, access: Access, action: Action) -> list[Block]:
    """The blocks of a folder's imports in their order, without what the reader has no right for."""
    found = []
    for link in folder.imports:
        source = project.folder(link.environment, link.path)
        if source is None or not access.may(action, link.environment, link.path):
            continue
        secrets: dict[str, Imported] = {}
        for imported in _gather(project, link, _DEPTH):
            place = imported.folder
            key = imported.secret.content.key
            if access.may(action, place.environment, place.path, key):
                secrets.setdefault(key, imported)
        found.append(Block(source, tuple(secrets.values())))
    return found


def _gather(project: Project, link: Import, depth: int) -> list[Imported]:
    folder = project.folder(link.environment, link.path)
    if folder is None or depth == 0:
        return []
    own = [Imported(secret, folder) for secret in folder.secrets if secret.owner is None]
    below = [found for inner in folder.imports for found in _gather(project, inner, depth - 1)]
    return own + below


def find_imported(
    project: Project, folder: Folder, access: Access, action: Action, key: str
) -> Imported | None:
    """The secret of that name that a single read takes: of the last block that has it."""
    for block in reversed(blocks(project, folder, access, action)):
        for imported in block.secrets:
            if imported.secret.content.key == key:
                return imported
    return None
