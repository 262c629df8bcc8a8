"""An Infisical server in another thread, and the documented manifests pointed at it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
import yaml
from typer.testing import CliRunner, Result

from reconciler.commands import application
from reconciler.demonstration import example_manifests, example_project
from reconciler.standin import ADMIN, Project, StandIn
from reconciler.standin.server import Server

ThingT = TypeVar("ThingT")


class Served(msgspec.Struct, frozen=True):
    """A server that runs beside the test."""

    standin: StandIn
    project: Project
    url: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"<Served at {self.url}>"


@contextmanager
def beside(serve: Callable[[], AbstractAsyncContextManager[ThingT]]) -> Iterator[ThingT]:
    """What an async context gives, kept up by an event loop in another thread."""
    loop = asyncio.new_event_loop()
    given: list[ThingT] = []
    begun, stop = threading.Event(), asyncio.Event()

    async def keep_up() -> None:
        async with serve() as thing:
            given.append(thing)
            begun.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(keep_up(),))
    thread.start()
    assert begun.wait(10)
    try:
        yield given[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


@pytest.fixture
def served() -> Iterator[Served]:
    """The documented project on a server on loopback."""
    standin = StandIn(time.time)
    project = example_project(standin)
    credentials = standin.add_machine("test", {project: ADMIN})
    with beside(lambda: Server(standin)) as server:
        yield Served(standin, project, server.url, credentials.client_id, credentials.client_secret)


@pytest.fixture
def manifests(served: Served, tmp_path: Path) -> Path:
    """A directory with the documented manifests."""
    directory = tmp_path / "manifests"
    directory.mkdir()
    for name, documents in example_manifests(served.url, served.client_id, served.client_secret).items():
        (directory / f"{name}.yaml").write_text(yaml.safe_dump_all(documents))
    return directory


@pytest.fixture
def journal(served: Served, manifests: Path, tmp_path: Path) -> Path:
    """A journal of one run of each of the documented manifests."""
    file = tmp_path / "journal.jsonl"
    assert run_command("render", manifests, "--journal", file).exit_code == 0
    return file


def run_command(*arguments: object, environment: dict[str, str] | None = None) -> Result:
    """What a command prints, and how it ends."""
    return CliRunner().invoke(application, [str(one) for one in arguments], env=environment)


__all__ = ["Served", "beside", "run_command"]
