"""Placeholders of the recordings: put into requests, and matched consistently in answers."""

import re
from collections.abc import Mapping
from typing import Any

_NAMES = (
    r"projectId|oldProjectId|newProjectId|organizationId|identityId:[\w-]+|clientId:[\w-]+|clientSecret:[\w-]+"
    r"|token|jwt|time|reqId|etag|host|issuer|receiver|email|userId|id:\d+|hex64"
)
PLACEHOLDER = re.compile(rf"<(?:{_NAMES})>")
_REPEATED = re.compile(r"<repeat:(.):(\d+)>")
_ANY = frozenset({"<token>", "<jwt>", "<time>", "<reqId>", "<etag>", "<hex64>"})
"""May stand for another text each time."""
IGNORED = frozenset({"reqId", "details"})


class Differs(AssertionError):
    """An answer is not what was recorded."""


def unfold(text: str) -> str:
    """The text with runs of one character written out."""
    return _REPEATED.sub(lambda found: found[1] * int(found[2]), text)


def fill(value: Any, bindings: Mapping[str, str]) -> Any:
    """The value with its placeholders replaced. Raises KeyError for one that is not bound."""
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda found: bindings[found[0]], unfold(value))
    if isinstance(value, dict):
        return {key: fill(inner, bindings) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, bindings) for inner in value]
    return value


def match(expected: Any, actual: Any, bindings: dict[str, str], where: str = "") -> None:
    """Compare an answer with the recorded one; placeholders met for the first time are bound. Raises Differs."""
    if isinstance(expected, str) and (isinstance(actual, str) or PLACEHOLDER.fullmatch(expected)):
        _match_text(expected, str(actual), bindings, where)
    elif isinstance(expected, dict) and isinstance(actual, dict):
        wanted, given = expected.keys() - IGNORED, actual.keys() - IGNORED
        if wanted != given:
            raise Differs(f"{where}: fields differ: {sorted(wanted ^ given)}")
        for key in expected:
            if key in wanted:
                match(expected[key], actual[key], bindings, f"{where}.{key}")
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            raise Differs(f"{where}: {len(actual)} in place of {len(expected)} elements")
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            match(one, other, bindings, f"{where}[{index}]")
    elif expected != actual or type(expected) is not type(actual):
        raise Differs(f"{where}: {actual!r} in place of {expected!r}")


def _match_text(expected: str, actual: str, bindings: dict[str, str], where: str) -> None:
    names = []
    pattern = ""
    end = 0
    text = unfold(expected)
    for found in PLACEHOLDER.finditer(text):
        pattern += re.escape(text[end : found.start()])
        name, end = found[0], found.end()
        if name in bindings and name not in _ANY:
            pattern += re.escape(bindings[name])
        else:
            pattern += "(.+?)"
            names.append(name)
    matched = re.fullmatch(pattern + re.escape(text[end:]), actual, re.DOTALL)
    if matched is None:
        raise Differs(f"{where}: {actual!r} in place of {expected!r}")
    for name, value in zip(names, matched.groups(), strict=True):
        if name.startswith("<id:") and value in {v for n, v in bindings.items() if n.startswith("<id:")}:
            raise Differs(f"{where}: {name} is an id that has another number already")
        bindings[name] = value
