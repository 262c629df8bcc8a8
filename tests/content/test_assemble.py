import pytest

from adapters.resources.remote_data import ConversionStrategy, DecodingStrategy, NullBytePolicy
from reconciler.content.assemble import DataEntry, SeveralEntry, assemble
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.values import Value, reveal_all


def values(**texts: str) -> dict[str, Value]:
    return {name: Value.of_text(text) for name, text in texts.items()}


def entry(secret_key: str, text: str, property_path: str = "") -> DataEntry:
    return DataEntry(secret_key, "REMOTE", Value.of_text(text), property_path)


@pytest.mark.statement("S50")
def test_data_entries_give_their_keys_whole_or_by_property() -> None:
    data = [entry("API_KEY", "abc"), entry("BLOB_MEMBER", '{"key": "value"}', "key")]
    assert reveal_all(assemble([], data)) == {"API_KEY": b"abc", "BLOB_MEMBER": b"value"}


def test_later_entries_win_and_data_wins_over_data_from() -> None:
    data_from = [SeveralEntry(values(A="1", B="1", C="1")), SeveralEntry(values(B="2", C="2"))]
    assembled = reveal_all(assemble(data_from, [entry("C", "3"), entry("D", "3"), entry("D", "4")]))
    assert assembled == {"A": b"1", "B": b"2", "C": b"3", "D": b"4"}


def test_keys_are_converted_only_where_nothing_rewrites_them() -> None:
    plain = SeveralEntry({"a/b": Value(b"1")})
    by_code = SeveralEntry({"a/b": Value(b"1")}, conversion=ConversionStrategy.UNICODE)
    rewritten = SeveralEntry({"a/b": Value(b"1")}, rewrite=lambda old: {"c": old["a/b"]})
    kept = SeveralEntry({"a/b": Value(b"1")}, rewrite=lambda old: old)
    assert list(assemble([plain], [])) == ["a_b"]
    assert list(assemble([by_code], [])) == ["a_U002f_b"]
    assert list(assemble([rewritten], [])) == ["c"]
    with pytest.raises(ContentFault) as caught:
        assemble([kept], [])
    assert (caught.value.kind, caught.value.secret_key) == (FaultKind.KEY_INVALID, "a/b")


def test_an_empty_key_is_dropped() -> None:
    assert list(assemble([SeveralEntry({"": Value(b"1"), "a": Value(b"2")})], [])) == ["a"]


def test_values_are_decoded_after_their_property_and_then_looked_at_for_null_bytes() -> None:
    data = DataEntry("A", "R", Value.of_text('{"p": "AA=="}'), "p", DecodingStrategy.BASE64)
    assert reveal_all(assemble([], [data])) == {"A": b"\0"}
    strict = DataEntry("A", "R", Value.of_text("AA=="), "", DecodingStrategy.AUTO, NullBytePolicy.FAIL)
    with pytest.raises(ContentFault) as caught:
        assemble([], [strict])
    assert (caught.value.kind, caught.value.secret_key) == (FaultKind.NULL_BYTE, "A")


def test_data_from_is_decoded_too() -> None:
    several = SeveralEntry(values(A="aGk=", B="YQ=="), decoding=DecodingStrategy.BASE64)
    assert reveal_all(assemble([several], [])) == {"A": b"hi", "B": b"a"}


def test_a_key_of_data_that_no_secret_can_have_is_a_fault() -> None:
    with pytest.raises(ContentFault) as caught:
        assemble([], [entry("no key", "1")])
    assert (caught.value.kind, caught.value.secret_key) == (FaultKind.KEY_INVALID, "no key")
