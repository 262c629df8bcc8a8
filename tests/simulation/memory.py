"""What a controller remembers: nothing of resources that are gone, whoever might have kept it."""

import types
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.controller import Controller
from reconciler.events import EventRecorder
from reconciler.queue import Wish

_LOOKED_INTO = ("adapters.", "machines.", "reconciler.", "prometheus_client")
_ELSEWHERE = (EventRecorder, Wish)
"""Bounded by numbers of their own: the last ten thousand events, and dead wishes, which the queue clears away."""


def remembered(controller: Controller, names: Iterable[str]) -> list[str]:
    """Where some of these names are found in all that hangs on a controller, as paths of attributes."""
    wanted = set(names)
    found: list[str] = []
    seen: set[int] = set()
    stack: list[tuple[str, Any]] = [("controller", controller)]
    while stack:
        path, one = stack.pop()
        if isinstance(one, str):
            if one in wanted:
                found.append(f"{path}: {one}")
            continue
        if id(one) in seen or isinstance(one, _ELSEWHERE):
            continue
        seen.add(id(one))
        stack.extend((f"{path}.{name}", part) for name, part in _parts(one))
    return found


def _parts(one: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(one, Mapping):
        for key, value in list(one.items()):
            yield "(key)", key
            yield "[]", value
    elif isinstance(one, (list, tuple, set, frozenset, deque)):
        for value in list(one):
            yield "[]", value
    elif isinstance(one, types.MethodType):
        yield "self", one.__self__
    elif not isinstance(one, type) and any(
        each.__module__.startswith(_LOOKED_INTO) for each in type(one).__mro__
    ):
        for name in _attributes(type(one)):
            if hasattr(one, name):
                yield name, getattr(one, name)
        for name, value in getattr(one, "__dict__", {}).items():
            yield name, value


def _attributes(type_: type) -> Iterator[str]:
    for each in type_.__mro__:
        slots = getattr(each, "__slots__", ())
        yield from (slots,) if isinstance(slots, str) else slots
