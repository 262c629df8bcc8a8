"""A process under measurement: what the operating system says that it used."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import msgspec

_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 20.0  # seconds that an asked process has to end


class Usage(msgspec.Struct, frozen=True):
    """What a process used so far: CPU seconds, the most memory that it ever held and holds now, in MB."""

    cpu: float
    peak: float
    memory: float
    connections: int


class Measured:
    """`async with Measured(output, "-m", "module", ...) as process`: a Python program, ended with the block."""

    def __init__(self, output: Path, *arguments: str, environment: Mapping[str, str]) -> None:
        self._output = output
        self._arguments = arguments
        # As where it is deployed: compiled code is kept, if by the first start.
        self._environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **environment}

    async def __aenter__(self) -> Self:
        with self._output.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *self._arguments, stdout=output, stderr=output, env=self._environment
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def begun(self, word: str) -> Usage:
        """Wait until it printed a word, which it does when it is up; what it used until then."""
        while word not in self._output.read_text():
            self.usage()  # raises where it ended
            await asyncio.sleep(0.01)
        return self.usage()

    async def over(self) -> str:
        """Wait until it ended by itself; what it printed. Raises RuntimeError where it failed."""
        code = await self._process.wait()
        printed = self._output.read_text()
        if code != 0:
            raise RuntimeError(f"{' '.join(self._arguments)} ended with {code}:\n{printed}")
        return printed

    def usage(self) -> Usage:
        """What it used so far. Raises RuntimeError where it ended."""
        process = Path(f"/proc/{self._process.pid}")
        try:
            times = (process / "stat").read_text().rpartition(")")[2].split()
            status = dict(
                line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line
            )
            sockets = sum(_is_socket(file) for file in (process / "fd").iterdir())
        except FileNotFoundError:
            raise RuntimeError(f"it ended early:\n{self._output.read_text()}") from None
        return Usage(
            cpu=(int(times[11]) + int(times[12])) / _TICKS,
            peak=_megabytes(status["VmHWM"]),
            memory=_megabytes(status["VmRSS"]),
            connections=sockets,
        )


def _is_socket(descriptor: Path) -> bool:
    try:
        return os.readlink(descriptor).startswith("socket:")
    except FileNotFoundError:  # it was closed meanwhile
        return False


def _megabytes(text: str) -> float:
    return int(text.split()[0]) * 1024 / 1e6
