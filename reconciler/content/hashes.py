"""Hashes that External Secrets Operator computes as well, so that a switch in either direction writes nothing.

SHA3-224 in hexadecimal over the text that Go's `%+v` gives for the value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

_DECIMAL: Final = tuple(str(byte) for byte in range(256))


def _sha3(text: str) -> str:
    return hashlib.sha3_224(text.encode()).hexdigest()


def _go_bytes(content: bytes) -> str:
    return "[" + " ".join([_DECIMAL[byte] for byte in content]) + "]"


def _go_map(entries: Mapping[str, str]) -> str:
    """A Go map as `%+v` prints it: keys in the order of their bytes, nothing escaped, no difference for a nil map."""
    return "map[" + " ".join([f"{key}:{entries[key]}" for key in sorted(entries)]) + "]"


def data_hash(data: Mapping[str, bytes]) -> str:
    """The hash of a Secret's data, kept in its data-hash annotation."""
    return _sha3(_go_map({key: _go_bytes(content) for key, content in data.items()}))


def name_hash(name: str) -> str:
    """The hash of a bare text."""
    return _sha3(name)


def created_by(namespace: str, name: str) -> str:
    """The value of the created-by label: which ExternalSecret owns a Secret."""
    return _sha3(f"{namespace}/{name}")


def synced_resource_version(
    generation: int, *, annotations: Mapping[str, str] | None, labels: Mapping[str, str] | None
) -> str:
    """`<generation>-<hash>`: changes with a resource's spec, annotations and labels, and with nothing else."""
    text = f"{{annotations:{_go_map(annotations or {})} labels:{_go_map(labels or {})}}}"
    return f"{generation}-{_sha3(text)}"
