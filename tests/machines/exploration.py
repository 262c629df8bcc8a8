"""Visits every node of a machine in company of its history: each state and facts, on each path that matters.

A node is a state, the run's facts, and what a watcher of the run knows (see `history`). From each node that asks
for an effect, every outcome of the samples is told; nodes that were met before are not entered again. So every
path is covered without walking paths one by one. A violation carries the shortest path that shows it.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from machines.effects import Effect
from machines.kernel import Definition, End, NoRow
from machines.outcomes import Outcome
from tests.machines.witnesses import witness_of

Samples = Callable[[Effect, Any], Sequence[Outcome]]
"""All outcomes to be told of an effect, after this history."""


class Node(NamedTuple):
    """Where a run can be: its state, its facts, and what really happened until then."""

    state: str
    facts: Any
    history: Any


class Step(NamedTuple):
    """How a node was reached: from which, by which answer to what it asked."""

    node: Node
    effect: Effect
    outcome: Outcome


class Violation(AssertionError):
    """An invariant does not hold. Its text: the invariant as a sentence, and the path to where it breaks."""

    def __init__(self, sentence: str, path: Iterable[str]) -> None:
        super().__init__("\n  ".join([sentence, *path]))
        self.sentence = sentence


class BoundMet(AssertionError):
    """There are more nodes than was promised: nothing is proven."""


class Exploration(NamedTuple):
    """What was visited. `longest`: the number of effects of the longest run."""

    nodes: int
    steps: int
    longest: int
    states: frozenset[str]
    seconds: float


EVERY_OUTCOME_LEADS_SOMEWHERE = "every outcome leads somewhere"
ONLY_WHAT_WAS_TOLD_IS_ASKED_ABOUT = "a machine asks only about what it was told"
EVERY_RUN_ENDS = "every run ends"

MISUSE = (AssertionError, AttributeError, IndexError, StopIteration, TypeError, ValueError)
"""What a guard or an effect raises that looks at what was not told."""


def explore(
    definition: Definition[Any],
    samples: Samples,
    *,
    bound: int,
    starts: Sequence[Node] = (),
    on_step: Callable[[Step, Node], None] | None = None,
) -> Exploration:
    """Visit every node from the machine's start (or from `starts`). Raises Violation at the first one, BoundMet."""
    began = time.perf_counter()
    run, witness = definition.start(), witness_of(definition)
    nodes = list(starts) or [Node(run.state, run.facts, witness.begins)]
    numbers = {node: number for number, node in enumerate(nodes)}
    roots = len(nodes)
    came: list[tuple[int, Outcome] | None] = [None] * roots
    follow: list[list[int]] = []
    states: set[str] = set()
    steps = 0

    def violation(sentence: str, number: int, *more: str) -> Violation:
        return Violation(sentence, [*_path(nodes, came, number), *more])

    while len(follow) < len(nodes):
        number = len(follow)
        node = nodes[number]
        following: list[int] = []
        follow.append(following)
        run.state, run.facts = node.state, node.facts
        state = definition.state(run)
        states.add(state.name)
        if isinstance(state, End):
            if sentence := witness.broken_at_end(definition, state, node.facts, node.history):
                raise violation(sentence, number)
            continue
        try:
            effect = state.effect(node.facts)
        except MISUSE:
            raise violation(ONLY_WHAT_WAS_TOLD_IS_ASKED_ABOUT, number) from None
        if sentence := witness.broken_by_asking(node.history, effect):
            raise violation(sentence, number, f"asks {effect!r}")
        for outcome in samples(effect, node.history):
            steps += 1
            run.state, run.facts = node.state, node.facts
            try:
                definition.step(run, effect, outcome)
            except NoRow:
                raise violation(EVERY_OUTCOME_LEADS_SOMEWHERE, number, repr(outcome)) from None
            except MISUSE:
                raise violation(ONLY_WHAT_WAS_TOLD_IS_ASKED_ABOUT, number, repr(outcome)) from None
            after = Node(run.state, run.facts, witness.told(node.history, effect, outcome))
            if on_step is not None:
                on_step(Step(node, effect, outcome), after)
            found = numbers.setdefault(after, len(nodes))
            if found == len(nodes):
                if found >= bound:
                    raise BoundMet(f"{definition.name}: more than {bound} nodes")
                nodes.append(after)
                came.append((number, outcome))
            following.append(found)
    return Exploration(
        len(nodes), steps, _longest(follow, roots), frozenset(states), time.perf_counter() - began
    )


def _longest(follow: Sequence[Sequence[int]], roots: int) -> int:
    """The length of the longest run, in effects. Raises Violation where one goes round for ever."""
    lengths, entered = [-1] * len(follow), [False] * len(follow)
    stack = list(range(roots))
    while stack:
        number = stack[-1]
        if not entered[number]:
            entered[number] = True
            waiting = [after for after in follow[number] if lengths[after] < 0]
            if any(entered[after] for after in waiting):
                raise Violation(EVERY_RUN_ENDS, [])
            stack.extend(waiting)
            continue
        stack.pop()
        if lengths[number] < 0:
            lengths[number] = max((lengths[after] + 1 for after in follow[number]), default=0)
    return max(lengths[:roots])


def _path(nodes: Sequence[Node], came: Sequence[tuple[int, Outcome] | None], number: int) -> list[str]:
    """The way to a node, a line for each outcome."""
    lines = [f"-> {nodes[number].state}"]
    while (step := came[number]) is not None:
        number, outcome = step
        lines.append(f"{nodes[number].state}: {outcome!r}")
    return lines[::-1]
