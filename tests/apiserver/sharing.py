"""One server for all workers of a test run: the first starts it, and it ends with the last.

Every worker holds the same named pipe while it needs the server; the kernel counts them (see `guard.py`). The
lock keeps those who come apart from the one who starts it and from the guard that ends it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.apiserver.access import Access, write_privately
from tests.apiserver.processes import Guarded, Holding
from tests.apiserver.progress import Say, say_on_stderr
from tests.apiserver.server import ApiServer, start_controllers

# What this process started and others may still need: kept, so that nothing warns of it as forgotten.
_LEFT_TO_OTHERS: list[ApiServer | Guarded] = []


class SharedServer:
    """A worker's part in the server of the test run."""

    def __init__(self, access: Access, holding: Holding, directory: Path, say: Say) -> None:
        self.access = access
        self._holding = holding
        self._directory = directory
        self._say = say

    def ensure_controllers(self) -> None:
        """Garbage is collected and namespaces end from now on, for everybody."""
        with _locked(self._directory):
            started = self.access.directory / "controllers-started"
            if not started.exists():
                lock = _lock_file(self._directory)
                _LEFT_TO_OTHERS.append(start_controllers(self.access, self._holding, lock, self._say))
                started.touch()


@contextmanager
def joined_server(
    directory: Path, prepare: Callable[[Access], None], say: Say = say_on_stderr
) -> Iterator[SharedServer]:
    """The server of this directory, started if nobody has; `prepare` is then called before others see it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(directory):
        holding = Holding(directory / "holders")
        try:
            access = _running(directory) or _start(directory, holding, prepare, say)
        except BaseException:
            holding.let_go()
            raise
    try:
        yield SharedServer(access, holding, directory, say)
    finally:
        holding.let_go()


def _start(directory: Path, holding: Holding, prepare: Callable[[Access], None], say: Say) -> Access:
    data = directory / f"server-{os.getpid()}"
    server = ApiServer(data, holding=holding, lock=_lock_file(directory), say=say)
    server.start()
    try:
        prepare(server.access)
    except BaseException:
        server.stop()
        raise
    _LEFT_TO_OTHERS.append(server)
    write_privately(_access_file(directory), msgspec.json.encode(server.access, enc_hook=str))
    return server.access


def _running(directory: Path) -> Access | None:
    if not _access_file(directory).exists():
        return None
    access = msgspec.json.decode(_access_file(directory).read_bytes(), type=Access, dec_hook=_decode_path)
    return access if access.directory.exists() else None  # else its guard has ended it


def _decode_path(kind: type, value: object) -> object:
    return kind(value)


def _access_file(directory: Path) -> Path:
    return directory / "access.json"


def _lock_file(directory: Path) -> Path:
    return directory / "lock"


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    with _lock_file(directory).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
