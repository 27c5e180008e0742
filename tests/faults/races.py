"""`stop` and `sweep`: under faults, against a `start`, against each other; and a crowd of which a third fails."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from faults import meanings, promise
from faults.case import Verdict
from faults.kinds import EC2_KINDS, GITHUB_KINDS, LAUNCH_KINDS, Kind, Nature
from faults.world import World
from standins.gate import Fault, then
from standins.program import Run
from standins.server import Handler, Outcome, Request

LONG_AGO = "2020-01-01T00:00:00Z"
PATIENCE = 65.0
"""`stop` and `sweep` wait passing errors out for a minute."""


def just_now() -> str:
    """What expired a minute ago: `sweep` believes GitHub for an hour that its runner is busy."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))


@dataclass(frozen=True)
class Race:
    """A story with a name; `act` plays it and notes what went wrong."""

    family: str
    name: str
    day: str
    act: Callable[[World, Verdict], list[Run]] = field(compare=False)

    def play(self, world: World) -> Verdict:
        verdict = Verdict(self.name, self.family, 0, 0)
        runs = self.act(world, verdict)
        verdict.code, verdict.seconds = runs[-1].code, max(run.seconds for run in runs)
        verdict.record(world, *runs)
        return verdict


def launched(world: World) -> Run:
    """What the story begins with, however long a busy machine takes for it."""
    started = world.step.run("start", **world.inputs())
    if started.code:
        raise RuntimeError(f"start ended with {started.code}: {started.log}")
    return started


def nothing_left(world: World, verdict: Verdict, after: str) -> None:
    promise.settle(world)
    verdict.broken += [f"after {after}, {one} lives" for one in world.living()]
    verdict.broken += [f"after {after}, the record {one} stays" for one in world.records()]


ENDING = ("TerminateInstances", "delete-runner")
# A record that is gone is as good, and of a busy one GitHub says 422, where nothing helps but to ask again.
GOOD_ENOUGH = ("404", "422")


def codes_of_stop(operation: str, kind: Kind, times: int) -> set[int]:
    """The exit codes that would be right."""
    if operation == "delete-runner" and kind.name in GOOD_ENOUGH:
        return {0}
    if kind.nature is Nature.FAR:
        # What ends something is asked once more before the time is over, whatever the server wanted.
        return {0} if operation in ENDING else {1}
    if kind.nature is not Nature.FINAL:
        return {0}
    if operation == "TerminateInstances":
        # Of several, none is ended where one is refused; asked for in halves, they may be.
        return {0} if times == 1 else {0, 1}
    return {1}


def stop_under(operation: str, kind: Kind, times: int) -> Callable[[World, Verdict], list[Run]]:
    def act(world: World, verdict: Verdict) -> list[Run]:
        started = launched(world)
        rule = world.gate(operation).fail(operation, kind.fault, times=times)
        stopped = world.step.run("stop", PATIENCE + 5)
        assert rule.seen, "the call was not made"
        expected = codes_of_stop(operation, kind, times)
        if stopped.code not in expected:
            verdict.wrong_code.append(f"stop ended with {stopped.code}, not {' or '.join(map(str, sorted(expected)))}")
        verdict.must_name(stopped, *kind.words)
        verdict.broken += promise.followed(world)
        if stopped.code == 0 and kind.name != "404":
            nothing_left(world, verdict, "stop")
        world.mend()
        again = world.step.run("stop")
        if kind.name != "404":
            nothing_left(world, verdict, "a second stop")
        return [started, stopped, again]

    return act


def two_stops(latency: float) -> Callable[[World, Verdict], list[Run]]:
    def act(world: World, verdict: Verdict) -> list[Run]:
        started = launched(world)
        world.slow(latency)
        both = [world.step.begin("stop"), world.step.begin("stop")]
        runs = [one.wait() for one in both]
        verdict.wrong_code += [f"stop ended with {run.code}" for run in runs if run.code]
        nothing_left(world, verdict, "both stops")
        return [started, *runs]

    return act


def stop_of_nothing(world: World, verdict: Verdict) -> list[Run]:
    run = world.step.run("stop")
    if run.code or world.ec2.gate.calls("TerminateInstances"):
        verdict.wrong_code.append(f"stop ended with {run.code}")
    return [run]


def stop_against_start(after: float, latency: float) -> Callable[[World, Verdict], list[Run]]:
    def act(world: World, verdict: Verdict) -> list[Run]:
        world.slow(latency)
        starting = world.step.begin("start", **world.inputs())
        time.sleep(after)
        stopped = world.step.run("stop")
        started = starting.wait()
        if stopped.code:
            verdict.wrong_code.append(f"stop ended with {stopped.code}")
        if started.code == 0:
            # It got through before stop looked, or stop came after: a stop that comes later finds the rest.
            stopped = world.step.run("stop")
        else:
            verdict.must_name(started, "Client.UserInitiatedShutdown", "vanished", *world.day.words)
        nothing_left(world, verdict, "start and stop")
        return [started, stopped]

    return act


def sweep_against_job(operation: str, answered: bool) -> Callable[[World, Verdict], list[Run]]:
    """The job is queued, and taken, at the very moment of one of sweep's calls."""

    def act(world: World, verdict: Verdict) -> list[Run]:
        started = launched(world)
        world.ec2.tag(started.outputs["instance-id"], "sprinters:expires", just_now())
        jobs = []

        def assign() -> None:
            job = world.github.queue_job(started.outputs["label"])
            jobs.append(job)
            until = time.monotonic() + 1
            while job.status == "queued" and world.records() and time.monotonic() < until:
                time.sleep(0.01)

        world.gate(operation).fail(operation, after_serving(assign) if answered else then(assign))
        swept = world.step.run("sweep")
        if swept.code:
            verdict.wrong_code.append(f"sweep ended with {swept.code}")
        for job in jobs:
            if job.status == "in_progress" and not world.living():
                verdict.broken.append("sweep ended an instance whose runner had got a job")
            if job.status == "completed" and job.result != "Succeeded":
                verdict.broken.append(f"the job ended with {job.result}")
        return [started, swept]

    return act


def after_serving(action: Callable[[], object]) -> Fault:
    def fault(request: Request, serve: Handler) -> Outcome:
        outcome = serve(request)
        action()
        return outcome

    return fault


def sweep_under(operation: str, kind: Kind) -> Callable[[World, Verdict], list[Run]]:
    def act(world: World, verdict: Verdict) -> list[Run]:
        started = launched(world)
        for instance in world.ec2.living():
            world.ec2.tag(instance.id, "sprinters:expires", LONG_AGO)
        world.gate(operation).fail(operation, kind.fault)
        swept = world.step.run("sweep", PATIENCE + 5)
        expected = {1} if kind.nature in (Nature.FINAL, Nature.FAR) else {0}
        if operation == "TerminateInstances" or (operation == "delete-runner" and kind.name in GOOD_ENOUGH):
            # Of several, none is ended where one is refused; asked for in halves, they are.
            expected = {0}
        if swept.code not in expected:
            verdict.wrong_code.append(f"sweep ended with {swept.code}")
        verdict.must_name(swept, *kind.words)
        verdict.broken += promise.followed(world)
        world.mend()
        again = world.step.run("sweep")
        if kind.name != "404":
            nothing_left(world, verdict, "a second sweep")
        return [started, swept, again]

    return act


def crowd(kind: Kind, expected: int) -> Callable[[World, Verdict], list[Run]]:
    """Every third launch fails once."""

    def act(world: World, verdict: Verdict) -> list[Run]:
        world.slow(0.05)
        for nth in range(3, 61, 3):
            world.ec2.gate.fail("RunInstances", kind.fault, nth=nth)
        run = world.step.run("start", **world.inputs())
        if run.code != expected:
            verdict.wrong_code.append(f"exit {run.code}, not {expected}")
        verdict.broken += promise.broken(world, run)
        verdict.late += promise.outlived(world, run)
        verdict.must_name(run, *kind.words)
        return [run]

    return act


def full_after(launches: int, kind: Kind) -> Callable[[World, Verdict], list[Run]]:
    """There is room for some of the crowd, and never for the rest."""

    def act(world: World, verdict: Verdict) -> list[Run]:
        world.slow(0.05)
        world.ec2.gate.fail("RunInstances", kind.fault, nth=launches + 1, times=None)
        run = world.step.run("start", **world.day.inputs)
        if run.code != 3:
            verdict.wrong_code.append(f"exit {run.code}, not 3")
        verdict.broken += promise.broken(world, run)
        verdict.late += promise.outlived(world, run)
        verdict.must_name(run, *kind.words)
        return [run]

    return act


STOPPING = {
    "DescribeInstances": EC2_KINDS,
    "TerminateInstances": EC2_KINDS,
    "list-runners": GITHUB_KINDS,
    "delete-runner": GITHUB_KINDS,
}


def races(seed: int) -> Iterator[Race]:
    for operation, documented in STOPPING.items():
        for kind in (*documented, *meanings.of(operation)):
            for times in (1,) if kind.nature is Nature.FAR else (1, 2):
                name = f"stop:{operation}:{kind}:{times}x"
                yield Race("stop under faults", name, "three", stop_under(operation, kind, times))
            yield Race("sweep under faults", f"sweep:{operation}:{kind}", "three", sweep_under(operation, kind))
    for number, latency in enumerate((0, 0, 0.05, 0.2, 0.6)):
        yield Race("stop against stop", f"stops:{number}:{latency}", "three", two_stops(latency))
    yield Race("stop of nothing", "stop:nothing", "plain", stop_of_nothing)
    choose = random.Random(seed + 2)
    for number in range(150):
        latency = choose.choice((0, 0.05, 0.2))
        after = choose.uniform(0, 0.6 + 6 * latency)
        day = choose.choice(("plain", "three", "never", "never-three", "hazy"))
        name = f"stop-start:{number}:{day}:{after:.3f}:{latency}"
        yield Race("stop against start", name, day, stop_against_start(after, latency))
    for operation in ("DescribeInstances", "list-runners", "delete-runner", "TerminateInstances"):
        for answered in (False, True):
            name = f"sweep-job:{operation}:{'answered' if answered else 'arrived'}"
            yield Race("sweep against a job", name, "plain", sweep_against_job(operation, answered))
    named = {kind.name: kind for kind in (*EC2_KINDS, *LAUNCH_KINDS)}
    for name, expected in (
        ("InsufficientInstanceCapacity", 0),
        ("RequestLimitExceeded", 0),
        ("InternalError-acted", 0),
        ("lost", 0),
        ("mute", 0),
        ("garbage", 0),
        ("UnauthorizedOperation", 1),
        ("InvalidParameterValue", 1),
    ):
        yield Race("a crowd", f"crowd:{name}", "crowd", crowd(named[name], expected))
    for name in ("InsufficientInstanceCapacity", "VcpuLimitExceeded"):
        yield Race("a crowd", f"crowd-full:{name}", "crowd", full_after(13, named[name]))
