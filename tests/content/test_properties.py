import pytest

from reconciler.content.faults import ContentFault, FaultKind
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
