"""Regular expressions in RE2's syntax, which is Go's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import re2  # type: ignore[import-untyped]  # ships neither stubs nor py.typed

from reconciler.content.faults import ContentFault, FaultKind


def searcher(pattern: str) -> Callable[[str], bool]:
    """Whether a pattern is found anywhere in a text. Raises ContentFault REGEXP_INVALID."""
    options = re2.Options()
    options.log_errors = False  # or the library writes the pattern to stderr
    compiled = None
    with contextlib.suppress(re2.error):  # raised below, without the library's text as its context
        compiled = re2.compile(pattern, options)
    if compiled is None:
        raise ContentFault(FaultKind.REGEXP_INVALID)
    found = compiled.search
    return lambda text: found(text) is not None
