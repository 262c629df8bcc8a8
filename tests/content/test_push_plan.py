import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.keys import Location, resolve_key
from reconciler.content.property_writing import Property
from reconciler.content.push_entries import Entry, SourceIdentity
from reconciler.content.push_plan import (
    Plan,
    Removal,
    Step,
    StepKind,
    Wanted,
    as_stored,
    loses_white_space,
    plan,
)
from reconciler.content.values import Value
from reconciler.standin.model import stored

Remote = dict[Location, str]


def entry(
    remote_key: str, text: str = "v", property_path: str | None = None, fault: FaultKind | None = None
) -> Entry:
    return Entry(
        remote_key=remote_key,
        property=property_path,
        value=Value.of_text(text),
        source=SourceIdentity("source", "uid", "1"),
        recorded={},
        fault=None if fault is None else ContentFault(fault, key=remote_key),
    )


def place(remote_key: str) -> Location:
    return resolve_key("/app", remote_key)


def wanted(
    remote_key: str, text: str = "v", property_path: str | None = None, fault: FaultKind | None = None
) -> Wanted:
    return Wanted(entry(remote_key, text, property_path, fault), place(remote_key))


def removal(remote_key: str, property_path: str | None = None) -> Removal:
    name = remote_key if property_path is None else f"{remote_key}/{property_path}"
    return Removal(name, place(remote_key), property_path)


def planned(
    remote: Mapping[str, str],
    entries: Iterable[Wanted] = (),
    removals: Iterable[Removal] = (),
    *,
    recorded: Collection[str] = (),
    if_not_exists: bool = False,
) -> Plan:
    entries, removals = list(entries), list(removals)
    existing: dict[Location, str | None] = {each.location: None for each in entries}
    existing.update({each.location: None for each in removals})
    existing.update({place(name): text for name, text in remote.items()})
    return plan(entries, removals, existing, recorded, if_not_exists=if_not_exists)


def written(plan: Plan) -> dict[str, str | None]:
    """What becomes of each secret that changes; None: it goes."""
    return {
        step.location.name: None if step.text is None else step.text.reveal().decode()
        for step in plan.steps
        if step.kind is not StepKind.NOTHING
    }


def faults(plan: Plan) -> dict[str, FaultKind]:
    return {name: fault.kind for name, fault in plan.faults}


def applied(remote: Remote, plan: Plan) -> Remote:
    """What a server holds after a plan."""
    after = dict(remote)
    for step in plan.steps:
        if step.kind in (StepKind.CREATE, StepKind.UPDATE):
            assert step.text is not None
            assert (step.location in after) == (step.kind is StepKind.UPDATE)
            after[step.location] = as_stored(step.text.reveal().decode())
        elif step.kind is StepKind.DELETE:
            assert step.text is None
            del after[step.location]
    return after


@given(text=st.text(st.sampled_from(" \t\n\r\v\f\u00a0\u1680\u2028\ufeff\u200b\x1c\x85ab")) | st.text())
def test_what_is_stored_is_what_the_stand_in_stores(text: str) -> None:
    assert as_stored(text) == stored(text)
    assert as_stored(as_stored(text)) == as_stored(text)
    assert loses_white_space(entry("FOO", text)) == (stored(text) != text)
    assert not loses_white_space(entry("FOO", text, "p"))


class TestWholeValues:
    @pytest.mark.statement("S65")
    def test_created_updated_equal(self) -> None:
        result = planned({"B": "old", "C": "v"}, [wanted("A"), wanted("B"), wanted("C")])
        assert [(step.location.name, step.kind, step.entries) for step in result.steps] == [
            ("A", StepKind.CREATE, ("A",)),
            ("B", StepKind.UPDATE, ("B",)),
            ("C", StepKind.NOTHING, ()),
        ]
        assert written(result) == {"A": "v", "B": "v"}
        assert result.owned == ("A", "B", "C")
        assert result.equal == ("C",)

    @pytest.mark.statement("S66")
    @pytest.mark.parametrize(
        ("text", "remote"),
        [
            ("v\n", "v\n"),
            (" v ", "v"),
            (" v\n\n", "v\n"),
            ("", ""),
            ("\n", "\n"),
            (" v ", " v "),
            ("${a}", "${a}"),
        ],
    )
    def test_what_the_server_would_store_is_not_written_again(self, text: str, remote: str) -> None:
        result = planned({"FOO": remote}, [wanted("FOO", text)])
        assert written(result) == {}
        assert (result.owned, result.equal) == (("FOO",), ("FOO",))

    def test_what_is_there_is_kept_and_not_ours(self) -> None:
        result = planned({"FOO": "v"}, [wanted("FOO"), wanted("BAR")], if_not_exists=True)
        assert written(result) == {"BAR": "v"}
        assert (result.kept, result.owned, result.equal) == (("FOO",), ("BAR",), ())

    def test_what_is_there_and_recorded_is_kept_and_ours(self) -> None:
        result = planned({"FOO": "old"}, [wanted("FOO")], recorded=["FOO"], if_not_exists=True)
        assert written(result) == {}
        assert (result.kept, result.owned) == (("FOO",), ("FOO",))

    @pytest.mark.statement("S67")
    @pytest.mark.statement("S69")
    def test_what_goes_goes_and_what_is_gone_is_told(self) -> None:
        result = planned({"FOO": "v"}, [], [removal("FOO"), removal("BAR"), removal("BAR", "p")])
        assert [(step.kind, step.removals) for step in result.steps] == [(StepKind.DELETE, ("FOO",))]
        assert result.gone == ("BAR", "BAR/p")

    def test_another_name_of_the_same_place_takes_over(self) -> None:
        for if_not_exists in (False, True):
            result = planned(
                {"FOO": "v"}, [wanted("FOO")], [removal("/app/FOO")], if_not_exists=if_not_exists
            )
            assert written(result) == {}
            assert result.owned == ("FOO",)
            assert [step.removals for step in result.steps] == [("/app/FOO",)]

    def test_a_whole_value_in_place_of_a_property(self) -> None:
        result = planned({"FOO": '{"p":"v","q":"v"}'}, [wanted("FOO")], [removal("FOO", "p")])
        assert written(result) == {"FOO": "v"}
        assert [step.removals for step in result.steps] == [("FOO/p",)]

    def test_a_whole_value_in_place_of_a_property_if_nothing_else_is_there(self) -> None:
        whole, gone = [wanted("FOO")], [removal("FOO", "p")]
        result = planned({"FOO": '{"p":"v","q":"v"}'}, whole, gone, if_not_exists=True)
        assert (written(result), result.kept, result.owned) == ({"FOO": '{"q":"v"}'}, ("FOO",), ())
        result = planned({"FOO": '{"p":"v"}'}, whole, gone, if_not_exists=True)
        assert (written(result), result.kept, result.owned) == ({"FOO": "v"}, (), ("FOO",))

    def test_one_that_cannot_be_pushed_does_not_hold_back_the_others(self) -> None:
        result = planned(
            {"FOO": "old"}, [wanted("FOO", "", None, FaultKind.NOT_UTF8), wanted("BAR")], recorded=["FOO"]
        )
        assert written(result) == {"BAR": "v"}
        assert faults(result) == {"FOO": FaultKind.NOT_UTF8}
        assert result.owned == ("FOO", "BAR") or result.owned == ("BAR", "FOO")

    def test_outer_white_space_of_a_name_makes_no_other_secret(self) -> None:
        result = planned({"FOO": "v", "FOO ": "v"}, [wanted("FOO"), wanted("FOO ")])
        assert faults(result) == dict.fromkeys(("FOO", "FOO "), FaultKind.SAME_DESTINATION)
        result = planned({"FOO": "v", "FOO ": "v"}, [wanted("FOO")], [removal("FOO ")])
        assert (written(result), result.owned) == ({}, ("FOO",))

    def test_another_name_takes_over_even_while_it_cannot_be_pushed(self) -> None:
        result = planned({"FOO": "v"}, [wanted("FOO", "", None, FaultKind.NOT_UTF8)], [removal("/app/FOO")])
        assert (written(result), result.owned) == ({}, ("FOO",))
        assert [step.removals for step in result.steps] == [("/app/FOO",)]

    def test_what_could_not_be_read_is_left_alone(self) -> None:
        result = plan([wanted("FOO"), wanted("BAR")], [removal("BAZ")], {}, ["FOO"], if_not_exists=False)
        assert result == Plan(owned=("FOO",))


class TestProperties:
    @pytest.mark.statement("S64")
    def test_all_that_concerns_a_secret_is_one_write(self) -> None:
        remote = {"FOO": '{"z":"${env.Z}","old":"v","mine":"old","same":"\\u0076"}'}
        entries = [wanted("FOO", "v", path) for path in ("mine", "same", "new.deep")]
        result = planned(remote, entries, [removal("FOO", "old"), removal("FOO", "absent")])
        assert written(result) == {"FOO": '{"z":"${env.Z}","mine":"v","same":"\\u0076","new":{"deep":"v"}}'}
        (step,) = result.steps
        assert step.entries == ("FOO/mine", "FOO/new.deep")
        assert step.removals == ("FOO/old",)
        assert result.equal == ("FOO/same",)
        assert result.gone == ("FOO/absent",)
        assert result.owned == ("FOO/mine", "FOO/new.deep", "FOO/same")

    @pytest.mark.parametrize("remote", [{}, {"FOO": ""}, {"FOO": "{}"}])
    def test_an_absent_or_empty_value_is_an_empty_object(self, remote: dict[str, str]) -> None:
        assert written(planned(remote, [wanted("FOO", "v", "p")])) == {"FOO": '{"p":"v"}'}

    @pytest.mark.statement("S68")
    def test_the_secret_goes_with_its_last_property(self) -> None:
        gone = [removal("FOO", "p"), removal("FOO", "q")]
        assert written(planned({"FOO": '{"p":"v","q":"v"}'}, [], gone)) == {"FOO": None}
        assert written(planned({"FOO": '{"p":"v","q":"v","r":1}'}, [], gone)) == {"FOO": '{"r":1}'}
        assert written(planned({"FOO": '{"p":"v"}'}, [wanted("FOO", "v", "r")], gone)) == {"FOO": '{"r":"v"}'}

    def test_what_is_empty_without_us_stays(self) -> None:
        for text in ("{}", ""):
            result = planned({"FOO": text}, [], [removal("FOO", "p")])
            assert (written(result), result.gone) == ({}, ("FOO/p",))

    @pytest.mark.statement("S64")
    def test_a_value_that_is_no_object_is_left_alone(self) -> None:
        result = planned(
            {"FOO": "text"}, [wanted("FOO", "v", "p")], [removal("FOO", "q")], if_not_exists=True
        )
        assert written(result) == {}
        assert faults(result) == {"FOO/p": FaultKind.NO_OBJECT, "FOO/q": FaultKind.NO_OBJECT}
        assert result.gone == ()

    def test_a_property_that_is_there_is_kept(self) -> None:
        entries = [wanted("FOO", "v", "p"), wanted("FOO", "v", "q")]
        result = planned({"FOO": '{"p":"old"}'}, entries, if_not_exists=True)
        assert written(result) == {"FOO": '{"p":"old","q":"v"}'}
        assert (result.kept, result.owned) == (("FOO/p",), ("FOO/q",))

    def test_properties_in_place_of_a_whole_value(self) -> None:
        result = planned({"FOO": "text"}, [wanted("FOO", "v", "p")], [removal("FOO")])
        assert written(result) == {"FOO": '{"p":"v"}'}
        assert [step.removals for step in result.steps] == [("FOO",)]

    def test_a_whole_value_stays_while_nothing_can_take_its_place(self) -> None:
        entries = [wanted("FOO", "", "p", FaultKind.NOT_UTF8), wanted("FOO", "v", "q.9999")]
        result = planned({"FOO": "text"}, entries, [removal("FOO")])
        assert result.steps == ()
        assert faults(result) == {"FOO/p": FaultKind.NOT_UTF8, "FOO/q.9999": FaultKind.PROPERTY_UNSUPPORTED}

    def test_a_whole_value_and_a_property_exclude_each_other(self) -> None:
        entries = [wanted("FOO"), wanted("/app/FOO", "v", "p"), wanted("BAR")]
        result = planned({"FOO": "{}"}, entries)
        assert written(result) == {"BAR": "v"}
        assert faults(result) == dict.fromkeys(("FOO", "/app/FOO/p"), FaultKind.SAME_DESTINATION)

    def test_two_names_of_one_place_exclude_each_other(self) -> None:
        assert set(faults(planned({}, [wanted("FOO"), wanted("/app/FOO")]))) == {"FOO", "/app/FOO"}

    @pytest.mark.parametrize("other", ["p.q", r"\p", ":p", "p.0"])
    def test_overlapping_properties_exclude_each_other(self, other: str) -> None:
        entries = [wanted("FOO", "v", path) for path in ("p", other, "r")]
        result = planned({}, entries)
        assert written(result) == {"FOO": '{"r":"v"}'}
        assert faults(result) == {f"FOO/{path}": FaultKind.SAME_DESTINATION for path in ("p", other)}

    def test_a_path_that_cannot_be_written_is_told_of_entries_and_is_no_removal(self) -> None:
        result = planned(
            {"FOO": '{"a":1}'}, [wanted("FOO", "v", "a*"), wanted("FOO", "v", "b")], [removal("FOO", "#")]
        )
        assert written(result) == {"FOO": '{"a":1,"b":"v"}'}
        assert faults(result) == {"FOO/a*": FaultKind.PROPERTY_UNSUPPORTED}
        assert result.gone == ("FOO/#",)

    def test_too_much_together_is_told_of_what_does_not_fit(self) -> None:
        large = "x" * 600_000
        result = planned({}, [wanted("FOO", large, "a"), wanted("FOO", large, "b"), wanted("FOO", "v", "c")])
        assert faults(result) == {"FOO/b": FaultKind.VALUE_TOO_LARGE}
        assert result.owned == ("FOO/a", "FOO/c")

    def test_a_property_taken_over_by_another_name_is_no_deletion(self) -> None:
        result = planned(
            {"FOO": '{"p":"v"}'}, [wanted("FOO", "v", "p")], [removal("/app/FOO", "p")], if_not_exists=True
        )
        assert written(result) == {}
        assert (result.kept, result.owned) == (("FOO/p",), ("FOO/p",))
        assert [step.removals for step in result.steps] == [("/app/FOO/p",)]

    def test_a_longer_path_in_place_of_a_shorter_one(self) -> None:
        gone = [removal("FOO", "p")]
        result = planned({"FOO": '{"p":"text","z":1}'}, [wanted("FOO", "v", "p.q")], gone)
        assert written(result) == {"FOO": '{"p":{"q":"v"},"z":1}'}
        again = planned({"FOO": '{"p":{"q":"v"},"z":1}'}, [wanted("FOO", "v", "p.q")], gone)
        assert written(again) == {}

    def test_a_longer_path_finds_an_object_already(self) -> None:
        remote = {"FOO": '{"p":{"q":"old","of others":1}}'}
        result = planned(remote, [wanted("FOO", "v", "p.q")], [removal("FOO", "p")])
        assert written(result) == {"FOO": '{"p":{"q":"v","of others":1}}'}

    def test_what_cannot_be_pushed_holds_back_what_would_make_way_for_it(self) -> None:
        at_fault = [wanted("FOO", "", "p.q", FaultKind.NOT_UTF8)]
        for text, gone in (('{"p":"text"}', removal("FOO", "p")), ("text", removal("FOO"))):
            result = planned({"FOO": text}, at_fault, [gone])
            assert (result.steps, result.gone, set(faults(result))) == ((), (), {"FOO/p.q"})

    def test_a_secret_that_is_still_wanted_stays_without_properties(self) -> None:
        at_fault = [wanted("FOO", "", "p", FaultKind.NOT_UTF8)]
        assert written(planned({"FOO": '{"q":"v"}'}, at_fault, [removal("FOO", "q")])) == {"FOO": "{}"}

    def test_properties_in_place_of_a_whole_value_that_are_there_already(self) -> None:
        result = planned({"FOO": '{"p":"v"}'}, [wanted("FOO", "v", "p")], [removal("FOO")])
        (step,) = result.steps
        assert (step.kind, step.entries, step.removals) == (StepKind.NOTHING, (), ("FOO",))
        assert (result.equal, result.owned) == (("FOO/p",), ("FOO/p",))

    def test_new_properties_come_in_an_order_of_their_own(self) -> None:
        paths = ["b", "l.10", "l.9", "a", "l.0"]
        for order in (paths, paths[::-1]):
            result = planned({}, [wanted("FOO", "v", path) for path in order])
            text = written(result)["FOO"]
            assert text is not None
            assert text.startswith('{"a":"v","b":"v","l":["v",null')
            assert text.endswith('"v","v"]}')

    def test_a_shorter_path_in_place_of_a_longer_one(self) -> None:
        result = planned({"FOO": '{"p":{"q":"v"},"z":1}'}, [wanted("FOO", "v", "p")], [removal("FOO", "p.q")])
        assert written(result) == {"FOO": '{"p":"v","z":1}'}

    def test_elements_of_a_list_do_not_move(self) -> None:
        remote = {"FOO": '{"l":["a","b","c"]}'}
        result = planned(remote, [wanted("FOO", "v", "l.1")], [removal("FOO", "l.0"), removal("FOO", "l.2")])
        assert written(result) == {"FOO": '{"l":[null,"v"]}'}
        result = planned({"FOO": '{"l":["a","b"]}'}, [], [removal("FOO", "l.0"), removal("FOO", "l.1")])
        assert written(result) == {"FOO": '{"l":[]}'}


REMOTE_KEYS = st.sampled_from(["A", "A", "A", "/app/A", "B", "sub/A"])
PATHS = ["p", "q", "p.q", "p.r", "l.0", "l.1", "l.:1", r"p\.q", "l", "*"]
TEXTS = st.sampled_from(["v", "w", "", " v ", "v\n", "{}", '{"p":"v","q":"w"}', "é<"])
STORED = TEXTS.map(as_stored) | st.sampled_from([
    '{"p":"v"}',
    '{"q":1}',
    '{"p":{"q":"v","s":2},"other":"${x}"}',
    '{"p":{"q":"v"}}',
    '{"l":["v",null,"w"]}',
    '{"l":[]}',
    "[]",
])  # fmt: skip


@st.composite
def names(draw: st.DrawFn) -> tuple[str, str | None]:
    return draw(REMOTE_KEYS), draw(st.sampled_from([*PATHS, None, None]))


@st.composite
def situations(draw: st.DrawFn) -> dict[str, Any]:
    """A remote state, what is wanted, and what of the record is not wanted any more."""
    chosen = draw(st.lists(names(), max_size=8, unique_by=lambda name: f"{name[0]}/{name[1] or ''}"))
    cut = draw(st.integers(0, len(chosen)))
    bad = st.sampled_from([None, None, None, FaultKind.NOT_UTF8])
    entries = [wanted(key, draw(TEXTS), path, draw(bad)) for key, path in chosen[:cut]]
    removals = [removal(key, path) for key, path in chosen[cut:]]
    remote = draw(st.dictionaries(st.sampled_from(["A", "B", "sub/A", "C"]).map(place), STORED))
    recorded = [each.entry.name for each in entries if draw(st.booleans())]
    return {
        "entries": entries,
        "removals": removals,
        "remote": remote,
        "recorded": recorded,
        "if_not_exists": draw(st.booleans()),
    }


def planned_for(situation: dict[str, Any], remote: Remote | None = None) -> Plan:
    here = situation["remote"] if remote is None else remote
    locations = [each.location for each in [*situation["entries"], *situation["removals"]]]
    return plan(
        situation["entries"],
        situation["removals"],
        {location: here.get(location) for location in locations},
        situation["recorded"],
        if_not_exists=situation["if_not_exists"],
    )


def quiet(plan: Plan) -> bool:
    return all(step.kind is StepKind.NOTHING for step in plan.steps)


@given(situation=situations())
def test_after_a_plan_there_is_nothing_to_do(situation: dict[str, Any]) -> None:
    first = planned_for(situation)
    after = applied(situation["remote"], first)
    situation["recorded"] = [*situation["recorded"], *first.owned]
    again = planned_for(situation, after)  # the process died before the record shrank
    assert quiet(again)
    assert set(again.owned) == set(first.owned)
    assert faults(again).keys() <= faults(first).keys()
    done = {name for step in first.steps for name in step.removals} | set(first.gone)
    situation["removals"] = [each for each in situation["removals"] if each.name not in done]
    assert quiet(planned_for(situation, after))


@given(situation=situations(), shuffle=st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(situation: dict[str, Any], shuffle: Any) -> None:
    expected = planned_for(situation)
    shuffle.shuffle(situation["entries"])
    shuffle.shuffle(situation["removals"])
    shown = planned_for(situation)
    assert shown.steps == expected.steps
    assert (shown.owned, shown.kept, shown.equal, shown.gone) == (
        expected.owned,
        expected.kept,
        expected.equal,
        expected.gone,
    )
    assert faults(shown) == faults(expected)


@given(situation=situations())
def test_each_entry_and_removal_has_one_fate(situation: dict[str, Any]) -> None:
    result = planned_for(situation)
    by_step = [name for step in result.steps for name in step.entries]
    fates = [*by_step, *result.kept, *result.equal]
    at_fault = faults(result)
    entries = {each.entry.name for each in situation["entries"]}
    assert sorted([*fates, *(name for name in at_fault if name in entries)]) == sorted(entries)
    removed = [name for step in result.steps for name in step.removals]
    removals = {each.name for each in situation["removals"]}
    known = [*removed, *result.gone, *(name for name in at_fault if name in removals)]
    assert len(known) == len(set(known))
    assert set(known) <= removals
    if not at_fault:
        assert set(known) == removals
    assert set(by_step) | set(result.equal) <= set(result.owned)
    assert set(situation["recorded"]) <= set(result.owned) <= entries


@given(situation=situations())
def test_only_what_was_in_the_record_is_deleted(situation: dict[str, Any]) -> None:
    result = planned_for(situation)
    removals, entries = situation["removals"], [each.entry for each in situation["entries"]]
    after = applied(situation["remote"], result)
    for location, before in situation["remote"].items():
        here = [each for each in removals if each.location == location]
        if location not in after:
            assert here
        if any(each.property is None for each in here):
            continue
        if any(place(each.remote_key) == location and each.property is None for each in entries):
            continue
        assert_untouched(
            before,
            after.get(location),
            [each.property for each in here]
            + [each.property for each in entries if place(each.remote_key) == location],
        )


def assert_untouched(before: str, after: str | None, paths: list[str | None]) -> None:
    """Properties that no path leads to, into or out of are as they were."""
    touched = set()
    for path in paths:
        try:
            touched.add(Property.read(path or "", key="").path[0].name)
        except ContentFault:
            continue
    try:
        old = json.loads(before)
    except ValueError:
        old = None
    if not isinstance(old, dict):
        assert after == before or (before in ("", "\n") and touched)
        return
    new = {} if after is None else json.loads(after)
    assert {name: value for name, value in old.items() if name not in touched} == {
        name: value for name, value in new.items() if name not in touched
    }


@given(situation=situations())
def test_after_a_plan_what_was_wanted_is_there(situation: dict[str, Any]) -> None:
    result = planned_for(situation)
    after = applied(situation["remote"], result)
    at_fault = faults(result)
    for each in situation["entries"]:
        if each.entry.name in at_fault:
            continue
        text = each.entry.value.reveal().decode()
        there = after[each.location]
        if each.entry.property is None:
            if each.entry.name not in result.kept:
                assert there in (text, as_stored(text))
            continue
        place = Property.read(each.entry.property, key="")
        assert place.has(there)
        if each.entry.name not in result.kept:
            assert place.get(there) == text


def test_no_value_shows() -> None:
    result = planned({"FOO": "hush-hush"}, [wanted("FOO", "quiet"), wanted("BAR", "quiet", "p")])
    assert "hush" not in repr(result)
    assert "quiet" not in repr(result)
    assert isinstance(result.steps[0], Step)
