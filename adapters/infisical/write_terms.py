"""The terms of a write: what is wanted of one remote secret, and what can come of it."""

import enum

import msgspec

from adapters.infisical.failures import SecretsFailure
from adapters.infisical.refusals import Meaning
from adapters.infisical.secret_text import SecretText
from machines.names import RemoteName


class WriteKind(enum.Enum):
    """What is done to a secret. In this order, so that what a value refers to is there before it."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Write(msgspec.Struct, frozen=True):
    """One secret as it shall be: `value` for a creation or an update, none for a deletion.

    `onto_nothing`: of a creation whose value was made for a place where nothing is. What turns out to be there already
    is left as it is: it may be somebody else's, or hold what the value lacks.
    """

    kind: WriteKind
    name: RemoteName
    value: SecretText | None = None
    onto_nothing: bool = False

    def __repr__(self) -> str:
        return f"<Write {self.kind.value} {self.name}>"


class Stored(msgspec.Struct, frozen=True):
    """It is as wanted now. Of a deletion: it is not there (any more)."""


class Pending(msgspec.Struct, frozen=True):
    """A change policy holds it: it waits for a person."""


class Refused(msgspec.Struct, frozen=True):
    """Nothing of the request was done, as far as is known. `meaning` is None where the server did not say no."""

    failure: SecretsFailure
    meaning: Meaning | None = None


WriteResult = Stored | Pending | SecretsFailure
WriteAnswer = Stored | Pending | Refused
