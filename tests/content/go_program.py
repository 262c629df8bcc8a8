"""The Go program beside this file, as a process that answers one question at a time."""

import base64
import fcntl
import hashlib
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from tests.apiserver.build import cache_root
from tests.apiserver.progress import Progress
from tests.apiserver.toolchain import find_go

SOURCE = Path(__file__).parent / "go"


def _key() -> str:
    """A digest of all that decides what the build gives."""
    digest = hashlib.sha256(f"{platform.system()} {platform.machine()}".encode())
    for file in sorted(SOURCE.iterdir()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def program() -> Path:
    """The path of the built program: once a machine, outside the checkout. Raises BuildError where it cannot be built."""
    cache = cache_root().parent / "content"
    built = cache / _key()
    if built.is_file():
        return built
    cache.mkdir(parents=True, exist_ok=True)
    progress = Progress()
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.is_file():
            go = find_go(cache_root(), progress)
            unfinished = built.with_name(f".{built.name}.{os.getpid()}")
            command: list[str | Path] = [go.command, "build", "-o", unfinished, "."]
            progress.run(
                "compiling the Go side of the content tests",
                command,
                cwd=SOURCE,
                environment=go.environment(),
            )
            unfinished.replace(built)
    return built


class Go:
    """What Go says. One process for all questions of a test run; used as a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([program()], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> "Go":
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _ask(self, what: str, **fields: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode({"do": what, **fields}) + b"\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = msgspec.json.decode(self._process.stdout.readline())
        return answer

    def select(self, source: str, path: str) -> str | None:
        """What gjson finds: a string bare, null empty, anything else raw; None where it finds nothing."""
        answer = self._ask("gjson", json=source, path=path)
        return answer["text"] if answer["exists"] else None

    def is_json(self, source: str) -> bool:
        return bool(self._ask("gjson", json=source, path="@this")["valid"])

    def members(self, source: str) -> dict[str, str] | None:
        """A JSON object as encoding/json reads it; None for anything else."""
        members: dict[str, str] | None = self._ask("object", json=source)["object"]
        return members

    def decode(self, text: str, *, url: bool) -> bytes | None:
        answer = self._ask("decode", text=text, url=url)
        return base64.b64decode(answer["content"] or "") if answer["ok"] else None

    def hash_data(self, data: dict[str, bytes]) -> str:
        return str(self._ask("hash data", data=data)["hash"])

    def hash_metadata(self, annotations: dict[str, str], labels: dict[str, str]) -> str:
        return str(self._ask("hash metadata", annotations=annotations, labels=labels)["hash"])

    def hash_text(self, text: str) -> str:
        return str(self._ask("hash text", text=text)["hash"])

    def search(self, pattern: str, text: str) -> bool | None:
        """Whether the pattern is found; None where it is no pattern."""
        answer = self._ask("search", path=pattern, text=text)
        return bool(answer["found"]) if answer["ok"] else None

    def replace(self, pattern: str, target: str, text: str) -> str | None:
        """Every match replaced; None where it is no pattern."""
        answer = self._ask("replace", path=pattern, target=target, text=text)
        return str(answer["text"]) if answer["ok"] else None

    def set(self, source: str, path: str, value: str) -> str | None:
        """What sjson makes of a JSON text with a string set; None where it refuses."""
        answer = self._ask("set", json=source, path=path, text=value)
        return str(answer["text"]) if answer["ok"] else None

    def delete(self, source: str, path: str) -> str | None:
        """What sjson leaves; None where it refuses."""
        answer = self._ask("delete", json=source, path=path)
        return str(answer["text"]) if answer["ok"] else None

    def write_object(self, members: dict[str, str]) -> str:
        """A map as encoding/json writes it."""
        return str(self._ask("write object", labels=members)["text"])

    def is_letter_or_number(self, text: str) -> list[bool]:
        """For each character, whether it is one."""
        kept: list[bool] = self._ask("kept", text=text)["kept"]
        return kept
