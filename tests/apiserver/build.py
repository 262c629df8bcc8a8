"""Makes the programs of a small Kubernetes control plane from source, once a machine, and remembers them.

    python -m tests.apiserver.build

The Go module beside this file pins everything by hash (go.sum). What it gives is kept outside the checkout, in
`$XDG_CACHE_HOME/infisical-reconciler/apiserver/<key>/` (`~/.cache` by default), where the key is a digest of that
module: other clones and later runs find it there. Several processes may ask at once: one builds, the others wait.

To move to another version of Kubernetes, change the versions in `module/go.mod` (those of its parts too, and etcd
as Kubernetes pins it), then run `go mod tidy` there.

A directory named by KUBEBUILDER_ASSETS (kube-apiserver and etcd, perhaps kubectl) is used instead where it is
set, and a kubectl on the PATH too.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.apiserver.progress import SECONDS_BETWEEN_LINES, BuildError, Progress, Say, say_on_stderr
from tests.apiserver.toolchain import MODULE, find_go, pinned_version

KUBERNETES_VERSION = pinned_version(r"^\tk8s\.io/kubernetes v(\S+)$")

# The API server holds its etcd; `controllers` is the part of the controller manager that tests need.
PACKAGES: Mapping[str, str] = {
    "kube-apiserver": "./kube-apiserver",
    "controllers": "./controllers",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
}


def cache_root() -> Path:
    """Where programs outlive the checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "infisical-reconciler" / "apiserver"


def given_assets() -> Path | None:
    """The directory with kube-apiserver and etcd that the machine's owner prefers, or None."""
    named = os.environ.get("KUBEBUILDER_ASSETS")
    return Path(named) if named else None


@cache
def module_key() -> str:
    """A digest of all that decides what the build gives."""
    digest = hashlib.sha256(f"{KUBERNETES_VERSION} {platform.system()} {platform.machine()}\n".encode())
    for file in sorted(MODULE.rglob("*")):
        if file.suffix in {".go", ".mod", ".sum"}:
            digest.update(f"{file.relative_to(MODULE)} {file.stat().st_size}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def find_program(name: str, say: Say = say_on_stderr) -> Path:
    """The path of one of PACKAGES (or of etcd, where KUBEBUILDER_ASSETS has it), built first where it must be.

    Raises BuildError, with what to do about it.
    """
    assets = given_assets()
    if assets is not None and (assets / name).is_file():
        return assets / name
    if assets is not None and name in {"kube-apiserver", "etcd"}:
        raise BuildError(f"KUBEBUILDER_ASSETS names {assets}, where there is no {name}")
    if name == "kubectl" and (found := shutil.which("kubectl")) is not None:
        return Path(found)
    program = cache_root() / module_key() / name
    if program.is_file():
        return program
    progress = Progress(say)
    with _only_one_builds(program.parent, progress):
        if not program.is_file():
            _build(name, program, progress)
    return program


@contextmanager
def _only_one_builds(directory: Path, progress: Progress) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    with (directory.parent / f"{directory.name}.lock").open("w") as lock:
        last_line = 0.0
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() - last_line >= SECONDS_BETWEEN_LINES:
                    last_line = time.monotonic()
                    progress.line("another process is building it; waiting")
                time.sleep(0.2)
            else:
                break
        yield


def _build(name: str, program: Path, progress: Progress) -> None:
    package = PACKAGES[name]
    progress.line(f"{name} {KUBERNETES_VERSION} is built from source: minutes, once on this machine")
    go = find_go(cache_root(), progress)
    environment = go.environment()
    downloads = [0]

    def describe_download(line: str) -> str | None:
        if not line.startswith("go: downloading "):
            return None
        downloads[0] += 1
        return f"{downloads[0]} so far"

    listed = progress.run(
        f"{name}: fetching its source",
        [go.command, "list", "-deps", package],
        cwd=MODULE,
        environment=environment,
        describe=describe_download,
    )
    total = len(listed.splitlines())
    compiled = [0]

    def describe_compilation(line: str) -> str:
        compiled[0] += 1
        return f"{compiled[0]} of at most {total} packages" if compiled[0] < total else "linking"

    unfinished = program.with_name(f".{name}.{os.getpid()}")
    try:
        progress.run(
            f"{name}: compiling",
            [go.command, "build", "-v", "-o", unfinished, "-ldflags", _linker_flags(), package],
            cwd=MODULE,
            environment=environment,
            describe=describe_compilation,
        )
        unfinished.replace(program)
    finally:
        unfinished.unlink(missing_ok=True)
    progress.line(f"{name} is ready: {program}")


def _linker_flags() -> str:
    """No symbols, and the version that clients are told (it would be v0.0.0)."""
    major, minor, _ = KUBERNETES_VERSION.split(".")
    told = {
        "gitVersion": f"v{KUBERNETES_VERSION}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
    }
    return "-s -w " + " ".join(
        f"-X k8s.io/component-base/version.{key}={value}" for key, value in told.items()
    )


def main() -> int:
    """Builds what is missing, so that nothing waits for it later."""
    try:
        for name in PACKAGES:
            find_program(name)
    except BuildError as error:
        say_on_stderr(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
