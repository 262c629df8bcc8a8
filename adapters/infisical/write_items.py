"""Single writes on their way through requests, each with what is known of it."""

from collections.abc import Iterator, Sequence
from typing import Final

from adapters.infisical.reading_terms import Found
from adapters.infisical.secret_routes import size_in_batch
from adapters.infisical.secret_text import SecretText
from adapters.infisical.stored_form import as_stored, trimmed
from adapters.infisical.write_terms import Stored, Write, WriteKind, WriteResult
from machines.names import RemoteName
from machines.outcomes import Fault, Invalid, Missing, Thing

MOST_AT_ONCE: Final = 100  # secrets: servers of 2024 take 70 ms for each, and close the connection after 30 s
LARGEST_BATCH: Final = 512 * 1024  # bytes
GONE: Final = frozenset({Thing.FOLDER, Thing.ENVIRONMENT})


class Item:
    """One write under way. It has a result in the end."""

    __slots__ = ("kind", "looked", "name", "onto_nothing", "result", "turns", "value")

    def __init__(self, write: Write) -> None:
        self.kind = write.kind
        self.name = write.name
        self.value: SecretText | None = write.value
        self.onto_nothing = write.onto_nothing
        self.result: WriteResult | None = None
        self.turns = 0
        self.looked = False

    def __repr__(self) -> str:
        return f"<Item {self.kind.value} {self.name}>"

    @property
    def write(self) -> Write:
        """What to send; servers take names without white space around them, in batches and in paths."""
        return Write(self.kind, RemoteName(trimmed(self.name)), self.value)

    @property
    def refers(self) -> bool:
        """Whether its value may refer to other secrets."""
        return self.value is not None and "${" in self.value.reveal()

    @property
    def dangles(self) -> bool:
        """Whether its value was refused for what it refers to."""
        return isinstance(self.result, Invalid) and self.result.what is Fault.DANGLING_REFERENCE

    def holds(self, there: Found) -> bool:
        """Whether what is there is what is wanted."""
        return self.value is not None and there.value.reveal() == as_stored(self.value.reveal())

    def turn(self, kind: WriteKind) -> None:
        """It turned out to be there already, or to be absent."""
        self.kind = kind
        self.turns += 1

    def settle(self, result: WriteResult) -> None:
        """What came of it. Where the folder is absent, there is nothing to delete."""
        gone = isinstance(result, Missing) and result.what in GONE
        self.result = Stored() if self.kind is WriteKind.DELETE and gone else result


def in_parts(items: Sequence[Item]) -> Iterator[list[Item]]:
    """What fits into one request each."""
    part: list[Item] = []
    size = 0
    for item in items:
        more = size_in_batch(item.write)
        if part and (len(part) == MOST_AT_ONCE or size + more > LARGEST_BATCH):
            yield part
            part, size = [], 0
        part.append(item)
        size += more
    if part:
        yield part
