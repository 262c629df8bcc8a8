"""Each rule takes what is right, refuses what is wrong, and says where and what to write instead."""

import re
from collections import Counter

import pytest

from adapters.cluster import Kind
from adapters.resources.faults import Faults
from adapters.resources.kinds import OUR_KINDS
from adapters.resources.rules import ALL_RULES
from adapters.resources.schema import admit
from tests.resources.manifests import manifest, with_changes
from tests.resources.rule_examples import Example, examples


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.title)
def test_a_rule_takes_and_refuses(example: Example) -> None:
    answer = admit(example.kind, with_changes(example.kind, example.changes))
    told = [(fault.rule, fault.path) for fault in answer.faults] if isinstance(answer, Faults) else []
    assert told == ([(example.rule, example.broken_at)] if example.broken_at else [])


@pytest.mark.parametrize("kind", OUR_KINDS, ids=lambda kind: kind.name)
def test_the_small_objects_break_no_rule(kind: Kind) -> None:
    assert not isinstance(admit(kind, manifest(kind)), Faults)


def test_every_rule_has_examples_of_both_sorts_at_each_of_its_kinds() -> None:
    shown = {(example.rule, example.kind, example.broken_at is not None) for example in examples()}
    assert shown >= {
        (rule.name, place.kind, refused)
        for rule in ALL_RULES
        for place in rule.places
        for refused in (True, False)
    }


def test_names_are_unique_and_of_checked_form() -> None:
    assert [name for name, count in Counter(rule.name for rule in ALL_RULES).items() if count > 1] == []
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{1,80}", rule.name) for rule in ALL_RULES)
