import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.resources.push_secrets import PushConversionStrategy, PushSecretSpec, PushStoreReference
from adapters.resources.remote_data import ConversionStrategy
from reconciler.content.conversion import convert_key
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.push_entries import MAXIMAL_SIZE, Entry, Source, entries_for
from reconciler.content.values import Value

KEYS = st.text("abAB01_.-", min_size=1, max_size=5)


def source(name: str = "source", **data: bytes | str) -> Source:
    return source_of(data, name)


def source_of(data: dict[str, Any], name: str = "source") -> Source:
    values = {key: Value(value.encode() if isinstance(value, str) else value) for key, value in data.items()}
    return Source(name, f"uid-of-{name}", "7", values)


def spec_of(data: list[Any] = [], data_to: list[Any] = []) -> PushSecretSpec:  # noqa: B006 - only read
    return msgspec.convert(
        {
            "secretStoreRefs": [{"name": "store"}],
            "selector": {"secret": {"name": "source"}},
            "data": data,
            "dataTo": [{"storeRef": {"name": "store"}} | entry for entry in data_to],
        },
        PushSecretSpec,
    )


def one(
    remote_key: str, secret_key: str | None = None, property_path: str | None = None, **more: Any
) -> dict[str, Any]:
    remote_ref = {"remoteKey": remote_key}
    if property_path is not None:
        remote_ref["property"] = property_path
    match: dict[str, Any] = {"remoteRef": remote_ref}
    if secret_key is not None:
        match["secretKey"] = secret_key
    return {"match": match} | more


def is_store(reference: PushStoreReference) -> bool:
    return reference.name == "store"


def expanded(spec: PushSecretSpec, *sources: Source) -> list[Entry]:
    return entries_for(spec, sources, is_store)


def pushed(spec: PushSecretSpec, *sources: Source) -> dict[str, str]:
    return {entry.name: entry.value.reveal().decode() for entry in expanded(spec, *sources)}


def fault_of(spec: PushSecretSpec, *sources: Source) -> ContentFault:
    with pytest.raises(ContentFault) as caught:
        expanded(spec, *sources)
    assert caught.value.__context__ is None
    return caught.value


@pytest.mark.statement("S62")
def test_a_keys_value_goes_where_the_entry_says() -> None:
    spec = spec_of([one("/app/FOO", "a"), one("BAR", "b", r"x.y\.z")])
    assert pushed(spec, source(a=" 1\n", b="")) == {"/app/FOO": " 1\n", r"BAR/x.y\.z": ""}


@pytest.mark.statement("S63")
def test_without_a_key_all_of_the_source_goes_as_one_object() -> None:
    spec = spec_of([one("ALL"), one("PART", property_path="p")])
    text = '{"B":"\\u003c\\u0026","a":"1","é":"\\u2028"}'
    data = {"a": "1", "é": "\u2028", "B": "<&"}
    assert pushed(spec, source_of(data)) == {"ALL": text, "PART/p": text}


def test_the_record_has_the_entry_as_the_manifest_has_it() -> None:
    spec = spec_of(
        [
            one("FOO", "a", "p", metadata={"kind": "x"}),
            one("ALL", conversionStrategy="ReverseUnicode"),
            one("EMPTY", "a", ""),
        ],
        [{"match": {"regexp": "b"}, "rewrite": [{"regexp": {"source": "^", "target": "X_"}}]}],
    )
    entries = expanded(spec, source(a="1", b="2"))
    plain = {"conversionStrategy": "None"}
    assert {entry.name: entry.recorded for entry in entries} == {
        "FOO/p": one("FOO", "a", "p", metadata={"kind": "x"}) | plain,
        "ALL": one("ALL", conversionStrategy="ReverseUnicode"),
        "EMPTY": one("EMPTY", "a") | plain,
        "X_b": one("X_b", "b") | plain,
    }
    assert {(entry.source.name, entry.source.uid, entry.source.version) for entry in entries} == {
        ("source", "uid-of-source", "7")
    }


def test_no_value_shows() -> None:
    spec = spec_of([one("FOO", "a"), one("ALL")])
    here = source(a="hush-hush")
    shown = repr(here) + repr(expanded(spec, here))
    assert "hush" not in shown


def test_a_key_that_is_not_there_is_told() -> None:
    fault = fault_of(spec_of([one("FOO", "a"), one("BAR", "c")]), source(a="1"), source("other", b="2"))
    assert (fault.kind, fault.key, fault.secret_key) == (FaultKind.NO_SOURCE_KEY, "BAR", "c")


@pytest.mark.parametrize(
    ("remote_key", "kind"),
    [
        ("", FaultKind.KEY_EMPTY),
        (" ", FaultKind.KEY_EMPTY),
        ("/app/\u00a0", FaultKind.KEY_EMPTY),
        ("a\nb", FaultKind.KEY_CLIMBS),
        ("a" * 1025, FaultKind.KEY_CLIMBS),
        ("a/", FaultKind.KEY_ENDS_WITH_SLASH),
        ("../a", FaultKind.KEY_CLIMBS),
        ("a/../b", FaultKind.KEY_CLIMBS),
    ],
)
def test_a_remote_key_that_names_no_secret_is_told(remote_key: str, kind: FaultKind) -> None:
    rewrite = [{"regexp": {"source": "(?s)^.*$", "target": remote_key}}]
    for spec in (spec_of([one(remote_key, "a")]), spec_of([], [{"rewrite": rewrite}])):
        assert fault_of(spec, source(a="1")).kind is kind
    assert fault_of(spec_of([], [{"remoteKey": remote_key}]), source(a="1")).kind is kind


class TestDataTo:
    def test_every_key_goes_under_its_own_name_in_order(self) -> None:
        spec = spec_of([], [{}])
        assert list(pushed(spec, source(b="2", C="3", a="1")).items()) == [("C", "3"), ("a", "1"), ("b", "2")]

    def test_another_stores_entries_stay_away(self) -> None:
        spec = spec_of([], [{"storeRef": {"name": "elsewhere"}}])
        assert pushed(spec, source(a="1")) == {}

    def test_the_pattern_is_searched(self) -> None:
        spec = spec_of([], [{"match": {"regexp": "B"}}])
        assert pushed(spec, source(aB="1", b="2", B="3")) == {"aB": "1", "B": "3"}

    def test_names_are_rewritten_one_operation_after_the_other(self) -> None:
        rewrite = [
            {"regexp": {"source": "^db-(?P<rest>.*)$", "target": "/db/${rest}"}},
            {"regexp": {"source": "-", "target": "_"}},
        ]
        spec = spec_of([], [{"rewrite": rewrite}])
        data = {"db-user-name": "1", "other-key": "2"}
        assert pushed(spec, source_of(data)) == {"/db/user_name": "1", "other_key": "2"}

    def test_a_bundle_is_one_object_of_all_that_match(self) -> None:
        spec = spec_of([one("ALONE", "a")], [{"remoteKey": "BUNDLE", "match": {"regexp": "^[ab]$"}}])
        assert pushed(spec, source(a="1", b="2", c="3")) == {"ALONE": "1", "BUNDLE": '{"a":"1","b":"2"}'}

    def test_a_bundle_of_nothing_is_not_pushed(self) -> None:
        spec = spec_of([], [{"remoteKey": "BUNDLE", "match": {"regexp": "x"}}])
        assert pushed(spec, source(a="1")) == {}

    def test_an_explicit_entry_wins_for_its_key(self) -> None:
        spec = spec_of([one("ELSEWHERE", "a"), one("ALL")], [{}])
        assert pushed(spec, source(a="1", b="2")) == {"ELSEWHERE": "1", "ALL": '{"a":"1","b":"2"}', "b": "2"}

    def test_an_explicit_entry_wins_whatever_its_key_was_converted_to(self) -> None:
        spec = spec_of([one("ELSEWHERE", "a b", conversionStrategy="ReverseUnicode")], [{}])
        assert pushed(spec, source(a_U0020_b="1", c="2")) == {"ELSEWHERE": "1", "c": "2"}

        spec = spec_of([one("ELSEWHERE", "a_U0020_b")], [{"conversionStrategy": "ReverseUnicode"}])
        assert pushed(spec, source(a_U0020_b="1", c="2")) == {"ELSEWHERE": "1", "c": "2"}

    def test_a_broken_pattern_is_told_even_if_no_key_could_match(self) -> None:
        broken = [{"regexp": {"source": "(", "target": ""}}]
        for entry in ({"match": {"regexp": "("}}, {"rewrite": broken}):
            assert fault_of(spec_of([], [entry]), source()).kind is FaultKind.REGEXP_INVALID

    def test_a_template_is_no_name(self) -> None:
        spec = spec_of([], [{"rewrite": [{"transform": {"template": "{{ .value }}"}}]}])
        fault_of(spec, source(a="1"))


class TestConversion:
    def test_codes_in_keys_are_turned_back(self) -> None:
        spec = spec_of([], [{"conversionStrategy": "ReverseUnicode"}])
        data = {"a_U002d_b": "1", "_U1f600_": "2", "_U41_": "3", "_U00e9_U00e9_": "4", "_Ud800_": "5"}
        assert pushed(spec, source_of(data)) == {
            "a-b": "1",
            "\U0001f600": "2",
            "_U41_": "3",
            "éU00e9_": "4",
            "\ufffd": "5",
        }

    def test_each_entry_has_its_own(self) -> None:
        converted = {"conversionStrategy": "ReverseUnicode"}
        spec = spec_of([one("FOO", "a b", **converted), one("BAR", "a_U0020_b"), one("ALL", **converted)])
        assert pushed(spec, source(a_U0020_b="1")) == {"FOO": "1", "BAR": "1", "ALL": '{"a b":"1"}'}

    def test_two_keys_that_become_one_are_told(self) -> None:
        spec = spec_of([], [{"conversionStrategy": "ReverseUnicode"}])
        fault = fault_of(spec, source_of({"a_U002d_b": "1", "a-b": "2"}))
        assert (fault.kind, fault.secret_key, fault.other_key) == (
            FaultKind.KEY_COLLISION,
            "a_U002d_b",
            "a-b",
        )

    @given(name=st.text("ab/: é\u2028", min_size=1, max_size=6))
    def test_it_undoes_what_reading_does(self, name: str) -> None:
        converted = convert_key(name, ConversionStrategy.UNICODE)
        strategy = PushConversionStrategy.REVERSE_UNICODE.value
        spec = spec_of([one("FOO", name, conversionStrategy=strategy)])
        assert pushed(spec, source_of({converted: "1"})) == {"FOO": "1"}


class TestDestinations:
    @pytest.mark.parametrize(
        "data",
        [
            [one("FOO", "a"), one("FOO", "b")],
            [one("FOO", "a", "p"), one("FOO", "b", "p")],
            [one("FOO", "a"), one("FOO", "a", "")],
            [one("FOO/p", "a"), one("FOO", "b", "p")],
        ],
    )
    def test_two_entries_of_one_name_are_told(self, data: list[Any]) -> None:
        fault = fault_of(spec_of(data), source(a="1", b="2"))
        assert fault.kind is FaultKind.SAME_DESTINATION
        assert fault.key is not None
        assert fault.key.startswith("FOO")

    def test_keys_rewritten_to_one_name_are_told(self) -> None:
        rewrite = [{"regexp": {"source": "[ab]", "target": "X"}}]
        fault = fault_of(spec_of([], [{"rewrite": rewrite}]), source(a="1", b="2"))
        assert (fault.kind, fault.key) == (FaultKind.SAME_DESTINATION, "X")

    def test_one_secrets_properties_are_several_destinations(self) -> None:
        spec = spec_of([one("FOO", "a", "p"), one("FOO", "a", "q")])
        assert pushed(spec, source(a="1")) == {"FOO/p": "1", "FOO/q": "1"}


class TestSeveralSources:
    def test_each_key_comes_from_the_source_that_has_it(self) -> None:
        spec = spec_of([one("FOO", "b"), one("BAR", "a")], [{}])
        entries = expanded(spec, source("two", b="2", d="4"), source("one", a="1", c="3"))
        assert [(entry.name, entry.source.name) for entry in entries] == [
            ("FOO", "two"),
            ("BAR", "one"),
            ("c", "one"),
            ("d", "two"),
        ]

    @pytest.mark.parametrize("spec", [spec_of([one("FOO", "a")]), spec_of([one("FOO")]), spec_of([], [{}])])
    def test_two_sources_for_one_destination_are_told(self, spec: PushSecretSpec) -> None:
        assert fault_of(spec, source("one", a="1"), source("two", a="2")).kind is FaultKind.SAME_DESTINATION

    @given(first=st.dictionaries(KEYS, KEYS, max_size=4), second=st.dictionaries(KEYS, KEYS, max_size=4))
    def test_their_order_does_not_matter(self, first: dict[str, str], second: dict[str, str]) -> None:
        sources = [
            source_of(first, "one"),
            source_of({key: second[key] for key in second.keys() - first.keys()}, "two"),
        ]
        spec = spec_of([], [{"rewrite": [{"regexp": {"source": "^", "target": "X"}}]}])
        entries = expanded(spec, *sources)
        assert entries == expanded(spec, *reversed(sources))
        assert {entry.name for entry in entries} == {f"X{key}" for key in first.keys() | second.keys()}


class TestValuesThatCannotBePushed:
    def test_what_is_no_text_does_not_hold_back_the_others(self) -> None:
        spec = spec_of(
            [one("FOO", "bad"), one("BAR", "good"), one("ALL")],
            [{"remoteKey": "BUNDLE", "match": {"regexp": "g"}}],
        )
        entries = {entry.name: entry for entry in expanded(spec, source(bad=b"\xff", good="1"))}
        faults = {name: entry.fault.kind for name, entry in entries.items() if entry.fault is not None}
        assert faults == {"FOO": FaultKind.NOT_UTF8, "ALL": FaultKind.NOT_UTF8}
        for name in faults:
            fault = entries[name].fault
            assert fault is not None
            assert (fault.key, fault.secret_key) == (name, "bad")
        assert entries["BAR"].value.reveal() == b"1"
        assert entries["BUNDLE"].value.reveal() == b'{"good":"1"}'

    @pytest.mark.parametrize(
        ("text", "is_too_large"),
        [
            ("x" * (MAXIMAL_SIZE - 2), False),
            ("x" * (MAXIMAL_SIZE - 1), True),
            ("\n" * (MAXIMAL_SIZE // 2), True),
            ("é" * (MAXIMAL_SIZE // 2), True),
            ("é" * (MAXIMAL_SIZE // 2 - 1), False),
        ],
    )
    def test_what_no_request_can_hold_is_told(self, text: str, is_too_large: bool) -> None:
        (entry,) = expanded(spec_of([one("FOO", "a")]), source(a=text))
        assert (entry.fault is not None) == is_too_large
        if entry.fault is not None:
            assert entry.fault.kind is FaultKind.VALUE_TOO_LARGE

    def test_two_values_can_be_too_large_together(self) -> None:
        half = "x" * (MAXIMAL_SIZE // 2)
        spec = spec_of([one("ALL")], [{}])
        entries = expanded(spec, source(a=half, b=half))
        assert [entry.name for entry in entries if entry.fault is not None] == ["ALL"]


def test_the_size_leaves_room_for_what_stands_around_a_value() -> None:
    assert re.fullmatch(r"10\d{5}", str(MAXIMAL_SIZE))
