"""A scenario played with at most one fault, and compared with a calm play."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from adapters.cluster import Object
from tests.faults.changes import Content
from tests.faults.injection import Fault, Injection, Place
from tests.faults.remote import Remote, remote_of
from tests.faults.scenarios import Scenario
from tests.faults.world import Variation, World
from tests.simulated_loop import run_simulated

_ENDS = frozenset(fault for fault in Fault if fault.kills or fault.stops or fault is Fault.EVENT_LOST)
VOID = "void: the fault did not strike"
_OPEN = 20.0  # seconds after each move in which the fault may strike
_SILENCE = 200.0  # seconds
_CALM_PLAY, _OTHER_PLAY = Variation(), Variation(1_770_000_345.678, 2, 3)
_TOLD = (Fault.TIMEOUT_UNDONE, Fault.TIMEOUT_DONE, Fault.READ_STALE, Fault.EVENT_LOST, Fault.EVENT_LATE)
"""Faults that a living process may notice, and tell of."""
Path = tuple[str, ...]


class Played(NamedTuple):
    """What came of a play."""

    injection: Injection
    fields: dict[Path, Any]
    counts: Counter[str]
    contents: dict[str, list[Content]]
    remote: Remote
    writes: Counter[str]  # at Infisical
    requests: Counter[str]
    wrongs: list[str]
    starts: int


class Calm(NamedTuple):
    """What a calm play comes to, and which fields differ from one to the next."""

    played: Played
    masked: frozenset[Path]

    def places(self, place: Place) -> list[str]:
        """What a fault can strike."""
        return self.played.injection.seen[place]


def play(
    scenario: Scenario,
    injection: Injection,
    variation: Variation = _CALM_PLAY,
) -> Played:
    """Play it from its beginning to the graceful end of the last process."""
    return run_simulated(_play(scenario, injection, variation))


async def _play(scenario: Scenario, injection: Injection, variation: Variation) -> Played:
    world = World(injection, variation, scenario.history)
    await world.begin()
    await scenario.prepare(world)
    world.record()
    for move in scenario.moves:
        injection.armed = True
        await move(world)
        await world.rest(_OPEN)
        injection.armed = False
        await world.rest()
    counts, requests = world.changes.counts(), world.requests()
    wrongs = list(world.changes.wrongs)
    await world.rest(_SILENCE)
    if world.changes.counts() != counts:
        wrongs.append(f"at rest, it writes: {world.changes.counts() - counts}")
    if not scenario.retries and world.requests() != requests:
        wrongs.append(f"at rest, it asks: {world.requests() - requests}")
    if held := world.controller.surroundings.leases.alive if world.controller is not None else 0:
        wrongs.append(f"at rest, {held} tokens are held")
    picture = world.picture()
    await world.stop()
    wrongs += _wrong_tokens(world, injection.fault, scenario.leases)
    return Played(
        injection,
        {path: value for name, object in picture.items() for path, value in fields((name,), object)},
        counts,
        world.changes.contents(),
        remote_of(world.project),
        world.remote.counts,
        requests,
        wrongs,
        world.starts,
    )


def _wrong_tokens(world: World, fault: Fault | None, leases: int) -> Iterator[str]:
    """No token lives on but those that a killed process held or whose login was answered to nobody: one for each lease."""
    alive = {token.id for token in world.server.tokens_alive}
    allowed = leases if fault is not None and (fault.kills or fault is Fault.TIMEOUT_DONE) else 0
    if len(alive) > allowed:
        yield f"{len(alive)} tokens live on, where {allowed} may"
    if fault is not None and fault.kills and not alive <= set(world.left):
        yield "a token lives on that no killed process held"
    struck = world.injection.struck or ""
    again = (
        fault is Fault.TIMEOUT_DONE and "token/revoke" in struck
    )  # its answer was lost, so it is asked once more
    for token in world.server.tokens:
        if token.revocations > (2 if again else 1):
            yield f"a token was revoked {token.revocations} times"


def learn(scenario: Scenario) -> Calm:
    """Play it calmly twice, at other times and after other histories: what differs is masked."""
    first = play(scenario, Injection())
    second = play(scenario, Injection(), _OTHER_PLAY)
    assert first.fields.keys() == second.fields.keys()
    assert (first.counts, first.contents) == (second.counts, second.contents)
    assert (first.remote, first.writes) == (second.remote, second.writes)
    assert not first.wrongs, first.wrongs
    masked = frozenset(path for path, value in first.fields.items() if second.fields[path] != value)
    return Calm(first, masked)


def fields(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    """Every field of a JSON value, by its path; the order of managedFields does not count."""
    if isinstance(value, dict) and value:
        for name in value:
            yield from fields((*path, 'k:{"uid"}' if name.startswith('k:{"uid"') else name), value[name])
    elif isinstance(value, list) and value:
        for number, item in enumerate(sorted(value, key=_order) if path[-1] == "managedFields" else value):
            yield from fields((*path, str(number)), item)
    else:
        yield path, value


def _order(entry: Object) -> tuple[str, ...]:
    return tuple(entry.get(name, "") for name in ("manager", "operation", "subresource"))


def differences(scenario: Scenario, calm: Calm, played: Played) -> list[str]:
    """What a play came to that a calm one does not."""
    found = list(played.wrongs)
    if played.injection.fault is not None and played.injection.struck is None:
        found.append(VOID)
    elif played.injection.fault in _ENDS and played.starts <= calm.played.starts:
        found.append(f"{VOID} the process")
    before = calm.played
    for path in sorted(before.fields.keys() | played.fields.keys()):
        if path not in before.fields or path not in played.fields:
            found.append(f"{'.'.join(path)} is {'new' if path in played.fields else 'missing'}")
        elif path not in calm.masked and before.fields[path] != played.fields[path]:
            found.append(f"{'.'.join(path)} is {played.fields[path]!r}, not {before.fields[path]!r}")
    if not _same_contents(before.contents, played.contents, scenario.races):
        found.append(f"Secrets held {played.contents}, not {before.contents}")
    if played.remote != before.remote:
        found.append(f"Infisical holds {played.remote}, not {before.remote}")
    if played.writes != before.writes and not scenario.races:
        found.append(f"at Infisical: {dict(played.writes)}, not {dict(before.writes)}")
    found += _counted(scenario, before.counts, played)
    found += [] if scenario.retries else _asked(scenario, before.requests, played.requests)
    right = scenario.besides.get(played.injection.fault) if played.injection.fault is not None else None
    return [one for one in found if right is None or re.search(right, one) is None]


def _same_contents(calm: dict[str, list[Content]], played: dict[str, list[Content]], races: bool) -> bool:
    """Whether each Secret held the same, in the same order; where moves race with runs, some may be passed over."""
    if not races:
        return calm == played
    return calm.keys() == played.keys() and all(
        _is_part(played[name], held) and played[name][-1] == held[-1] for name, held in calm.items()
    )


def _is_part(some: list[Content], whole: list[Content]) -> bool:
    rest = iter(whole)
    return all(content in rest for content in some)


def _counted(scenario: Scenario, calm: Counter[str], played: Played) -> Iterator[str]:
    """Creations, changes and deletions as in a calm play, but for statuses.

    A status may be written less often, where a run is not reported any more that was overtaken, or whose process
    died after its work was done: the next one finds nothing to do. And more often, twice at the most, once for a
    failure that was told and once when it had passed.
    """
    fault = played.injection.fault
    more_reports = 2 if fault in _TOLD else 0
    for name in sorted(calm.keys() | played.counts.keys()):
        before, after = calm[name], played.counts[name]
        resource = name in ("change ExternalSecret", "change PushSecret")
        if resource or (name.endswith("SecretStore") and name.startswith("change")):
            times, more = scenario.resources if resource else 1, more_reports
            if name == "change PushSecret" and fault in _ENDS:
                more = max(more, 1)  # another process compares once more what was pushed in this very second
            if after > before + more * times:
                yield f"{name}: {after}, at most {before + more * times}"
        elif after != before and not (scenario.races and after < before):
            yield f"{name}: {after}, not {before}"


def _asked(scenario: Scenario, calm: Counter[str], played: Counter[str]) -> Iterator[str]:
    """At the most, what a calm play asks, once more for the process or the run that took over, and a validation of the
    store and a second try of one request."""
    for name, number in played.items():
        if number > 2 * calm[name] + 2 + (scenario.singles if name == "single" else 0):
            yield f"{number} requests of kind {name}, where a calm play has {calm[name]}"
