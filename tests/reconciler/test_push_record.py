"""The record grows and shrinks by patches: what they leave is what was wished."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.journal import Subject
from adapters.resources.kinds import PUSH_SECRET
from adapters.resources.references import StoreReference
from machines.names import KindName, NamespaceName, ResourceName
from reconciler.content.keys import Location
from reconciler.content.push_entries import Entry, SourceIdentity
from reconciler.content.push_plan import Plan, Removal, Wanted
from reconciler.content.values import Value
from reconciler.payload import PushSecretPayload, StorePush
from reconciler.push_record import AWAITS, change, grows, growth, is_filed, merge_patch
from tests.reconciler.objects import NAMESPACE


def patched(target: Any, patch: Any) -> Any:
    """MergePatch of RFC 7386, section 2, word for word."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = patched(result.get(name), value)
    return result


def bare(object: Any) -> Any:
    """Without members that are null, which a merge patch cannot make."""
    if not isinstance(object, Mapping):
        return object
    return {name: bare(value) for name, value in object.items() if value is not None}


NAMES = st.sampled_from(("a", "b", "c", "a/b"))
leaves: st.SearchStrategy[Any] = st.sampled_from(("", "one", True, 0, 1, 2.5, [], [{"a": "b"}], ["one"]))
objects: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(NAMES, leaves, max_size=3),
    lambda inner: st.dictionaries(NAMES, leaves | inner, max_size=3),
    max_leaves=12,
)
nullable: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(NAMES, leaves | st.none(), max_size=3),
    lambda inner: st.dictionaries(NAMES, leaves | st.none() | inner, max_size=3),
    max_leaves=12,
)


@given(objects, nullable)
def test_the_patch_from_one_to_another_gives_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    """And once it was written there is nothing to write."""
    left = patched(before, merge_patch(before, after))
    assert left == bare(after)
    assert merge_patch(left, after) == {}


@given(objects, nullable)
def test_the_patch_says_nothing_of_what_is_the_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    patch = merge_patch(before, after)
    assert not [name for name in patch if name in before and before[name] == bare(after).get(name)]
    assert set(patch) <= {*before, *after}


@given(objects, objects, objects)
def test_what_another_added_meanwhile_stays(
    before: dict[str, Any], after: dict[str, Any], added: dict[str, Any]
) -> None:
    """A patch that was made of an older view takes no name away that this view did not have."""
    left = patched({**added, **before}, merge_patch(before, after))
    for name in set(added) - {*before, *after}:
        assert left[name] == added[name]


# --- the record of one store ------------------------------------------------------------------------------------

STORE = "SecretStore/infisical"


def recorded(name: str, **more: Any) -> dict[str, Any]:
    """An entry as the record has it."""
    return {
        "match": {"secretKey": "one", "remoteRef": {"remoteKey": name}},
        "conversionStrategy": "None",
        **more,
    }


def wanted(name: str, version: str = "7", **more: Any) -> Wanted:
    """An entry that is to be pushed from a version of its source."""
    entry = Entry(
        remote_key=name,
        property=None,
        value=Value(b"value"),
        source=SourceIdentity("source", "uid", version),
        recorded=recorded(name, **more),
    )
    return Wanted(entry, Location("/", name))


def removal(name: str) -> Removal:
    """What is to be deleted."""
    return Removal(name, Location("/", name), None)


def payload_of(
    record: dict[str, Any],
    *entries: Wanted,
    owned: tuple[str, ...] | None = None,
    removals: tuple[str, ...] = (),
) -> tuple[PushSecretPayload, StorePush]:
    """A run with a record, and what its one store is to hold. `owned`: all entries, unless told."""
    subject = Subject(KindName("PushSecret"), NamespaceName(NAMESPACE), ResourceName("pushed"))
    payload = PushSecretPayload(PUSH_SECRET, subject, 0.0)
    payload.object = {"metadata": {"name": "pushed", "generation": 3}}
    payload.references = (StoreReference(name="infisical"),)
    payload.record = record
    store = StorePush()
    store.wanted = entries
    store.entries = {one.entry.name: one.entry for one in entries}
    store.removals = tuple(removal(name) for name in removals)
    store.plan = Plan(owned=tuple(store.entries) if owned is None else owned)
    payload.gathered = {0: store}
    return payload, store


def after(payload: PushSecretPayload, settled: tuple[int, ...] = ()) -> dict[str, Any]:
    """The record once a run has told how it ended."""
    left: dict[str, Any] = patched(payload.record, change(payload, settled))
    return left


def test_it_grows_by_what_will_be_ours_and_is_not_named_yet() -> None:
    payload, _ = payload_of(
        {STORE: {"A": recorded("A")}}, wanted("A"), wanted("B"), wanted("C"), owned=("A", "B")
    )
    assert growth(payload, 0) == {STORE: {"B": recorded("B")}}
    assert grows(payload, 0)
    payload.record = patched(payload.record, growth(payload, 0))
    assert not grows(payload, 0)


def test_what_is_named_already_does_not_grow_even_if_its_entry_reads_otherwise() -> None:
    """It is told at the end: that it is ours is known."""
    payload, _ = payload_of({STORE: {"A": recorded("A", metadata={"old": "1"})}}, wanted("A"))
    assert not grows(payload, 0)
    assert after(payload) == {STORE: {"A": recorded("A")}}


def test_nothing_grows_without_a_plan() -> None:
    payload, store = payload_of({}, wanted("A"))
    store.plan = None
    assert not grows(payload, 0)
    assert change(payload, ()) == {}


def test_nothing_changes_before_it_is_known_what_is_wanted() -> None:
    payload, _ = payload_of({STORE: {"A": recorded("A")}})
    payload.gathered = None
    assert change(payload, ()) == {}


def test_what_was_deleted_or_given_up_goes_and_what_is_owed_stays() -> None:
    names = ("GONE", "FORGOTTEN", "OWED")
    payload, store = payload_of({STORE: {name: recorded(name) for name in names}}, removals=("GONE", "OWED"))
    store.removed, store.forgotten = {"GONE"}, frozenset({"FORGOTTEN"})
    assert change(payload, ()) == {STORE: {"GONE": None, "FORGOTTEN": None}}


def test_a_store_of_which_nothing_is_left_goes_from_the_record() -> None:
    payload, store = payload_of({STORE: {"A": recorded("A")}, "SecretStore/other": {"B": recorded("B")}})
    store.removed = {"A"}
    assert change(payload, ()) == {STORE: None}
    payload.record = {STORE: {}}
    assert change(payload, ()) == {STORE: None}
    payload.record = {}
    assert change(payload, ()) == {}


def test_what_was_in_a_project_that_is_gone_is_owed_no_more() -> None:
    payload, _ = payload_of({STORE: {"A": recorded("A"), "B": recorded("B")}}, wanted("B"), removals=("A",))
    assert change(payload, ()) == {}
    assert change(payload, (0,)) == {STORE: {"A": None}}


def test_a_store_whose_plan_is_not_known_keeps_what_it_has() -> None:
    payload, store = payload_of({STORE: {"A": recorded("A")}}, wanted("B"))
    store.plan = None
    assert change(payload, ()) == {}


def test_settings_of_an_entry_that_went_leave_nothing_to_write() -> None:
    """Empty and absent settings, and nulls in them, are written once and not at every run."""
    for before, wish in (
        ({}, None),
        ({"a": {}}, {}),
        ({}, {"a": None}),
        ({"a": "1"}, {"a": None, "b": {"c": None}}),
    ):
        entry = wanted("A") if wish is None else wanted("A", metadata=wish)
        payload, _ = payload_of({STORE: {"A": recorded("A", metadata=before)}}, entry)
        payload.record = after(payload)
        assert payload.record == {STORE: {"A": bare(entry.entry.recorded)}}
        assert change(payload, ()) == {}


def test_a_change_that_waits_for_a_person_is_known_until_something_else_is_wanted() -> None:
    """Another version of the source, another generation of the resource, or another source of the same name."""
    payload, store = payload_of({}, wanted("A", metadata={"kept": "1"}))
    store.marked = {"A"}
    payload.record = after(payload)
    assert payload.record[STORE]["A"]["metadata"] == {
        "kept": "1",
        AWAITS: {"uid": "uid", "resourceVersion": "7", "generation": 3},
    }
    assert is_filed(payload, 0, "A")
    assert payload.object is not None
    payload.object = {"metadata": {"name": "pushed", "generation": 4}}
    assert not is_filed(payload, 0, "A")
    later, _ = payload_of(payload.record, wanted("A", "8", metadata={"kept": "1"}))
    assert not is_filed(later, 0, "A")
    assert after(later) == {STORE: {"A": recorded("A", metadata={"kept": "1"})}}
    assert not is_filed(later, 0, "B")


def test_a_deletion_that_waits_for_a_person_is_known_until_it_is_wanted_again() -> None:
    payload, store = payload_of({STORE: {"A": recorded("A")}}, removals=("A",))
    store.marked = {"A"}
    payload.record = after(payload)
    assert payload.record[STORE]["A"]["metadata"] == {AWAITS: {}}
    assert is_filed(payload, 0, "A")
    again, _ = payload_of(payload.record, wanted("A"))
    assert not is_filed(again, 0, "A")
    assert after(again) == {STORE: {"A": recorded("A")}}


records = st.dictionaries(st.sampled_from("ABCD"), st.sampled_from("xy"), max_size=4).map(
    lambda entries: {name: recorded(name, metadata={"was": was}) for name, was in entries.items()}
)
some = st.frozensets(st.sampled_from("ABCD"))


@given(records, some, some, some, some, some, st.booleans())
def test_nothing_that_is_ours_goes_unnamed(
    record: dict[str, Any],
    wish: frozenset[str],
    owned: frozenset[str],
    removed: frozenset[str],
    forgotten: frozenset[str],
    marked: frozenset[str],
    settled: bool,
) -> None:
    """Whatever became of a run: what was named stays named unless it was deleted or given up, what is ours is named,
    and nothing else comes to be named."""
    gone = (removed | forgotten) - wish
    payload, store = payload_of(
        {STORE: record} if record else {},
        *(wanted(name) for name in sorted(wish)),
        owned=tuple(sorted(owned & wish)),
        removals=tuple(sorted(set(record) - wish)),
    )
    store.removed, store.forgotten, store.marked = set(removed - wish), forgotten - wish, set(marked)
    named = set(after(payload, (0,) if settled else ()).get(STORE, {}))
    owed = set() if settled else set(record) - gone
    assert named == (owed | (set(record) & wish) | (owned & wish)) - gone
