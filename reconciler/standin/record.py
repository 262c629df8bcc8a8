"""What a stand-in was asked, for tests that count requests. Holds no value."""

import enum
from collections import Counter
from dataclasses import dataclass, field

import msgspec


class Kind(enum.Enum):
    """What a request is for."""

    LOGIN = "login"
    RENEWAL = "renewal"
    REVOCATION = "revocation"
    RESOLUTION = "resolution"
    LISTING = "listing"
    SINGLE = "single"
    CREATION = "creation"
    UPDATE = "update"
    DELETION = "deletion"
    BATCH_CREATION = "batch creation"
    BATCH_UPDATE = "batch update"
    BATCH_DELETION = "batch deletion"
    FOLDER = "folder"
    EVENTS = "events"
    ADMINISTRATION = "administration"
    STATUS = "status"
    NO_ROUTE = "no route"


class Asked(msgspec.Struct, frozen=True):
    """One request: when it came (epoch seconds), what it was, and what became of it (status None: no answer)."""

    at: float
    method: str
    path: str
    kind: Kind
    client: str
    status: int | None

    def __repr__(self) -> str:
        return f"<{self.method} {self.path}: {self.kind.value}, {self.status}>"


@dataclass
class Record:
    """All requests since the start, or since it was last cleared, in the order in which they came."""

    requests: list[Asked] = field(default_factory=list)

    def counts(self, *, successful: bool = False) -> Counter[Kind]:
        """How many of each kind; `successful`: only those answered below 400."""
        return Counter(
            asked.kind
            for asked in self.requests
            if not successful or (asked.status is not None and asked.status < 400)
        )

    def clear(self) -> None:
        """Forget what was asked so far."""
        self.requests.clear()
