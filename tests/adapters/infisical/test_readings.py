"""Readings: right about every key, at the price of as few requests as it takes."""

import asyncio

import pytest

from adapters.infisical.client import Client
from adapters.infisical.places import Place, Project
from adapters.infisical.readings import Empty, Reader
from machines.names import FolderPath, RemoteName
from machines.outcomes import (
    AbsentKey,
    Denial,
    Denied,
    LeaseRefused,
    Missing,
    ProjectGone,
    Service,
    Thing,
    Trouble,
    Unavailable,
)
from reconciler.standin import (
    NO_ACCESS,
    Age,
    Kind,
    Slow,
    Status,
    names_only,
    read_below,
    read_named,
)
from tests.adapters.infisical.access import AS_STORED, RETRY, Situation, entries, shown
from tests.simulated_loop import simulated

AGES = pytest.mark.parametrize("age", Age)
APP = FolderPath("/app")


async def prepared(age: Age = Age.CURRENT) -> tuple[Situation, Reader, Place]:
    """A folder /app with two secrets, somebody who reads it, and a server whose routes are known."""
    situation = Situation(age)
    situation.remote.add_folder("dev", "/app")
    situation.remote.set_secret("dev", "/app", "A", "1")
    situation.remote.set_secret("dev", "/app", "B", "2")
    situation.remote.set_secret("dev", "/", "ROOT", "root")
    reader = await situation.reader()
    place = await situation.place(reader, "/app")
    root = Place(place.project, "dev", FolderPath("/"))
    assert shown(await situation.read(reader, root, "ROOT")) == ["root"]
    await settled(situation)
    return situation, reader, place


async def settled(situation: Situation) -> None:
    """Nothing is remembered any more, and counting starts anew."""
    await asyncio.sleep(10)
    situation.server.record.clear()


def asked(situation: Situation) -> dict[str, int]:
    """Requests by kind."""
    return {kind.value: number for kind, number in situation.counts().items()}


def absent(name: str) -> AbsentKey:
    return AbsentKey(key=RemoteName(name), folder=APP)


@AGES
def test_a_lone_key_is_one_single_read_and_several_are_one_listing(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, reader, place = await prepared(age)
        assert shown(await situation.read(reader, place, "A")) == ["1"]
        # Servers of 2024 expand references in lists only, so that a lone key is read by the list.
        assert asked(situation) == ({"listing": 1} if age is Age.YEAR_2024 else {"single": 1})
        await settled(situation)
        assert shown(await situation.read(reader, place, "A", "B")) == ["1", "2"]
        assert asked(situation) == {"listing": 1}

    scenario()


@simulated
async def test_a_hundred_who_want_a_folder_at_once_share_one_listing() -> None:
    situation, reader, place = await prepared()
    listings, _ = await asyncio.gather(
        asyncio.gather(*(situation.list(reader, place) for _ in range(50))),
        asyncio.gather(*(situation.read(reader, place, "A") for _ in range(50))),
    )
    assert all(entries(listing) == {"A": "1", "B": "2"} for listing in listings)
    assert asked(situation) == {"listing": 1}


@simulated
async def test_the_same_lone_key_is_read_once_for_all() -> None:
    situation, reader, place = await prepared()
    results = await asyncio.gather(*(situation.read(reader, place, "A") for _ in range(50)))
    assert [shown(result) for result in results] == [["1"]] * 50
    assert asked(situation) == {"single": 1}


@simulated
async def test_a_lone_key_joins_a_listing_that_is_young_enough() -> None:
    situation, reader, place = await prepared()
    now = asyncio.get_running_loop().time()
    situation.server.faults.plan(Kind.LISTING, Slow(0.5))
    listing = asyncio.ensure_future(situation.list(reader, place))
    await asyncio.sleep(0.1)
    assert shown(await situation.read(reader, place, "A", since=now)) == ["1"]
    assert entries(await listing) == {"A": "1", "B": "2"}
    assert asked(situation) == {"listing": 1}


@simulated
async def test_a_listing_that_began_before_the_change_does_not_serve_who_wants_to_see_it() -> None:
    situation, reader, place = await prepared()
    situation.server.faults.plan(Kind.LISTING, Slow(0.5))
    old = asyncio.ensure_future(situation.list(reader, place))
    await asyncio.sleep(0.1)
    situation.remote.set_secret("dev", "/app", "A", "changed")
    assert entries(await situation.list(reader, place)) == {"A": "changed", "B": "2"}
    assert entries(await old) == {"A": "1", "B": "2"}
    assert asked(situation) == {"listing": 2}


@simulated
async def test_a_finished_listing_serves_those_who_may_see_a_moment_ago_and_is_then_forgotten() -> None:
    situation, reader, place = await prepared()
    before = asyncio.get_running_loop().time()
    await situation.list(reader, place)
    await asyncio.sleep(0.5)
    assert shown(await situation.read(reader, place, "A", "B", since=before)) == ["1", "2"]
    assert asked(situation) == {"listing": 1}
    await asyncio.sleep(5)
    assert shown(await situation.read(reader, place, "A", "B", since=before)) == ["1", "2"]
    assert asked(situation) == {"listing": 2}


@AGES
def test_a_key_that_the_listing_lacks_is_asked_for_singly(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, reader, place = await prepared(age)
        results = await asyncio.gather(*(situation.read(reader, place, "A", "B", "NOPE") for _ in range(10)))
        assert all(shown(result) == ["1", "2", absent("NOPE")] for result in results)
        assert asked(situation) == {"listing": 1, "single": 1}

    scenario()


@AGES
def test_an_empty_folder_costs_one_verifying_read_for_everybody(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, reader, place = await prepared(age)
        situation.remote.add_folder("dev", "/empty")
        empty = Place(place.project, "dev", FolderPath("/empty"))
        results = await asyncio.gather(*(situation.list(reader, empty) for _ in range(100)))
        assert all(isinstance(result, Empty) for result in results)
        assert asked(situation) == {"listing": 1, "single": 1}
        await settled(situation)
        keys = await situation.read(reader, empty, "A", "B")
        assert keys == [AbsentKey(key=RemoteName(n), folder=empty.folder) for n in ("A", "B")]
        assert asked(situation) == {"listing": 1, "single": 1}

    scenario()


@AGES
@pytest.mark.parametrize("told", [True, False], ids=["environments-told", "not-told"])
def test_an_absent_folder_or_environment_is_an_error_and_says_which(age: Age, told: bool) -> None:
    @simulated
    async def scenario() -> None:
        situation, reader, place = await prepared(age)
        project = place.project if told else Project(place.project.id)
        folder = Place(project, "dev", FolderPath("/nowhere"))
        environment = Place(project, "nowhere", APP)
        no_folder = Missing(what=Thing.FOLDER, folder=folder.folder)
        no_environment = Missing(what=Thing.ENVIRONMENT)
        for where, expected in ((folder, no_folder), (environment, no_environment)):
            assert await situation.read(reader, where, "A") == [expected]
            assert await situation.read(reader, where, "A", "B") == [expected] * 2
            assert await situation.list(reader, where) == expected
            assert await situation.list(reader, where, recursive=True) == expected

    scenario()


@AGES
def test_a_folder_that_may_not_be_seen_is_denied_and_not_empty(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, _, place = await prepared(age)
        reader = await situation.reader("2", situation.machine(NO_ACCESS))
        result = await situation.list(reader, place)
        assert isinstance(result, Denied)
        assert (result.what, result.folder) == (Denial.READ, APP)
        assert await situation.read(reader, place, "A", "NOPE") == [
            Denied(what=Denial.READ, folder=APP, key=RemoteName(name)) for name in ("A", "NOPE")
        ]

    scenario()


@AGES
def test_a_stranger_to_the_project_is_told_so(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, _, place = await prepared(age)
        stranger = situation.server.add_machine("stranger", {})
        reader = await situation.reader("2", stranger)
        member = Denied(what=Denial.MEMBERSHIP)
        assert await situation.list(reader, place) == member
        assert await situation.read(reader, place, "A") == [member]

    scenario()


@simulated
async def test_a_refused_listing_is_no_verdict_on_a_key() -> None:
    situation, _, place = await prepared()
    reader = await situation.reader("2", situation.machine(read_named("dev", "/app", "A")))
    results = await situation.read(reader, place, "A", "B")
    assert shown(results) == ["1", Denied(what=Denial.READ, folder=APP, key=RemoteName("B"))]


@pytest.mark.parametrize("age", [Age.CURRENT, Age.YEAR_2025])
def test_a_value_that_may_not_be_seen_is_denied(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, _, place = await prepared(age)
        reader = await situation.reader("2", situation.machine(names_only("dev", "/app")))
        denied = Denied(what=Denial.VALUE, folder=APP, key=RemoteName("A"))
        assert await situation.read(reader, place, "A") == [denied]
        assert (await situation.read(reader, place, "A", "B"))[0] == denied
        situation.server.options.hides_values = True
        assert await situation.read(reader, place, "A") == [denied]
        assert (await situation.read(reader, place, "A", "B"))[0] == denied

    scenario()


@AGES
def test_references_are_expanded_the_same_alone_and_in_company(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, reader, place = await prepared(age)
        situation.remote.set_secret("dev", "/app", "REF", "<${A}>")
        situation.remote.set_secret("dev", "/app", "DANGLING", "<${dev.gone.TARGET}>")
        dangling = "<${dev.gone.TARGET}>"
        assert shown(await situation.read(reader, place, "REF")) == ["<1>"]
        assert shown(await situation.read(reader, place, "DANGLING")) == [dangling]
        assert shown(await situation.read(reader, place, "REF", "DANGLING")) == ["<1>", dangling]
        stored = await situation.read(reader, place, "REF", "DANGLING", view=AS_STORED)
        assert shown(stored) == ["<${A}>", dangling]

    scenario()


@AGES
def test_the_first_read_of_a_server_expands_too(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation = Situation(age)
        situation.remote.set_secret("dev", "/", "A", "1")
        situation.remote.set_secret("dev", "/", "REF", "<${A}>")
        reader = await situation.reader()
        place = await situation.place(reader)
        assert shown(await situation.read(reader, place, "REF")) == ["<1>"]

    scenario()


@AGES
def test_imports_give_the_same_value_alone_and_in_company(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, reader, place = await prepared(age)
        for folder, own in (("/first", "first"), ("/last", "last")):
            situation.remote.add_folder("staging", folder)
            situation.remote.set_secret("staging", folder, "BOTH", own)
            situation.remote.set_secret("staging", folder, "A", "loses")
            situation.remote.set_secret("staging", folder, own.upper(), "${BOTH}")
            situation.remote.add_import("dev", "/app", source_environment="staging", source_path=folder)
        several = shown(await situation.read(reader, place, "A", "BOTH", "FIRST"))
        assert several[:2] == ["1", "last"]
        assert shown(await situation.read(reader, place, "BOTH")) == ["last"]
        assert shown(await situation.read(reader, place, "FIRST")) == several[2:]
        listed = entries(await situation.list(reader, place))
        assert (listed["A"], listed["BOTH"]) == ("1", "last")
        # As stored: lists show imported secrets expanded, whatever they are asked.
        stored = shown(await situation.read(reader, place, "A", "B", "FIRST", view=AS_STORED))
        assert stored == ["1", "2", "${BOTH}"]
        whole = entries(await situation.list(reader, place, view=AS_STORED))
        assert whole == {"A": "1", "B": "2", "BOTH": "last", "FIRST": "${BOTH}", "LAST": "${BOTH}"}

    scenario()


@AGES
def test_a_folder_with_nothing_but_imports_is_checked_to_be_readable(age: Age) -> None:
    """Own secrets that may not be seen are left out of a listing without a word."""

    @simulated
    async def scenario() -> None:
        situation, _, place = await prepared(age)
        situation.remote.add_folder("staging", "/shared")
        situation.remote.set_secret("staging", "/shared", "SHARED", "s")
        situation.remote.add_import("dev", "/app", source_environment="staging", source_path="/shared")
        reader = await situation.reader("2", situation.machine(read_below("staging", "/shared")))
        assert isinstance(await situation.list(reader, place), Denied)

    scenario()


@AGES
def test_a_recursive_listing_stays_in_its_folder(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, reader, place = await prepared(age)
        situation.remote.add_folder("dev", "/app/below")
        situation.remote.add_folder("dev", "/app2")
        situation.remote.set_secret("dev", "/app/below", "DEEP", "d")
        situation.remote.set_secret("dev", "/app2", "OTHER", "o")
        assert entries(await situation.list(reader, place)) == {"A": "1", "B": "2"}
        deep = await situation.list(reader, place, recursive=True)
        assert entries(deep) == {"A": "1", "B": "2", "DEEP": "d"}

    scenario()


@AGES
def test_a_name_too_long_for_a_path_is_read_by_the_list(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, reader, place = await prepared(age)
        long, longer = "L" * 101, "M" * 101
        situation.remote.set_secret("dev", "/app", long, "l")
        assert shown(await situation.read(reader, place, long)) == ["l"]
        assert shown(await situation.read(reader, place, longer)) == [absent(longer)]
        assert asked(situation) == {"listing": 2}

    scenario()


@AGES
def test_names_are_encoded_as_they_are(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, reader, place = await prepared(age)
        names = ["A#B", "A?B", "A%2FB", "A&B=C", "ÄÖ🔑", "A+B", "A B"]
        for name in names:
            situation.remote.set_secret("dev", "/app", name, f"value of {name}")
        for name in names:
            assert shown(await situation.read(reader, place, name)) == [f"value of {name}"]

    scenario()


@AGES
def test_a_project_that_is_gone_is_told_as_such(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, reader, place = await prepared(age)
        situation.server.remake_project("my-project")
        assert await situation.read(reader, place, "A") == [ProjectGone()]
        assert await situation.read(reader, place, "A", "B") == [ProjectGone()] * 2
        assert await situation.list(reader, place) == ProjectGone()

    scenario()


@AGES
def test_a_dead_token_is_told_as_such_and_a_new_one_is_not_served_its_refusal(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation, reader, place = await prepared(age)
        await situation.revoke(reader.lease.token)
        assert await situation.read(reader, place, "A", "B") == [LeaseRefused()] * 2
        situation.leases.release(reader.lease, tainted=True)
        again = await situation.reader()
        assert shown(await situation.read(again, place, "A", "B")) == ["1", "2"]

    scenario()


@simulated
async def test_a_failed_listing_is_not_kept() -> None:
    situation, reader, place = await prepared()
    situation.server.faults.plan(Kind.LISTING, Status(500), times=RETRY.attempts)
    failed = Unavailable(service=Service.INFISICAL, why=Trouble.FAULT, status=500)
    assert await situation.list(reader, place) == failed
    assert entries(await situation.list(reader, place)) == {"A": "1", "B": "2"}


@simulated
async def test_cancelling_some_who_wait_leaves_the_others_their_result() -> None:
    situation, reader, place = await prepared()
    situation.server.faults.plan(Kind.LISTING, Slow(1.0))
    waiting = [asyncio.ensure_future(situation.list(reader, place)) for _ in range(20)]
    await asyncio.sleep(0.5)
    for task in waiting[:19]:
        task.cancel()
    assert entries(await waiting[19]) == {"A": "1", "B": "2"}
    assert asked(situation) == {"listing": 1}


@simulated
async def test_when_all_are_cancelled_the_next_one_asks_anew() -> None:
    situation, reader, place = await prepared()
    since = asyncio.get_running_loop().time()
    situation.server.faults.plan(Kind.LISTING, Slow(1.0))
    waiting = [asyncio.ensure_future(situation.list(reader, place)) for _ in range(20)]
    await asyncio.sleep(0.5)
    for task in waiting:
        task.cancel()
    assert shown(await situation.read(reader, place, "A", "B", since=since)) == ["1", "2"]


@AGES
def test_many_first_requests_find_out_the_routes_once(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation = Situation(age)
        for number in range(20):
            situation.remote.add_folder("dev", f"/f{number}")
            situation.remote.set_secret("dev", f"/f{number}", "A", "1")
        reader = await situation.reader()
        place = await situation.place(reader)
        places = [Place(place.project, "dev", FolderPath(f"/f{number}")) for number in range(20)]
        results = await asyncio.gather(*(situation.list(reader, where) for where in places))
        assert all(entries(result) == {"A": "1"} for result in results)
        missing_routes = 0 if age is Age.CURRENT else 2  # of projects and of secrets
        assert situation.counts()[Kind.NO_ROUTE] == missing_routes
        assert situation.counts()[Kind.LISTING] == 20

    scenario()


@simulated
async def test_a_server_that_is_down_is_asked_by_one_while_its_routes_are_unknown() -> None:
    situation, reader, place = await prepared()
    client = situation.hosts.client("https://infisical.test/below")
    assert isinstance(client, Client)
    situation.server.faults.plan(Kind.LISTING, Status(503), times=None)
    situation.server.faults.plan(Kind.SINGLE, Status(503), times=None)
    elsewhere = Reader(client, reader.lease, RETRY)
    places = [Place(place.project, "dev", FolderPath(f"/f{number}")) for number in range(50)]
    results = await asyncio.gather(*(situation.list(elsewhere, where) for where in places))
    down = Unavailable(service=Service.INFISICAL, why=Trouble.FAULT, status=503)
    assert results == [down] * 50
    assert asked(situation) == {"listing": RETRY.attempts, "status": 1}


@simulated
async def test_first_requests_do_not_wait_for_each_other_once_the_routes_are_known() -> None:
    situation = Situation(Age.YEAR_2025)
    reader = await situation.reader()
    project = (await situation.place(reader)).project
    situation.server.faults.plan(Kind.LISTING, Slow(1.0), times=None)
    places = []
    for number in range(20):
        situation.remote.add_folder("dev", f"/f{number}")
        situation.remote.set_secret("dev", f"/f{number}", "A", "1")
        places.append(Place(project, "dev", FolderPath(f"/f{number}")))
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(situation.list(reader, where) for where in places))
    assert asyncio.get_running_loop().time() - began == pytest.approx(2.0, abs=0.1)


@AGES
def test_a_lone_key_survives_a_passing_fault_also_as_the_first_request(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        situation = Situation(age)
        situation.remote.set_secret("dev", "/", "A", "1")
        reader = await situation.reader()
        place = await situation.place(reader)
        for _ in range(2):
            situation.server.faults.plan(Kind.SINGLE, Status(503))
            assert shown(await situation.read(reader, place, "A")) == ["1"]
            await settled(situation)

    scenario()
