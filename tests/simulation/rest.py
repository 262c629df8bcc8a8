"""The end of a simulated day: troubles end, all becomes well, and then there is silence."""

from collections import Counter

from adapters.local.store import Key
from adapters.resources.kinds import EXTERNAL_SECRET, SECRET
from adapters.resources.times import seconds_of
from tests.simulation.day import Day
from tests.simulation.memory import remembered
from tests.simulation.patience import COMPANY, RECOVERY

SILENCE = 1200.0
"""Seconds for which nothing happens but what is due."""

SILENT = "when all is well, nobody runs who is not due, and nothing else is asked or written"
FORGOTTEN = "nothing is remembered of resources that are gone"
CLEARED = "what was wished for and is not any more does not pile up"
GONE = "a Secret of ours goes with its resource"


async def rest(day: Day, end: float) -> None:
    """No more moves: let all troubles end, and see that all is well, and then silent. Raises Violation."""
    await day.pass_until(end)
    while (at := day.next_on_agenda) is not None:
        await day.pass_until(at)
    await day.pass_until(day.loop_time + 2 * RECOVERY)
    day.checks.all_well()
    _secrets_have_owners(day)
    day.look()
    await _silence(day)
    _memory(day)
    await day.stop()
    day.look()


async def _silence(day: Day) -> None:
    """Only who is due runs, once an interval, and costs no more than it must."""
    checks = day.checks
    due = Counter[str]()
    for wanted in day.population.wanted.values():
        resource = day.cluster.store.get(Key(EXTERNAL_SECRET, *wanted.place))
        assert resource is not None
        refreshed = seconds_of(resource["status"]["refreshTime"])
        assert refreshed is not None
        early = min(COMPANY, wanted.interval / 10) + 1.0
        first = max(checks.now, refreshed + wanted.interval - early)
        if first <= checks.now + SILENCE:
            due[wanted.name] = 1 + int((checks.now + SILENCE - first) // (wanted.interval - early))
    checks.ran.clear()
    writes, requests = checks.writes.copy(), checks.requests.copy()
    await day.pass_until(day.loop_time + SILENCE)
    stores = sum(number for subject, number in checks.ran.items() if subject.kind != EXTERNAL_SECRET.name)
    runs = 0
    for subject, number in checks.ran.items():
        if subject.kind == EXTERNAL_SECRET.name:
            runs += number
            if number > due[subject.name]:
                checks.broken(SILENT, f"{subject} ran {number} times, {due[subject.name]} were due")
    asked, written = checks.requests - requests, checks.writes - writes
    if asked.total() > 4 * (runs + stores):
        checks.broken(SILENT, f"{asked} for {runs} runs and {stores} validations")
    statuses = written["patch_status ExternalSecret"]
    if statuses > runs or written.total() > statuses + 2 * runs:
        checks.broken(SILENT, f"{written} by {runs} runs")
    day.look()


def _secrets_have_owners(day: Day) -> None:
    targets = {(wanted.namespace, wanted.target) for wanted in day.population.wanted.values()}
    for secret in day.cluster.store.select(SECRET, None):
        place = (secret["metadata"]["namespace"], secret["metadata"]["name"])
        if place not in targets and place not in day.population.identities:
            day.checks.broken(GONE, f"Secret {place}")


def _memory(day: Day) -> None:
    assert day.controller is not None
    living = {wanted.name for wanted in day.population.wanted.values()}
    living |= {wanted.target for wanted in day.population.wanted.values()}
    found = remembered(day.controller, day.population.ever - living)
    if found:
        day.checks.broken(FORGOTTEN, f"{len(found)} times, such as {found[:3]}")
    queue = day.controller._queue
    if len(queue._later) > 2 * len(queue._wishes) + 64:
        day.checks.broken(CLEARED, f"{len(queue._later)} for {len(queue._wishes)}")
