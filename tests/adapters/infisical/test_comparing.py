"""Comparing: what a folder holds as stored, by one listing for all who ask at the same moment."""

import asyncio
from collections.abc import Mapping

import pytest

from adapters.infisical.failures import SecretsFailure
from adapters.infisical.places import Place
from adapters.infisical.readings import Compared, Found, Reader
from machines.names import FolderPath, RemoteName
from machines.outcomes import AbsentKey, Denial, Denied, LeaseRefused, Missing, ProjectGone, Thing
from reconciler.standin import NO_ACCESS, Access, Action, Age, Kind, Rule, Slow, read_named
from tests.adapters.infisical.access import AS_STORED
from tests.adapters.infisical.writing import STORED, Writing, create, now, update
from tests.simulated_loop import simulated

AGES = pytest.mark.parametrize("age", Age)
APP = FolderPath("/app")


async def compared(
    writing: Writing, reader: Reader, place: Place, *names: str, since: float | None = None
) -> Compared | SecretsFailure:
    """What one run is told."""
    moment = now() if since is None else since
    wanted = [RemoteName(name) for name in names]
    return (await writing.readings.compare(reader, place, wanted, since=moment)).result


def shown(result: Compared | SecretsFailure) -> Mapping[str, object]:
    """Values revealed, None for what is absent, failures as they are."""
    assert isinstance(result, Compared), result
    return {
        name: one.value.reveal() if isinstance(one, Found) else None if isinstance(one, AbsentKey) else one
        for name, one in result.values.items()
    }


@AGES
def test_values_are_told_as_stored(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        writing.remote.set_secret("dev", "/other", "IMPORTED", "x")
        writing.remote.add_import("dev", "/app", source_environment="dev", source_path="/other")
        writing.remote.set_secret("dev", "/app", "A", "1")
        writing.remote.set_secret("dev", "/app", "REF", "${A}")
        writing.remote.set_secret("dev", "/app", "L" * 101, "long")
        reader, place = await writing.ready()
        wanted = {"A": "1", "REF": "${A}", "L" * 101: "long", "IMPORTED": None, "NONE": None, " A ": "1"}
        assert shown(await compared(writing, reader, place, *wanted)) == wanted
        assert writing.asked == {"listing": 1}
        await asyncio.sleep(10)
        writing.server.record.clear()
        for name, value in wanted.items():
            assert shown(await compared(writing, reader, place, name)) == {name: value}
        assert writing.asked == {"single": 5, "listing": 1}

    scenario()


@AGES
def test_an_empty_folder_costs_one_listing(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        assert shown(await compared(writing, reader, place, "A", "B")) == {"A": None, "B": None}
        assert writing.asked == {"listing": 1}

    scenario()


@AGES
def test_what_is_not_seen_is_not_held_to_be_absent_where_that_matters(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        for name in ("SHUT", "OPEN"):
            writing.remote.set_secret("dev", "/app", name, "1")
        reader, place = await writing.ready(rights=read_named("dev", "/app", "OPEN"))
        wanted = [RemoteName(name) for name in ("SHUT", "OPEN", "NEW")]
        result = await writing.readings.compare(
            reader, place, wanted, since=now(), certain=[RemoteName("SHUT"), RemoteName("OPEN")]
        )
        told = shown(result.result)
        assert told["OPEN"] == "1"
        shut = told["SHUT"]
        assert isinstance(shut, Denied)
        assert (shut.folder, shut.key) == (APP, "SHUT")

    scenario()


@AGES
def test_what_is_verifiably_absent_costs_a_single_read(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        names = [RemoteName(name) for name in ("A", "B", "L" * 101)]
        runs = await asyncio.gather(
            *(
                writing.readings.compare(reader, place, names, since=now(), certain=[names[0], names[2]])
                for _ in range(20)
            )
        )
        assert [shown(result) for result, _ in runs] == [dict.fromkeys(names)] * 20
        assert writing.asked == {"listing": 1, "single": 1}
        absent = Place(place.project, "dev", FolderPath("/not/there"))
        result = await writing.readings.compare(reader, absent, names, since=now(), certain=names)
        assert result.result == Missing(what=Thing.FOLDER, folder=absent.folder)

    scenario()


@simulated
async def test_runs_at_the_same_moment_share_a_listing_and_single_reads() -> None:
    writing = Writing()
    writing.remote.set_secret("dev", "/app", "A", "1")
    reader, place = await writing.ready()
    results = await asyncio.gather(*(compared(writing, reader, place, "A", f"N{n}") for n in range(50)))
    assert [shown(result) for result in results] == [{"A": "1", f"N{n}": None} for n in range(50)]
    assert writing.asked == {"listing": 1}
    await asyncio.sleep(10)
    writing.server.record.clear()
    results = await asyncio.gather(*(compared(writing, reader, place, "A") for _ in range(50)))
    assert [shown(result) for result in results] == [{"A": "1"}] * 50
    assert writing.asked == {"single": 1}


@simulated
async def test_what_began_before_does_not_serve_who_wants_to_see_a_change() -> None:
    writing = Writing()
    reader, place = await writing.ready()
    before = now()
    writing.server.faults.plan(Kind.LISTING, Slow(0.5))
    old = asyncio.ensure_future(compared(writing, reader, place, "A", "B"))
    await asyncio.sleep(0.1)
    writing.remote.set_secret("dev", "/app", "A", "new")
    assert shown(await compared(writing, reader, place, "A", "C")) == {"A": "new", "C": None}
    assert shown(await old) == {"A": None, "B": None}
    assert shown(await compared(writing, reader, place, "B", "C", since=before)) == {"B": None, "C": None}
    assert writing.asked == {"listing": 2}


@AGES
def test_a_write_drops_what_was_read_and_is_being_read(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        writing.remote.set_secret("dev", "/app", "A", "1")
        reader, place = await writing.ready()
        before, root = now(), Place(place.project, "dev", FolderPath("/"))
        await asyncio.sleep(0.001)
        await compared(writing, reader, place, "A", "B")
        await writing.situation.list(reader, root, view=AS_STORED, recursive=True)
        writing.server.faults.plan(Kind.LISTING, Slow(1.0))
        running = asyncio.ensure_future(compared(writing, reader, place, "A", "C"))
        await asyncio.sleep(0.1)
        assert await writing.write(reader, place, update("A", "2"), create("B")) == [STORED] * 2
        assert shown(await compared(writing, reader, place, "A", "B", since=before)) == {"A": "2", "B": "v"}
        listed = await writing.readings.folder(reader, root, AS_STORED, since=before, recursive=True)
        assert listed.began > before + 0.1
        assert shown(await running) == {"A": "1", "C": None}

    scenario()


@AGES
def test_a_name_that_is_there_twice_is_told(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        writing.remote.set_secret("dev", "/app", "A", "first")
        writing.remote.set_secret("dev", "/app", "A", "second")
        writing.remote.add_twin("dev", "/app", "A", "twin")
        writing.remote.set_secret("dev", "/app", "B", "once")
        writing.remote.add_twin("dev", "/app", "OTHER", "1")
        writing.remote.add_twin("dev", "/app", "OTHER", "2")
        reader, place = await writing.ready()
        result = await compared(writing, reader, place, "A", "B")
        assert isinstance(result, Compared)
        assert shown(result) == {"A": "second", "B": "once"}
        assert result.twice == {"A"}

    scenario()


@pytest.mark.parametrize("age", [Age.CURRENT, Age.YEAR_2025])
def test_a_listing_that_is_refused_is_no_verdict(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        long = "L" * 101
        for name in ("OPEN", "SHUT", long):
            writing.remote.set_secret("dev", "/app", name, "1")
        names_only = Access((Rule(actions=frozenset({Action.DESCRIBE})),))
        reader, place = await writing.ready(rights=names_only + read_named("dev", "/app", "OPEN"))
        result = shown(await compared(writing, reader, place, "OPEN", "SHUT", "NONE", long))
        assert result["OPEN"] == "1"
        assert result["NONE"] is None
        for name in ("SHUT", long):
            one = result[name]
            assert isinstance(one, Denied)
            assert (one.what, one.folder, one.key) == (Denial.VALUE, APP, RemoteName(name))

    scenario()


@AGES
def test_what_is_missing_as_a_whole(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        absent = Place(place.project, "dev", FolderPath("/not/there"))
        nowhere = Place(place.project, "nowhere", APP)
        # A lone name tells in every age; older servers list an absent folder as an empty one.
        folder = Missing(what=Thing.FOLDER, folder=absent.folder)
        assert await compared(writing, reader, absent, "A") == folder
        assert await compared(writing, reader, nowhere, "A") == Missing(what=Thing.ENVIRONMENT)
        result = await compared(writing, reader, absent, "A", "B")
        if age is Age.CURRENT:
            assert result == folder
        else:
            assert shown(result) == {"A": None, "B": None}
        writing.server.delete_project("my-project")
        assert await compared(writing, reader, place, "A", "B") == ProjectGone()
        assert await compared(writing, reader, place, "A") == ProjectGone()

    scenario()


@AGES
def test_who_is_no_member_or_has_no_token_is_told_as_a_whole(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        members = dict(writing.remote.members)
        writing.remote.members.clear()
        assert await compared(writing, reader, place, "A", "B") == Denied(what=Denial.MEMBERSHIP)
        assert await compared(writing, reader, place, "A") == Denied(what=Denial.MEMBERSHIP)
        writing.remote.members.update(members)
        writing.server.end_tokens()
        assert await compared(writing, reader, place, "A", "B") == LeaseRefused()
        assert await compared(writing, reader, place, "A") == LeaseRefused()

    scenario()


@simulated
async def test_a_lone_name_that_may_not_be_read_is_denied() -> None:
    writing = Writing()
    writing.remote.set_secret("dev", "/app", "A", "1")
    reader, place = await writing.ready(rights=NO_ACCESS)
    result = shown(await compared(writing, reader, place, "A"))
    assert isinstance(result["A"], Denied)


@simulated
async def test_one_who_gives_up_leaves_the_others_alone() -> None:
    writing = Writing()
    writing.remote.set_secret("dev", "/app", "A", "1")
    reader, place = await writing.ready()
    writing.server.faults.plan(Kind.LISTING, Slow(1.0))
    given_up = asyncio.ensure_future(compared(writing, reader, place, "A", "B"))
    other = asyncio.ensure_future(compared(writing, reader, place, "A", "C"))
    await asyncio.sleep(0.5)
    given_up.cancel()
    assert shown(await other) == {"A": "1", "C": None}
