"""The type in which every secret text of this package travels: tokens, credentials and values."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn

_SHOWN: Final = "<secret>"


class SecretText:
    """A text that printing, formatting, comparing or pickling never shows; only `reveal` gives it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text. Whoever calls this answers for where it goes."""
        return self._text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretText):
            return NotImplemented
        return hmac.compare_digest(
            self._text.encode(errors="surrogatepass"), other._text.encode(errors="surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return _SHOWN

    def __str__(self) -> str:
        return _SHOWN

    def __format__(self, specification: str) -> str:
        return _SHOWN

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret text cannot be pickled or copied")
