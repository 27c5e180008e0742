"""Two faults in one run, sampled from all pairs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from faults import promise
from faults.case import Verdict
from faults.kinds import Kind, Nature
from faults.singles import CALLS, KINDS, UNDOING
from faults.world import World

HOW_MANY = 2000
FOR_EVER = 0.15
"""How many of the faults never pass."""


@dataclass(frozen=True)
class Fault:
    operation: str
    kind: Kind
    nth: int
    times: int | None

    def __str__(self) -> str:
        return f"{self.operation}:{self.kind}:{self.nth}:{'for-ever' if self.times is None else f'{self.times}x'}"

    @property
    def keeps_from_undoing(self) -> bool:
        """The call that would undo the launch, or find what is to be undone, is refused and stays so."""
        undoes = self.operation in (*UNDOING, "DescribeInstances", "list-runners")
        return undoes and (self.times is None or self.kind.nature is Nature.FINAL)


@dataclass(frozen=True)
class Pair:
    number: int
    day: str
    faults: tuple[Fault, Fault]
    latency: float

    @property
    def family(self) -> str:
        return "two faults"

    @property
    def name(self) -> str:
        first, second = self.faults
        return f"two:{self.number}:{self.day}:{first}:{second}:{self.latency}"

    def play(self, world: World) -> Verdict:
        world.slow(self.latency)
        rules = [
            world.gate(one.operation).fail(one.operation, one.kind.fault, nth=one.nth, times=one.times)
            for one in self.faults
        ]
        run = world.step.run("start", promise.LONGEST, **world.day.inputs)
        verdict = Verdict(self.name, self.family, run.code, run.seconds)
        broken = promise.broken(world, run)
        if broken and run.code != 0 and any(one.keeps_from_undoing for one in self.faults):
            verdict.left_to_stop = True
            verdict.broken += promise.named(world, run)
            world.mend()
            verdict.story = world.step.run("stop").log
            verdict.broken += [f"after stop, {one}" for one in promise.broken(world, run)]
        else:
            verdict.broken += broken
        if run.code not in (0, 1, 3):
            verdict.wrong_code.append(f"exit {run.code}")
        struck = [
            word
            for one, rule in zip(self.faults, rules, strict=True)
            if rule.seen >= one.nth
            for word in one.kind.words
        ]
        verdict.must_name(run, *struck, *world.day.words)
        # A 404 for a record that was to be deleted is looked at once more in the list.
        is_kept_waiting = any(
            one.keeps_from_undoing or (one.operation in (*UNDOING, "list-runners") and one.kind.waits)
            for one in self.faults
        )
        verdict.late += promise.outlived(world, run, is_kept_waiting, len(self.faults))
        verdict.record(world, run)
        return verdict


def pairs(seed: int) -> Iterator[Pair]:
    choose = random.Random(seed)
    days = [day for day in CALLS if day != "ladder"] + ["ladder"] * 2
    for number in range(HOW_MANY):
        day = choose.choice(days)
        # Where the first fault ends the launch, the undo's calls are the ones that the second can meet.
        operations = [*CALLS[day], *UNDOING, "list-runners", "DescribeInstances"]
        faults = []
        for _ in range(2):
            operation = choose.choice(operations)
            kind = choose.choice(KINDS.get(operation, KINDS["get-runner"]))
            times = None if choose.random() < FOR_EVER else choose.choice((1, 1, 2))
            faults.append(Fault(operation, kind, choose.choice((1, 1, 2, 3)), times))
        yield Pair(number, day, (faults[0], faults[1]), choose.choice((0, 0, 0.1)))
