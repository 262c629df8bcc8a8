"""The tables that the benchmarks print."""

import pstats
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from reconciler.journal_reader import JournalLine, read_journals
from tests.bench.first_login import FirstLogin
from tests.bench.pushes import Pushes
from tests.bench.workloads import Cost, Newcomer, Steady

PEER_FIRST_SYNC = (
    ("External Secrets Operator, defaults", 58.0, 2506, 2034, 3.0, 109.0),
    ("External Secrets Operator, tuned", 3.6, 2506, 2120, 1.4, 116.0),
)
_SHOWN = 24  # functions of a profile


def first_sync(console: Console, cost: Cost, floors: Mapping[str, Cost]) -> None:
    """The program beside the floors and the peer."""
    table = Table(
        "", "start s", "CPU", "seconds", "to floor", "requests", "writes", "CPU s", "to floor", "peak MB"
    )
    reference = floors["session"]
    for way, one in floors.items():
        _row(table, f"floor: {way}", one, reference)
    _row(table, "this program, at Ready", cost, reference, at_ready=True)
    _row(table, "this program, events written", cost, reference)
    for name, seconds, requests, writes, cpu, peak in PEER_FIRST_SYNC:
        figures = f"{seconds:.1f}", "", str(requests), str(writes), f"{cpu:.1f}", "", f"{peak:.0f}"
        table.add_row(name, "", "", *figures)
    console.print(table)
    console.print("requests:", counted(cost.requests))
    console.print("writes:  ", counted(cost.writes))


def _row(table: Table, name: str, cost: Cost, reference: Cost, *, at_ready: bool = False) -> None:
    cpu = (cost.at_ready if at_ready else cost.usage).cpu - cost.start.cpu
    table.add_row(
        name,
        f"{cost.started:.2f}",
        f"{cost.start.cpu:.2f}",
        f"{cost.seconds:.2f}",
        f"x {cost.seconds / reference.seconds:.2f}",
        str(cost.requests.total()),
        str(cost.writes.total()),
        f"{cpu:.2f}",
        f"x {cpu / (reference.usage.cpu - reference.start.cpu):.2f}",
        f"{cost.usage.peak:.0f}",
    )


PEER_PUSHES = (
    ("External Secrets Operator, defaults", 18.0, 1106, 8.0),
    ("External Secrets Operator, tuned", 0.8, 868, 5.2),
)


def pushes(console: Console, cost: Pushes, number: int, floor: float) -> None:
    """The first push, unchanged rounds, and how soon a change is there."""
    table = Table(
        "", "first push s", "to floor", "requests", "writes", "requests a round", "writes a round", "peak MB"
    )
    table.add_row("floor", f"{floor:.2f}", "x 1.00")
    table.add_row(
        "this program",
        f"{cost.seconds:.2f}",
        f"x {cost.seconds / floor:.2f}",
        str(cost.requests.total()),
        str(cost.writes.total()),
        f"{cost.round_requests.total() / cost.rounds:.1f}",
        f"{cost.round_writes.total() / cost.rounds:.0f}",
        f"{cost.usage.peak:.0f}",
    )
    for name, seconds, requests, each in PEER_PUSHES:
        table.add_row(name, f"{seconds:.1f}", "", str(requests), "", f"{each * number:.0f}", "", "")
    console.print(table)
    console.print("requests of the first push:", counted(cost.requests))
    console.print("writes of the first push:  ", counted(cost.writes))
    console.print("requests of the rounds:    ", counted(cost.round_requests))
    times = ", ".join(f"{one:.2f}" for one in cost.at_once)
    console.print(f"from a change of a source to Infisical, seconds, 0.3 of them waiting for quiet: {times}")


def cloud_limits(console: Console, cost: Cost) -> None:
    """The first workload under limits."""
    table = Table("", "seconds to all", "requests", "refused for the limits", "after a minute")
    table.add_row("this program", f"{cost.seconds:.2f}", str(cost.requests.total()), "0", "500 of 500")
    table.add_row("External Secrets Operator", "", "", "1116", "39 of 500")
    console.print(table)


def every_ten_seconds(console: Console, steady: Steady) -> None:
    """Requests a round, and how old data become."""
    table = Table("", "requests a round", "oldest data, s", "CPU, cores", "peak MB", "connections")
    table.add_row(
        "this program",
        f"{steady.requests.total() / steady.rounds:.1f}",
        f"{steady.oldest:.1f}",
        f"{steady.cpu:.2f}",
        f"{steady.usage.peak:.0f}",
        str(steady.usage.connections),
    )
    table.add_row("External Secrets Operator, tuned", "2500", "", "", "267", "4029")
    console.print(table)
    console.print("requests:", counted(steady.requests), f"in {steady.rounds:.1f} rounds")
    console.print("writes:  ", counted(steady.writes))


def at_rest(console: Console, steady: Steady) -> None:
    """What is done where there is nothing to do."""
    table = Table("", "synced in, s", "requests", "writes", "CPU, cores", "memory MB", "peak MB")
    table.add_row(
        "this program",
        f"{steady.synced:.2f}",
        str(steady.requests.total()),
        str(steady.writes.total()),
        f"{steady.cpu:.4f}",
        f"{steady.usage.memory:.0f}",
        f"{steady.usage.peak:.0f}",
    )
    table.add_row("External Secrets Operator, tuned", "", "", "", "", "219", "")
    table.add_row("External Secrets Operator, defaults", "233", "", "", "", "163", "")
    console.print(table)
    console.print(
        "requests:", counted(steady.requests) or "none", " writes:", counted(steady.writes) or "none"
    )


def newcomer(console: Console, newcomer: Newcomer) -> None:
    """How soon a new resource is ready."""
    console.print(
        f"ready {newcomer.seconds:.2f} s after its creation, while {newcomer.waiting} refreshes wait"
        " for a store that answers in 10 s"
    )


def states(console: Console, journal: Path) -> None:
    """What a run spends in each state: from the journal of the program."""
    spent: dict[tuple[str, str], list[float]] = defaultdict(list)
    for line in read_journals([journal]):
        if isinstance(line, JournalLine):
            spent[line.line.machine, line.line.state].append(line.line.seconds * 1000)
    table = Table("machine", "state", "times", "median ms", "longest ms", title="time from asking to answer")
    for (machine, state), times in sorted(spent.items(), key=lambda one: -sum(one[1])):
        times.sort()
        table.add_row(machine, state, str(len(times)), f"{times[len(times) // 2]:.2f}", f"{times[-1]:.1f}")
    console.print(table)


def profile(console: Console, file: Path) -> None:
    """The functions in which most time was spent; the profiler itself slows small functions down."""
    statistics = pstats.Stats(str(file)).get_stats_profile()
    table = Table("function", "calls", "own s", "with callees s", title="CPU time of the first workload")
    own = sorted(statistics.func_profiles.items(), key=lambda one: -one[1].tottime)
    for name, one in own[:_SHOWN]:
        place = f"{Path(one.file_name).name}:{one.line_number} {name}"
        table.add_row(place, one.ncalls, f"{one.tottime:.3f}", f"{one.cumtime:.3f}")
    console.print(table)


def counted(counts: Counter[str]) -> str:
    """`3 login, 1 listing`."""
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()) if number)


def logins(console: Console, costs: Mapping[str, FirstLogin]) -> None:
    """The program with no login method, and what the first login by each adds to it."""
    table = Table("method", "first login s", "peak MB more", "modules more", "second login ms")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, one in costs.items():
        if name == "none":
            console.print(
                f"the program alone: {one.program_seconds:.2f} s to load, {one.program_megabytes:.0f} MB"
            )
            continue
        table.add_row(
            name,
            f"{one.first_seconds:.3f}",
            f"{one.first_megabytes:.1f}",
            f"{one.modules:.0f}",
            f"{one.second_seconds * 1000:.1f}",
        )
    console.print(table)
