"""Files whose paths credentials give: what may be read, and that no path, link or swap leads anywhere else."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import overload

import pytest

from adapters.auth.credentials import Source
from adapters.auth.files import LARGEST, read_allowed
from machines.names import FieldPath, NamespaceName, ResourceName, SecretKey
from machines.outcomes import Denial, Denied, Fault, Invalid, Missing, Thing

SOURCE = Source(
    "serviceAccountTokenPath",
    ResourceName("credentials"),
    SecretKey("path"),
    FieldPath("spec.provider.infisical.auth.kubernetesAuthCredentials.serviceAccountTokenPath"),
    NamespaceName("team"),
)
OUTSIDE = Denied(what=Denial.FILE, namespace=SOURCE.namespace, name=SOURCE.name, secret_key=SOURCE.key)
ABSENT = Missing(what=Thing.FILE, namespace=SOURCE.namespace, name=SOURCE.name, key=SOURCE.key)


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    """A directory that may be read, and beside it a file that may not."""
    (tmp_path / "forbidden").write_text("forbidden")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "token").write_text("content\n")
    return tmp_path / "keys"


async def read(path: Path | str, *directories: Path) -> object:
    return await read_allowed(SOURCE, str(path), directories)


class Meanwhile(Sequence[Path]):
    """Directories; something happens each time when they are gone through, which is after the path was resolved."""

    def __init__(self, directory: Path, *moves: Callable[[], object]) -> None:
        self._directories = (directory,)
        self._moves = list(moves)

    @overload
    def __getitem__(self, at: int) -> Path: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Path]: ...
    def __getitem__(self, at: int | slice) -> Path | Sequence[Path]:
        return self._directories[at]

    def __len__(self) -> int:
        return len(self._directories)

    def __iter__(self) -> Iterator[Path]:
        if self._moves:
            self._moves.pop(0)()
        return iter(self._directories)


async def test_a_file_below_a_directory_is_read_as_it_is(allowed: Path, tmp_path: Path) -> None:
    (allowed / "below").mkdir()
    (allowed / "below" / "größe").write_bytes(b"\x00\xff")
    assert await read(allowed / "token", tmp_path / "other", allowed) == b"content\n"
    assert await read(allowed / "below" / "größe", allowed) == b"\x00\xff"
    assert await read(f"{allowed}//below/../token", allowed) == b"content\n"


@pytest.mark.parametrize("path", ["", "token", "./token", "~/token", "/a\0b", "/" + "a/" * 3000])
async def test_what_is_no_absolute_path_is_told(allowed: Path, path: str) -> None:
    assert await read(path, allowed) == Invalid(
        what=Fault.BAD_FILE_PATH,
        field=SOURCE.path,
        namespace=SOURCE.namespace,
        name=SOURCE.name,
        secret_key=SOURCE.key,
    )


async def test_outside_is_denied_and_does_not_tell_whether_there_is_a_file(
    allowed: Path, tmp_path: Path
) -> None:
    (tmp_path / "keys-of-others").mkdir()
    (tmp_path / "keys-of-others" / "token").write_text("forbidden")
    for path in (
        tmp_path / "forbidden",
        tmp_path / "nothing-there",
        f"{allowed}/../forbidden",
        tmp_path / "keys-of-others" / "token",  # the same text before, not the same segments
        "/proc/self/environ",
        f"/proc/self/root{tmp_path}/forbidden",
        f"{allowed}/token/../../forbidden",
    ):
        assert await read(path, allowed) == OUTSIDE, path
    assert await read(allowed / "token") == OUTSIDE, "no directory is allowed unless the operator names one"


async def test_a_link_that_leads_out_is_denied(allowed: Path, tmp_path: Path) -> None:
    (allowed / "link").symlink_to(tmp_path / "forbidden")
    (allowed / "up").symlink_to("..")
    (allowed / "dangling").symlink_to(tmp_path / "nothing-there")
    (allowed / "chain").symlink_to("link")
    for path in ("link", "up/forbidden", "dangling", "chain"):
        assert await read(allowed / path, allowed) == OUTSIDE, path


async def test_links_that_stay_within_are_followed_and_so_is_one_to_the_directory(
    allowed: Path, tmp_path: Path
) -> None:
    (allowed / "link").symlink_to("token")
    (tmp_path / "alias").symlink_to(allowed)
    (tmp_path / "elsewhere").symlink_to(allowed / "token")
    assert await read(allowed / "link", allowed) == b"content\n"
    assert await read(tmp_path / "alias" / "token", allowed) == b"content\n"
    assert await read(allowed / "token", tmp_path / "alias") == b"content\n"
    assert await read(tmp_path / "elsewhere", allowed) == b"content\n"


async def test_what_is_no_file_that_can_be_read_is_missing(allowed: Path) -> None:
    os.mkfifo(allowed / "pipe")
    (allowed / "circle").symlink_to("circle")
    (allowed / "directory").mkdir()
    (allowed / "large").write_bytes(b"x" * (LARGEST + 1))
    before = len(os.listdir("/proc/self/fd"))
    for path in (
        "nothing",
        "none/token",
        "token/below",
        "pipe",
        "circle",
        "directory",
        "large",
        "x" * 300,
        ".",
    ):
        assert await read(allowed / path, allowed) == ABSENT, path
    assert len(os.listdir("/proc/self/fd")) == before, "nothing stays open"
    (allowed / "large").write_bytes(b"x" * LARGEST)
    assert await read(allowed / "large", allowed) == b"x" * LARGEST


async def test_a_directory_that_is_not_there_allows_nothing(allowed: Path, tmp_path: Path) -> None:
    assert await read(tmp_path / "gone" / "token", tmp_path / "gone") == ABSENT
    assert await read(allowed / "token", tmp_path / "gone") == OUTSIDE


async def test_a_file_swapped_for_a_link_after_the_check_is_not_followed(
    allowed: Path, tmp_path: Path
) -> None:
    def swap() -> None:
        (allowed / "token").unlink()
        (allowed / "token").symlink_to(tmp_path / "forbidden")

    assert await read_allowed(SOURCE, str(allowed / "token"), Meanwhile(allowed, swap)) == OUTSIDE


async def test_a_directory_swapped_for_a_link_after_the_check_is_not_followed(
    allowed: Path, tmp_path: Path
) -> None:
    (allowed / "below").mkdir()
    (allowed / "below" / "forbidden").write_text("content")

    def swap() -> None:
        (allowed / "below").rename(allowed / "was-below")
        (allowed / "below").symlink_to(tmp_path)

    path = str(allowed / "below" / "forbidden")
    assert await read_allowed(SOURCE, path, Meanwhile(allowed, swap)) == OUTSIDE


async def test_swapped_again_after_the_second_check_is_missing(allowed: Path, tmp_path: Path) -> None:
    """Never the content of what the link leads to, however often it is swapped."""

    def link() -> None:
        (allowed / "token").unlink()
        (allowed / "token").symlink_to("other")

    (allowed / "other").write_text("other")
    file = allowed / "other"

    def link_out() -> None:
        file.unlink()
        file.symlink_to(tmp_path / "forbidden")

    assert await read_allowed(SOURCE, str(allowed / "token"), Meanwhile(allowed, link, link_out)) == ABSENT


def rotate(volume: Path, number: int) -> None:
    """What the kubelet does with a volume: a new directory, the link swapped in one step, the old directory removed."""
    data = volume / "..data"
    old = volume / os.readlink(data) if data.is_symlink() else None
    new = volume / f"..version-{number}"
    new.mkdir()
    (new / "token").write_text(f"token-{number}")
    (volume / "..data_tmp").symlink_to(new.name)
    (volume / "..data_tmp").rename(data)
    if old is not None:
        (old / "token").unlink()
        old.rmdir()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A projected volume."""
    volume = tmp_path / "projected"
    volume.mkdir()
    rotate(volume, 0)
    (volume / "token").symlink_to("..data/token")
    return volume


async def test_a_projected_volume_that_rotates_is_read_afresh(volume: Path) -> None:
    assert await read(volume / "token", volume) == b"token-0"
    rotate(volume, 1)
    assert await read(volume / "token", volume) == b"token-1"
    between = Meanwhile(volume, lambda: rotate(volume, 2))
    assert await read_allowed(SOURCE, str(volume / "token"), between) == b"token-2"


async def test_rotations_at_full_speed_show_whole_tokens_or_none(volume: Path) -> None:
    """Nothing outside, nothing in parts, no trace of an error."""
    done = threading.Event()

    def rotations() -> None:
        number = 1
        while not done.is_set():
            rotate(volume, number)
            number += 1

    rotating = threading.Thread(target=rotations)
    rotating.start()
    try:
        answers = [await read(volume / "token", volume) for _ in range(300)]
    finally:
        done.set()
        rotating.join()
    whole = [answer for answer in answers if isinstance(answer, bytes)]
    assert all(answer.startswith(b"token-") for answer in whole)
    assert whole
    assert all(answer == ABSENT for answer in answers if not isinstance(answer, bytes))
