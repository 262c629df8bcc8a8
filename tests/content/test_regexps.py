import pytest

from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.regexps import searcher
from tests.content.go_program import Go

PATTERNS = [
    *("", "a", "^a$", "a|b", "(?i)k", "(?i:a)b", "(?-i)a", "(?s).", "(?m)^a$", "(?U)a+", r"\Aab\z", r"\bab\b", r"\Bb"),
    *(r"\pN", r"\pL+", r"\p{Greek}", r"\P{Greek}", r"\p{^Lu}", r"\p{Foo}", "[[:word:]]", "[[:foo:]]", r"[^\d]", r"\x{41}"),
    *(r"\Qa.b\E", r"\Qab", r"[\Qa\E]", "(?P<n>a)", "(?<n>a)", "(?P<n>a)(?P<n>b)", "(?P=n)", "(?#c)", r"\1", r"\8", r"\101"),
    *("a*?", "a**", "a*+", "a{2}", "a{,2}", "a{2,1}", "a{1000}", "a{1001}", "(a{1000}){1000}", "{", "a{", "}", "]", "[]a]"),
    *("(?=a)", "(?!a)", "(?<=a)", "(?>a)", "[z-a]", "[a", "(", ")", "*", r"\Z", r"\y", r"\_", r"\é", "(?i)ß", r"\x{110000}"),
]  # fmt: skip
NAMES = [
    "",
    "a",
    "A",
    "ab",
    "aa",
    "a.b",
    "K",
    "\u212a",
    "B5",
    "é",
    "ß",
    "ẞ",
    "Ω",
    "{",
    "a{,2}",
    "a\nb",
    "_",
    "DB_PASSWORD",
]


@pytest.mark.statement("S53")
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_finds_what_it_finds_in_go(go: Go, pattern: str) -> None:
    expected = [go.search(pattern, name) for name in NAMES]
    if None in expected:
        with pytest.raises(ContentFault) as caught:
            searcher(pattern)
        assert caught.value.kind is FaultKind.REGEXP_INVALID
    else:
        assert [searcher(pattern)(name) for name in NAMES] == expected
