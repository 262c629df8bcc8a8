import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.json_text import parse
from reconciler.content.properties import select
from reconciler.content.values import Value
from tests.content.go_program import Go

DOCUMENT = r"""{
  "name": {"first": "Tom", "last": "Anderson"},
  "age": 37, "big": 12345678901234567890.1230e+2, "yes": true, "no": false, "nothing": null,
  "children": ["Sara", "Alex", "Jack"],
  "fav.movie": "Deer Hunter", "a*b": 1, "axb": 2, "quoted\"": "q", "slash\/": "s", "grün": "ü\u00fc\ud83d\ude00",
  "@type": "label", "#": "hash", "": {"": "empty"}, "lone": "\ud800!",
  "friends": [
    {"first": "Dale", "last": "Murphy", "age": 44, "nets": ["ig", "fb", "tw"], "ok": true},
    {"first": "Roger", "last": "Craig", "age": 68, "nets": ["fb", "tw"], "ok": false},
    {"first": "Jane", "last": "Murphy", "age": 47, "nets": ["ig", "tw"], "extra": null}
  ],
  "vals": [{"a": 1, "b": "data"}, {"a": 2, "b": true}, {"a": 3, "b": false}, {"a": 4, "b": "0"}, {"a": 5, "b": 0},
           {"a": 6, "b": "1"}, {"a": 7, "b": 1}, {"a": 8, "b": "true"}, {"a": 10, "b": null}, {"a": 11}, 5, "x"],
  "nested": [1, [2, 3], [], [4, [5, [6]]], {"k": [7]}],
  "text": "{\"inner\": {\"deep\": [1, 2]}}", "scalar text": "\"s\"",
  "twice": {"a": 1}, "twice": {"b": 2},
  "numbers": [3, 1.50, -2, 1e3]
}"""

PATHS = """
name.last | age | big | yes | no | nothing | children | children.0 | children.1 | children.3 | children.-1 | children.00
friends.1 | friends.1.first | child*.2 | c?ildren.0 | fav\\.movie | a\\*b | a*b | a?b | *b | * | name.* | name.*st
quoted" | slash/ | grün | @type | # | \\# | . | lone | name | nested | numbers.1 | numbers.3 | gr?n
children.# | friends.# | friends.#.age | friends.#.nets.0 | friends.#.nets.# | friends.#.missing | name.# | age.#
friends.#(last=="Murphy").first | friends.#(last=="Murphy")#.first | friends.#(age>45)#.last | friends.#(age>=47)#.first
friends.#(first%"D*").last | friends.#(first!%"D*").last | children.#(!%"*a*") | children.#(%"*a*")# | friends.#(age<47)
friends.#(nets.#(=="fb"))#.first | friends.#(last="Murphy")# | friends.#(last="Murphy")#.0 | friends.#(last="Nobody")
friends.#(last="Nobody")# | friends.#(last="Nobody")#.first | friends.#(extra)#.first | friends.#(ok==true).first
friends.#(ok!=true)#.first | friends.#(ok>false)#.first | friends.#(ok<=false)#.first | friends.#[last="Craig"].age
vals.#(b==~true)#.a | vals.#(b==~false)#.a | vals.#(b==~null)#.a | vals.#(b==~*)#.a | vals.#(b!=~*)#.a | vals.#(b==1)#.a
vals.#(b=="1")#.a | vals.#(b=="data").a | vals.#(a>5)#.a | vals.#()# | vals.#(b)#.a | vals.#(=="x") | vals.#(==5)
numbers.#(>1)# | numbers.#(<=1.5)# | numbers.#(==1000) | friends.#( first = "Jane" ).age | friends.#(last!="Murphy")#.age
children.@reverse | children.@reverse.0 | name.@keys | name.@values | name.@keys.0 | name.@reverse | children.@this
nested.@flatten | nested.@flatten:{"deep":true} | nested.@flatten.# | friends.@join | friends.@join:{"preserve":true}
friends.@join.first | text.@fromstr.inner.deep.1 | text.@fromstr.inner | name.@tostr | name.@tostr.@fromstr.first
children.@values | children.@keys | age.@keys | age.@values | age.@tostr | lone.@tostr | scalar text.@fromstr | @keys.0
@this.age | @reverse.age | @values.# | children.#.@this | friends.#.@keys | vals.#.@values.0 | twice.a | twice.b | friends.first
name.first.x | children.x | children.#x | text.inner | name.@type | fri*.1.nets.1 | friends.*.first | friends.0.*
"""
PIPED_PATHS = [
    "friends|0.first",
    "friends|0|first",
    "friends.0|first",
    "friends|#",
    'friends.#(last="Murphy")#|first',
    'friends.#(last="Murphy")#|0',
    'friends.#(last="Murphy")#|#',
    'friends.#(last="Murphy")#.first|1',
    'friends.#(last="Murphy").nets|0',
    "friends.#.nets|@flatten",
    "friends.#.nets|@flatten|#",
    "friends.#.nets|@flatten|@reverse|0",
    "nested.@flatten|0",
    'nested|@flatten:{"deep":true}|#',
    "name|@keys|@reverse.0",
    "twice|a",
    "name|first|x",
    "friends.#|0",
    "friends|1.nets|#",
]


def selected(source: str, path: str) -> str | None:
    """What `select` gives, None where the property is absent."""
    try:
        return select(Value.of_text(source), path, key="KEY").reveal().decode()
    except ContentFault as fault:
        if fault.kind is FaultKind.PROPERTY_ABSENT:
            return None
        raise


@pytest.mark.parametrize(
    "path",
    [*(path.strip() for line in PATHS.splitlines() for path in line.split(" | ") if path), *PIPED_PATHS],
)
def test_every_kind_of_path_finds_what_gjson_finds(go: Go, path: str) -> None:
    assert selected(DOCUMENT, path) == go.select(DOCUMENT, path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("big", "12345678901234567890.1230e+2"),
        ("nothing", ""),
        ("name", '{"first": "Tom", "last": "Anderson"}'),
        ("grün", "üü😀"),
        ("lone", "\ufffd!"),
        ("friends.1.nets", '["fb", "tw"]'),
    ],
)
def test_a_property_reads_as_it_is_written(path: str, text: str) -> None:
    assert selected(DOCUMENT, path) == text


@pytest.mark.statement("S43")
@pytest.mark.statement("S50")
def test_the_documented_example() -> None:
    assert selected('{"key": "value"}', "key") == "value"


@pytest.mark.parametrize(
    "path",
    [
        "{name,age}",
        "name.{first,last}",
        "[age]",
        '!"literal"',
        "..0",
        "name|..first",
        "name.@pretty",
        "@ugly",
        "children.@valid",
        "friends.#(age>45",
        "friends.#(age!45)",
        'friends.#(first=="\\x")',
        "friends.#(age>45)x.first",
        'children.@flatten:{"deep"',
        'children.@flatten:{"deep":true}x',
        ".".join("a" * 200),
        "text" + "|@tostr" * 90,
    ],
)
def test_what_is_not_supported_is_a_fault_that_names_key_and_path(path: str) -> None:
    with pytest.raises(ContentFault) as caught:
        selected(DOCUMENT, path)
    fault = caught.value
    assert (fault.kind, fault.key, fault.property_path) == (FaultKind.PROPERTY_UNSUPPORTED, "KEY", path)


@pytest.mark.parametrize(
    "path", ["missing", "missing|@keys", "missing.@tostr", "name.first.x", "children.9", "age.#", "#(a==1)"]
)
def test_an_absent_property_stays_absent_whatever_is_asked_of_it(path: str) -> None:
    with pytest.raises(ContentFault) as caught:
        select(Value.of_text(DOCUMENT), path, key="KEY")
    assert (caught.value.kind, caught.value.property_path) == (FaultKind.PROPERTY_ABSENT, path)


def test_an_escaped_wildcard_is_plain_beside_others() -> None:
    assert selected('{"axbc": 1, "a*bc": 2}', "a\\*b*") == "2"


@pytest.mark.parametrize(
    "content", [b"plain", b"", b'{"a": 1', b"{'a': 1}", b'{"a": 1}\xff', b'{"a": "\xff"}', b"\xef\xbb\xbf{}"]
)
def test_a_value_that_is_no_json_is_a_fault_without_its_text(content: bytes) -> None:
    with pytest.raises(ContentFault) as caught:
        select(Value(content), "a", key="KEY")
    assert (caught.value.kind, caught.value.key, caught.value.property_path) == (
        FaultKind.NOT_JSON,
        "KEY",
        "a",
    )
    assert caught.value.__context__ is None


def test_deep_nesting_is_no_trouble() -> None:
    deep = "[" * 50_000 + "]" * 50_000
    assert selected(f'{{"a": {deep}, "b": 1}}', "b") == "1"
    assert selected(deep, "0.#") == "1"
    assert selected(deep, '@flatten:{"deep":true}') == "[]"


NAMES = st.sampled_from(["a", "b", "aa", "ab", "", "0", "1", "#", "@x", "a.b", "é", 'a"', "a\\"])
SCALARS = st.sampled_from(
    ["1", "-1", "0", "12", "true", "false", "null", '"a"', '"1"', '"true"', '""', '"aé"', '"\\u00fc\\n<&>"']
)


def _object(members: list[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in members) + "}"


DOCUMENTS = st.recursive(
    SCALARS,
    lambda values: (
        st.lists(st.tuples(NAMES, values), max_size=4).map(_object)
        | st.lists(values, max_size=4).map(lambda items: "[" + ", ".join(items) + "]")
    ),
    max_leaves=16,
)
QUERIES = st.builds(
    lambda path, condition, every: f"#({path}{condition}){every}",
    st.sampled_from(["", "a", "b", "a.b", "#", "*", "#(a==1)", "0"]),
    st.just("")
    | st.builds(
        "{}{}".format,
        st.sampled_from(["==", "=", "!=", "<", "<=", ">", ">=", "%", "!%"]),
        st.sampled_from(
            [
                "1",
                '"a"',
                "a",
                "true",
                "false",
                '"1"',
                "~true",
                "~false",
                "~null",
                "~*",
                '"*a*"',
                "null",
                "0",
                "~x",
            ]
        ),
    ),
    st.sampled_from(["", "#"]),
)
STEPS = (
    st.sampled_from(
        [
            "a",
            "b",
            "aa",
            "0",
            "1",
            "00",
            "a\\.b",
            "",
            "é",
            "@x",
            "\\#",
            'a"',
            "#",
            "*",
            "?",
            "a*",
            "*a",
            "?b",
            "*b*",
        ]
    )
    | QUERIES
    | st.sampled_from(["@this", "@flatten", '@flatten:{"deep":true}', "@join", "@reverse"])
)


def test_any_path_into_any_json_finds_what_gjson_finds(go: Go) -> None:
    @settings(max_examples=300)
    @given(DOCUMENTS, st.lists(STEPS, min_size=1, max_size=4).map(".".join))
    def compare(source: str, path: str) -> None:
        assume(not path.startswith("..") and "..." not in path)  # JSON lines
        assert selected(source, path) == go.select(source, path)

    compare()


def test_any_text_is_json_if_go_says_so(go: Go) -> None:
    @given(DOCUMENTS, st.integers(0, 40), st.sampled_from(["", *'{}[]",:.-+eE01n\\u \n\t\x0b']))
    def compare(source: str, place: int, put: str) -> None:
        damaged = source[:place] + put + source[place + 1 :]
        assert (parse(damaged) is not None) == go.is_json(damaged)

    compare()
