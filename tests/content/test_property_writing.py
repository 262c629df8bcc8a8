import contextlib
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.json_text import parse
from reconciler.content.property_writing import Property
from tests.content.go_program import Go

NAMES = st.sampled_from(
    ["a", "b", "c", "0", "1", "2", "-1", "a.b", "x:y", ":1", "é", 'q"', "back\\", " ", "*", "{}"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(["", "v", "a<b", "\u2028", 'q"', "${env.A}"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)
STRINGS = st.text(max_size=8) | st.sampled_from(["v", "", "a&b", "{}", "null", "1"])
WRITTEN: st.SearchStrategy[dict[str, Any]] = st.sampled_from([
    {"separators": (",", ":")},
    {"separators": (", ", ": ")},
    {"separators": (" , ", " : "), "ensure_ascii": False},
    {"indent": 2},
])  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> str:
    return json.dumps(draw(OBJECTS), **draw(WRITTEN))


def escaped(name: str) -> str:
    """A name as a step of a path that can mean nothing else."""
    return ":" + "".join(f"\\{character}" if character in ".\\*?#|@" else character for character in name)


PLAIN_STEPS = NAMES.map(escaped)
STEPS = PLAIN_STEPS | st.sampled_from(["a", "b", "c", "0", "1", "2", "3", "-1", "é", "x:y"])
PATHS = st.lists(STEPS, min_size=1, max_size=3).map(".".join)
NAMED_PATHS = st.lists(PLAIN_STEPS, min_size=1, max_size=3).map(".".join)


def at(path: str) -> Property:
    return Property.read(path, key="KEY")


def set_or_skipped(text: str, path: str, value: str) -> str:
    """The text with the property set; an example where something is in the way is no example."""
    result: str | None = None
    with contextlib.suppress(ContentFault):
        result = at(path).set(text, value)
    assume(result is not None)
    assert result is not None
    return result


@pytest.mark.statement("S64")
@given(text=documents(), path=PATHS, value=STRINGS)
def test_what_was_set_is_there(text: str, path: str, value: str) -> None:
    result = set_or_skipped(text, path, value)
    assert at(path).has(result)
    assert at(path).get(result) == value
    assert parse(result) is not None
    assert at(path).set(result, value) == result


@given(text=documents(), path=NAMED_PATHS, value=STRINGS)
def test_nothing_but_the_property_changes(text: str, path: str, value: str) -> None:
    result = set_or_skipped(text, path, value)
    before, after = json.loads(text), json.loads(result)
    here: Any = before
    steps = [step.name for step in at(path).path]
    for step in steps[:-1]:
        position = int(step) if isinstance(here, list) else step
        if isinstance(here, dict):
            here.setdefault(step, None)
        if here[position] is None:
            here[position] = {}
        here = here[position]
    here[int(steps[-1]) if isinstance(here, list) else steps[-1]] = value
    assert after == before
    assert list(after) == list(before)


@pytest.mark.statement("S68")
@given(text=documents(), path=NAMED_PATHS, value=STRINGS)
def test_deleting_undoes_setting(text: str, path: str, value: str) -> None:
    assume(not at(path).has(text))
    result = at(path).delete(set_or_skipped(text, path, value))
    if result is None:
        assert json.loads(text) == {}
        return
    assert not at(path).has(result)
    if ":" not in path[1:] and len(at(path).path) == 1:
        assert json.loads(result) == json.loads(text)


@pytest.mark.statement("S69")
@given(text=documents(), path=PATHS)
def test_after_deleting_nothing_is_there_and_deleting_again_changes_nothing(text: str, path: str) -> None:
    assume("-1" not in path)
    result = at(path).delete(text)
    if result is None:
        assert len(json.loads(text)) == 1
        return
    assert not at(path).has(result)
    assert at(path).delete(result) == result


@given(text=documents(), path=PATHS, value=STRINGS)
def test_setting_is_what_sjson_does(go: Go, text: str, path: str, value: str) -> None:
    assume(
        not (":-1" in path or "\\" in path or "{" in path or "::" in path)
    )  # where sjson takes names for something
    assume("null" not in text)  # which in a list gives way to a list for -1
    result = set_or_skipped(text, path, value)
    assume(result != text)  # where sjson writes the string another way, or adds it to a list again
    assert result == go.set(text, path, value)


@given(text=documents(), path=PATHS)
def test_deleting_is_what_sjson_does(go: Go, text: str, path: str) -> None:
    assume("\\" not in text + path)  # which sjson trips over
    assume(not ("{" in path or "::" in path))
    result = at(path).delete(text)
    assume("null" not in text + (result or ""))  # what an element in the middle of a list becomes
    expected = go.delete(text, path)
    assert expected is not None
    assert result == expected or (result is None and json.loads(expected) == {})


@pytest.mark.statement("S64")
@pytest.mark.parametrize(
    ("text", "path", "result"),
    [
        ("", "a", '{"a":"v"}'),
        ("\n", "a.b", '{"a":{"b":"v"}}'),
        ("{}", r"a\.b", '{"a.b":"v"}'),
        ('{"z":"${env.KEY}", "a":1.50 }', "a", '{"z":"${env.KEY}", "a":"v" }'),
        ('{"z":1}', "a", '{"z":1,"a":"v"}'),
        ('{"l":[1, 2]}', "l.0", '{"l":["v", 2]}'),
        ('{"l":[1, 2]}', "l.-1", '{"l":[1, 2,"v"]}'),
        ('{"l":[1, "v"]}', "l.-1", '{"l":[1, "v"]}'),
        ('{"l":[1]}', "l.3", '{"l":[1,null,null,"v"]}'),
        ("{}", "a.1", '{"a":[null,"v"]}'),
        ("{}", "a.:1", '{"a":{"1":"v"}}'),
        ("{}", "a.-1.b", '{"a":[{"b":"v"}]}'),
        ("{}", "0", '{"0":"v"}'),
        ('{"a":null}', "a.b", '{"a":{"b":"v"}}'),
        ('{"a":"\\u0076"}', "a", '{"a":"\\u0076"}'),
        ('{"a":1,"a":2}', "a", '{"a":"v","a":2}'),
        ('{"a":1}\n', "b", '{"a":1,"b":"v"}\n'),
        ("{}", "a..b", '{"a":{"":{"b":"v"}}}'),
    ],
)
def test_examples_of_setting(text: str, path: str, result: str) -> None:
    assert at(path).set(text, "v") == result


@pytest.mark.statement("S68")
@pytest.mark.parametrize(
    ("text", "path", "result"),
    [
        ('{"a":1}', "a", None),
        ('{"a":1,"a":2}', "a", None),
        ('{"a":{"b":1}}', "a.b", '{"a":{}}'),
        ('{"a":1}', "b", '{"a":1}'),
        ("{}", "a", "{}"),
        ("", "a", ""),
        ('{"a":"x"}', "a.b", '{"a":"x"}'),
        ('{ "a":1, "b":2 , "c":3 }', "b", '{ "a":1 , "c":3 }'),
        ('{"l":[1,2,3]}', "l.1", '{"l":[1,null,3]}'),
        ('{"l":[1,null,3]}', "l.1", '{"l":[1,null,3]}'),
        ('{"l":[1,2]}', "l.1", '{"l":[1]}'),
        ('{"l":[1,2]}', "l.-1", '{"l":[1]}'),
        ('{"a\\"\\\\":1,"b":[","]}', "b", '{"a\\"\\\\":1}'),
    ],
)
def test_examples_of_deleting(text: str, path: str, result: str | None) -> None:
    assert at(path).delete(text) == result


@pytest.mark.statement("S64")
@pytest.mark.parametrize(
    "text", ["x", "1", "null", "[]", '"{}"', '{"a":1', '{"a":1} x', "{'a':1}", "\ufeff{}"]
)
def test_a_value_that_is_no_object_is_left_alone(text: str) -> None:
    place = at("a")
    for work in (place.has, place.get, place.delete, place.clear, lambda text: place.set(text, "v")):
        with pytest.raises(ContentFault) as caught:
            work(text)
        assert (caught.value.kind, caught.value.key, caught.value.property_path) == (
            FaultKind.NO_OBJECT,
            "KEY",
            "a",
        )
        assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"a":"x"}', "a.b"),
        ('{"a":1}', "a.0"),
        ('{"a":[1]}', "a.b"),
        ('{"a":[1]}', "a.:1"),
        ('{"a":true}', "a.b.c"),
    ],
)
def test_nothing_gives_way_to_a_longer_path(text: str, path: str) -> None:
    with pytest.raises(ContentFault) as caught:
        at(path).set(text, "v")
    assert caught.value.kind is FaultKind.NO_OBJECT


@pytest.mark.parametrize(
    "path", ["", "*", "a.?", "a#", "a.#", "a|b", "@this", "a.@this", ".".join("a" * 101)]
)
def test_a_path_that_cannot_be_written_to_is_told(path: str) -> None:
    with pytest.raises(ContentFault) as caught:
        at(path)
    assert caught.value.kind is FaultKind.PROPERTY_UNSUPPORTED
    assert caught.value.property_path == path


def test_null_in_a_list_is_a_gap_and_in_an_object_a_value() -> None:
    assert not at("l.0").has('{"l":[null,1]}')
    assert at("l.0").get('{"l":[null,1]}') is None
    assert at("a").has('{"a":null}')
    assert at("a").get('{"a":null}') == ""


def test_a_far_index_is_told() -> None:
    for text in ("{}", '{"a":[1]}'):
        with pytest.raises(ContentFault) as caught:
            at("a.100000000").set(text, "v")
        assert caught.value.kind is FaultKind.PROPERTY_UNSUPPORTED


@pytest.mark.parametrize(
    ("path", "other", "overlap", "same"),
    [
        ("a", "a", True, True),
        ("a", "a.b", True, False),
        ("a.b", "a.c", False, False),
        ("a", "b", False, False),
        (r"a\.b", "a.b", False, False),
        (r"\a", "a", True, True),
        (":1", "1", True, True),
        ("l.-1", "l.3", True, True),
        ("l.1", "l.01", True, True),
        ("l.1", "l.2", False, False),
        ("l.:-1", "l.3", False, False),
    ],
)
def test_which_paths_exclude_each_other(path: str, other: str, overlap: bool, same: bool) -> None:
    assert at(path).overlaps(at(other)) == at(other).overlaps(at(path)) == overlap
    assert at(path).is_same(at(other)) == same
