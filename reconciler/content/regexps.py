"""Regular expressions in RE2's syntax, which is Go's."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Callable
from typing import Any, Final

import re2  # type: ignore[import-untyped]  # ships neither stubs nor py.typed

from reconciler.content.faults import ContentFault, FaultKind

_NAME_CATEGORIES: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # or the library writes the pattern to stderr
    compiled = None
    with contextlib.suppress(re2.error):  # raised below, without the library's text as its context
        compiled = re2.compile(pattern, options)
    if compiled is None:
        raise ContentFault(FaultKind.REGEXP_INVALID)
    return compiled


def searcher(pattern: str) -> Callable[[str], bool]:
    """Whether a pattern is found anywhere in a text. Raises ContentFault REGEXP_INVALID."""
    found = _compiled(pattern).search
    return lambda text: found(text) is not None


def replacer(pattern: str, target: str) -> Callable[[str], str]:
    """A text with every match of a pattern replaced, as Go does it. Raises ContentFault REGEXP_INVALID.

    In the target `$1`, `$name` and `${name}` stand for what a group matched (nothing, if there is no such group; the
    longest possible name counts: `$1x` is a group `1x`), `$$` for a dollar. An empty match right behind another match
    is none.
    """
    compiled = _compiled(pattern)
    template = _template(target, compiled.groups, dict(compiled.groupindex))

    def replaced(text: str) -> str:
        result: list[str] = []
        copied = position = 0
        while position <= len(text):
            match = compiled.search(text, position)
            if match is None:
                break
            start, end = match.span()
            result.append(text[copied:start])
            if end > copied or start == 0:
                result += [part if isinstance(part, str) else match.group(part) or "" for part in template]
            copied = end
            position = max(end, position + 1)
        result.append(text[copied:])
        return "".join(result)

    return replaced


def _template(target: str, groups: int, names: dict[str, int]) -> list[str | int]:
    """A target as plain texts and numbers of groups."""
    first, *rest = target.split("$")
    parts: list[str | int] = [first]
    while rest:
        text = rest.pop(0)
        if not text and rest:  # a dollar right behind a dollar
            parts.append("$" + rest.pop(0))
            continue
        name, after = _reference(text)
        if not name:
            parts.append("$" + text)
            continue
        number = _number(name, names)
        if number is not None and number <= groups:
            parts.append(number)
        parts.append(after)
    return parts


def _reference(text: str) -> tuple[str, str]:
    """The group's name that a text starts with, in braces or not, and what follows; no name: the text refers to none."""
    in_braces = text.startswith("{")
    start = end = 1 if in_braces else 0
    while end < len(text) and (text[end] == "_" or unicodedata.category(text[end]) in _NAME_CATEGORIES):
        end += 1
    if not in_braces:
        return text[:end], text[end:]
    return (text[start:end], text[end + 1 :]) if text.startswith("}", end) else ("", text)


def _number(name: str, names: dict[str, int]) -> int | None:
    is_number = name.isascii() and name.isdigit() and (name == "0" or name[0] != "0") and len(name) < 9
    return int(name) if is_number else names.get(name)
