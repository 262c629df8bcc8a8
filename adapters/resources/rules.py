"""All rules, and which of them an object breaks."""

import functools

from adapters.cluster import Kind, Object
from adapters.resources.rule import Broken, Rule, values_at
from adapters.resources.rules_of_external_secrets import EXTERNAL_SECRET_RULES
from adapters.resources.rules_of_push_secrets import PUSH_SECRET_RULES
from adapters.resources.rules_of_stores import STORE_RULES

ALL_RULES: tuple[Rule, ...] = (*STORE_RULES, *EXTERNAL_SECRET_RULES, *PUSH_SECRET_RULES)


@functools.cache
def rules_of(kind: Kind) -> tuple[tuple[Rule, str], ...]:
    """Every rule of a kind, with the path where it hangs."""
    return tuple((rule, place.path) for rule in ALL_RULES for place in rule.places if place.kind == kind)


def broken_rules(kind: Kind, object: Object) -> list[Broken]:
    """The rules that an object breaks. The object is as its schema wants it, defaults filled in (see `schema`)."""
    return [
        Broken(rule, path)
        for rule, pattern in rules_of(kind)
        for path, value in values_at(object, pattern)
        if not rule.holds(value)
    ]
