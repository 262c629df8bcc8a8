import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.content.json_text import unquote
from reconciler.content.json_writing import object_text, quote, quote_property
from tests.content.go_program import Go

TEXT = (
    st.text(st.sampled_from("aZ09 \"\\/<>&'\u2028\u2029\x00\x08\x0c\x1f\x7f\n\r\té\U0001f600\ufffd"))
    | st.text()
)


@pytest.mark.statement("S63")
@given(members=st.dictionaries(TEXT, TEXT, max_size=5))
def test_an_object_is_written_as_go_writes_it(go: Go, members: dict[str, str]) -> None:
    assert object_text(members) == go.write_object(members)


@given(text=TEXT)
def test_a_property_is_written_as_sjson_writes_it(go: Go, text: str) -> None:
    assert go.set("{}", "a", text) == f'{{"a":{quote_property(text)}}}'


@given(text=TEXT)
def test_what_is_quoted_reads_as_what_it_was(text: str) -> None:
    assert unquote(quote(text)) == unquote(quote_property(text)) == text
