"""What flows through machines and journals can carry no secret: the types are walked, and cross as JSON unharmed."""

import enum
import types
from collections.abc import Iterator
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from machines import names
from machines.effects import Effect
from machines.kernel import Asking
from machines.names import Name
from machines.outcomes import Outcome
from machines.registry import MACHINES

Kind = TypeVar("Kind")


def _below(base: type[Kind]) -> Iterator[type[Kind]]:
    """All subclasses that have none themselves."""
    for child in base.__subclasses__():
        yield from _below(child) if child.__subclasses__() else (child,)


EFFECTS: list[type[Effect]] = list(_below(Effect))
OUTCOMES: list[type[Outcome]] = list(_below(Outcome))
NAMES: list[type[Name]] = list(_below(Name))


def _leaks(annotation: Any, where: str) -> Iterator[str]:
    """Where a type could carry a free text, each as a sentence."""
    if get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _leaks(part, where)
    elif get_origin(annotation) is tuple:
        for part in get_args(annotation):
            if part is not Ellipsis:
                yield from _leaks(part, where)
    elif annotation in (bool, int, float, type(None)):
        return
    elif not isinstance(annotation, type):
        yield f"{where} is {annotation}"
    elif issubclass(annotation, Name | enum.Enum):
        if annotation is Name or (issubclass(annotation, enum.Enum) and issubclass(annotation, str)):
            yield f"{where} is {annotation.__name__}"
    elif issubclass(annotation, msgspec.Struct):
        if not annotation.__struct_config__.frozen:
            yield f"{where} is {annotation.__name__}, which can be changed"
        hints = get_type_hints(annotation)
        for field in annotation.__struct_fields__:
            yield from _leaks(hints[field], f"{where}.{field}")
    else:
        yield f"{where} is {annotation.__name__}"


@pytest.mark.parametrize("kind", [*EFFECTS, *OUTCOMES], ids=lambda kind: kind.__name__)
def test_no_effect_and_no_outcome_can_carry_a_secret(kind: type[Effect | Outcome]) -> None:
    assert list(_leaks(kind, kind.__name__)) == []


@pytest.mark.parametrize(
    ("machine", "kind"),
    [(machine.name, type(machine.start_facts)) for machine in MACHINES.values()],
)
def test_no_run_can_remember_a_secret(machine: str, kind: type) -> None:
    assert list(_leaks(kind, machine)) == []


class Telltale(msgspec.Struct):
    """One field of each type that could carry a secret."""

    text: str
    raw: bytes
    several: tuple[str | None, ...]
    table: dict[str, int]
    whatever: Any
    name: Name
    items: list[int]


def test_a_type_that_could_carry_a_secret_is_found() -> None:
    found = list(_leaks(Telltale, "Telltale"))
    assert "Telltale is Telltale, which can be changed" in found
    assert {sentence.split()[0] for sentence in found[1:]} == {
        f"Telltale.{field}" for field in Telltale.__struct_fields__
    }


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.__name__)
def test_every_effect_declares_its_outcomes_and_is_asked_for(effect: type[Effect]) -> None:
    assert effect.outcomes
    assert len(set(effect.outcomes)) == len(effect.outcomes)
    assert effect in {
        state.asks for machine in MACHINES.values() for state in machine.states if isinstance(state, Asking)
    }


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.__name__)
def test_every_outcome_is_given_by_some_effect(outcome: type[Outcome]) -> None:
    assert any(outcome in effect.outcomes for effect in EFFECTS)


# --- values: what hypothesis makes of the types ----------------------------------------------------------------


def _values(annotation: Any) -> st.SearchStrategy[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        return st.one_of([_values(part) for part in get_args(annotation)])
    if get_origin(annotation) is tuple:
        return st.lists(_values(get_args(annotation)[0]), max_size=2).map(tuple)
    if annotation is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    if annotation is int:
        return st.integers(-(2**53), 2**53)
    if issubclass(annotation, Name):
        return st.from_regex(annotation.form, fullmatch=True).map(annotation)
    if issubclass(annotation, msgspec.Struct):
        hints = get_type_hints(annotation)
        return st.builds(
            annotation, **{field: _values(hints[field]) for field in annotation.__struct_fields__}
        )
    return st.from_type(annotation)


def _crosses(value: Any, into: Any) -> Any:
    line = msgspec.json.encode(value, enc_hook=str)
    assert b"\n" not in line
    return msgspec.json.decode(line, type=into, dec_hook=lambda kind, text: kind(text))


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_outcomes_cross_as_json_and_come_back_equal(effect: type[Effect], data: st.DataObject) -> None:
    outcome = data.draw(_values(Union[effect.outcomes]))  # noqa: UP007  (made of a tuple)
    back = _crosses(outcome, Union[effect.outcomes])  # noqa: UP007
    assert back == outcome
    assert type(back) is type(outcome)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.__name__)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_effects_cross_as_json_and_come_back_equal(effect: type[Effect], data: st.DataObject) -> None:
    asked = data.draw(_values(effect))
    assert _crosses(asked, effect) == asked


# --- names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.__name__)
@settings(max_examples=60, deadline=None)
@given(text=st.text() | st.text("aA1-./:[]\n\x00 ", max_size=1100))
def test_a_name_has_its_form_or_is_refused_without_being_quoted(name: type[Name], text: str) -> None:
    if name.form.fullmatch(text):
        assert name(text) == text
        return
    with pytest.raises(ValueError) as refused:
        name(text)
    assert str(refused.value) == f"this is no {name.__name__}"
    assert refused.value.__cause__ is refused.value.__context__ is None


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.__name__)
@pytest.mark.parametrize("text", ["a\nb", "x\x00", "tab\there", "a" * 2000, "\x7f"])
def test_no_name_takes_control_characters_or_endless_texts(name: type[Name], text: str) -> None:
    with pytest.raises(ValueError):
        name(text)


GOOD = {
    names.KindName: "ClusterSecretStore",
    names.ResourceName: "my-app.v1",
    names.NamespaceName: "team-a",
    names.ResourceVersion: "123456",
    names.SyncedVersion: "3-6ee08b1e6308371322db46ffd6e44d85577c0ba431e835c152bee5bc",
    names.Uid: "7f3c1a52-0b0e-4c39-9b52-6c1f3c1f7a11",
    names.FieldPath: "spec.data[0].remoteRef.key",
    names.RuleName: "some-data",
    names.Verb: "get",
    names.PluralName: "externalsecrets/status",
    names.SecretKey: "tls.crt",
    names.RemoteName: "/my-app/DB_PASSWORD",
    names.PropertyPath: "users.0.name",
    names.FolderPath: "/team/api",
    names.Slug: "my-project-x1",
    names.Host: "https://app.infisical.com",
}
BAD = {
    names.KindName: "secretStore",
    names.ResourceName: "-app",
    names.NamespaceName: "Team_A",
    names.ResourceVersion: "",
    names.SyncedVersion: "3-XYZ",
    names.Uid: "no uid",
    names.FieldPath: "spec data",
    names.RuleName: "Some Data",
    names.Verb: "GET",
    names.PluralName: "a/b/c",
    names.SecretKey: "k" * 254,
    names.RemoteName: "k" * 1025,
    names.PropertyPath: "p" * 1025,
    names.FolderPath: "team/api",
    names.Slug: "s" * 129,
    names.Host: "https://user:word@app.infisical.com/api",
}


def test_each_name_takes_what_it_is_for_and_refuses_what_it_is_not_for() -> None:
    assert set(GOOD) == set(BAD) == set(NAMES)
    for name, text in GOOD.items():
        assert name(text) == text
    for name, text in BAD.items():
        with pytest.raises(ValueError):
            name(text)
