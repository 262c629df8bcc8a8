"""The program as a process that is killed, and what it was doing then, as its journal tells."""

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import msgspec

PATIENCE = 30.0  # seconds until a process has to have ended
STARTING = "starting"
AT_REST = "at rest"


class _Line(msgspec.Struct):
    run: str
    to: str
    end: bool = False


_decoder = msgspec.json.Decoder(_Line)


class Victim:
    """`await Victim.start(...)`, then `kill` it, or `stop` it as an orchestrator does."""

    def __init__(self, process: asyncio.subprocess.Process, journal: Path, output: Path) -> None:
        self._process = process
        self._journal = journal
        self._output = output

    @classmethod
    async def start(
        cls, kubeconfig: Path, namespace: str, directory: Path, name: str, *options: str
    ) -> "Victim":
        """A new process for one namespace; its journal and output are files of this name."""
        journal, output = directory / f"{name}.jsonl", directory / f"{name}.log"
        with output.open("wb") as stream:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "reconciler.commands", "run"),
                *("--namespace", namespace, "--listen", "", "--journal", str(journal)),
                *options,
                stdout=stream,
                stderr=stream,
                env=os.environ | {"KUBECONFIG": str(kubeconfig)},
            )
        return cls(process, journal, output)

    @property
    def pid(self) -> int:
        """Its process ID."""
        return self._process.pid

    @property
    def has_begun(self) -> bool:
        """Whether a first transition is in the journal."""
        return self._journal.exists() and self._journal.stat().st_size > 0

    @property
    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.returncode is not None

    async def begun(self) -> None:
        """Wait until it runs something. Raises RuntimeError where it ended instead."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if self.has_ended:
                    raise RuntimeError(f"it ended by itself:\n{self.said()}")
                if self.has_begun:
                    return
                await asyncio.sleep(0.01)

    def strike(self) -> None:
        """SIGKILL, at this very moment."""
        if self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)

    async def kill(self) -> Counter[str]:
        """SIGKILL; how many runs were in which state."""
        self.strike()
        await self.over()
        return self.states()

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await self.over()

    async def over(self) -> int:
        """Wait until it has ended; the exit code."""
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()

    def states(self) -> Counter[str]:
        """The runs that have no end in the journal, by state."""
        if not self.has_begun:
            return Counter({STARTING: 1})
        under_way: dict[str, str] = {}
        for text in self._journal.read_bytes().split(b"\n")[:-1]:  # the last may be half a line
            line = _decoder.decode(text)
            if line.end:
                under_way.pop(line.run, None)
            else:
                under_way[line.run] = line.to
        return Counter(under_way.values()) or Counter({AT_REST: 1})

    def said(self) -> str:
        """What it printed."""
        return self._output.read_text()

    def forget(self) -> None:
        """Remove its files."""
        self._journal.unlink(missing_ok=True)
        self._output.unlink(missing_ok=True)
