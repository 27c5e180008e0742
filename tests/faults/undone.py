"""A cancel while a start that failed is being undone: what is left of GitHub's 10 seconds is all that the undo has."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from faults import promise
from faults.cancels import WORDS, cancel
from faults.case import Verdict
from faults.kinds import ec2_answer
from faults.races import Race
from faults.world import World
from standins.gate import Fault, answer, delayed
from standins.program import Run
from standins.server import Handler, Outcome, Request

REFUSED = "InvalidAMIID.NotFound"
FAMILY = "cancelled while undone"
UNTIL_SIGKILL = 9.5
"""Seconds after a cancel in which the undo must be over; GitHub ends what is left after 10."""


def at_the_undo(operation: str, answered: bool, latency: float) -> Race:
    """One launch of the day is refused for good; the signal comes at this call of the undo."""
    day = "plain" if operation == "delete-runner" else "three"

    def act(world: World, verdict: Verdict) -> list[Run]:
        world.slow(latency)
        world.ec2.gate.fail("RunInstances", answer(ec2_answer(REFUSED, 400)), nth=world.day.count)
        moment = threading.Event()

        def signal(request: Request, serve: Handler) -> Outcome:
            outcome = serve(request) if answered else None
            moment.set()
            time.sleep(0.01)
            return outcome or serve(request)

        world.gate(operation).fail(operation, signal)
        return cancelled(world, verdict, moment)

    how = "answered" if answered else "arrived"
    return Race(FAMILY, f"undone:{operation}:{how}:{latency}", day, act)


def slow_launch(fault: Fault, name: str) -> Race:
    """The undo waits for the answer to another launch, as long as nobody cancels it."""

    def act(world: World, verdict: Verdict) -> list[Run]:
        moment = threading.Event()

        def refused(_request: Request, _serve: Handler) -> Outcome:
            threading.Timer(1, moment.set).start()
            return ec2_answer(REFUSED, 400)

        world.ec2.gate.fail("RunInstances", fault)
        world.ec2.gate.fail("RunInstances", refused, nth=2)
        return cancelled(world, verdict, moment)

    return Race(FAMILY, f"undone:RunInstances:{name}", "three", act)


def cancelled(world: World, verdict: Verdict, moment: threading.Event) -> list[Run]:
    starting = world.step.begin("start", **{**world.day.inputs, "start-timeout": "50s"})
    ended = threading.Thread(target=starting.process.wait)
    ended.start()
    while not moment.wait(0.005) and ended.is_alive():
        pass
    began = time.monotonic()
    cancel(starting)
    run = starting.wait()
    if run.code != 1:
        verdict.wrong_code.append(f"exit {run.code}, not 1")
    # Where the launch was still clearing up after the refusal, the cancel came first.
    verdict.must_name(run, REFUSED, *WORDS)
    verdict.broken += promise.broken(world, run)
    verdict.undone_in = run.ended - began
    if verdict.undone_in > UNTIL_SIGKILL:
        verdict.late.append(f"it took {verdict.undone_in:.1f} s from the cancel, more than {UNTIL_SIGKILL} s")
    return [run]


def while_undone() -> Iterator[Race]:
    for operation in ("TerminateInstances", "delete-runner"):
        for answered in (False, True):
            for latency in (0, 0.2, 0.6):
                yield at_the_undo(operation, answered, latency)
    for seconds in (3, 6, 20):
        yield slow_launch(delayed(seconds), f"{seconds}s")
