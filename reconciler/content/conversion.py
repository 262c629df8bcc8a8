"""Keys of a Kubernetes Secret: made from other names, and checked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from adapters.resources.remote_data import ConversionStrategy
from reconciler.content.faults import ContentFault, FaultKind

Content = TypeVar("Content")

MAXIMAL_KEY_LENGTH: Final = 253
_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")


def _is_kept(character: str) -> bool:
    return character in "-._" or unicodedata.category(character)[0] in "LN"


def convert_key(key: str, conversion: ConversionStrategy) -> str:
    """A key with every character replaced that is no letter, number, `-`, `.` or `_`.

    Default: by `_`. Unicode: by `_U<code point in hexadecimal, four digits or more>_`. Letters and numbers of other
    scripts stay, as in External Secrets Operator, and are then refused by `check_key`.
    """
    if _KEY.fullmatch(key):
        return key
    if conversion is ConversionStrategy.DEFAULT:
        return "".join([character if _is_kept(character) else "_" for character in key])
    return "".join([character if _is_kept(character) else f"_U{ord(character):04x}_" for character in key])


def convert_keys(entries: Mapping[str, Content], conversion: ConversionStrategy) -> dict[str, Content]:
    """The entries under converted keys. Raises ContentFault KEY_COLLISION when two keys become one."""
    converted: dict[str, Content] = {}
    sources: dict[str, str] = {}
    for key, content in entries.items():
        target = convert_key(key, conversion)
        if target in sources:
            raise ContentFault(FaultKind.KEY_COLLISION, secret_key=sources[target], other_key=key)
        sources[target] = key
        converted[target] = content
    return converted


def is_valid_key(key: str) -> bool:
    """Whether the data of a Kubernetes Secret may have this key."""
    return (
        len(key) <= MAXIMAL_KEY_LENGTH and _KEY.fullmatch(key) is not None and key != "." and key[:2] != ".."
    )


def check_keys(keys: Iterable[str]) -> None:
    """Raises ContentFault KEY_INVALID for the first key that a Secret cannot have."""
    for key in keys:
        if not is_valid_key(key):
            raise ContentFault(FaultKind.KEY_INVALID, secret_key=key)
