"""Paths in gjson's syntax, taken apart one step at a time.

Which syntax a step has depends on what it meets: in an object it is a name with escapes and wildcards, in a list an
index, `#` or a query. So a path stays text, and each step splits off what it needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import msgspec
import re2  # type: ignore[import-untyped]  # ships neither stubs nor py.typed

from reconciler.content.json_text import is_string_literal, unquote

MAXIMAL_STEPS: Final = 100
"""How many steps, queries and pipes one path may have: far more than anybody writes, far less than the stack holds."""

_STEP_MARKS: Final = re.compile(r"[.|(\[]")
_OTHER_SYNTAX: Final = re.compile(
    r"[\[{]|\.\.|!(?:[{\[\"+\-0-9]|(?:true|false|null|nan|inf)(?:[.|]|$))", re.IGNORECASE
)
_MODIFIER: Final = re.compile(r"@([^.|:]*)")
_OPERATION: Final = re.compile(r"(!=|!%|<=|>=|==|=|<|>|%)(.*)", re.DOTALL)
_CLOSES_WHAT_OPENS: Final = {"(": 1, "[": 1, ")": -1, "]": -1}
_BLANK: Final = "".join(map(chr, range(33)))

SUPPORTED_MODIFIERS: Final = frozenset(
    {"this", "keys", "values", "flatten", "join", "reverse", "tostr", "fromstr"}
)
_KNOWN_MODIFIERS: Final = SUPPORTED_MODIFIERS | {"pretty", "ugly", "valid", "group", "dig"}


class UnsupportedPathError(Exception):
    """A path uses what is not supported, or its syntax is broken."""


class Tail(msgspec.Struct, frozen=True):
    """What follows a step: `more` after a dot belongs to the same search, `pipe` is a path for its result."""

    more: str | None = None
    pipe: str | None = None


class NameStep(msgspec.Struct, frozen=True):
    """A step in an object: which names match."""

    matches: Callable[[str], bool]
    tail: Tail


class Query(msgspec.Struct, frozen=True):
    """A condition on list elements: the value at `path` in them compared (`=`, `!=`, `<`, `%`, ...) with `operand`.

    Without an operator: that there is a value at all.
    """

    path: str
    operator: str = ""
    operand: str = ""


class IndexStep(msgspec.Struct, frozen=True):
    """One element of a list."""

    index: int
    tail: Tail


class CountStep(msgspec.Struct, frozen=True):
    """The number of elements of a list."""

    tail: Tail


class EachStep(msgspec.Struct, frozen=True):
    """A path followed in every element of a list."""

    path: str
    pipe: str | None


class QueryStep(msgspec.Struct, frozen=True):
    """The first element of a list that a query takes, or all of them; then `path` (if any) is followed in it."""

    query: Query
    every: bool
    path: str | None
    pipe: str | None


ListStep = IndexStep | CountStep | EachStep | QueryStep


class ModifierStep(msgspec.Struct, frozen=True):
    """A modifier at the beginning of a path, the text of its argument, and the path for its result."""

    name: str
    argument: str
    pipe: str | None


def check_length(path: str) -> None:
    """Raises UnsupportedPathError for a path of more than MAXIMAL_STEPS."""
    if len(_STEP_MARKS.findall(path)) > MAXIMAL_STEPS:
        raise UnsupportedPathError


def check_start(path: str) -> None:
    """Raises UnsupportedPathError where a path starts with several paths in brackets, a literal, or JSON lines."""
    if len(path) > 1 and _OTHER_SYNTAX.match(path):
        raise UnsupportedPathError


@lru_cache(1024)
def modifier_step(path: str) -> ModifierStep | None:
    """The modifier that a path starts with; None where it starts with anything else (`@type` is a name)."""
    match = _MODIFIER.match(path)
    if match is None or match[1] not in _KNOWN_MODIFIERS:
        return None
    if match[1] not in SUPPORTED_MODIFIERS:
        raise UnsupportedPathError
    rest = path[match.end() :]
    argument = ""
    if rest[:1] == ":":
        argument, rest = _split_argument(rest[1:])
    if rest and rest[0] not in ".|":
        raise UnsupportedPathError
    return ModifierStep(match[1], argument, rest[1:] if rest else None)


def _split_argument(text: str) -> tuple[str, str]:
    """A modifier's argument and what follows: JSON in brackets ends with them, anything else at a pipe."""
    if text[:1] != "{":
        argument, pipe, rest = text.partition("|")
        return argument, pipe + rest
    end = text.find("}") + 1
    if end == 0:
        raise UnsupportedPathError
    return text[:end], text[end:]


def _starts_pipe(path: str) -> bool:
    """Whether a path behind a dot is one for the result so far: a modifier, or several paths in brackets."""
    match = _MODIFIER.match(path)
    return path[:1] in ("[", "{") if match is None else match[1] in _KNOWN_MODIFIERS


def _tail(path: str, end: int) -> Tail:
    """What follows a step that ends at a dot, at a pipe, or with the path."""
    if end >= len(path):
        return Tail()
    rest = path[end + 1 :]
    if path[end] == "|" or _starts_pipe(rest):
        return Tail(pipe=rest)
    return Tail(more=rest)


@lru_cache(1024)
def name_step(path: str) -> NameStep:
    """The first step of a path, for an object."""
    name: list[str] = []
    pattern: list[str] = []
    is_pattern = False
    end = 0
    while end < len(path) and path[end] not in ".|":
        character = path[end]
        if character in "*?":
            is_pattern = True
            pattern.append(".*" if character == "*" else ".")
        else:
            if character == "\\":
                end += 1
                character = path[end : end + 1]
            pattern.append(re2.escape(character))
        name.append(character)
        end += 1
    return NameStep(_pattern("".join(pattern)) if is_pattern else "".join(name).__eq__, _tail(path, end))


def _pattern(pattern: str) -> Callable[[str], bool]:
    fullmatch = re2.compile("(?s)" + pattern).fullmatch
    return lambda text: fullmatch(text) is not None


@lru_cache(1024)
def wildcards(text: str) -> Callable[[str], bool]:
    """Whether a text matches a pattern of `*` (anything) and `?` (one character); `\\` makes the next one plain."""
    pattern: list[str] = []
    characters = iter(text)
    for character in characters:
        if character == "*":
            pattern.append(".*")
        elif character == "?":
            pattern.append(".")
        else:
            pattern.append(re2.escape(next(characters, "") if character == "\\" else character))
    return _pattern("".join(pattern))


@lru_cache(1024)
def list_step(path: str) -> ListStep | None:
    """The first step of a path, for a list; None for one that no list has."""
    if path.startswith(("#(", "#[")):
        return _query_step(path)
    if path.startswith("#."):
        left, pipe = split_pipe(path[2:])
        return EachStep(left, pipe)
    match = re.match(r"[^.|]*", path)
    end = 0 if match is None else match.end()
    part, tail = path[:end], _tail(path, end)
    if part == "#":
        return CountStep(tail)
    return IndexStep(int(part), tail) if re.fullmatch("[0-9]{1,9}", part) else None


def _query_step(path: str) -> QueryStep:
    query, end = _query(path)
    every = path.startswith("#", end)
    rest = path[end + 1 :] if every else path[end:]
    if rest.startswith("."):
        return QueryStep(query, every, *split_pipe(rest[1:]))
    if rest and not rest.startswith("|"):
        raise UnsupportedPathError
    return QueryStep(query, every, None, rest[1:] if rest else None)


def _query_end(path: str) -> tuple[int, int]:
    """Where the comparison of a query starts (0: there is none), and where its closing bracket stands."""
    depth, comparison, position = 1, 0, 2
    while position < len(path):
        character = path[position]
        if depth == 1 and not comparison and character in "!=<>%":
            comparison = position
        elif character == "\\":
            position += 1
        elif character == '"':
            position += 1
            while position < len(path) and path[position] != '"':
                position += 2 if path[position] == "\\" else 1
        else:
            depth += _CLOSES_WHAT_OPENS.get(character, 0)
            if depth == 0:
                return comparison, position
        position += 1
    raise UnsupportedPathError


def _query(path: str) -> tuple[Query, int]:
    """The query that a path starts with, and where the path goes on."""
    comparison, end = _query_end(path)
    if not comparison:
        return Query(path[2:end].strip(_BLANK)), end + 1
    match = _OPERATION.fullmatch(path[comparison:end])
    if match is None:
        raise UnsupportedPathError
    operator = "=" if match[1] == "==" else match[1]
    return Query(path[2:comparison].strip(_BLANK), operator, _operand(match[2].strip(_BLANK))), end + 1


def _operand(text: str) -> str:
    """What a query compares with: a string in quotes without them, anything else as written."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    if is_string_literal(text):
        return unquote(text)
    if "\\" in text:
        raise UnsupportedPathError
    return text[1:-1]


def split_pipe(path: str) -> tuple[str, str | None]:
    """A path up to its first pipe, and what follows that; escapes and queries hide theirs."""
    position, at_start = 0, True
    while position < len(path):
        character = path[position]
        if character == "|":
            return path[:position], path[position + 1 :]
        if character == "\\":
            position += 1
        elif at_start and path.startswith(("#(", "#["), position):
            position += _query_end(path[position:])[1]
        at_start = character == "."
        position += 1
    return path, None
