"""Calls of cloud SDKs, which block: in threads of their own, for a bounded time, so that the loop never waits."""

import asyncio
import concurrent.futures
import functools
from collections.abc import Callable
from typing import Final, TypeVar

ResultT = TypeVar("ResultT")

PATIENCE: Final = 20.0  # seconds for all that a method asks of a cloud for one login
_THREADS: Final = 8


@functools.cache
def _threads() -> concurrent.futures.ThreadPoolExecutor:
    return concurrent.futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="cloud-sdk")


async def in_thread(call: Callable[[], ResultT], seconds: float = PATIENCE) -> ResultT:
    """What a call that blocks answers, or raises. Raises TimeoutError after so many seconds; the call itself cannot
    be ended, and goes on in its thread until its own time limit."""
    async with asyncio.timeout(seconds):
        return await asyncio.get_running_loop().run_in_executor(_threads(), call)
