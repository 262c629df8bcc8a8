"""What a person sees while the programs are built: a line at each step, and every few seconds one more."""

import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Say = Callable[[str], None]

SECONDS_BETWEEN_LINES = 5.0
LINES_KEPT = 40


class BuildError(Exception):
    """A step of the build failed; the text ends with the last lines that the step printed."""


def say_on_stderr(line: str) -> None:
    """The default `Say`."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


class Progress:
    """Lines with the time since the beginning in front: `[api server  1:05] compiling ...`."""

    def __init__(self, say: Say = say_on_stderr) -> None:
        self._say = say
        self._began = time.monotonic()

    def line(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        self._say(f"[api server {minutes:2}:{seconds:02}] {text}")

    def run(
        self,
        step: str,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        describe: Callable[[str], str | None] = lambda line: None,
    ) -> str:
        """Runs one step to its end and answers its standard output.

        `describe` is given each line of its standard error, and answers what to show of it, or None.
        Raises BuildError where the step fails.
        """
        self.line(step)
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        with process, process.stdout as output, process.stderr as errors:
            last_lines: deque[str] = deque(maxlen=LINES_KEPT)
            shown = [""]
            printed: list[str] = []

            def read_errors() -> None:
                for line in errors:
                    last_lines.append(line.rstrip())
                    shown[0] = describe(line.strip()) or shown[0]

            readers = [
                threading.Thread(target=read_errors, daemon=True),
                threading.Thread(target=lambda: printed.append(output.read()), daemon=True),
            ]
            for reader in readers:
                reader.start()
            try:
                self._wait(process, step, shown)
            except BaseException:
                process.terminate()
                raise
            finally:
                for reader in readers:
                    reader.join()
        if process.returncode != 0:
            raise BuildError(f"{step}: exit code {process.returncode}\n" + "\n".join(last_lines))
        return "".join(printed)

    def _wait(self, process: subprocess.Popen[str], step: str, shown: Sequence[str]) -> None:
        while True:
            try:
                process.wait(SECONDS_BETWEEN_LINES)
            except subprocess.TimeoutExpired:
                self.line(f"{step}{': ' if shown[0] else ''}{shown[0]}")
            else:
                return
