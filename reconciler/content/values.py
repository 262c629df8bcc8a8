"""Secret values as they travel between reading and writing: opaque until somebody reveals them on purpose."""

from __future__ import annotations

import enum
import hmac
from collections.abc import Mapping
from typing import Final, NoReturn

_SHOWN: Final = "<value>"


class Value:
    """The bytes of one secret.

    Printing, formatting and pickling never give the content; only `reveal` does. Two values are equal when their
    bytes are, so that content can be compared without revealing it.
    """

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    @classmethod
    def of_text(cls, text: str) -> Value:
        """The value whose bytes are the text in UTF-8."""
        return cls(text.encode())

    def reveal(self) -> bytes:
        """The content. Whoever calls this answers for where it goes."""
        return self._content

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        return hmac.compare_digest(self._content, other._content)

    def __hash__(self) -> int:
        return hash(self._content)

    def __repr__(self) -> str:
        return _SHOWN

    def __str__(self) -> str:
        return _SHOWN

    def __format__(self, specification: str) -> str:
        return _SHOWN

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret value cannot be pickled or copied")


class Hidden(enum.Enum):
    """What stands in place of a value that the identity may not see: the secret exists, its value is denied."""

    HIDDEN = "hidden"


HIDDEN: Final = Hidden.HIDDEN


def reveal_all(values: Mapping[str, Value]) -> dict[str, bytes]:
    """The contents by name, for the place that writes or hashes them."""
    return {name: value.reveal() for name, value in values.items()}
