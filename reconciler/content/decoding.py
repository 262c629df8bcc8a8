"""Values that arrive encoded, decoded as Go's encoding/base64 does, and the rule about null bytes."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from typing import Final

from adapters.resources.remote_data import DecodingStrategy, NullBytePolicy
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.values import Value

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


_DECODERS: Final[dict[DecodingStrategy, Callable[[bytes], bytes | None]]] = {
    DecodingStrategy.BASE64: _standard,
    DecodingStrategy.BASE64_URL: _url,
    DecodingStrategy.AUTO: _automatic,
}
_FAULTS: Final = {
    DecodingStrategy.BASE64: FaultKind.NOT_BASE64,
    DecodingStrategy.BASE64_URL: FaultKind.NOT_BASE64_URL,
}


def decode(value: Value, decoding: DecodingStrategy, *, secret_key: str) -> Value:
    """The decoded value. Auto tries Base64, then Base64URL, then leaves it, and so decodes whatever looks like either.

    Raises ContentFault NOT_BASE64 or NOT_BASE64_URL, naming `secret_key`.
    """
    decoder = _DECODERS.get(decoding)
    if decoder is None:
        return value
    decoded = decoder(value.reveal())
    if decoded is None:
        raise ContentFault(_FAULTS[decoding], secret_key=secret_key)
    return Value(decoded)


def check_null_bytes(value: Value, policy: NullBytePolicy, *, secret_key: str) -> None:
    """Raises ContentFault NULL_BYTE, naming `secret_key`, where the policy forbids a null byte that the value has."""
    if policy is NullBytePolicy.FAIL and b"\0" in value.reveal():
        raise ContentFault(FaultKind.NULL_BYTE, secret_key=secret_key)
