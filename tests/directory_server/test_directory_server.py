"""The directory server itself: who may bind, and who may not."""

from collections.abc import Iterator

import pytest

from tests.directory_server.server import EXPIRED, EXPIRED_PASSWORD, PASSWORDS, DirectoryServer


@pytest.fixture(scope="module")
def directory() -> Iterator[DirectoryServer]:
    with DirectoryServer() as server:
        yield server


@pytest.mark.parametrize("username", list(PASSWORDS))
def test_accounts_bind_with_their_passwords_alone(directory: DirectoryServer, username: str) -> None:
    password = PASSWORDS[username]
    assert directory.knows(directory.settings, username, password)
    for wrong in ("wrong", password.strip() + "x", password + "\n", password.upper()):
        assert not directory.knows(directory.settings, username, wrong)


def test_nobody_else_binds(directory: DirectoryServer) -> None:
    assert not directory.knows(directory.settings, "nobody", "any")
    assert not directory.knows(directory.settings, "*", PASSWORDS["robot"])
    assert not directory.knows(directory.settings, PASSWORDS["robot"], "robot"), "the two swapped"
    assert not directory.knows(directory.settings, EXPIRED, EXPIRED_PASSWORD)
