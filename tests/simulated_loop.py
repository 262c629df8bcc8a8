"""An event loop whose clock jumps: when nothing is ready, the time of the next timer is now.

A test that waits for minutes takes no time, and sees exact times on the loop's clock, which starts at 0. Only for
what stays in the process: real sockets would be waited for in simulated time.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
_START_OF_TIME = 1_760_000_000.0  # seconds since 1970, for `wall_time`


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            # Only another thread could still wake the loop.
            ready = super().select(5)
            if not ready:
                raise RuntimeError("deadlock: everything waits, and no timer is set")
            return ready
        self.time += timeout
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """The loop. `time()` is simulated."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._jumping.time


def wall_time() -> float:
    """Epoch seconds, going with the running loop's clock."""
    return _START_OF_TIME + asyncio.get_running_loop().time()


def run_simulated(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to its end on a loop of its own; tasks that are left over are cancelled."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(work)


def simulated(
    test: Callable[Parameters, Coroutine[Any, Any, Result]],
) -> Callable[Parameters, Result]:
    """Make an async test run on a simulated loop."""

    @functools.wraps(test)
    def run(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
        return run_simulated(test(*arguments, **named))

    return run
