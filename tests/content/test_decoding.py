import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.resources.remote_data import DecodingStrategy, NullBytePolicy
from reconciler.content.decoding import check_null_bytes, decode
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.values import Value
from tests.content.go_program import Go

ENCODED = [
    "",
    "aGVsbG8=",
    "aGVs\r\nbG8=\n",
    "aGVsbG8=\r",
    "aGVsbG8\n=",
    "aGVsbG8",
    "aGVsbG8==",
    "aGVsbG9=",
    "aGVsbG8=x",
    "aGVsbG8=\nx",
    " aGVsbG8=",
    "aGVs bG8=",
    "+/+/",
    "-_-_",
    "+_+/",
    "=",
    "====",
    "a===",
    "aG==",
    "aG=\n=",
    "aH==",
    "a",
    "ü===",
    "password",
    "aGVs\x00bG8=",
    "\n",
]


def decoded(content: bytes, strategy: DecodingStrategy) -> bytes | None:
    try:
        return decode(Value(content), strategy, secret_key="KEY").reveal()
    except ContentFault:
        return None


@pytest.mark.parametrize("text", ENCODED)
def test_both_alphabets_are_read_as_go_reads_them(go: Go, text: str) -> None:
    assert decoded(text.encode(), DecodingStrategy.BASE64) == go.decode(text, url=False)
    assert decoded(text.encode(), DecodingStrategy.BASE64_URL) == go.decode(text, url=True)


def test_any_mixture_of_their_characters_is_read_as_go_reads_it(go: Go) -> None:
    @given(st.text("aZ9+/-_=\n\r ", max_size=12))
    def compare(text: str) -> None:
        assert decoded(text.encode(), DecodingStrategy.BASE64) == go.decode(text, url=False)
        assert decoded(text.encode(), DecodingStrategy.BASE64_URL) == go.decode(text, url=True)

    compare()


@given(st.binary(max_size=40))
def test_what_is_encoded_comes_back(content: bytes) -> None:
    assert decoded(base64.b64encode(content), DecodingStrategy.BASE64) == content
    assert decoded(base64.urlsafe_b64encode(content), DecodingStrategy.BASE64_URL) == content
    assert decoded(base64.b64encode(content), DecodingStrategy.AUTO) == content
    assert decoded(base64.urlsafe_b64encode(content), DecodingStrategy.AUTO) == content
    assert decoded(content, DecodingStrategy.NONE) == content


@pytest.mark.parametrize("content", [b"not base64!", b"\xff\xfe", b"aGVsbG8"])
def test_auto_leaves_what_is_neither(content: bytes) -> None:
    assert decoded(content, DecodingStrategy.AUTO) == content


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        (DecodingStrategy.BASE64, FaultKind.NOT_BASE64),
        (DecodingStrategy.BASE64_URL, FaultKind.NOT_BASE64_URL),
    ],
)
def test_what_cannot_be_decoded_is_a_fault_that_names_the_key_alone(
    strategy: DecodingStrategy, kind: FaultKind
) -> None:
    with pytest.raises(ContentFault) as caught:
        decode(Value(b"s3cret!"), strategy, secret_key="TOKEN")
    assert (caught.value.kind, caught.value.secret_key) == (kind, "TOKEN")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_null_byte_is_a_fault_only_where_the_policy_says_so() -> None:
    check_null_bytes(Value(b"a\0b"), NullBytePolicy.IGNORE, secret_key="KEY")
    check_null_bytes(Value(b"ab"), NullBytePolicy.FAIL, secret_key="KEY")
    with pytest.raises(ContentFault) as caught:
        check_null_bytes(Value(b"a\0b"), NullBytePolicy.FAIL, secret_key="KEY")
    assert (caught.value.kind, caught.value.secret_key) == (FaultKind.NULL_BYTE, "KEY")
