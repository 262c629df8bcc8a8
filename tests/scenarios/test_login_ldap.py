"""LDAP Auth against a server that binds to a real directory server."""

from collections.abc import Iterator

import pytest

from adapters.cluster import Object
from adapters.resources.kinds import SECRET
from reconciler.standin import Age
from tests.directory_server.server import EXPIRED, EXPIRED_PASSWORD, PASSWORDS, DirectoryServer
from tests.scenarios.logins import documented, fails, machine, serves
from tests.scenarios.scene import Scene


@pytest.fixture(scope="module")
def directory() -> Iterator[DirectoryServer]:
    """The directory server."""
    with DirectoryServer() as server:
        yield server


def manifests(
    scene: Scene, directory: DirectoryServer, username: str, password: str
) -> tuple[Object, Object]:
    """Secret and store of an identity that the directory vouches for."""
    scene.server.options.directory = directory.knows
    identity = machine(scene, "ldap-auth", directory.settings)
    credentials = {"identityId": identity.id, "ldapUsername": username, "ldapPassword": password}
    return documented(scene, "store-ldap-auth", credentials)


@pytest.mark.statement("S33", "S34")
@pytest.mark.parametrize("age", [Age.CURRENT, Age.YEAR_2025])
@pytest.mark.parametrize("username", list(PASSWORDS))
async def test_account_of_the_directory_logs_in(
    scene: Scene, directory: DirectoryServer, username: str
) -> None:
    """White space within and around a password is the password's."""
    await serves(scene, *manifests(scene, directory, username, PASSWORDS[username]))


@pytest.mark.statement("S34")
@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_line_ends_of_files_are_no_part_of_the_credentials(
    scene: Scene, directory: DirectoryServer, end: str
) -> None:
    """A Secret that was made of files."""
    await serves(scene, *manifests(scene, directory, f"robot{end}", PASSWORDS["robot"] + end))


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("robot", "wrong"),
        ("robot", PASSWORDS["robot"] + "\n\n"),
        (PASSWORDS["robot"], "robot"),
        ("nobody", "wrong"),
        ("*", PASSWORDS["robot"]),
        (EXPIRED, EXPIRED_PASSWORD),
    ],
    ids=["wrong", "two line ends", "swapped", "unknown", "wildcard", "expired"],
)
async def test_whom_the_directory_does_not_know_is_refused(
    scene: Scene, directory: DirectoryServer, username: str, password: str
) -> None:
    """The server says the same to everything; the condition says what to check."""
    said = "refuses the credentials: check the Secret that the store's auth block names"
    secret, store = manifests(scene, directory, username, password)
    await scene.start()
    await scene.apply(secret, store)
    condition = await scene.store_ready(status="False", said=said)
    assert password.strip() not in condition["message"]
    assert scene.requests()["login"] == 1


@pytest.mark.parametrize("field", ["identityId", "ldapUsername", "ldapPassword"])
async def test_missing_credentials_are_named(scene: Scene, directory: DirectoryServer, field: str) -> None:
    """The Secret, the key, and an empty value; nothing is asked of the server: a bind without a password proves
    nothing."""
    secret, store = manifests(scene, directory, "robot", PASSWORDS["robot"])
    whole = dict(secret["stringData"])
    place = f"{scene.namespace}/ldap-auth-credentials"
    del secret["stringData"][field]
    await fails(scene, secret, store, f'Secret {place} with the credentials has no key "{field}"')
    await scene.apply(secret | {"stringData": whole | {field: "\n"}})
    await scene.store_ready(status="False", said=f'the credential "{field}" in Secret {place} is empty')
    await scene.delete(SECRET, "ldap-auth-credentials")
    await scene.store_ready(status="False", said=f"the Secret {place} with the credentials does not exist")
    assert not scene.requests()
    await scene.apply(secret | {"stringData": whole})
    await scene.store_ready()
