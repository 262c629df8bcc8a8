"""Runs one program for as long as anybody holds the other end of its standard input, a pipe.

    python guard.py [--lock FILE] [--remove DIRECTORY] -- PROGRAM ARGUMENT...

The kernel closes a pipe's ends with the processes that hold them, however those end. So a test run that is killed
leaves no server behind: when the last holder is gone, this process kills the program, removes the directory and
ends. With a lock, it first takes it and looks again: a new holder opens the (named) pipe under the same lock, and
then the program stays. SIGTERM kills the program too, and keeps the directory: that is how it is restarted.

It is a script of the standard library alone, because it is started in each test run: it must start fast.
"""

import argparse
import contextlib
import ctypes
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1
HOLDERS = 0  # standard input


def die_with_parent() -> None:
    """On Linux, the program ends even where this process is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def nobody_holds() -> bool:
    """Whether the other end of the pipe is closed now."""
    poll = select.poll()
    poll.register(HOLDERS, 0)
    return bool(poll.poll(0))


def watch(program: subprocess.Popen[bytes], lock: str | None) -> bool:
    """Waits for what comes first; True where the last holder has gone (the lock is then held to the end)."""
    wake, waker = os.pipe()
    os.set_blocking(waker, False)

    def wake_up(*_: object) -> None:
        os.write(waker, b".")

    def wait_for_end() -> None:
        program.wait()
        wake_up()

    signal.signal(signal.SIGTERM, wake_up)
    threading.Thread(target=wait_for_end, daemon=True).start()
    poll = select.poll()
    poll.register(HOLDERS, 0)
    poll.register(wake, select.POLLIN)
    while True:
        if wake in dict(poll.poll()):
            return False
        if lock is not None:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not nobody_holds():
                os.close(descriptor)
                continue
        return True


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lock")
    parser.add_argument("--remove")
    parser.add_argument("program", nargs="+")
    arguments = parser.parse_args()
    program = subprocess.Popen(arguments.program, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
    nobody_is_left = watch(program, arguments.lock)
    program.kill()
    code = program.wait()
    if nobody_is_left and arguments.remove:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(arguments.remove)
    return abs(code)


if __name__ == "__main__":
    sys.exit(main())
