"""Where and on whose behalf a session reads and writes at Infisical."""

from adapters.infisical.places import Place
from adapters.infisical.readings import Reader
from machines.names import FolderPath
from reconciler.payload import Session


def reader_of(session: Session) -> Reader:
    """On whose behalf; only asked while a lease is held."""
    assert session.client is not None
    assert session.lease is not None
    assert session.connection is not None
    return Reader(session.client, session.lease, session.connection.retry)


def place_of(session: Session, folder: str) -> Place:
    """A normalised folder of the session's project and environment."""
    assert session.project is not None
    assert session.connection is not None
    return Place(session.project, session.connection.scope.environment_slug, FolderPath(folder))
