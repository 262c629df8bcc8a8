"""The terms of a reading: on whose behalf, and what it can tell."""

from typing import Generic, NamedTuple, TypeVar

import msgspec

from adapters.infisical.client import Client
from adapters.infisical.exchange import Retry
from adapters.infisical.failures import SecretsFailure
from adapters.infisical.folder_view import FolderView
from adapters.infisical.leases import Lease
from adapters.infisical.secret_text import SecretText
from machines.outcomes import AbsentKey

ResultT = TypeVar("ResultT")
GATHERING = 0.005  # seconds for which a folder's reading or writing takes further wishes before it begins
KEEPING = 2.0  # seconds for which a finished reading serves those who may see the world as it was then


class Reader(msgspec.Struct, frozen=True):
    """On whose behalf something is read."""

    client: Client
    lease: Lease
    retry: Retry


class Found(msgspec.Struct, frozen=True):
    """A key's value."""

    value: SecretText


class Listed(msgspec.Struct, frozen=True):
    """All of a folder. `began` is on the loop's clock."""

    view: FolderView
    began: float


class Empty(msgspec.Struct, frozen=True):
    """The folder is there, may be read, and holds nothing: a single read said so."""

    began: float


KeyReading = Found | AbsentKey | SecretsFailure
FolderReading = Listed | Empty | SecretsFailure


class AsOf(NamedTuple, Generic[ResultT]):
    """What a reading told, and the moment (loop's clock) at which it began: it is no older than that."""

    result: ResultT
    began: float
