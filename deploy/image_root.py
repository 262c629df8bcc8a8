"""The file tree of the image, made without a container engine: `python deploy/image_root.py DIR`.

    DIR/opt/infisical-reconciler/         libraries of requirements.lock, and the program
    DIR/usr/local/bin/infisical-reconciler

The interpreter is the base image's. Of two libraries most is left out: of `oci` all services, since only its request
signer is used (the whole is 500 MB), and of `botocore` the descriptions of all services but those through which
credentials are obtained.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = Path("opt/infisical-reconciler")
PROGRAM = Path("usr/local/bin/infisical-reconciler")
PACKAGES = ("machines", "adapters", "reconciler")
NOT_NEEDED = ("setuptools", "pkg_resources", "_distutils_hack", "bin", "share")  # they build the program
BOTOCORE_SERVICES = frozenset({"sts", "sso", "sso-oidc", "signin"})
LAUNCHER = """\
#!/bin/sh
PYTHONPATH=/{home} exec python3 -P -m reconciler.commands "$@"
"""


def main() -> None:
    """Make the tree in the directory that the first argument names; it must be absent or empty."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: image_root.py DIR")
    target = Path(sys.argv[1]).absolute()
    if target.exists() and any(target.iterdir()):
        raise SystemExit(f"{target} is not empty: name another directory, or remove it")
    home = target / HOME
    home.mkdir(parents=True)
    _install(home)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, home / package, ignore=shutil.ignore_patterns("__pycache__"))
    _write_metadata(home)
    program = target / PROGRAM
    program.parent.mkdir(parents=True)
    program.write_text(LAUNCHER.format(home=HOME))
    program.chmod(0o755)
    print(f"{target}: {size(target) / 1e6:.0f} MB")  # noqa: T201  # that is what it is for


def _install(home: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        installed = Path(scratch) / "libraries"
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--quiet",
            "install",
            "--no-compile",
        ]
        lock = ROOT / "requirements.lock"
        subprocess.run(  # noqa: S603  # nothing of it comes from outside
            [*pip, "--require-hashes", "--requirement", str(lock), "--target", str(installed)], check=True
        )
        for unneeded in _unneeded(installed):
            shutil.rmtree(unneeded) if unneeded.is_dir() else unneeded.unlink()
        shutil.copytree(installed, home, dirs_exist_ok=True)


def _unneeded(libraries: Path) -> Iterator[Path]:
    for name in NOT_NEEDED:
        yield from libraries.glob(name)
        yield from libraries.glob(f"{name}-*.dist-info")
    yield from libraries.glob("distutils-precedence.pth")
    used = _parts_used_by_the_signer(libraries)
    for part in (libraries / "oci").iterdir():
        if part.is_dir() and part.name not in used:
            yield part
    for part in (libraries / "botocore" / "data").iterdir():
        if part.is_dir() and part.name not in BOTOCORE_SERVICES:
            yield part


def _parts_used_by_the_signer(libraries: Path) -> frozenset[str]:
    """The packages directly below `oci` that importing its signer loads."""
    asked = "import json, sys, oci.signer; print(json.dumps([name for name in sys.modules if name.startswith('oci.')]))"
    printed = subprocess.run(  # noqa: S603  # nothing of it comes from outside
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(libraries)!r}); {asked}"],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    return frozenset(name.split(".")[1] for name in json.loads(printed.stdout))


def _write_metadata(home: Path) -> None:
    """So that the program knows its version there."""
    import importlib.metadata

    version = importlib.metadata.version("infisical-reconciler")
    directory = home / f"infisical_reconciler-{version}.dist-info"
    directory.mkdir()
    (directory / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: infisical-reconciler\nVersion: {version}\n"
    )


def size(directory: Path) -> int:
    """Bytes of all files below a directory."""
    return sum(file.lstat().st_size for file in directory.rglob("*") if not file.is_dir())


if __name__ == "__main__":
    main()
