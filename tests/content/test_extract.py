import pytest

from reconciler.content.extract import extract
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.values import Value
from tests.content.go_program import Go

OBJECTS = [
    '{"key": "value"}',
    "{}",
    '{"s": "t\\u00fc\\n", "n": 1.50e3, "big": 123456789012345678901234567890, "t": true, "f": false, "z": null}',
    '{"o": {"b" : [1,  2]}, "l": [ 1, "x" ]}',
    '{"a": 1, "a": 2, "": "empty name", "with space": ""}',
    ' {"lone": "\\ud83d", "pair": "\\ud83d\\ude00"} ',
]


def extracted(source: str, property_path: str = "") -> dict[str, str]:
    found = extract(Value.of_text(source), key="BLOB", property_path=property_path)
    return {name: value.reveal().decode() for name, value in found.items()}


@pytest.mark.parametrize("source", OBJECTS)
def test_every_property_becomes_a_key_as_go_reads_the_object(go: Go, source: str) -> None:
    assert extracted(source) == go.members(source)


@pytest.mark.statement("S51")
def test_the_documented_example() -> None:
    assert extracted('{"key": "value"}') == {"key": "value"}


@pytest.mark.parametrize(
    "source", ['{"outer": {"a": "x", "b": 2}}', '{"outer": "{\\"a\\": \\"x\\", \\"b\\": 2}"}']
)
def test_a_property_selects_the_object_or_a_text_that_holds_one(source: str) -> None:
    assert extracted(source, "outer") == {"a": "x", "b": "2"}


@pytest.mark.parametrize(
    ("source", "property_path", "kind"),
    [
        ("plain text", "", FaultKind.NOT_JSON),
        ("", "", FaultKind.NOT_JSON),
        ("[1]", "", FaultKind.NOT_OBJECT),
        ('"{}"', "", FaultKind.NOT_OBJECT),
        ("null", "", FaultKind.NOT_OBJECT),
        ('{"a": [1]}', "a", FaultKind.NOT_OBJECT),
        ('{"a": "plain"}', "a", FaultKind.NOT_JSON),
        ('{"a": {}}', "b", FaultKind.PROPERTY_ABSENT),
        ('{"a": {}}', "{a}", FaultKind.PROPERTY_UNSUPPORTED),
    ],
)
def test_what_is_no_object_is_a_fault_that_names_key_and_property(
    source: str, property_path: str, kind: FaultKind
) -> None:
    with pytest.raises(ContentFault) as caught:
        extracted(source, property_path)
    fault = caught.value
    assert (fault.kind, fault.key, fault.property_path) == (kind, "BLOB", property_path or None)
    assert fault.__context__ is None or isinstance(fault.__context__, ContentFault)
