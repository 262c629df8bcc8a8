import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.resources.remote_data import ConversionStrategy as Conversion
from reconciler.content.conversion import check_keys, convert_key, convert_keys, is_valid_key
from reconciler.content.faults import ContentFault, FaultKind
from tests.content.go_program import Go


@pytest.mark.parametrize(
    ("key", "default", "by_code"),
    [
        ("plain-._1", "plain-._1", "plain-._1"),
        ("a/b c", "a_b_c", "a_U002f_b_U0020_c"),
        ("$🔑", "__", "_U0024__U1f511_"),
        ("größe", "größe", "größe"),
        ("", "", ""),
    ],
)
def test_characters_that_a_key_cannot_have_are_replaced(key: str, default: str, by_code: str) -> None:
    assert convert_key(key, Conversion.DEFAULT) == default
    assert convert_key(key, Conversion.UNICODE) == by_code


def test_two_keys_that_become_one_are_a_fault_that_names_both() -> None:
    with pytest.raises(ContentFault) as caught:
        convert_keys({"a/b": 1, "c": 2, "a b": 3}, Conversion.DEFAULT)
    fault = caught.value
    assert (fault.kind, fault.secret_key, fault.other_key) == (FaultKind.KEY_COLLISION, "a/b", "a b")
    assert convert_keys({"a/b": 1, "a b": 3}, Conversion.UNICODE) == {"a_U002f_b": 1, "a_U0020_b": 3}


@pytest.mark.parametrize("key", ["a", "-._aZ9", "x" * 253, ".a", "a.."])
def test_keys_that_a_secret_can_have(key: str) -> None:
    assert is_valid_key(key)


@pytest.mark.parametrize("key", ["", "a b", "a/b", "ä", "x" * 254, ".", "..", "..data", "a\n"])
def test_keys_that_a_secret_cannot_have(key: str) -> None:
    assert not is_valid_key(key)
    with pytest.raises(ContentFault) as caught:
        check_keys(["fine", key])
    assert (caught.value.kind, caught.value.secret_key) == (FaultKind.KEY_INVALID, key)


@given(st.text(st.characters(max_codepoint=127), min_size=1))
def test_ascii_keys_convert_to_valid_ones(key: str) -> None:
    for conversion in Conversion:
        converted = convert_key(key, conversion)
        assert is_valid_key(converted) or len(converted) > 253 or converted.startswith(".")


def test_letters_and_numbers_are_what_go_takes_for_them(go: Go) -> None:
    characters = "".join(chr(code) for code in range(0x80, 0x3000)) + "𝔸🔑²Ⅷ"
    kept = [convert_key(character, Conversion.DEFAULT) == character for character in characters]
    differing = [
        character
        for character, ours, theirs in zip(characters, kept, go.is_letter_or_number(characters), strict=True)
        if ours != theirs
        and unicodedata.category(character) != "Cn"  # newer Unicode versions have more characters
    ]
    assert differing == []
