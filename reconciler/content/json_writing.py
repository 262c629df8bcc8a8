"""JSON as Go writes it, so that a change of controller makes no new version of a value that is the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

_ESCAPED: Final = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
_PLAIN: Final = re.compile(r"[ !#-\[\]-\x7f]*+")


def quote(text: str) -> str:
    """A string literal as Go's encoding/json writes it: `<`, `>`, `&`, U+2028 and U+2029 are escaped."""
    return json.dumps(text, ensure_ascii=False).translate(_ESCAPED)


def quote_property(text: str) -> str:
    """A string literal as Go's sjson writes it: as `quote`, but ASCII that needs no escapes stays as it is."""
    return f'"{text}"' if _PLAIN.fullmatch(text) else quote(text)


def object_text(members: Mapping[str, str]) -> str:
    """A JSON object of strings as Go's encoding/json writes a map: compact, sorted by name."""
    return "{" + ",".join([f"{quote(name)}:{quote(members[name])}" for name in sorted(members)]) + "}"
