"""Which of the listed secrets `dataFrom.find` takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from adapters.resources.remote_data import Find
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.keys import depth_below, is_within, normalise_folder
from reconciler.content.regexps import searcher
from reconciler.content.values import Hidden, Value


class Candidate(msgspec.Struct, frozen=True):
    """One listed secret. `path` is its normalised folder, None for an imported one, which has none of its own."""

    name: str
    path: str | None
    value: Value | Hidden


class Collision(msgspec.Struct, frozen=True):
    """One name in several places: the folder whose secret was taken, and the ones that lost (None: imported)."""

    name: str
    chosen: str | None
    dropped: tuple[str | None, ...]


class Found(msgspec.Struct, frozen=True):
    """What find takes: values by name, the names whose value is denied, and what collided."""

    values: dict[str, Value]
    hidden: tuple[str, ...]
    collisions: tuple[Collision, ...]


def _name_test(wanted: Find) -> Callable[[str], bool] | None:
    """Which names are wanted; None: all. A choice by name without a pattern is one whose pattern is empty."""
    return None if wanted.name is None else searcher(wanted.name.regexp or "")


def check_find(wanted: Find, *, scope_path: str, recursive: bool) -> str | None:
    """Refuse what no listing can answer, before anything is sent; gives the normalised path, None where there is none.

    Raises ContentFault FIND_TAGS, FIND_UNBOUNDED, FIND_PATH_RELATIVE, PATH_CLIMBS, REGEXP_INVALID, or
    FIND_PATH_UNREACHABLE: the listing covers the scope's folder (with `recursive` also those below it), and the path
    neither lies there nor above it.
    """
    if wanted.tags is not None:
        raise ContentFault(FaultKind.FIND_TAGS)
    _name_test(wanted)
    if wanted.path is None:
        if wanted.name is None:
            raise ContentFault(FaultKind.FIND_UNBOUNDED)
        return None
    if not wanted.path.startswith("/"):
        raise ContentFault(FaultKind.FIND_PATH_RELATIVE, path=wanted.path)
    path = normalise_folder(wanted.path)
    scope = normalise_folder(scope_path)
    if not (is_within(path, scope) or (recursive and is_within(scope, path))):
        raise ContentFault(FaultKind.FIND_PATH_UNREACHABLE, path=path)
    return path


def find(candidates: Iterable[Candidate], wanted: Find, *, scope_path: str, recursive: bool) -> Found:
    """The candidates whose name and folder match, one for each name.

    The pattern is searched in the name, the path matches its folder and those below it, never an imported secret. Only
    then, of several with one name, the nearest to the scope's folder is taken, then the first in path order; imported
    ones come last. Raises what `check_find` raises.
    """
    path = check_find(wanted, scope_path=scope_path, recursive=recursive)
    matches = _name_test(wanted)
    by_name: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        if path is not None and (candidate.path is None or not is_within(path, candidate.path)):
            continue
        if matches is None or matches(candidate.name):
            by_name.setdefault(candidate.name, []).append(candidate)

    scope = normalise_folder(scope_path)

    def rank(candidate: Candidate) -> tuple[bool, int, str]:
        own = candidate.path
        return (True, 0, "") if own is None else (False, depth_below(scope, own), own)

    values: dict[str, Value] = {}
    hidden: list[str] = []
    collisions: list[Collision] = []
    for name, rivals in by_name.items():
        if len(rivals) > 1:
            rivals.sort(key=rank)
            collisions.append(Collision(name, rivals[0].path, tuple(rival.path for rival in rivals[1:])))
        chosen = rivals[0].value
        if isinstance(chosen, Hidden):
            hidden.append(name)
        else:
            values[name] = chosen
    return Found(values, tuple(hidden), tuple(collisions))
