"""All machines, by the names that journals call them by."""

from typing import Any

from machines.external_secret import EXTERNAL_SECRET
from machines.kernel import Definition
from machines.push_secret import PUSH_SECRET
from machines.secret_store import SECRET_STORE
from machines.unsupported import UNSUPPORTED

MACHINES: dict[str, Definition[Any]] = {
    definition.name: definition for definition in (EXTERNAL_SECRET, PUSH_SECRET, SECRET_STORE, UNSUPPORTED)
}
