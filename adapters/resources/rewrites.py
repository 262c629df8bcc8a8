"""Operations that rename fetched keys, or merge their values."""

from enum import StrEnum
from typing import Annotated

from adapters.resources.fields import Part, about


class MergeStrategy(StrEnum):
    """What a merge leaves behind."""

    EXTRACT = "Extract"
    JSON = "JSON"


class ConflictPolicy(StrEnum):
    """What a merge does about a property that occurs twice."""

    ERROR = "Error"
    IGNORE = "Ignore"


class PriorityPolicy(StrEnum):
    """What a merge does about a priority key that is not there."""

    STRICT = "Strict"
    IGNORE_NOT_FOUND = "IgnoreNotFound"


class RewriteRegexp(Part, frozen=True, kw_only=True):
    """Renaming by a regular expression."""

    source: Annotated[str, about("Regular expression (RE2) to look for in the key.")]
    target: Annotated[str, about("What replaces each match; $1 and ${name} stand for its groups.")]


class RewriteTransform(Part, frozen=True, kw_only=True):
    """Renaming by a template."""

    template: Annotated[str, about("Template of the new key; .value is the old one.")]


class RewriteMerge(Part, frozen=True, kw_only=True):
    """The values, as JSON objects, merged into one."""

    into: Annotated[str | None, about("Key that gets the merged object; needed by the strategy JSON.")] = None
    strategy: Annotated[
        MergeStrategy,
        about(
            "Extract: the merged properties replace all keys. JSON: the keys stay, and the object is added to them.",
            stored=True,
        ),
    ] = MergeStrategy.EXTRACT
    conflict_policy: Annotated[
        ConflictPolicy,
        about("Error: a property that occurs twice is an error. Ignore: the later wins.", stored=True),
    ] = ConflictPolicy.ERROR
    priority: Annotated[
        tuple[str, ...],
        about("Keys that are merged last, in this order; the others come before, sorted by name."),
    ] = ()
    priority_policy: Annotated[
        PriorityPolicy,
        about("Strict: each priority key must be there. IgnoreNotFound: it may be missing.", stored=True),
    ] = PriorityPolicy.STRICT


class KeyRewrite(Part, frozen=True, kw_only=True):
    """One renaming operation on keys."""

    regexp: Annotated[RewriteRegexp | None, about("Replace what a regular expression matches.")] = None
    transform: Annotated[RewriteTransform | None, about("Make the new key from a template.")] = None


class Rewrite(KeyRewrite, frozen=True, kw_only=True):
    """One operation on what was fetched: exactly one of the three."""

    merge: Annotated[RewriteMerge | None, about("Merge the values, which are JSON objects.")] = None
