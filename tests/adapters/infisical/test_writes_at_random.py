"""Random writes by several runs, onto random folders, through random faults: each result is true, nothing is there twice."""

import asyncio
from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from adapters.infisical.stored_form import as_stored
from adapters.infisical.write_terms import Write, WriteKind, WriteResult
from machines.outcomes import Denied, Invalid, Missing, Thing, Unavailable
from reconciler.standin import VIEWER, Access, Action, Age, BrokenJson, Dropped, HalfSent, Rule, Status
from reconciler.standin.faults import Fault
from tests.adapters.infisical.writing import STORED, Writing, create, delete, update
from tests.simulated_loop import run_simulated

NAMES = [*(f"N{number}" for number in range(12)), "SHUT1", "SHUT2", "a/b", "a b", "L" * 120, "batch"]
VALUES = ["v", "", " w\n", "${N0}", "${N1} and ${N2}", "${NOWHERE}", "${nowhere.A}"]
FAULTS: list[Fault] = [
    Dropped(),
    Dropped(carried_out=True),
    HalfSent(),
    BrokenJson(),
    Status(500),
    Status(502),
    Status(429, retry_after=1),
]


class Situation(msgspec.Struct, frozen=True):
    """What is there, what is wanted by each run, and which faults strike: one of the first requests each."""

    age: Age
    there: frozenset[str]
    runs: tuple[tuple[Write, ...], ...]
    faults: tuple[tuple[Fault, int], ...]
    folder: bool


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    kinds = [create, update, lambda name, value: delete(name)]
    writes = [draw(st.sampled_from(kinds))(name, draw(st.sampled_from(VALUES))) for name in names]
    cuts = sorted(draw(st.lists(st.integers(0, len(writes)), max_size=3)))
    runs = [tuple(writes[start:end]) for start, end in zip([0, *cuts], [*cuts, len(writes)], strict=True)]
    return Situation(
        draw(st.sampled_from(Age)),
        draw(st.frozensets(st.sampled_from(NAMES))),
        tuple(runs),
        tuple(draw(st.lists(st.tuples(st.sampled_from(FAULTS), st.integers(0, 8)), max_size=2))),
        draw(st.booleans()),
    )


RIGHTS = VIEWER + Access((Rule(actions=frozenset(Action), name="[!S]*"),))
"""May write what is not called SHUT."""


@given(situations())
def test_every_result_is_true_and_nothing_is_there_twice(situation: Situation) -> None:
    run_simulated(carried_out(situation))


async def carried_out(situation: Situation) -> None:
    writing = Writing(situation.age, create_folders=True)
    folder = "/app" if situation.folder or situation.there else "/new"
    for name in situation.there:
        writing.remote.set_secret("dev", "/app", name, "old")
    reader, place = await writing.ready(folder, rights=RIGHTS)
    for fault, after in situation.faults:
        writing.server.faults.plan("* *secrets*", fault, after=after)
    results = await asyncio.gather(*(writing.write(reader, place, *run) for run in situation.runs))
    found = writing.remote.folder("dev", folder)
    held = Counter(secret.content.key for secret in found.secrets) if found else Counter[str]()
    assert all(number == 1 for number in held.values())
    values = writing.values(folder)
    writes = [write for run in situation.runs for write in run]
    told = [result for run in results for result in run]
    assert len(told) == len(writes)
    for write, result in zip(writes, told, strict=True):
        judge(situation, write, result, values.get(write.name), frozenset(values))
    assert len(writing.server.requests) < 10 * len(writes) + 20


def judge(
    situation: Situation, write: Write, result: WriteResult, value: str | None, there: frozenset[str]
) -> None:
    """Whether a result is true, and no failure but of what is at fault."""
    wanted = write.value.reveal() if write.value is not None else None
    if result == STORED:
        assert value == (None if write.kind is WriteKind.DELETE or wanted is None else as_stored(wanted))
        return
    may_dangle = wanted is not None and "${" in wanted and situation.age is Age.YEAR_2025
    match result:
        case Denied():
            assert write.name.startswith("SHUT")
        case Invalid(key=key):
            assert key == write.name
            assert may_dangle or " " in write.name or "/" in write.name
        case Missing(what=Thing.ROUTE):  # a refusal that was cut off
            assert BrokenJson() in [fault for fault, _ in situation.faults]
        case Unavailable():
            assert situation.faults or may_dangle
        case _:
            raise AssertionError(result)
