"""Whether a value meets the condition of a gjson query."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, Final

from reconciler.content.json_text import JsonKind, JsonNode
from reconciler.content.property_path import Query, wildcards

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:inf|infinity)|nan", re.I
)
_TRUE_WORDS: Final = frozenset({"1", "t", "true"})
_FALSE_WORDS: Final = frozenset({"0", "f", "false"})
_TRUTHS: Final = {JsonKind.TRUE: True, JsonKind.FALSE: False}


def query_takes(query: Query, value: JsonNode | None) -> bool:
    """Whether the value found at the query's path (None: there is none) meets its condition."""
    if query.operand.startswith("~"):
        truth = _truth(query.operand[1:], value)
        return truth is not None and (query.operator == "" or _compare_truth(truth, query.operator, "true"))
    if value is None:
        return False
    if query.operator == "":
        return True
    if value.kind is JsonKind.STRING:
        return _compare_text(value.text, query.operator, query.operand)
    if value.kind is JsonKind.NUMBER:
        compare = _COMPARE.get(query.operator)
        return compare is not None and compare(float(value.raw), _number(query.operand))
    return value.kind in _TRUTHS and _compare_truth(_TRUTHS[value.kind], query.operator, query.operand)


def _compare_text(text: str, operator_sign: str, operand: str) -> bool:
    if operator_sign in ("%", "!%"):
        return wildcards(operand)(text) == (operator_sign == "%")
    return _COMPARE[operator_sign](text, operand)


def _number(operand: str) -> float:
    """A number as Go reads it; anything else counts as 0."""
    return float(operand) if _NUMBER.fullmatch(operand) else 0.0


def _compare_truth(truth: bool, operator_sign: str, operand: str) -> bool:
    """How true and false compare with an operand: false is the lesser, and each is at least (at most) anything."""
    word = "true" if truth else "false"
    if operator_sign in ("=", "!="):
        return (operand == word) == (operator_sign == "=")
    if truth:
        return operator_sign == ">=" or (operator_sign == ">" and operand == "false")
    return operator_sign == "<=" or (operator_sign == "<" and operand == "true")


def _truth(kind: str, value: JsonNode | None) -> bool | None:
    """What `~true`, `~false`, `~null` and `~*` make of a value before it is compared; None for any other word."""
    if kind == "*":
        return value is not None
    if kind == "null":
        return value is None or value.kind is JsonKind.NULL
    if kind == "true":
        return value is not None and _reads_as(value, _TRUE_WORDS, JsonKind.TRUE, zero=False)
    if kind == "false":
        absent = value is None or value.kind is JsonKind.NULL
        return absent or (value is not None and _reads_as(value, _FALSE_WORDS, JsonKind.FALSE, zero=True))
    return None


def _reads_as(value: JsonNode, words: frozenset[str], kind: JsonKind, *, zero: bool) -> bool:
    if value.kind is JsonKind.STRING:
        return value.text.lower() in words
    if value.kind is JsonKind.NUMBER:
        return (float(value.raw) == 0) == zero
    return value.kind is kind
