"""Writes: every secret as wanted, at the price of as few requests as it takes."""

import asyncio

import pytest

from adapters.infisical.places import Place
from adapters.infisical.projects import ResolvedProject
from adapters.infisical.readings import Compared, Found
from adapters.infisical.secret_text import SecretText
from adapters.infisical.stored_form import as_stored
from machines.names import FolderPath, RemoteName
from machines.outcomes import AbsentKey
from reconciler.standin import Age
from tests.adapters.infisical.writing import STORED, Writing, create, delete, now, update
from tests.simulated_loop import simulated

AGES = pytest.mark.parametrize("age", Age)
APP = FolderPath("/app")


@AGES
def test_twenty_new_secrets_are_one_batch(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        results = await writing.writes.write(reader, place, [create(f"N{n}", f"v{n}") for n in range(20)])
        assert results == [STORED] * 20
        assert writing.values() == {f"N{n}": f"v{n}" for n in range(20)}
        assert writing.asked == {"batch creation": 1}

    scenario()


@AGES
def test_three_kinds_are_three_batches(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        for name in ("A", "B", "C", "D"):
            writing.remote.set_secret("dev", "/app", name, "old")
        reader, place = await writing.ready()
        wanted = [delete("C"), create("X"), update("A"), delete("D"), update("B", ""), create("Y", "")]
        assert await writing.writes.write(reader, place, wanted) == [STORED] * 6
        assert writing.values() == {"A": "w", "B": "", "X": "v", "Y": ""}
        assert writing.asked == {"batch creation": 1, "batch update": 1, "batch deletion": 1}

    scenario()


@AGES
def test_a_lone_write_is_a_request_of_its_own(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        writing.remote.set_secret("dev", "/app", "A", "old")
        writing.remote.set_secret("dev", "/app", "B", "old")
        reader, place = await writing.ready()
        for wanted in (create("X"), update("A", ""), delete("B")):
            assert await writing.writes.write(reader, place, [wanted]) == [STORED]
        assert writing.values() == {"A": "", "X": "v"}
        assert writing.asked == {"creation": 1, "update": 1, "deletion": 1}

    scenario()


@AGES
def test_a_hundred_runs_of_three_into_one_folder_are_few_batches(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        names = [[RemoteName(f"R{run}_{n}") for n in range(3)] for run in range(100)]
        seen = await asyncio.gather(
            *(writing.readings.compare(reader, place, three, since=now()) for three in names)
        )
        for three, (compared, _) in zip(names, seen, strict=True):
            assert isinstance(compared, Compared)
            assert compared.values == {name: AbsentKey(key=name, folder=APP) for name in three}
        results = await asyncio.gather(
            *(writing.writes.write(reader, place, [create(name, name) for name in three]) for three in names)
        )
        assert results == [[STORED] * 3] * 100
        assert len(writing.values()) == 300
        assert writing.asked == {"listing": 1, "batch creation": 3}
        again = (await writing.readings.compare(reader, place, names[7], since=now() - 1)).result
        assert isinstance(again, Compared)
        assert again.values == {name: Found(SecretText(name)) for name in names[7]}
        assert writing.asked == {"listing": 2, "batch creation": 3}

    scenario()


@AGES
def test_a_project_that_is_known_by_its_slug_alone_is_written_by_batches(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        writing.remote.rename("my_project")
        reader = await writing.situation.reader()
        resolved = await writing.situation.projects.resolve(
            reader.client, reader.lease, "my_project", reader.retry
        )
        assert isinstance(resolved, ResolvedProject)
        place = Place(resolved.project, "dev", APP)
        assert await writing.write(reader, place, create("A"), create("B")) == [STORED] * 2
        assert await writing.write(reader, place, update("A")) == [STORED]
        assert await writing.write(reader, place, delete("B")) == [STORED]
        assert writing.values() == {"A": "w"}

    scenario()


@AGES
def test_values_come_back_as_they_were_sent(age: Age) -> None:
    @simulated
    async def scenario() -> None:
        writing = Writing(age)
        reader, place = await writing.ready()
        values = [
            "",
            "x",
            "a\nb\n",
            "\u2028",
            'quotes " and \\',
            "\x00\x01",
            "ünïcödé 🔑",
            "${A}b",
            "{}",
            "null",
        ]
        names = [RemoteName(f"N{n}") for n in range(len(values))]
        for wanted in (create, update):
            results = await writing.write(
                reader, place, *(wanted(n, v) for n, v in zip(names, values, strict=True))
            )
            if age is not Age.YEAR_2025:  # it refuses the reference
                assert results == [STORED] * len(values)
            compared = (await writing.readings.compare(reader, place, names, since=now())).result
            assert isinstance(compared, Compared)
            for name, value in zip(names, values, strict=True):
                if "${" not in value:
                    assert compared.values[name] == Found(SecretText(as_stored(value)))
                    assert writing.values()[name] == as_stored(value)

    scenario()


@simulated
async def test_no_write_says_skip_multiline_encoding() -> None:
    writing = Writing()
    writing.remote.set_secret("dev", "/app", "U", "old", skip_multiline_encoding=True)
    reader, place = await writing.ready()
    assert await writing.write(reader, place, create("A", "a\n${B}"), update("U", "a\n${B}")) == [STORED] * 2
    folder = writing.remote.folder("dev", "/app")
    assert folder is not None
    kept = {secret.content.key: secret.content.skip_multiline_encoding for secret in folder.secrets}
    assert kept == {"A": False, "U": True}
