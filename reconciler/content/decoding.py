"""Values that arrive encoded, decoded as Go's encoding/base64 does, and the rule about null bytes."""

from __future__ import annotations

import binascii
import enum
import re
from collections.abc import Callable
from typing import Final

from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.values import Value


class Decoding(enum.StrEnum):
    """decodingStrategy of an entry."""

    NONE = "None"
    BASE64 = "Base64"
    BASE64_URL = "Base64URL"
    AUTO = "Auto"


class NullBytes(enum.StrEnum):
    """nullBytePolicy of an entry: whether a value may contain a null byte."""

    IGNORE = "Ignore"
    FAIL = "Fail"


_LINE_BREAKS: Final = b"\r\n"
_STANDARD: Final = re.compile(rb"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_URL: Final = re.compile(rb"(?:[A-Za-z0-9_-]{4})*+(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")


def _standard(content: bytes) -> bytes | None:
    """Padding is demanded, line breaks are skipped, bits that stick out of the last byte are ignored."""
    compact = content.translate(None, _LINE_BREAKS)
    return binascii.a2b_base64(compact) if _STANDARD.fullmatch(compact) else None


def _url(content: bytes) -> bytes | None:
    compact = content.translate(None, _LINE_BREAKS)
    return binascii.a2b_base64(compact.translate(_FROM_URL)) if _URL.fullmatch(compact) else None


def _automatic(content: bytes) -> bytes:
    decoded = _standard(content)
    if decoded is None:
        decoded = _url(content)
    return content if decoded is None else decoded


_DECODERS: Final[dict[Decoding, Callable[[bytes], bytes | None]]] = {
    Decoding.BASE64: _standard,
    Decoding.BASE64_URL: _url,
    Decoding.AUTO: _automatic,
}
_FAULTS: Final = {Decoding.BASE64: FaultKind.NOT_BASE64, Decoding.BASE64_URL: FaultKind.NOT_BASE64_URL}


def decode(value: Value, decoding: Decoding, *, key: str) -> Value:
    """The decoded value. Auto tries Base64, then Base64URL, then leaves it, and so decodes whatever looks like either.

    Raises ContentFault NOT_BASE64 or NOT_BASE64_URL, naming `key`.
    """
    decoder = _DECODERS.get(decoding)
    if decoder is None:
        return value
    decoded = decoder(value.reveal())
    if decoded is None:
        raise ContentFault(_FAULTS[decoding], key=key)
    return Value(decoded)


def check_null_bytes(value: Value, policy: NullBytes, *, key: str) -> None:
    """Raises ContentFault NULL_BYTE, naming `key`, where the policy forbids a null byte that the value has."""
    if policy is NullBytes.FAIL and b"\0" in value.reveal():
        raise ContentFault(FaultKind.NULL_BYTE, key=key)
