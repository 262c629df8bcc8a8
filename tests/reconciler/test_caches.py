"""What watches told: what a listener hears of, and what it does not."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from adapters.cluster import Change, ChangeType, Object, bookmark
from adapters.resources.kinds import SECRET
from reconciler.caches import Cache, Place

A, B = ("team", "a"), ("team", "b")


def object_at(place: Place, version: int, content: str = "") -> Object:
    """An object of some kind."""
    namespace = {"namespace": place[0]} if place[0] else {}
    return {"metadata": {"name": place[1], "resourceVersion": str(version), **namespace}, "content": content}


def added(place: Place, version: int, content: str = "") -> Change:
    """The watch tells of an object that came."""
    return Change(ChangeType.ADDED, object_at(place, version, content))


def modified(place: Place, version: int, content: str = "") -> Change:
    """The watch tells of an object that changed."""
    return Change(ChangeType.MODIFIED, object_at(place, version, content))


def deleted(place: Place, version: int) -> Change:
    """The watch tells of an object that went; the version is that of its deletion."""
    return Change(ChangeType.DELETED, object_at(place, version))


class Heard:
    """A cache of contents, and what its listener was told."""

    def __init__(self) -> None:
        self.told: list[tuple[Place, str | None, str | None]] = []
        self.cache: Cache[str] = Cache(
            lambda object: str(object["content"]), self._listen, lambda item: item[:1]
        )

    def _listen(self, place: Place, before: str | None, after: str | None) -> None:
        assert self.cache.get(place) == after, "a listener sees the cache as it is after the change"
        self.told.append((place, before, after))

    def news(self) -> list[tuple[Place, str | None, str | None]]:
        """What was told since this was last asked."""
        told, self.told = self.told, []
        return told


@pytest.fixture
def heard() -> Heard:
    """An empty cache."""
    return Heard()


# --- lists ------------------------------------------------------------------------------------------------------


def test_first_list_tells_of_every_object_in_its_order(heard: Heard) -> None:
    """Everything came."""
    heard.cache.replaced([object_at(B, 2, "b"), object_at(A, 1, "a")], "9")
    assert heard.news() == [(B, None, "b"), (A, None, "a")]
    assert dict(heard.cache) == {A: "a", B: "b"}
    assert len(heard.cache) == 2


def test_second_list_tells_what_came_changed_and_vanished_and_nothing_else(heard: Heard) -> None:
    """After a watch that had expired, only differences count."""
    c, d = ("team", "c"), ("", "d")
    heard.cache.replaced([object_at(A, 1, "a"), object_at(B, 2, "b"), object_at(c, 3, "c")], "9")
    heard.news()
    heard.cache.replaced([object_at(A, 1, "a"), object_at(B, 7, "b2"), object_at(d, 8, "d")], "9")
    assert heard.news() == [(B, "b", "b2"), (d, None, "d"), (c, "c", None)]
    assert dict(heard.cache) == {A: "a", B: "b2", d: "d"}


def test_list_is_swapped_in_one_move() -> None:
    """A listener that looks around sees the whole new list, whichever object it hears of."""
    seen: list[dict[Place, str]] = []
    groups: list[list[Place]] = []

    def listen(place: Place, before: str | None, after: str | None) -> None:
        seen.append(dict(cache))
        groups.append(cache.places_of("g"))

    cache: Cache[str] = Cache(lambda object: str(object["content"]), listen, lambda item: "g")
    cache.replaced([object_at(A, 1, "a"), object_at(B, 2, "b")], "9")
    assert seen == [{A: "a", B: "b"}] * 2
    assert groups == [[A, B]] * 2


def test_list_that_cannot_be_taken_changes_nothing() -> None:
    """One object that makes the reduction fail does not leave half a cache behind."""

    def reduce(object: Object) -> str:
        if object["content"] == "bad":
            raise ValueError
        return str(object["content"])

    cache: Cache[str] = Cache(reduce, lambda place, before, after: None)
    cache.replaced([object_at(A, 1, "a")], "9")
    with pytest.raises(ValueError):
        cache.replaced([object_at(B, 2, "b"), object_at(A, 3, "bad")], "9")
    assert dict(cache) == {A: "a"}


def test_object_that_did_not_change_is_not_reduced_again() -> None:
    """A list of thousands after a short break costs the comparison of versions."""
    reduced = 0

    def reduce(object: Object) -> str:
        nonlocal reduced
        reduced += 1
        return str(object["content"])

    cache: Cache[str] = Cache(reduce, lambda place, before, after: None)
    for _ in range(3):
        cache.replaced([object_at(A, 1, "a")], "9")
    assert reduced == 1


def test_list_stands_even_where_its_versions_are_lower(heard: Heard) -> None:
    """An API server that was restored from a backup counts from an earlier number; its word is the truth."""
    heard.cache.replaced([object_at(A, 900, "a")], "900")
    heard.news()
    heard.cache.replaced([object_at(A, 100, "restored")], "100")
    heard.cache.changed(modified(A, 101, "later"))
    heard.cache.changed(added(B, 102, "b"))
    heard.cache.put(object_at(("team", "c"), 103, "c"))
    assert heard.news() == [
        (A, "a", "restored"),
        (A, "restored", "later"),
        (B, None, "b"),
        (("team", "c"), None, "c"),
    ]


# --- changes ----------------------------------------------------------------------------------------------------


def test_object_that_the_api_server_does_not_find_is_dropped_before_the_watch_tells(heard: Heard) -> None:
    """Unless it is another one by now: what was made anew meanwhile stays, and comes back once only where it was not."""
    heard.cache.changed(added(A, 1, "x"))
    heard.cache.changed(added(B, 2, "y"))
    heard.news()
    heard.cache.vanished(object_at(A, 1))
    heard.cache.vanished(object_at(B, 1))
    assert heard.news() == [(A, "x", None)]
    heard.cache.changed(deleted(A, 3))
    assert heard.news() == []
    heard.cache.changed(added(A, 4, "z"))
    assert heard.news() == [(A, None, "z")]


def test_changes_are_told_with_what_was_before(heard: Heard) -> None:
    """Came, changed, went."""
    for change in (added(A, 1, "a"), modified(A, 2, "a2"), deleted(A, 3)):
        heard.cache.changed(change)
    assert heard.news() == [(A, None, "a"), (A, "a", "a2"), (A, "a2", None)]
    assert heard.cache.get(A) is None


def test_bookmark_is_no_news(heard: Heard) -> None:
    """It says how far a watch has come."""
    heard.cache.changed(bookmark(SECRET, "7"))
    assert heard.news() == []


def test_deletion_of_what_is_not_known_is_no_news(heard: Heard) -> None:
    """It was dropped already."""
    heard.cache.changed(deleted(A, 3))
    assert heard.news() == []


# --- one's own writes -------------------------------------------------------------------------------------------


def test_own_write_is_seen_at_once_and_no_news_when_the_watch_tells_of_it(heard: Heard) -> None:
    """The answer to a write goes into the cache; the same version from the watch is known already."""
    heard.cache.changed(added(A, 1, "a"))
    heard.cache.put(object_at(A, 2, "ours"))
    assert heard.cache.get(A) == "ours"
    heard.news()
    heard.cache.changed(modified(A, 2, "ours"))
    assert heard.news() == []


def test_event_from_before_our_write_is_ignored(heard: Heard) -> None:
    """A watch that lags behind does not take back what the write's answer told."""
    heard.cache.changed(added(A, 1, "a"))
    heard.cache.put(object_at(A, 5, "ours"))
    heard.news()
    heard.cache.changed(modified(A, 3, "older"))
    assert heard.news() == []
    assert heard.cache.get(A) == "ours"
    heard.cache.changed(modified(A, 6, "newer"))
    assert heard.news() == [(A, "ours", "newer")]


def test_deletion_from_before_our_write_is_ignored(heard: Heard) -> None:
    """It was made anew since: by the apply whose answer is known."""
    heard.cache.changed(added(A, 1, "a"))
    heard.cache.put(object_at(A, 5, "made anew"))
    heard.news()
    heard.cache.changed(deleted(A, 4))
    assert heard.cache.get(A) == "made anew"
    assert heard.news() == []


def test_versions_are_compared_as_numbers(heard: Heard) -> None:
    """99 is older than 100."""
    heard.cache.put(object_at(A, 99, "old"))
    heard.cache.changed(modified(A, 100, "new"))
    heard.cache.put(object_at(A, 99, "old"))
    assert heard.cache.get(A) == "new"


def test_answer_that_is_older_than_the_watch_is_ignored(heard: Heard) -> None:
    """The watch overtook the answer to our write."""
    heard.cache.changed(added(A, 1, "a"))
    heard.cache.changed(modified(A, 9, "newest"))
    heard.news()
    heard.cache.put(object_at(A, 5, "ours"))
    assert heard.news() == []
    assert heard.cache.get(A) == "newest"


def test_foreign_change_in_the_answer_to_our_write_is_told(heard: Heard) -> None:
    """The answer holds what somebody else did a moment before: the watch will not tell it again."""
    heard.cache.changed(added(A, 1, "a"))
    heard.news()
    heard.cache.put(object_at(A, 3, "ours and theirs"))
    assert heard.news() == [(A, "a", "ours and theirs")]


def test_answer_does_not_bring_back_what_was_deleted_since(heard: Heard) -> None:
    """We wrote at 5, it was deleted at 6, and the watch told of both before our answer arrived."""
    heard.cache.changed(added(A, 1, "a"))
    heard.cache.changed(modified(A, 5, "ours"))
    heard.cache.changed(deleted(A, 6))
    heard.news()
    heard.cache.put(object_at(A, 5, "ours"))
    assert heard.cache.get(A) is None
    assert heard.news() == []


def test_answer_of_a_creation_counts_although_the_watch_lags_behind(heard: Heard) -> None:
    """A Secret that we have just made is there for the next run."""
    heard.cache.changed(added(A, 1, "a"))
    heard.cache.put(object_at(B, 2, "made"))
    assert heard.cache.get(B) == "made"


def test_own_deletion_is_told_once(heard: Heard) -> None:
    """Dropped when it is answered; the watch has nothing to add."""
    heard.cache.changed(added(A, 1, "a"))
    heard.news()
    heard.cache.drop(A)
    heard.cache.changed(deleted(A, 2))
    heard.cache.drop(A)
    assert heard.news() == [(A, "a", None)]


# --- groups -----------------------------------------------------------------------------------------------------


def test_items_are_found_by_their_group_as_they_come_move_and_go(heard: Heard) -> None:
    """Secrets by their owner."""
    cache = heard.cache
    cache.replaced([object_at(B, 1, "x1"), object_at(A, 1, "x2")], "9")
    assert cache.places_of("x") == [A, B]
    cache.put(object_at(A, 2, "y"))
    assert (cache.places_of("x"), cache.places_of("y")) == ([B], [A])
    cache.changed(deleted(B, 3))
    assert (cache.places_of("x"), cache.places_of("")) == ([], [])


# --- against a naive model --------------------------------------------------------------------------------------


class History(RuleBasedStateMachine):
    """An API server with two names, a watch that lags behind it, and answers to our writes that come when they like."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = Heard()
        self.revision = 0
        self.there: dict[Place, Object] = {}
        self.stream: list[Change] = []
        self.answers: list[Object] = []
        self.rebuilt: dict[Place, str | None] = {}

    def _write(self, place: Place) -> Object:
        self.revision += 1
        known = place in self.there
        self.there[place] = object_at(place, self.revision, f"v{self.revision}")
        self.stream.append(Change(ChangeType.MODIFIED if known else ChangeType.ADDED, self.there[place]))
        return self.there[place]

    @rule(place=st.sampled_from([A, B]))
    def foreign_write(self, place: Place) -> None:
        """Somebody else writes."""
        self._write(place)

    @rule(place=st.sampled_from([A, B]))
    def own_write(self, place: Place) -> None:
        """We write; the answer is on its way."""
        self.answers.append(self._write(place))

    @precondition(lambda self: self.there)
    @rule(data=st.data())
    def deletion(self, data: st.DataObject) -> None:
        """Somebody deletes."""
        place = data.draw(st.sampled_from(sorted(self.there)))
        self.revision += 1
        del self.there[place]
        self.stream.append(deleted(place, self.revision))

    @precondition(lambda self: self.stream)
    @rule()
    def watch_tells(self) -> None:
        """The next event arrives."""
        self.heard.cache.changed(self.stream.pop(0))

    @precondition(lambda self: self.answers)
    @rule()
    def answer_arrives(self) -> None:
        """So does the answer to a write."""
        self.heard.cache.put(self.answers.pop(0))

    @rule()
    def relist(self) -> None:
        """The watch had expired, and a list takes its place."""
        self.stream.clear()
        self.heard.cache.replaced(list(self.there.values()), str(self.revision))

    @invariant()
    def who_follows_the_listener_knows_the_cache(self) -> None:
        """What is told, taken together, is what is there: nothing is missed, and nothing told twice."""
        for place, before, after in self.heard.news():
            assert self.rebuilt.get(place) == before
            assert before != after
            self.rebuilt[place] = after
        assert {place: item for place, item in self.rebuilt.items() if item is not None} == dict(
            self.heard.cache
        )

    @invariant()
    def it_agrees_in_the_end(self) -> None:
        """Once all events and answers have arrived, the cache holds what the server holds."""
        if not self.stream and not self.answers:
            assert dict(self.heard.cache) == contents(self.there.values())


def contents(objects: Iterable[Object]) -> dict[Place, Any]:
    """What a cache should hold of objects."""
    return {
        (one["metadata"].get("namespace", ""), one["metadata"]["name"]): one["content"] for one in objects
    }


History.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAgainstAServer = History.TestCase
