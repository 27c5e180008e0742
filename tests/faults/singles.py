"""One fault: every operation × kind × position, once or for ever, on good days and on days that end in an undo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from faults import meanings, promise
from faults.case import Verdict
from faults.kinds import EC2_KINDS, GITHUB_KINDS, INDEX_KINDS, LAUNCH_KINDS, TAKEN_NAME, UNKNOWN_ID, Kind, Nature
from faults.world import DAYS, World

UNDOING = ("TerminateInstances", "delete-runner")
# Where these fail, the launch goes on: prices only choose an order, and GitHub alone says who is online.
HARMLESS = ("DescribeSpotPriceHistory", "DescribeInstances")
KINDS: dict[str, tuple[Kind, ...]] = {
    "image-index": INDEX_KINDS,
    "DescribeSpotPriceHistory": EC2_KINDS,
    "generate-jitconfig": (*GITHUB_KINDS, TAKEN_NAME),
    "list-downloads": GITHUB_KINDS,
    "RunInstances": (*EC2_KINDS, *LAUNCH_KINDS),
    "DescribeInstances": (*EC2_KINDS, UNKNOWN_ID),
    "get-runner": GITHUB_KINDS,
    "TerminateInstances": (*EC2_KINDS, UNKNOWN_ID),
    # Not 404: it says that the record is gone, and nobody can know better.
    "delete-runner": tuple(kind for kind in GITHUB_KINDS if kind.name != "404"),
}
# Which calls a day makes, and how many of each are worth spoiling.
CALLS = {
    "plain": {"generate-jitconfig": 1, "list-downloads": 1, "RunInstances": 1, "get-runner": 3, "DescribeInstances": 1},
    "ladder": {
        "image-index": 1,
        "DescribeSpotPriceHistory": 1,
        "generate-jitconfig": 1,
        "list-downloads": 1,
        "RunInstances": 1,
        "get-runner": 2,
    },
    "three": {"generate-jitconfig": 3, "RunInstances": 3, "get-runner": 4},
    "never": {
        "generate-jitconfig": 1,
        "RunInstances": 1,
        "get-runner": 3,
        "DescribeInstances": 2,
        "TerminateInstances": 2,
        "delete-runner": 2,
    },
    "never-three": {"RunInstances": 3, "TerminateInstances": 1, "delete-runner": 3},
    "regions-never": {
        "generate-jitconfig": 1,
        "RunInstances": 2,
        "DescribeInstances": 2,
        "TerminateInstances": 1,
        "delete-runner": 1,
    },
    "hazy": {"RunInstances": 1},
    "hazy-never": {"RunInstances": 1, "TerminateInstances": 1},
}


@dataclass(frozen=True)
class Single:
    day: str
    operation: str
    kind: Kind
    nth: int
    times: int | None
    family: str = "one fault"

    @property
    def name(self) -> str:
        how_often = "for-ever" if self.times is None else f"{self.times}x"
        prefix = "one" if self.family == "one fault" else "means"
        return f"{prefix}:{self.day}:{self.operation}:{self.kind}:{self.nth}:{how_often}"

    def play(self, world: World) -> Verdict:
        gate = world.gate(self.operation)
        rule = gate.fail(self.operation, self.kind.fault, nth=self.nth, times=self.times)
        run = world.step.run("start", promise.LONGEST, **world.inputs(must_succeed=self.times is not None))
        verdict = Verdict(self.name, self.family, run.code, run.seconds)
        broken = promise.broken(world, run)
        if broken and self.cannot_be_undone and run.code != 0:
            verdict.left_to_stop = True
            verdict.broken += promise.named(world, run)
            world.mend()
            run_of_stop = world.step.run("stop")
            verdict.broken += [f"after stop, {one}" for one in promise.broken(world, run)]
            verdict.story = run_of_stop.log
        else:
            verdict.broken += broken
        struck = rule.seen >= self.nth
        if run.code not in (allowed := self.allowed(struck)):
            verdict.wrong_code.append(f"exit {run.code}, not {' or '.join(map(str, sorted(allowed)))}")
        verdict.must_name(run, *(self.kind.words if struck else ()), *world.day.words)
        verdict.broken += promise.followed(world)
        is_kept_waiting = self.operation in UNDOING and (self.cannot_be_undone or self.kind.waits)
        verdict.late += promise.outlived(world, run, is_kept_waiting)
        if struck and self.is_hopeless and run.seconds > (soon := 4.0):
            verdict.late.append(f"it took {run.seconds:.1f} s, more than {soon:.0f} s, although nothing could help")
        verdict.record(world, run)
        return verdict

    @property
    def cannot_be_undone(self) -> bool:
        """The one call that would undo it is refused, and stays so."""
        if self.kind.nature is Nature.HARMLESS:
            return False
        refused = self.times is None or self.kind.nature is Nature.FINAL
        return self.operation in UNDOING and refused

    @property
    def is_hopeless(self) -> bool:
        if DAYS[self.day].full_region and self.operation == "RunInstances":
            # A refusal is one region's alone: the launch goes on in the other.
            return False
        gone_for_good = self.kind.name == "404" and self.operation == "get-runner"
        return self.kind.nature is Nature.FINAL and self.operation not in (*HARMLESS, *UNDOING) and not gone_for_good

    def allowed(self, struck: bool) -> set[int]:
        """The exit codes that would be right."""
        day = DAYS[self.day]
        well = {0} if day.ends_well else {1}
        if not struck or self.operation in (*HARMLESS, *UNDOING) or self.kind.nature is Nature.HARMLESS:
            return well
        if DAYS[self.day].full_region and self.operation == "RunInstances":
            # The other region is left out, and the full one stays full.
            return well | {1, 3}
        if self.operation == "list-downloads" and self.times is not None:
            # It is asked ahead, and once more where that failed.
            return well | {1}
        if self.operation == "get-runner" and self.kind.name == "404":
            # A record that is missed is looked for in the list, which has it.
            return well
        if self.kind.nature is Nature.FAR and self.operation in ("get-runner", *LISTED) and self.times is not None:
            # The next look is due soon anyway, and shows whether it is still so.
            return well | {1}
        if self.kind.nature in (Nature.FINAL, Nature.BASELINE, Nature.FAR):
            # No baseline to fall back to: these days ask for no more than that.
            return {1}
        if self.times is not None:
            return well
        if self.kind is meanings.SHRUNK:
            # Who is not listed is asked for by number.
            return well
        if self.kind.name == "late":
            # Whether that is too late depends on how much time is left.
            return well | {1}
        if self.kind.nature is Nature.PASSING:
            return {1}
        return {3}


def singles() -> Iterator[Single]:
    for day, calls in CALLS.items():
        for operation, positions in calls.items():
            for kind in KINDS[operation]:
                for nth in range(1, positions + 1):
                    for times in (1, None):
                        yield Single(day, operation, kind, nth, times)
                yield Single(day, operation, kind, 1, 2)


MEANT = ("plain", "ladder", "three", "never", "never-three", "six")


LISTED = ("list-runners",)
"""What many runners are watched by."""


def wrong_meanings() -> Iterator[Single]:
    for day in MEANT:
        for operation in CALLS.get(day, LISTED):
            for kind in meanings.of(operation):
                for times in (1, None):
                    # An undo that is refused for ever takes its minute: once for each kind is enough.
                    if times or day != "never" or operation not in UNDOING:
                        yield Single(day, operation, kind, 1, times, "wrong meaning")
