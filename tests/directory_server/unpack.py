"""Debian's slapd and ldap-utils, fetched by the machine's own apt and unpacked, once a machine, beside the other programs
that tests keep in `$XDG_CACHE_HOME/infisical-reconciler`. Nothing is installed, and nobody has to be root.
"""

import fcntl
import getpass
import os
import platform
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

PROGRAMS = ("slapd", "ldap-utils")
# What these need that a machine may lack. Their other dependencies are for modules that are not loaded.
_LIBRARIES = re.compile(r"^lib(ldap|ltdl|wrap|sasl2|nsl|tirpc)[-.0-9a-z]*$")


@cache
def unpacked() -> Path:
    """The directory with `usr/sbin/slapd` and all that belongs to it. Skips the test where the machine has no apt."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        pytest.skip("the LDAP server of the tests comes from Debian's packages, which this machine has not")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    release = platform.freedesktop_os_release()
    name = f"{release['ID']}-{release.get('VERSION_ID', 'testing')}-{platform.machine()}"
    target = base / "infisical-reconciler" / "directory_server" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            _fetch(target)
    return target


def _fetch(target: Path) -> None:
    work = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(work, ignore_errors=True)
    downloads, tree = work / "downloads", work / "tree"
    for directory in (downloads, tree, work / "state/lists/partial", work / "cache/archives/partial"):
        directory.mkdir(parents=True)
    options = [
        f"Dir::State={work / 'state'}",
        "Dir::State::status=/var/lib/dpkg/status",
        f"Dir::Cache={work / 'cache'}",
        f"APT::Sandbox::User={getpass.getuser()}",
    ]
    flags = [part for option in options for part in ("-o", option)]
    _run("apt-get", *flags, "--quiet", "update", at=downloads)
    depends = _run("apt-cache", *flags, "depends", "--recurse", "--important", *PROGRAMS, at=downloads)
    libraries = sorted({line for line in depends.splitlines() if _LIBRARIES.match(line)})
    _run("apt-get", *flags, "--quiet", "download", *PROGRAMS, *libraries, at=downloads)
    for package in sorted(downloads.glob("*.deb")):
        _run("dpkg-deb", "--extract", str(package), str(tree), at=downloads)
    tree.rename(target)
    shutil.rmtree(work)


def _run(*command: str, at: Path) -> str:
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]} failed: {done.stderr[-2000:]}"
    return done.stdout
