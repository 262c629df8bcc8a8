import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.regexps import replacer
from tests.content.go_program import Go

PATTERNS = [
    *("", "a", "a*", "^", "$", "^a", "a$", "(a)(b)?", "(?P<one>a)|(?P<two>b)", ".", "x*", r"\b", "(?i)B", "é*", "[^_]+$"),
    *("^(?P<head>[a-z]+)_(.*)$", "_", "(_)|(a)", "a|ab", "(a|ab)(c|bcd)(d*)", "()", r"\B"),
]  # fmt: skip
TARGETS = [
    *("", "-", "$0", "$1", "${1}", "$1x", "${1}x", "$one", "${two}", "$onetwo", "$$", "$$1", "$", "a$", "$$$", "${", "${1"),
    *("$9", "$01", "${one}${two}", "$é", "$-", "${}", "${one-}", "$1$2", "$2$1", "${head}/$2", "$_", r"\1", "$99999999999"),
]  # fmt: skip
NAMES = [
    "",
    "a",
    "ab",
    "abcd",
    "aab",
    "ba",
    "db_password",
    "DB_PASSWORD",
    "éaé",
    "a_b_a",
    "__",
    "\U0001f600a",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_found_is_replaced_as_in_go(go: Go, pattern: str) -> None:
    for target in TARGETS:
        replaced = replacer(pattern, target)
        for name in NAMES:
            assert replaced(name) == go.replace(pattern, target, name), (pattern, target, name)


@given(
    pattern=st.text("ab(|)*?+.[]^$_é", max_size=6),
    target=st.text("$12{}ab_-é", max_size=6),
    text=st.text("ab_é\U0001f600", max_size=6),
)
def test_any_pattern_replaces_as_in_go(go: Go, pattern: str, target: str, text: str) -> None:
    expected = go.replace(pattern, target, text)
    assume(expected is not None)
    assert replacer(pattern, target)(text) == expected


def test_a_broken_pattern_is_told() -> None:
    with pytest.raises(ContentFault) as caught:
        replacer("(", "x")
    assert caught.value.kind is FaultKind.REGEXP_INVALID
