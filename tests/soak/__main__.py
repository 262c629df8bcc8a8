"""`make soak`, or `python -m tests.soak [ROUNDS [RESOURCES]]`: killed again and again, and nothing is lost.

A controller on a real API server is killed with SIGKILL, ROUNDS times in a row, while RESOURCES ExternalSecrets and
what they read change all the time. Every change of every Secret is looked at: none is deleted or emptied, none holds a
part, values of two generations, or older ones than before. At the end all is compared with what it should be.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from adapters.cluster import Cluster, Selection
from adapters.kubernetes.connect import connect
from adapters.resources.kinds import EXTERNAL_SECRET, SECRET
from reconciler.standin import StandIn
from reconciler.standin.server import Server
from tests.apiserver.client import ApiClient
from tests.apiserver.preparing import install_crds, read_crds
from tests.apiserver.server import ApiServer
from tests.soak.field import Field
from tests.soak.victim import Victim

ROUNDS, RESOURCES = 200, 1000
_NAMESPACE = "soak"
_PAUSE = 0.02  # seconds between changes
_LIFE = 1.5  # seconds, at most, from the first transition to the death
_EARLY = 0.15  # the part of the processes that die at a moment of their start
_PATIENCE = 180.0  # seconds until the last process has to have come to rest


async def soak(server: ApiServer, directory: Path, rounds: int, resources: int, console: Console) -> int:
    """How many things were wrong."""
    async with ApiClient(server.access) as api:
        await install_crds(api, read_crds())
        await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _NAMESPACE}})
    cluster = await connect({"KUBECONFIG": str(server.access.kubeconfig)})
    standin = StandIn(time.time)
    try:
        async with Server(standin) as served:
            field = Field(cluster, _NAMESPACE, standin, served.url, resources)
            return await _soak(server.access.kubeconfig, directory, field, standin, cluster, rounds, console)
    finally:
        await cluster.close()


async def _soak(
    kubeconfig: Path,
    directory: Path,
    field: Field,
    standin: StandIn,
    cluster: Cluster,
    rounds: int,
    console: Console,
) -> int:
    begun = time.monotonic()
    await field.plant()
    eyes = [
        asyncio.create_task(field.look_on_for_ever(Selection(kind, _NAMESPACE)))
        for kind in (SECRET, EXTERNAL_SECRET)
    ]
    changing = asyncio.create_task(field.change_for_ever(_PAUSE))
    killed: Counter[str] = Counter()
    chance = random.Random(2)
    with console.status("") as status:
        for number in range(rounds):
            status.update(f"round {number + 1} of {rounds}: {sum(field.changes.values())} changes so far")
            victim = await Victim.start(kubeconfig, _NAMESPACE, directory, f"round-{number}")
            await _live(victim, chance)
            if victim.has_ended:
                raise RuntimeError(f"round {number} ended by itself:\n{victim.said()}")
            killed += await victim.kill()
            victim.forget()
    changing.cancel()
    last = await Victim.start(kubeconfig, _NAMESPACE, directory, "last")
    lacking = await _come_to_rest(field)
    code = await last.stop()
    for task in (*eyes, changing):
        task.cancel()
    for outcome in await asyncio.gather(*eyes, changing, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
    wrongs = [*field.wrongs, *lacking, *_wrong_tokens(standin, rounds)]
    if code != 0:
        wrongs.append(f"the last process ended with {code}:\n{last.said()}")
    _tell(console, field, standin, killed, rounds, time.monotonic() - begun)
    for wrong in wrongs[:50]:
        console.print(f"[red]{wrong}")
    console.print(f"{len(wrongs)} things are wrong" if wrongs else "nothing lost, nothing wrong")
    return len(wrongs)


async def _live(victim: Victim, chance: random.Random) -> None:
    if chance.random() < _EARLY:
        await asyncio.sleep(chance.uniform(0.0, _LIFE))
        return
    await victim.begun()
    await asyncio.sleep(chance.uniform(0.0, _LIFE))


async def _come_to_rest(field: Field) -> list[str]:
    deadline = time.monotonic() + _PATIENCE
    lacking = await field.lacking()
    while lacking and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        lacking = await field.lacking()
    return lacking


def _wrong_tokens(standin: StandIn, rounds: int) -> list[str]:
    alive, twice = len(standin.tokens_alive), sum(token.revocations > 1 for token in standin.tokens)
    wrongs = [f"{alive} tokens live on after {rounds} kills"] if alive > rounds else []
    return wrongs + ([f"{twice} tokens were revoked twice"] if twice else [])


def _tell(
    console: Console, field: Field, standin: StandIn, killed: Counter[str], rounds: int, seconds: float
) -> None:
    table = Table("", "", title=f"{rounds} kills in {seconds:.0f} s")
    rows = {
        "changes by users": field.changes,
        "changes seen at the API server": field.written,
        "requests to Infisical": {kind.value: number for kind, number in standin.counts().items()},
        "runs that a kill interrupted": killed,
    }
    for name, counts in rows.items():
        lines = [f"{number} {what}" for what, number in sorted(counts.items(), key=lambda one: -one[1])]
        table.add_row(name, "\n".join(lines))
    table.add_row(
        "tokens", f"{len(standin.tokens)} of logins, {len(standin.tokens_alive)} left by killed processes"
    )
    console.print(table)


def main() -> int:
    """Exit code 1 where anything was wrong."""
    given = [int(text) for text in sys.argv[1:]]
    rounds, resources = (given + [ROUNDS, RESOURCES][len(given) :])[:2]
    console = Console()
    with ApiServer() as server, tempfile.TemporaryDirectory() as directory:
        return 1 if asyncio.run(soak(server, Path(directory), rounds, resources, console)) else 0


if __name__ == "__main__":
    sys.exit(main())
