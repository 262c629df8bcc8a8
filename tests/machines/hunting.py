"""Looks for the invariant that a mutant breaks, first where it can differ from the original at all."""

import gc
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from machines.effects import Effect
from machines.kernel import Definition, NoRow
from machines.outcomes import Outcome, trigger
from tests.machines.exploration import (
    EVERY_OUTCOME_LEADS_SOMEWHERE,
    MISUSE,
    ONLY_WHAT_WAS_TOLD_IS_ASKED_ABOUT,
    BoundMet,
    Node,
    Samples,
    Step,
    Violation,
    explore,
)
from tests.machines.mutations import Mutant, cells, fold_trait, row_trait, state_trait
from tests.machines.witnesses import witness_of

SHOTS = (1, 12, 200)
"""How many of the first differing steps are followed, one after the other, before everything is."""

AROUND = 1500
"""How many nodes are visited from there, at most."""


class Mark(NamedTuple):
    """A step of the original that shows a trait, and the traits shown on the way there."""

    samples: Samples
    step: Step
    after: Node
    before: int


class Ground:
    """The explored original: for each trait the steps and nodes that show it, the nearest first."""

    def __init__(self, definition: Definition[Any], worlds: Sequence[Samples], bound: int) -> None:
        self.definition = definition
        self.worlds = worlds
        self.bound = bound
        self.bits: dict[Hashable, int] = {}
        self.marks: dict[Hashable, list[Mark]] = defaultdict(list)
        self.places: dict[Hashable, list[tuple[Samples, Node, int]]] = defaultdict(list)
        self.changing: set[tuple[type[Effect], type[Outcome], str]] = set()
        self._rows: dict[tuple[str, str], list[tuple[int, str | None]]] = defaultdict(list)
        for number, row in enumerate(cells(definition)):
            self._rows[row.sources[0], trigger(row.outcomes[0])].append((number, row.guard))
        gc.disable()
        for samples in worlds:
            self._survey(samples)
        gc.freeze()  # all of it stays: it need not be looked through again and again for what each mutant leaves
        gc.enable()

    def _survey(self, samples: Samples) -> None:
        run = self.definition.start()
        start = Node(run.state, run.facts, witness_of(self.definition).begins)
        shown = {start: self._bit(state_trait(start.state))}
        self.places[state_trait(start.state)].append((samples, start, 0))

        def note(step: Step, after: Node) -> None:
            way = shown[step.node]
            here = 0
            for trait in self._traits(step, after):
                bit = self._bit(trait)
                here |= bit
                if not way & bit:
                    self.marks[trait].append(Mark(samples, step, after, way))
            if after not in shown:
                trait = state_trait(after.state)
                self.places[trait].append((samples, after, way | here))
                shown[after] = way | here | self._bit(trait)

        explore(self.definition, samples, bound=self.bound, on_step=note)

    def _bit(self, trait: Hashable) -> int:
        return 1 << self.bits.setdefault(trait, len(self.bits))

    def _traits(self, step: Step, after: Node) -> Iterable[Hashable]:
        run = self.definition.start()
        run.facts = after.facts
        name = trigger(type(step.outcome))
        for number, guard in self._rows[step.node.state, name]:
            if guard is None or getattr(run, guard)():
                yield row_trait(number)
                break
        before = step.node.facts
        effect, outcome = type(step.effect), type(step.outcome)
        for field in type(before).__struct_fields__:
            if field == "failure" or getattr(before, field) != getattr(after.facts, field):
                yield fold_trait(effect, outcome, field)
            if getattr(before, field) != getattr(after.facts, field):
                self.changing.add((effect, outcome, field))

    def catches(self, mutant: Mutant, *, thoroughly: bool) -> str | None:
        """The invariant that this mutant breaks, in words; None: none. `thoroughly`: in all of all worlds."""
        machine = mutant.build()
        mask = sum(self._bit(trait) for trait in mutant.traits)
        places = [
            (samples, node)
            for trait in mutant.traits
            for samples, node, way in self.places[trait]
            if not way & mask
        ]
        marks = [mark for trait in mutant.traits for mark in self.marks[trait] if not mark.before & mask]
        for shots in SHOTS if thoroughly else SHOTS[:2]:
            for samples in self.worlds:
                nodes = [node for found, node in places if found is samples][:shots]
                here = [mark for mark in marks if mark.samples is samples]
                if (sentence := self._follow(machine, samples, nodes, here, shots)) is not None:
                    return sentence
        for samples in self.worlds if thoroughly else ():
            if (sentence := self._explored(machine, samples, (), self.bound)) is not None:
                return sentence
        return None

    def _follow(
        self,
        machine: Definition[Any],
        samples: Samples,
        nodes: Sequence[Node],
        marks: Sequence[Mark],
        shots: int,
    ) -> str | None:
        run = machine.start()
        starts = dict.fromkeys(nodes)
        for _, (node, effect, outcome), meant, _ in marks:
            if len(starts) >= shots + len(nodes):
                break
            run.state, run.facts = node.state, node.facts
            try:
                machine.step(run, effect, outcome)
            except NoRow:
                return EVERY_OUTCOME_LEADS_SOMEWHERE
            except MISUSE:
                return ONLY_WHAT_WAS_TOLD_IS_ASKED_ABOUT
            if (run.state, run.facts) != (meant.state, meant.facts):
                starts[Node(run.state, run.facts, meant.history)] = None
        return self._explored(machine, samples, list(starts), AROUND) if starts else None

    def _explored(
        self, machine: Definition[Any], samples: Samples, starts: Sequence[Node], bound: int
    ) -> str | None:
        try:
            explore(machine, samples, starts=starts, bound=bound)
        except Violation as violation:
            return violation.sentence
        except BoundMet:
            return None
        return None
