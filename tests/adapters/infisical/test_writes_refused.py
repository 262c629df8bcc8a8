"""Batches that are refused: those at fault are named, and do not hold back the others."""

import asyncio

import pytest

from adapters.infisical.places import Place
from adapters.infisical.secret_text import SecretText
from adapters.infisical.writes import Pending, Write, WriteKind, WriteResult
from machines.names import FolderPath, RemoteName
from machines.outcomes import (
    Denial,
    Denied,
    Fault,
    Invalid,
    LeaseRefused,
    Missing,
    ProjectGone,
    Service,
    Thing,
    Trouble,
    Unavailable,
)
from reconciler.standin import VIEWER, Access, Action, Age, Dropped, Kind, Meanwhile, Page, Rule, Status
from reconciler.standin import Asked as AskedOf
from tests.adapters.infisical.writing import STORED, Writing, create, delete, update
from tests.simulated_loop import simulated

AGES = pytest.mark.parametrize("age", Age)
APP = FolderPath("/app")


def invalid(fault: Fault, name: str) -> Invalid:
    return Invalid(what=fault, folder=APP, key=RemoteName(name))


def denied(name: str) -> Denied:
    return Denied(what=Denial.WRITE, folder=APP, key=RemoteName(name))


@AGES
def test_what_somebody_else_created_meanwhile_is_updated_and_the_rest_created(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        writing.remote.set_secret("dev", "/app", "B", "theirs")
        writing.remote.set_secret("dev", "/app", "C", "c")
        results = await writing.write(reader, place, *(create(name, name.lower()) for name in "ABCD"))
        assert results == [STORED] * 4
        assert writing.values() == {"A": "a", "B": "b", "C": "c", "D": "d"}
        assert writing.remote.version("dev", "/app", "C") == 1  # it was as wanted already
        assert writing.asked == {"batch creation": 2, "listing": 1, "update": 1}

    scenario()


@AGES
def test_what_somebody_else_deleted_meanwhile_is_created_or_done(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        for name in "ABD":
            writing.remote.set_secret("dev", "/app", name, "old")
        reader, place = await writing.ready()
        results = await writing.write(
            reader, place, update("A"), update("B"), update("GONE"), delete("D"), delete("LOST")
        )
        assert results == [STORED] * 5
        assert writing.values() == {"A": "w", "B": "w", "GONE": "w"}
        assert writing.asked == {
            "batch update": 2,
            "listing": 2,
            "creation": 1,
            "batch deletion": 1,
            "deletion": 2,
        }

    scenario()


@AGES
def test_a_lone_write_turns_round_as_well(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        writing.remote.set_secret("dev", "/app", "A", "theirs")
        assert await writing.write(reader, place, create("A", "ours")) == [STORED]
        assert await writing.write(reader, place, update("B", "new")) == [STORED]
        assert await writing.write(reader, place, delete("C")) == [STORED]
        assert writing.values() == {"A": "ours", "B": "new"}
        assert writing.asked == {"creation": 2, "update": 2, "deletion": 1}

    scenario()


@AGES
def test_what_was_made_for_nothing_is_not_written_over_anything(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        writing.remote.set_secret("dev", "/app", "A", "theirs")
        writing.remote.set_secret("dev", "/app", "B", "same")
        changed = Unavailable(service=Service.INFISICAL, why=Trouble.CHANGED)
        wanted = [
            onto_nothing("A", "ours"),
            onto_nothing("B", "same"),
            onto_nothing("C", "ours"),
            create("D"),
        ]
        assert await writing.write(reader, place, *wanted) == [changed, STORED, STORED, STORED]
        assert await writing.write(reader, place, onto_nothing("A", "ours")) == [changed]
        assert await writing.write(reader, place, onto_nothing("B", "same")) == [STORED]
        writing.server.faults.plan(Kind.CREATION, Dropped())
        assert await writing.write(reader, place, onto_nothing("A", "ours")) == [changed]
        assert writing.values() == {"A": "theirs", "B": "same", "C": "ours", "D": "v"}

    scenario()


def onto_nothing(name: str, value: str) -> Write:
    """A creation that may not become an update."""
    return Write(WriteKind.CREATE, RemoteName(name), SecretText(value), onto_nothing=True)


@AGES
def test_what_was_made_for_nothing_meets_what_may_not_be_seen(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        writing.remote.set_secret("dev", "/app", "A", "hidden")
        reader, place = await writing.ready(rights=Access((Rule(actions=frozenset({Action.CREATE})),)))
        (met,) = await writing.write(reader, place, onto_nothing("A", "ours"))
        assert isinstance(met, Denied)
        results = await writing.write(reader, place, onto_nothing("A", "ours"), onto_nothing("B", "ours"))
        assert isinstance(results[0], Denied)
        assert results[1] == STORED
        assert writing.values() == {"A": "hidden", "B": "ours"}

    scenario()


@pytest.mark.parametrize("age", [Age.CURRENT, Age.YEAR_2025])
def test_names_that_the_server_refuses_are_told_and_the_others_are_stored(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        names = [f"N{n}" for n in range(20)]
        names[3], names[17] = "a/b", "c/d"
        results = await writing.write(reader, place, *(create(name) for name in names))
        expected: list[WriteResult] = [STORED] * 20
        expected[3], expected[17] = invalid(Fault.BAD_KEY, "a/b"), invalid(Fault.BAD_KEY, "c/d")
        assert results == expected
        assert len(writing.values()) == 18
        assert sum(writing.asked.values()) < 20

    scenario()


@AGES
def test_a_name_that_is_not_in_capitals_where_they_are_demanded(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        writing.remote.capitals_only = True
        reader, place = await writing.ready()
        results = await writing.write(reader, place, create("A"), create("b"), create("C"))
        assert results == [STORED, invalid(Fault.BAD_KEY, "b"), STORED]

    scenario()


@AGES
def test_secrets_that_may_not_be_written_are_named(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        rights = Access((Rule(actions=frozenset(Action), name="OPEN*"),)) + VIEWER
        reader, place = await writing.ready(rights=rights)
        names = [f"OPEN{n}" for n in range(15)] + ["SHUT"]
        results = await writing.write(reader, place, *(create(name) for name in names))
        assert results == [STORED] * 15 + [denied("SHUT")]
        assert writing.asked["batch creation"] + writing.asked["creation"] < 12

    scenario()


@AGES
def test_somebody_who_may_only_read_is_told_for_each_secret(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        writing.remote.set_secret("dev", "/app", "A", "old")
        reader, place = await writing.ready(rights=VIEWER)
        results = await writing.write(reader, place, create("X"), create("Y"), update("A"), delete("A2"))
        # Servers since 2025 look for the secret first, so that its deletion is done.
        assert results[:3] == [denied("X"), denied("Y"), denied("A")]
        assert results[3] == (denied("A2") if age is Age.YEAR_2024 else STORED)
        assert writing.values() == {"A": "old"}
        writing.server.record.clear()
        assert await writing.write(reader, place, *(create(f"N{n}") for n in range(64))) == [
            denied(f"N{n}") for n in range(64)
        ]
        assert sum(writing.asked.values()) <= 64 + 7

    scenario()


@AGES
def test_a_project_without_this_member(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        writing.remote.members.clear()
        results = await writing.write(reader, place, create("A"), create("B"), update("C"), delete("D"))
        assert results == [Denied(what=Denial.MEMBERSHIP)] * 4
        assert sum(writing.asked.values()) == 1

    scenario()


@AGES
def test_values_that_refer_to_each_other_are_all_stored(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        values = {"C": "${B}", "B": "x${A}", "A": "plain", "D": "other"}
        results = await writing.write(reader, place, *(create(n, v) for n, v in values.items()))
        assert results == [STORED] * 4
        assert writing.values() == values
        if age is not Age.YEAR_2025:
            assert writing.asked == {"batch creation": 1}

    scenario()


@pytest.mark.parametrize("value", ["${NOWHERE}", "${nowhere.A}", "${dev.nowhere.A}"])
def test_a_reference_without_a_target_is_told_and_the_others_are_stored(value: str) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(Age.YEAR_2025)
        writing.remote.set_secret("dev", "/app", "U", "old")
        reader, place = await writing.ready()
        wanted = [create("A", "1"), create("BAD", value), create("B", "2"), update("U", value)]
        results = await writing.write(reader, place, *wanted)
        dangling = Fault.DANGLING_REFERENCE
        assert results == [STORED, invalid(dangling, "BAD"), STORED, invalid(dangling, "U")]
        assert writing.values() == {"A": "1", "B": "2", "U": "old"}

    scenario()


@pytest.mark.parametrize("age", [Age.CURRENT, Age.YEAR_2024])
def test_servers_that_do_not_look_store_such_references(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        wanted = [create("A", "${NOWHERE}"), create("B", "${dev.nowhere.A}")]
        assert await writing.write(reader, place, *wanted) == [STORED] * 2
        assert writing.asked == {"batch creation": 1}

    scenario()


@simulated
async def test_a_change_policy_leaves_all_pending() -> None:
    writing = Writing()
    writing.remote.set_secret("dev", "/app", "A", "old")
    writing.remote.add_change_policy("dev", "/app")
    reader, place = await writing.ready()
    wanted = [create("X"), create("Y"), update("A"), delete("A2"), delete("A")]
    writing.remote.set_secret("dev", "/app", "A2", "old")
    results = await writing.write(reader, place, *[one for one in wanted if one.name != "A"])
    assert results == [Pending()] * 3
    assert await writing.write(reader, place, update("A")) == [Pending()]
    assert writing.values() == {"A": "old", "A2": "old"}
    for approval in writing.remote.approvals:
        writing.remote.approve(approval)
    assert writing.values() == {"A": "w", "X": "v", "Y": "v"}


@AGES
def test_an_absent_folder_is_told_once_for_all(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready("/not/there")
        missing = Missing(what=Thing.FOLDER, folder=FolderPath("/not/there"))
        results = await writing.write(reader, place, create("A"), create("B"), update("C"), delete("D"))
        assert results == [missing, missing, missing, STORED]
        assert writing.asked == {"batch creation": 1}
        assert await writing.write(reader, place, delete("D"), delete("E")) == [STORED] * 2
        assert await writing.write(reader, place, delete("D")) == [STORED]

    scenario()


@AGES
def test_an_absent_environment_is_told_as_such(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age, create_folders=True)
        reader, place = await writing.ready()
        nowhere = Place(place.project, "nowhere", place.folder)
        missing = Missing(what=Thing.ENVIRONMENT)
        assert await writing.write(reader, nowhere, create("A"), create("B")) == [missing] * 2
        assert await writing.write(reader, nowhere, create("A")) == [missing]
        assert await writing.write(reader, nowhere, delete("A")) == [STORED]
        assert "folder" not in writing.asked

    scenario()


@AGES
def test_folders_are_made_where_that_is_allowed(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age, create_folders=True)
        reader, place = await writing.ready("/a/b/c")
        results = await writing.write(reader, place, create("A"), create("B"), update("C"), delete("D"))
        assert results == [STORED] * 4
        assert writing.values("/a/b/c") == {"A": "v", "B": "v", "C": "w"}
        assert writing.asked["folder"] == 5  # from the deepest up, and down again
        writing.server.record.clear()
        beside = Place(place.project, "dev", FolderPath("/a/b/d"))
        assert await writing.write(reader, beside, create("A")) == [STORED]
        assert writing.asked == {"creation": 2, "folder": 1}

    scenario()


@AGES
def test_a_folder_that_may_not_be_made(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age, create_folders=True)
        rights = VIEWER + Access((Rule(actions=frozenset(Action), path="/new", name="*"),))
        reader, place = await writing.ready("/new", rights=rights)
        writing.server.faults.plan(Kind.FOLDER, Meanwhile(lambda: forbid(writing)))
        results = await writing.write(reader, place, create("A"), create("B"))
        assert results == [Denied(what=Denial.WRITE, folder=FolderPath("/new"))] * 2
        assert writing.asked == {"batch creation": 1, "folder": 1}

    scenario()


def forbid(writing: Writing) -> None:
    """From now on everybody may only read."""
    for identity in writing.remote.members:
        writing.remote.members[identity] = VIEWER


@AGES
def test_two_who_make_the_same_folder(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age, create_folders=True)
        reader, place = await writing.ready("/new")
        writing.server.faults.plan(Kind.FOLDER, Meanwhile(lambda: writing.remote.add_folder("dev", "/new")))
        assert await writing.write(reader, place, create("A"), create("B")) == [STORED] * 2

    scenario()


@AGES
def test_a_project_that_is_gone(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        writing.server.delete_project("my-project")
        results = await writing.write(reader, place, create("A"), create("B"), update("C"), delete("D"))
        assert results == [ProjectGone()] * 4
        assert await writing.write(reader, place, delete("D")) == [ProjectGone()]
        assert sum(writing.asked.values()) == 2

    scenario()


@AGES
def test_a_token_that_is_good_no_more(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        writing.server.end_tokens()
        results = await writing.write(reader, place, create("A"), create("B"), update("C"), delete("D"))
        assert results == [LeaseRefused()] * 4
        assert sum(writing.asked.values()) == 1

    scenario()


@AGES
def test_a_host_that_is_not_there(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        writing.server.faults.plan("*", Dropped(), times=None)
        results = await writing.write(reader, place, create("A"), create("B"), delete("C"))
        assert results == [Unavailable(service=Service.INFISICAL, why=Trouble.BROKEN)] * 3
        assert writing.values() == {}

    scenario()


@simulated
async def test_a_run_gets_the_faults_of_its_own_secrets_only() -> None:
    writing = Writing(Age.YEAR_2025)
    reader, place = await writing.ready()
    runs = [[create(f"R{run}_{n}") for n in range(3)] for run in range(12)]
    runs[5][1] = create("a b")
    runs[7][0] = create("REF", "${NOWHERE}")
    results = await asyncio.gather(*(writing.write(reader, place, *wanted) for wanted in runs))
    for number, result in enumerate(results):
        expected: list[WriteResult] = [STORED] * 3
        if number == 5:
            expected[1] = invalid(Fault.BAD_KEY, "a b")
        if number == 7:
            expected[0] = invalid(Fault.DANGLING_REFERENCE, "REF")
        assert result == expected


@simulated
async def test_a_server_without_batches_is_asked_once_and_then_written_to_singly() -> None:
    writing = Writing()
    writing.server.faults.plan("* /api/v?/secrets/batch*", Page(404), times=None)
    reader, place = await writing.ready()
    assert await writing.write(reader, place, *(create(f"N{n}") for n in range(5))) == [STORED] * 5
    assert [asked.path for asked in batches(writing)] == [
        "/api/v4/secrets/batch",
        "/api/v3/secrets/batch/raw",
    ]
    assert writing.asked["creation"] == 5
    writing.server.record.clear()
    assert await writing.write(reader, place, update("N1"), update("N2"), delete("N3")) == [STORED] * 3
    assert writing.asked == {"update": 2, "deletion": 1}
    assert await writing.write(reader, place, create("L" * 101)) == [Missing(what=Thing.ROUTE)]
    writing.server.faults.clear()  # it was a proxy's page
    await asyncio.sleep(600)
    writing.server.record.clear()
    assert await writing.write(reader, place, update("N1"), update("N2")) == [STORED] * 2
    assert writing.asked == {"batch update": 1}


def batches(writing: Writing) -> list[AskedOf]:
    """The requests for batches."""
    return [asked for asked in writing.server.requests if "batch" in asked.path]


@simulated
async def test_a_server_that_has_batches_under_its_older_routes_only() -> None:
    writing = Writing()
    writing.server.faults.plan("* /api/v4/secrets/batch", Page(404), times=None)
    reader, place = await writing.ready()
    assert await writing.write(reader, place, create("A"), create("B")) == [STORED] * 2
    assert await writing.write(reader, place, update("A"), update("B")) == [STORED] * 2
    assert [asked.path for asked in batches(writing)] == [
        "/api/v4/secrets/batch",
        "/api/v3/secrets/batch/raw",
        "/api/v3/secrets/batch/raw",
    ]
    assert await writing.write(reader, place, update("A", "single")) == [STORED]
    assert writing.server.requests[-1].path == "/api/v4/secrets/A"


@AGES
@pytest.mark.parametrize("name", ["L" * 101, "..", "batch"])
def test_a_name_that_can_stand_in_no_path_is_written_by_a_batch_of_one(age: Age, name: str) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        for wanted, held in ((create(name, "1"), "1"), (update(name, "2"), "2"), (delete(name), None)):
            assert await writing.write(reader, place, wanted) == [STORED]
            assert writing.values().get(name) == held
        assert await writing.write(reader, place, delete(name)) == [STORED]

    scenario()


@AGES
def test_a_value_that_no_request_can_hold_is_not_sent(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        results = await writing.write(
            reader, place, create("BIG", "x" * 1024 * 1024), create("A"), create("L" * 101, "x" * 1024 * 1024)
        )
        too_large = Fault.VALUE_TOO_LARGE
        assert results == [invalid(too_large, "BIG"), STORED, invalid(too_large, "L" * 101)]
        assert writing.asked == {"creation": 1}

    scenario()


@AGES
def test_batches_are_kept_below_half_a_mebibyte(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        wanted = [create(f"N{n}", "x" * 200_000) for n in range(5)]
        assert await writing.write(reader, place, *wanted) == [STORED] * 5
        assert writing.asked == {"batch creation": 2, "creation": 1}

    scenario()


@simulated
async def test_a_proxy_that_takes_less_than_the_server() -> None:
    writing = Writing()
    reader, place = await writing.ready()
    writing.server.faults.plan("POST /api/v4/secrets/BIG", Page(413), times=None)
    writing.server.faults.plan(Kind.BATCH_CREATION, Status(413), times=None)
    results = await writing.write(reader, place, create("A"), create("B"), create("BIG", "x" * 1000))
    assert results == [STORED, STORED, invalid(Fault.VALUE_TOO_LARGE, "BIG")]
