"""Programs that end with those who need them: each runs under `guard.py`, and a pipe says who still needs it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

GUARD = Path(__file__).parent / "guard.py"
SECONDS_TO_END = 15.0


class Holding:
    """One holder's end of the pipe on which programs depend: they run until every holder has let go or died.

    Without `file` it is a pipe of one's own; with it a named one that other processes can hold too.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._let_go = False
        if file is None:
            self.watched, self._held = os.pipe()
        else:
            if not file.exists():
                os.mkfifo(file, 0o600)
            self.watched = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            self._held = os.open(file, os.O_WRONLY | os.O_CLOEXEC)

    def let_go(self) -> None:
        """Once and for all; again is harmless."""
        if not self._let_go:
            self._let_go = True
            os.close(self._held)
            os.close(self.watched)


class Guarded:
    """A program that runs until it is killed, or until nobody holds it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        holding: Holding,
        log: Path,
        *,
        lock: Path | None = None,
        remove: Path | None = None,
    ) -> None:
        """Starts it. `log` gets what it prints; `remove` is a directory that goes when nobody holds it."""
        options = ["--lock", str(lock)] if lock else []
        options += ["--remove", str(remove)] if remove else []
        self._log = log
        with log.open("ab") as output:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", GUARD, *options, "--", *command],
                stdin=holding.watched,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C in a terminal is for those who hold it
            )

    @property
    def pid(self) -> int:
        """Of the guard, whose only child the program is."""
        return self._guard.pid

    @property
    def ended(self) -> bool:
        return self._guard.poll() is not None

    def kill(self) -> None:
        """Kills the program at once and keeps its data; nothing where it has ended already."""
        self._guard.terminate()
        self._guard.wait(SECONDS_TO_END)

    def wait(self) -> None:
        """Until it ends."""
        self._guard.wait()

    def last_words(self) -> str:
        """The end of what it printed."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
