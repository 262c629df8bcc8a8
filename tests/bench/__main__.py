"""`make bench`, or `python -m tests.bench [WORKLOAD ...]`: all workloads, or those named, as tables.

The floor is measured in the same run. The peer's figures (External Secrets Operator 2.9) are of a machine like the one
that this was written on; seconds differ from machine to machine, ratios and counts hardly do.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console

from adapters.auth.registry import METHODS
from tests.apiserver.client import ApiClient
from tests.apiserver.preparing import install_crds, read_crds
from tests.apiserver.server import ApiServer
from tests.bench import tables, workloads
from tests.bench.arena import Arena
from tests.bench.pushes import floor, pushes

MANY = 500  # ExternalSecrets of three keys each
TWO_THOUSAND = 2000
PUSHES = 100  # PushSecrets of three keys each
WAYS = ("library", "session", "bare")
MINUTE = 60.0
LOGINS = "logins"


async def first_sync(arena: Arena, console: Console) -> None:
    """500 new resources, the floor beside them."""
    floors = {way: await workloads.floor(arena, way, MANY) for way in WAYS}
    cost = await workloads.first_sync(arena, MANY)
    tables.first_sync(console, cost, floors)
    tables.states(console, arena.last_journal)


async def cloud_limits(arena: Arena, console: Console) -> None:
    """The same under the limits of Infisical Cloud."""
    tables.cloud_limits(console, await workloads.first_sync(arena, MANY, limited=True))


async def every_ten_seconds(arena: Arena, console: Console) -> None:
    """500 resources that are refreshed every ten seconds, for a minute."""
    tables.every_ten_seconds(console, await workloads.steadily(arena, MANY, 10, MINUTE))


async def at_rest(arena: Arena, console: Console) -> None:
    """2000 resources of which none is due, for a minute."""
    tables.at_rest(console, await workloads.steadily(arena, TWO_THOUSAND, 3600, MINUTE))


async def newcomer(arena: Arena, console: Console) -> None:
    """A new resource of a healthy store, while 2000 refreshes wait for a slow one."""
    tables.newcomer(console, await workloads.newcomer(arena, TWO_THOUSAND, 10.0))


async def pushing(arena: Arena, console: Console) -> None:
    """100 PushSecrets of three keys into one folder, then three refreshes of 20 s in which nothing has changed."""
    least = await floor(arena, PUSHES)
    tables.pushes(console, await pushes(arena, PUSHES, 20, MINUTE), PUSHES, least)


async def profile(arena: Arena, console: Console) -> None:
    """Where the CPU time of the first workload goes."""
    file = arena.directory / "profile"
    await workloads.first_sync(arena, MANY, profile=file)
    tables.profile(console, file)


WORKLOADS: dict[str, Callable[[Arena, Console], Awaitable[None]]] = {
    "first-sync": first_sync,
    "cloud-limits": cloud_limits,
    "every-ten-seconds": every_ten_seconds,
    "at-rest": at_rest,
    "newcomer": newcomer,
    "pushes": pushing,
    "profile": profile,
}


async def run(server: ApiServer, names: list[str], directory: Path) -> None:
    """The workloads of these names, one after the other."""
    console = Console(width=None if sys.stdout.isatty() else 130)
    async with ApiClient(server.access) as api:
        await install_crds(api, read_crds())
        arena = Arena(server.access, api, directory)
        for name in names:
            console.print(f"\n[bold]{name}[/bold]: {WORKLOADS[name].__doc__}")
            await WORKLOADS[name](arena, console)


def logins(console: Console) -> None:
    """What the first login by each method adds to a process, SDK and all; five processes each, the medians."""
    names = ["none", *(one.name.value for one in METHODS if one.make is not None)]
    console.print(f"\n[bold]{LOGINS}[/bold]: {logins.__doc__}")
    tables.logins(console, {name: workloads.first_logins(name, 5) for name in names})


def main() -> int:
    """The exit code: 2 where a name is unknown."""
    known = [*WORKLOADS, LOGINS]
    names = sys.argv[1:] or known
    if unknown := [name for name in names if name not in known]:
        print(f"no such workload: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    if LOGINS in names:  # needs no cluster
        names = [name for name in names if name != LOGINS]
        logins(Console(width=None if sys.stdout.isatty() else 130))
        if not names:
            return 0
    with ApiServer() as server, tempfile.TemporaryDirectory() as directory:
        asyncio.run(run(server, names, Path(directory)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
