"""A directory of manifests as a cluster: loaded, followed while files change, and restored after a restart."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from adapters.cluster import Absent, Done, Kind, Object, Unavailable
from adapters.local.cluster import LocalCluster
from adapters.local.directory import POLL_SECONDS, STATE_NAME, LocalDirectory, UnusableManifests
from adapters.local.manifests import ManifestMistake, ManifestNotice
from adapters.resources.kinds import EXTERNAL_SECRET, SECRET
from tests.adapters.clusters.conftest import now
from tests.adapters.clusters.samples import MANAGER, done, encode, plain, secret, version_of, with_metadata
from tests.adapters.clusters.test_manifests import CREDENTIALS, EXTERNAL
from tests.simulated_loop import simulated

LONG_ENOUGH = 3 * POLL_SECONDS


class Author:
    """Somebody with a directory of manifests, and the program that runs on it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.state = directory / STATE_NAME
        self.told: list[ManifestMistake | ManifestNotice] = []
        self.start()

    def start(self) -> None:
        """A fresh process."""
        self.cluster = LocalCluster(now)
        self._local = LocalDirectory([self.directory], self.state, self.cluster, self.told.append)

    async def load(self) -> None:
        await self._local.load()

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        await self.load()
        task = asyncio.create_task(self._local.follow())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    def write(self, name: str, text: str) -> None:
        """As editors do: by renaming."""
        (self.directory / "unfinished").write_text(text)
        (self.directory / "unfinished").rename(self.directory / name)

    async def edit(self, name: str, text: str | None) -> None:
        if text is None:
            (self.directory / name).unlink()
        else:
            self.write(name, text)
        await asyncio.sleep(LONG_ENOUGH)

    async def get(self, kind: Kind, namespace: str, name: str) -> Object:
        return done(await self.cluster.get(kind, namespace, name))

    async def make_target(self) -> Object:
        """What the controller does for the ExternalSecret: its Secret and its status."""
        resource = await self.get(EXTERNAL_SECRET, "shop", "database")
        owner = {
            "apiVersion": resource["apiVersion"],
            "kind": resource["kind"],
            "name": "database",
            "uid": resource["metadata"]["uid"],
        }
        wanted = with_metadata(secret("shop", "database", password="hunter2"), ownerReferences=[owner])
        target = done(await self.cluster.apply(wanted, MANAGER))
        status = {"syncedResourceVersion": "1-x", "refreshTime": "2026-01-01T00:00:00Z"}
        done(await self.cluster.patch_status(EXTERNAL_SECRET, "shop", "database", status, "controller"))
        return target


@pytest.fixture
def author(tmp_path: Path) -> Author:
    author = Author(tmp_path)
    author.write("credentials.yaml", CREDENTIALS)
    author.write("database.yaml", EXTERNAL)
    return author


def told(author: Author) -> list[str]:
    return [str(each).replace(f"{author.directory}/", "") for each in author.told]


async def test_manifests_become_objects(author: Author) -> None:
    await author.load()
    assert plain(await author.get(SECRET, "default", "credentials"))["clientSecret"] == "007"
    database = await author.get(EXTERNAL_SECRET, "shop", "database")
    assert database["spec"]["refreshInterval"] == "1h0m0s"
    assert database["metadata"]["generation"] == 1


async def test_mistakes_stop_the_start_before_anything_is_done(author: Author) -> None:
    author.write("wrong.yaml", "kind: Secret")
    with pytest.raises(UnusableManifests) as caught:
        await author.load()
    assert [mistake.line for mistake in caught.value.mistakes] == [1]
    assert await author.cluster.get(SECRET, "default", "credentials") == Absent()
    assert not author.state.exists()


@simulated
async def test_a_changed_file_changes_its_objects(tmp_path: Path) -> None:
    author = Author(tmp_path)
    author.write("a.yaml", CREDENTIALS)
    async with author.following():
        uid = (await author.get(SECRET, "default", "credentials"))["metadata"]["uid"]
        await author.edit("a.yaml", CREDENTIALS.replace("007", "008").replace("  clientId: someone\n", ""))
        changed = await author.get(SECRET, "default", "credentials")
        assert plain(changed) == {"clientSecret": "008"}
        assert changed["metadata"]["uid"] == uid


@simulated
async def test_files_come_and_go(tmp_path: Path) -> None:
    author = Author(tmp_path)
    async with author.following():
        (tmp_path / "deeper").mkdir()
        await author.edit("deeper/a.yaml", CREDENTIALS)
        await author.get(SECRET, "default", "credentials")
        await author.edit("deeper/a.yaml", None)
        assert await author.cluster.get(SECRET, "default", "credentials") == Absent()


@simulated
async def test_a_change_arrives_within_a_second(tmp_path: Path) -> None:
    author = Author(tmp_path)
    async with author.following():
        await asyncio.sleep(POLL_SECONDS - 0.01)
        author.write("a.yaml", CREDENTIALS)
        await asyncio.sleep(POLL_SECONDS + 0.02)
        await author.get(SECRET, "default", "credentials")


@simulated
async def test_a_file_that_is_being_written_is_left_until_it_rests(tmp_path: Path) -> None:
    author = Author(tmp_path)
    author.write("a.yaml", CREDENTIALS)
    async with author.following():
        before = await author.get(SECRET, "default", "credentials")
        with (tmp_path / "a.yaml").open("w") as file:  # empty from here on
            for line in CREDENTIALS.splitlines(keepends=True):
                file.write(line)
                file.flush()
                await asyncio.sleep(POLL_SECONDS)
        await asyncio.sleep(LONG_ENOUGH)
        assert await author.get(SECRET, "default", "credentials") == before
        assert author.told == []


@simulated
async def test_a_broken_file_keeps_its_last_good_objects_and_is_reported_once(tmp_path: Path) -> None:
    author = Author(tmp_path)
    author.write("a.yaml", CREDENTIALS)
    async with author.following():
        await author.edit("a.yaml", CREDENTIALS.replace("name: credentials", "name: Not_A_Name"))
        await author.edit("b.yaml", EXTERNAL)
        await author.get(SECRET, "default", "credentials")
        await author.get(EXTERNAL_SECRET, "shop", "database")
        assert [text.split(": ")[0] for text in told(author)] == ["a.yaml:4"]
        await author.edit("a.yaml", CREDENTIALS.replace("007", "008"))
        assert plain(await author.get(SECRET, "default", "credentials"))["clientSecret"] == "008"


@simulated
async def test_an_object_that_two_files_have_is_settled_by_either(tmp_path: Path) -> None:
    author = Author(tmp_path)
    author.write("a.yaml", CREDENTIALS)
    async with author.following():
        await author.edit("b.yaml", CREDENTIALS.replace("007", "008"))
        assert told(author) == ["b.yaml:1: Secret credentials: is already in a.yaml:1"]
        assert plain(await author.get(SECRET, "default", "credentials"))["clientSecret"] == "007"
        await author.edit("a.yaml", None)
        assert plain(await author.get(SECRET, "default", "credentials"))["clientSecret"] == "008"


@simulated
async def test_an_object_may_move_from_one_file_to_another(tmp_path: Path) -> None:
    author = Author(tmp_path)
    author.write("z.yaml", CREDENTIALS)
    async with author.following():
        before = await author.get(SECRET, "default", "credentials")
        author.write("a.yaml", CREDENTIALS)
        await author.edit("z.yaml", None)
        assert await author.get(SECRET, "default", "credentials") == before
        assert author.told == []


@simulated
async def test_a_directory_that_vanishes_as_a_whole_deletes_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "manifests"
    directory.mkdir()
    author = Author(directory)
    author.write("a.yaml", CREDENTIALS)
    async with author.following():
        before = await author.get(SECRET, "default", "credentials")
        directory.rename(tmp_path / "away")
        await asyncio.sleep(LONG_ENOUGH)
        assert await author.get(SECRET, "default", "credentials") == before
        assert [each.message for each in author.told] == ["cannot be looked at; its objects stay"]
        (tmp_path / "away").rename(directory)
        await author.edit("a.yaml", None)
        assert await author.cluster.get(SECRET, "default", "credentials") == Absent()


@simulated
async def test_what_the_cluster_does_not_take_is_reported_with_its_line(tmp_path: Path) -> None:
    author = Author(tmp_path)
    author.write("a.yaml", CREDENTIALS + "immutable: true\n")
    async with author.following():
        await author.edit("a.yaml", CREDENTIALS.replace("007", "008") + "immutable: true\n")
        assert told(author) == ["a.yaml:1: Secret credentials: the cluster does not take a change of data"]
        assert plain(await author.get(SECRET, "default", "credentials"))["clientSecret"] == "007"


async def test_what_the_controller_made_is_kept_privately(author: Author) -> None:
    os.umask(0o022)
    await author.load()
    await author.make_target()
    file = author.state / "secrets" / "shop" / "database.yaml"
    assert f"password: {encode('hunter2')}" in file.read_text()
    assert "refreshTime" in (author.state / "externalsecrets" / "shop" / "database.yaml").read_text()
    assert not (author.state / "secrets" / "default").exists()  # the credentials have their manifest
    for path in (author.state, *author.state.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


async def test_a_restart_finds_everything_as_it_was(author: Author) -> None:
    await author.load()
    target = await author.make_target()
    resource = await author.get(EXTERNAL_SECRET, "shop", "database")
    author.start()
    await author.load()
    again = await author.get(EXTERNAL_SECRET, "shop", "database")
    for object in (resource, again):
        del object["metadata"]["resourceVersion"]
    assert again == resource
    kept = await author.get(SECRET, "shop", "database")
    assert plain(kept) == plain(target)
    assert version_of(done(await author.cluster.apply(_wanted(kept), MANAGER))) == version_of(kept)


def _wanted(kept: Object) -> Object:
    metadata = {name: kept["metadata"][name] for name in ("name", "namespace", "ownerReferences")}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": kept["data"]}


async def test_what_changed_while_nothing_ran_counts_as_changed(author: Author) -> None:
    await author.load()
    await author.make_target()
    author.write("database.yaml", EXTERNAL.replace("key: PASSWORD", "key: OTHER"))
    author.start()
    await author.load()
    changed = await author.get(EXTERNAL_SECRET, "shop", "database")
    assert changed["metadata"]["generation"] == 2
    assert changed["status"]["syncedResourceVersion"] == "1-x"


async def test_what_left_while_nothing_ran_is_deleted_with_what_it_owned(author: Author) -> None:
    await author.load()
    await author.make_target()
    (author.directory / "database.yaml").unlink()
    author.start()
    await author.load()
    assert await author.cluster.get(EXTERNAL_SECRET, "shop", "database") == Absent()
    assert await author.cluster.get(SECRET, "shop", "database") == Absent()
    assert [path for path in author.state.rglob("*") if path.is_file()] == []


async def test_a_finalizer_survives_a_restart_and_holds_the_resource(author: Author) -> None:
    await author.load()
    hold = [{"op": "add", "path": "/metadata/finalizers", "value": ["example.test/hold"]}]
    done(await author.cluster.patch(EXTERNAL_SECRET, "shop", "database", hold, "controller"))
    (author.directory / "database.yaml").unlink()
    author.start()
    await author.load()
    going = await author.get(EXTERNAL_SECRET, "shop", "database")
    assert going["metadata"]["deletionTimestamp"]
    off = [{"op": "remove", "path": "/metadata/finalizers"}]
    done(await author.cluster.patch(EXTERNAL_SECRET, "shop", "database", off, "controller"))
    assert await author.cluster.get(EXTERNAL_SECRET, "shop", "database") == Absent()


async def test_a_kept_file_that_was_broken_is_told_and_done_without(author: Author) -> None:
    await author.load()
    await author.make_target()
    (author.state / "secrets" / "shop" / "database.yaml").write_text("hunter2: [")
    author.start()
    await author.load()
    assert await author.cluster.get(SECRET, "shop", "database") == Absent()
    (text,) = told(author)
    assert text.startswith(f"{STATE_NAME}/secrets/shop/database.yaml:")
    assert "hunter2" not in text


async def test_a_kept_secret_is_never_read_as_a_manifest(author: Author) -> None:
    await author.load()
    await author.make_target()
    (author.directory / "database.yaml").unlink()
    (author.directory / "credentials.yaml").unlink()
    author.start()
    await author.load()
    assert await author.cluster.get(SECRET, "shop", "database") == Absent()


async def test_a_write_that_cannot_be_kept_is_not_done(author: Author) -> None:
    await author.load()
    target = await author.make_target()
    (author.state / "secrets" / "shop" / "database.yaml").unlink()
    (author.state / "secrets" / "shop").rmdir()
    (author.state / "secrets" / "shop").write_text("in the way")
    changed = secret("shop", "database", password="other")
    assert await author.cluster.apply(changed, MANAGER) == Unavailable()
    assert await author.get(SECRET, "shop", "database") == target
    (author.state / "secrets" / "shop").unlink()
    assert isinstance(await author.cluster.apply(changed, MANAGER), Done)
