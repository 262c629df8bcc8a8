"""Writes of which no answer came: looked at before they are sent again, so that nothing is there twice or lost."""

import asyncio
import gc
import logging

import pytest

from adapters.infisical.exchange import Retry
from adapters.infisical.readings import Reader
from adapters.infisical.transport import Unreachable
from adapters.infisical.write_items import Item
from machines.names import RemoteName
from machines.outcomes import Fault, Invalid, Service, Trouble, Unavailable
from reconciler.standin import (
    Access,
    Action,
    Age,
    BrokenJson,
    Dropped,
    HalfSent,
    Kind,
    OtherJson,
    Rule,
    Slow,
    Status,
)
from reconciler.standin.faults import Fault as StandInFault
from tests.adapters.infisical.writing import STORED, Writing, create, delete, now, update
from tests.simulated_loop import simulated

AGES = pytest.mark.parametrize("age", Age)
CARRIED_OUT = pytest.mark.parametrize(
    "fault",
    [
        Dropped(carried_out=True),
        Dropped(carried_out=True, why=Unreachable.TIMED_OUT),
        HalfSent(),
        BrokenJson(),
        OtherJson(),
        Slow(100.0),
    ],
    ids=["broken", "timed out", "half sent", "broken JSON", "other JSON", "slow"],
)
LOST = pytest.mark.parametrize(
    "fault",
    [Dropped(), Dropped(why=Unreachable.TIMED_OUT), Status(500), Status(502), Status(504)],
    ids=["broken", "timed out", "500", "502", "504"],
)


def names_of(writing: Writing) -> list[str]:
    """Every secret of the folder, twins twice."""
    folder = writing.remote.folder("dev", "/app")
    assert folder is not None
    return sorted(secret.content.key for secret in folder.secrets)


@AGES
@CARRIED_OUT
def test_what_was_carried_out_is_not_sent_again(age: Age, fault: StandInFault) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        for name in "UVD":
            writing.remote.set_secret("dev", "/app", name, "old")
        reader, place = await writing.ready()
        for kind in (Kind.BATCH_CREATION, Kind.BATCH_UPDATE, Kind.DELETION):
            writing.server.faults.plan(kind, fault)
        wanted = [create("A", " a\n"), create("B", ""), update("U"), update("V"), delete("D")]
        assert await writing.write(reader, place, *wanted) == [STORED] * 5
        assert writing.values() == {"A": "a\n", "B": "", "U": "w", "V": "w"}
        assert names_of(writing) == ["A", "B", "U", "V"]
        assert writing.remote.version("dev", "/app", "U") == 2
        assert writing.asked == {
            "batch creation": 1,
            "batch update": 1,
            "deletion": 1,
            "listing": 2,
            "single": 1,
        }

    scenario()


@AGES
@LOST
def test_what_was_lost_is_sent_again(age: Age, fault: StandInFault) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        for name in "UVDE":
            writing.remote.set_secret("dev", "/app", name, "old")
        reader, place = await writing.ready()
        for kind in (Kind.BATCH_CREATION, Kind.BATCH_UPDATE, Kind.BATCH_DELETION):
            writing.server.faults.plan(kind, fault)
        wanted = [create("A"), create("B"), update("U"), update("V"), delete("D"), delete("E")]
        assert await writing.write(reader, place, *wanted) == [STORED] * 6
        assert writing.values() == {"A": "v", "B": "v", "U": "w", "V": "w"}
        assert writing.asked == {
            "batch creation": 2,
            "batch update": 2,
            "batch deletion": 2,
            "listing": 3,
            **({"status": 3} if writing.asked.get("status") else {}),
        }

    scenario()


@AGES
def test_a_lone_creation_is_not_made_twice(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        writing.server.faults.plan(Kind.CREATION, Dropped(carried_out=True), times=2)
        assert await writing.write(reader, place, create("A")) == [STORED]
        assert names_of(writing) == ["A"]
        assert writing.asked["creation"] == 1

    scenario()


@AGES
def test_what_somebody_else_made_meanwhile_becomes_ours(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        writing.server.faults.plan(Kind.CREATION, Dropped())
        writing.remote.set_secret("dev", "/app", "A", "theirs")
        assert await writing.write(reader, place, create("A", "ours")) == [STORED]
        assert writing.values() == {"A": "ours"}
        assert writing.asked == {"creation": 1, "single": 1, "update": 1}

    scenario()


@simulated
async def test_who_may_not_see_what_came_of_it_does_not_create_again() -> None:
    writing = Writing(Age.YEAR_2024)
    rights = Access((Rule(actions=frozenset({Action.CREATE, Action.EDIT})),))
    reader, place = await writing.ready(rights=rights)
    writing.server.faults.plan(Kind.BATCH_CREATION, Dropped(carried_out=True))
    results = await writing.write(reader, place, create("A"), create("B"))
    assert results == [Unavailable(service=Service.INFISICAL, why=Trouble.BROKEN)] * 2
    assert names_of(writing) == ["A", "B"]
    assert writing.asked["batch creation"] == 1


@AGES
def test_a_server_that_fails_again_and_again_is_given_up(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        writing.server.faults.plan(Kind.BATCH_CREATION, Status(503), times=None)
        results = await writing.write(reader, place, create("A"), create("B"))
        assert results == [Unavailable(service=Service.INFISICAL, why=Trouble.FAULT, status=503)] * 2
        assert writing.asked["batch creation"] == 3

    scenario()


@AGES
def test_a_fault_is_laid_to_a_reference_only_where_servers_fail_on_references(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        writing.remote.set_secret("dev", "/app", "SEEN", "by which the age of a server is known")
        reader, place = await writing.ready()
        await writing.readings.compare(reader, place, [RemoteName("SEEN")], since=now())
        writing.server.faults.plan("POST *secrets*", Status(500), times=None)
        fault = Unavailable(service=Service.INFISICAL, why=Trouble.FAULT, status=500)
        dangling = Invalid(what=Fault.DANGLING_REFERENCE, folder=place.folder, key=RemoteName("R"))
        expected = dangling if age is Age.YEAR_2025 else fault
        assert await writing.write(reader, place, create("R", "${a.b.C}")) == [expected]
        once = Reader(reader.client, reader.lease, Retry(attempts=1))
        assert await writing.write(once, place, create("R", "${a.b.C}")) == [fault]
        assert await writing.write(reader, place, create("P")) == [fault]

    scenario()


@AGES
def test_a_limit_is_waited_out(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        writing.server.faults.plan(Kind.BATCH_CREATION, Status(429, retry_after=7))
        assert await writing.write(reader, place, create("A"), create("B")) == [STORED] * 2
        assert writing.asked == {"batch creation": 2}

    scenario()


# --- those who give up ------------------------------------------------------------------------------------------


@simulated
async def test_one_who_gives_up_before_anything_was_sent_writes_nothing() -> None:
    writing = Writing()
    reader, place = await writing.ready()
    given_up = asyncio.ensure_future(writing.write(reader, place, create("A")))
    other = asyncio.ensure_future(writing.write(reader, place, create("B")))
    await asyncio.sleep(0.001)
    given_up.cancel()
    assert await other == [STORED]
    assert writing.values() == {"B": "v"}


@simulated
async def test_one_who_gives_up_during_a_batch_leaves_the_others_alone() -> None:
    writing = Writing()
    reader, place = await writing.ready()
    writing.server.faults.plan(Kind.BATCH_CREATION, Slow(1.0))
    given_up = asyncio.ensure_future(writing.write(reader, place, create("A")))
    other = asyncio.ensure_future(writing.write(reader, place, create("B")))
    await asyncio.sleep(0.5)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    # Who comes next for the same secret waits until it is known what came of it.
    assert await writing.write(reader, place, create("A", "next")) == [STORED]
    assert await other == [STORED]
    assert writing.values() == {"A": "next", "B": "v"}
    assert names_of(writing) == ["A", "B"]
    first, second = (asked.at for asked in writing.server.requests[:2])
    assert second >= first + 1.0


@simulated
async def test_the_last_one_who_gives_up_ends_the_request() -> None:
    writing = Writing()
    reader, place = await writing.ready()
    writing.server.faults.plan(Kind.BATCH_CREATION, Status(503), times=None)
    alone = asyncio.ensure_future(writing.write(reader, place, create("A"), create("B")))
    await asyncio.sleep(0.006)
    alone.cancel()
    await asyncio.sleep(100)
    assert writing.asked["batch creation"] == 1


@simulated
async def test_the_same_secret_is_written_by_one_after_the_other() -> None:
    writing = Writing()
    reader, place = await writing.ready()
    results = await asyncio.gather(
        *(writing.write(reader, place, create("A", f"v{n}"), create(f"B{n}")) for n in range(5))
    )
    assert results == [[STORED] * 2] * 5
    assert names_of(writing) == ["A", *(f"B{n}" for n in range(5))]
    with pytest.raises(ValueError, match="twice"):
        await writing.write(reader, place, create("A"), create(" A"))


@simulated
async def test_identities_that_write_each_others_secrets_do_not_wait_for_ever() -> None:
    writing = Writing()
    reader, place = await writing.ready()
    others = [
        Reader(reader.client, await writing.situation.acquire(version), reader.retry) for version in "23"
    ]
    writing.server.faults.plan("* *secrets*", Slow(1.0), times=None)
    results = await asyncio.gather(
        writing.write(reader, place, create("A"), create("B"), create("C")),
        writing.write(others[0], place, create("C"), create("D")),
        writing.write(others[1], place, create("D"), create("C")),
    )
    assert list(map(len, results)) == [3, 2, 2]
    assert all(result == STORED for run in results for result in run)
    assert names_of(writing) == ["A", "B", "C", "D"]


# --- nothing is shown -------------------------------------------------------------------------------------------

CANARY = "canary-8c1f-never-shown"


def everything_shown() -> str:
    """The repr of whatever of ours is alive."""
    ours = [one for one in gc.get_objects() if str(type(one).__module__).startswith("adapters.infisical.")]
    assert any(isinstance(one, Item) for one in ours)
    return "".join(repr(one) for one in ours)


@pytest.mark.parametrize(
    "fault", [None, Dropped(carried_out=True), Status(500), OtherJson(f'{{"secretValue":"{CANARY}"}}')]
)
def test_no_value_is_shown(fault: StandInFault | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    @simulated
    async def scenario() -> str:
        writing = Writing(Age.YEAR_2025)
        writing.remote.set_secret("dev", "/app", "U", CANARY)
        reader, place = await writing.ready()
        writing.server.faults.plan(Kind.BATCH_CREATION, fault or Slow(1.0), times=2)
        wanted = [
            create("A", CANARY),
            create("a/b", CANARY),
            create("R", f"${{{CANARY}}}"),
            update("U", CANARY),
        ]
        run = asyncio.ensure_future(writing.write(reader, place, *wanted))
        await asyncio.sleep(0.004)
        shown = everything_shown()
        return shown + repr(await run) + repr(wanted) + repr(run)

    assert CANARY not in scenario()
    assert CANARY not in caplog.text
