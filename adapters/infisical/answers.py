"""What a server says when it says yes: bodies parsed, tolerant of fields that are new or that an older server lacks.

An answer that does not have the expected shape is `None`: no Infisical server gave it.
"""

from typing import Final, TypeVar

import msgspec

from adapters.infisical.secret_text import SecretText
from adapters.infisical.transport import Answer

Shape = TypeVar("Shape")


class LoginBody(msgspec.Struct, frozen=True, rename="camel"):
    """Seconds in `expires_in`; 0: never."""

    access_token: str
    expires_in: float = 0

    def __repr__(self) -> str:
        return "<LoginBody>"


class EnvironmentBody(msgspec.Struct, frozen=True):
    slug: str


class ProjectBody(msgspec.Struct, frozen=True):
    """A project, as the routes answer it, bare or as `project` or `workspace`."""

    id: str | None = None
    environments: list[EnvironmentBody] | None = None
    project: "ProjectBody | None" = None
    workspace: "ProjectBody | None" = None


class SecretBody(msgspec.Struct, frozen=True, rename="camel"):
    """One secret. `secret_value_hidden` is absent (None) on servers that know no hidden values."""

    secret_key: str
    secret_value: str | None = None
    secret_path: str | None = None
    type: str = "shared"
    version: float | None = None
    updated_at: str | None = None
    secret_value_hidden: bool | None = None

    def __repr__(self) -> str:
        return f"<SecretBody {self.secret_key}>"


class ImportBody(msgspec.Struct, frozen=True, rename="camel"):
    """The secrets of one imported folder, in the server's order."""

    secrets: list[SecretBody] = []

    def __repr__(self) -> str:
        return f"<ImportBody of {len(self.secrets)}>"


class ListBody(msgspec.Struct, frozen=True):
    secrets: list[SecretBody]
    imports: list[ImportBody] | None = None

    def __repr__(self) -> str:
        return f"<ListBody of {len(self.secrets)}>"


class OneBody(msgspec.Struct, frozen=True):
    secret: SecretBody

    def __repr__(self) -> str:
        return "<OneBody>"


class RemoteSecret(msgspec.Struct, frozen=True):
    """A shared secret as a server told it. `value` is None where the identity may not see it."""

    name: str
    value: SecretText | None
    path: str | None = None  # its folder; older servers, and all in import blocks, leave it out
    version: float = 0
    updated: str = ""
    tells_hidden: bool = False  # the server knows hidden values: of 2025 or later

    def __repr__(self) -> str:
        return f"<RemoteSecret {self.name}>"


class Listing(msgspec.Struct, frozen=True):
    """A folder's own secrets, and those of each of its import blocks, as the server ordered them."""

    own: tuple[RemoteSecret, ...]
    blocks: tuple[tuple[RemoteSecret, ...], ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing at all was listed."""
        return not self.own and not any(self.blocks)

    def __repr__(self) -> str:
        return f"<Listing of {len(self.own)} and {len(self.blocks)} blocks>"


def decoded(answer: Answer, shape: type[Shape]) -> Shape | None:
    """The body as `shape`, or None where it has not that form."""
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


_SHARED: Final = "shared"


def remote_secret(body: SecretBody) -> RemoteSecret:
    """One secret, with no value where it is hidden."""
    hidden = body.secret_value_hidden or body.secret_value is None
    return RemoteSecret(
        name=body.secret_key,
        value=None if hidden else SecretText(body.secret_value or ""),
        path=body.secret_path,
        version=body.version or 0,
        updated=body.updated_at or "",
        tells_hidden=body.secret_value_hidden is not None,
    )


def _shared(bodies: list[SecretBody]) -> tuple[RemoteSecret, ...]:
    return tuple(remote_secret(body) for body in bodies if body.type == _SHARED)


def listing(body: ListBody) -> Listing:
    """The shared secrets of a list."""
    return Listing(
        own=_shared(body.secrets), blocks=tuple(_shared(block.secrets) for block in body.imports or [])
    )


def project_of(body: ProjectBody) -> ProjectBody | None:
    """The object that holds the ID, wherever the route put it."""
    for candidate in (body, body.project, body.workspace):
        if candidate is not None and candidate.id:
            return candidate
    return None
