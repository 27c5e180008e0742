"""A cancel at any moment, as GitHub does it: SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL. And SIGKILL alone."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from faults import promise
from faults.case import Verdict
from faults.kinds import BROKEN_CONNECTIONS, EC2_KINDS, GITHUB_KINDS, Kind, Nature
from faults.world import World
from standins.gate import Fault
from standins.program import Running
from standins.server import Handler, Outcome, Request

UNTIL_SIGTERM = 7.5
UNTIL_SIGKILL = 2.5
SOON = 5.0
"""How long an undo may take where the APIs answer in 200 ms."""
WORDS = ("cancelled (SIG",)

BOUNDARIES = {
    "plain": ("generate-jitconfig", "list-downloads", "RunInstances", "get-runner"),
    "ladder": ("image-index", "DescribeSpotPriceHistory", "generate-jitconfig", "RunInstances", "get-runner"),
    "never": ("generate-jitconfig", "RunInstances", "get-runner", "DescribeInstances", "TerminateInstances"),
    "six": ("generate-jitconfig", "RunInstances", "list-runners"),
    "hazy-never": ("RunInstances", "get-runner"),
    "regions": ("generate-jitconfig", "RunInstances", "get-runner"),
    "regions-never": ("RunInstances", "get-runner", "TerminateInstances"),
    "crowd-never": ("generate-jitconfig", "RunInstances", "list-runners"),
}


@dataclass(frozen=True)
class At:
    """The moment: a call's arrival, its answer, or so many seconds after the start."""

    operation: str | None
    nth: int = 1
    answered: bool = False
    after: float = 0.0

    def __str__(self) -> str:
        if self.operation is None:
            return f"{self.after:.3f}s"
        return f"{self.operation}:{self.nth}:{'answered' if self.answered else 'arrived'}"


@dataclass(frozen=True)
class Cancel:
    number: int
    day: str
    at: At
    latency: float
    kill: bool = False
    fault: tuple[str, Kind] | None = None

    @property
    def family(self) -> str:
        if self.kill:
            return "killed at once"
        if self.fault:
            return "cancelled, and a fault"
        return "cancelled at a call" if self.at.operation else "cancelled at random"

    @property
    def name(self) -> str:
        fault = f":{self.fault[0]}:{self.fault[1]}" if self.fault else ""
        return f"{'kill' if self.kill else 'cancel'}:{self.number}:{self.day}:{self.at}:{self.latency}{fault}"

    def play(self, world: World) -> Verdict:
        world.slow(self.latency)
        if self.fault:
            operation, kind = self.fault
            world.gate(operation).fail(operation, kind.fault)
        moment = threading.Event()
        if self.at.operation:
            world.gate(self.at.operation).fail(self.at.operation, self._signal(moment), nth=self.at.nth)
        running = world.step.begin("start", **{**world.day.inputs, "start-timeout": "30s"})
        waited = threading.Thread(target=running.process.wait)
        waited.start()
        if self.at.operation is None:
            time.sleep(self.at.after)
            moment.set()
        while not moment.wait(0.005) and waited.is_alive():
            pass
        signalled = time.monotonic()
        if self.kill:
            running.kill()
        else:
            cancel(running)
        run = running.wait()
        verdict = Verdict(self.name, self.family, run.code, run.seconds)
        if self.kill:
            self._check_killed(world, verdict, run.code)
        else:
            verdict.undone_in = run.ended - signalled if run.code else None
            verdict.broken += promise.broken(world, run)
            asked = any(gate.operations() for gate in world.gates)
            if run.code in (0, 1):
                verdict.must_name(run, *WORDS, *world.day.words)
            elif asked or run.code != -signal.SIGINT:
                # Only before anyone is asked may the signal end it as it ends any program.
                verdict.wrong_code.append(f"exit {run.code}")
            limit = SOON if self.latency <= 0.2 and not self.fault else UNTIL_SIGTERM
            if run.ended - signalled > limit:
                verdict.late.append(f"it took {run.ended - signalled:.1f} s from the cancel, more than {limit} s")
        verdict.record(world, run)
        return verdict

    def _check_killed(self, world: World, verdict: Verdict, code: int) -> None:
        if code == 0:
            return
        # What the killed process had sent may still be on its way.
        time.sleep(0.5)
        promise.settle(world)
        verdict.broken += promise.tags_missing(world)
        world.mend()
        stopped = world.step.run("stop")
        verdict.story = stopped.log
        if stopped.code != 0:
            verdict.wrong_code.append(f"stop ended with {stopped.code}")
        verdict.broken += [f"after stop, {one} lives" for one in world.living()]
        verdict.broken += [f"after stop, the record {one} stays" for one in world.records()]

    def _signal(self, moment: threading.Event) -> Fault:
        """The signal comes as the call arrives, or as its answer leaves."""

        def fault(request: Request, serve: Handler) -> Outcome:
            if self.at.answered:
                outcome = serve(request)
                moment.set()
                return outcome
            moment.set()
            time.sleep(0.01)
            return serve(request)

        return fault


def cancel(running: Running) -> None:
    """The whole sequence, as far as it is needed."""
    steps: tuple[tuple[Callable[[], None], float], ...] = (
        (running.interrupt, UNTIL_SIGTERM),
        (running.terminate, UNTIL_SIGKILL),
        (running.kill, 5),
    )
    for send, patience in steps:
        with contextlib.suppress(ProcessLookupError):
            send()
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.process.wait(patience)
            return


def cancels(seed: int) -> Iterator[Cancel]:
    number = 0
    for day, operations in BOUNDARIES.items():
        for operation in operations:
            for nth in (1, 2, 13) if day.startswith("crowd") else (1, 2):
                for answered in (False, True):
                    for latency in (0, 0.2, 0.6):
                        yield Cancel(number, day, At(operation, nth, answered), latency)
                        number += 1
    choose = random.Random(seed)
    days = list(BOUNDARIES)
    for _ in range(600):
        latency = choose.choice((0, 0.05, 0.2, 0.2, 0.6))
        after = choose.uniform(0.02, 1.2 + 6 * latency)
        yield Cancel(number, choose.choice(days), At(None, after=after), latency)
        number += 1
    passing = [kind for kind in (*EC2_KINDS, *BROKEN_CONNECTIONS) if kind.nature is Nature.PASSING]
    of_github = [kind for kind in GITHUB_KINDS if kind.nature is Nature.PASSING]
    for _ in range(250):
        operation = choose.choice(
            ("RunInstances", "generate-jitconfig", "TerminateInstances", "delete-runner", "DescribeInstances")
        )
        kind = choose.choice(passing if operation[0].isupper() else of_github)
        latency = choose.choice((0, 0.05, 0.2))
        at = At(None, after=choose.uniform(0.02, 1.5))
        yield Cancel(number, choose.choice(days), at, latency, fault=(operation, kind))
        number += 1


def kills(seed: int) -> Iterator[Cancel]:
    choose = random.Random(seed + 1)
    days = list(BOUNDARIES)
    number = 0
    for day, operations in BOUNDARIES.items():
        for operation in operations:
            for answered in (False, True):
                yield Cancel(number, day, At(operation, 1, answered), 0.05, kill=True)
                number += 1
    for _ in range(150):
        latency = choose.choice((0, 0.05, 0.2))
        after = choose.uniform(0.02, 1.0 + 6 * latency)
        yield Cancel(number, choose.choice(days), At(None, after=after), latency, kill=True)
        number += 1
