"""What lists, tags and refusals prove: one of many that cannot be ended, pages that shift, numbers of others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from faults import promise
from faults.case import Verdict
from faults.kinds import ec2_answer
from faults.races import LONG_AGO, PATIENCE, Race, after_serving, just_now, launched, nothing_left
from faults.world import World
from standins.ec2.policy import listed
from standins.ec2.xml import error_xml
from standins.gate import Fault
from standins.github.rest import scope_of
from standins.program import Run
from standins.server import Handler, Outcome, Request, Response

Story = Callable[[World, Verdict], list[Run]]

REFUSALS = (
    ("OperationNotPermitted", 400, ("OperationNotPermitted",)),
    ("UnauthorizedOperation", 403, ("AWS refused `ec2:TerminateInstances`",)),
    ("IncorrectInstanceState", 400, ("IncorrectInstanceState",)),
)
UNKNOWN_FOR = 1.5
OTHERS = 100
"""Runners of others: a whole page of GitHub's list."""


class Victim:
    """The one instance of several that EC2 does not end; where it is asked to, it ends none of them."""

    def __init__(self, refusal: Callable[[str], Response], until: float = float("inf")) -> None:
        self._refusal = refusal
        self._until = until
        self.id: str | None = None

    def fault(self, request: Request, serve: Handler) -> Outcome:
        ids = listed(request.form, "InstanceId")
        self.id = self.id or ids[-1]
        if self.id in ids and time.monotonic() < self._until:
            return self._refusal(self.id)
        return serve(request)


def one_refused(mode: str, code: str, status: int, words: tuple[str, ...]) -> Story:
    """All the others end, the one is named with what refused it, and the next `stop` or `sweep` ends it."""

    def act(world: World, verdict: Verdict) -> list[Run]:
        victim = Victim(lambda _id: ec2_answer(code, status))
        runs = [] if mode == "start" else [launched(world)]
        expire(world, mode)
        world.ec2.gate.fail("TerminateInstances", victim.fault, times=None)
        run = world.step.run(mode, PATIENCE + 5, **(world.day.inputs if mode == "start" else {}))
        if run.code != 1:
            verdict.wrong_code.append(f"{mode} ended with {run.code}, not 1")
        # Without its record it may have powered itself off meanwhile.
        if others := set(world.living()) - {victim.id}:
            verdict.broken.append(f"after {mode}, {others} live, and only {victim.id} was refused")
        if not any(str(victim.id) in line for line in run.annotations):
            verdict.broken.append(f"{victim.id} is left, and the message does not say so")
        verdict.must_name(run, *words)
        world.mend()
        again = world.step.run("stop")
        nothing_left(world, verdict, "a stop later")
        return [*runs, run, again]

    return act


def one_unknown(mode: str) -> Story:
    """For a moment EC2 does not know one of them, and names it."""

    def act(world: World, verdict: Verdict) -> list[Run]:
        started = launched(world)
        expire(world, mode)
        victim = Victim(unknown, time.monotonic() + UNKNOWN_FOR)
        world.ec2.gate.fail("TerminateInstances", victim.fault, times=None)
        run = world.step.run(mode, PATIENCE + 5)
        if run.code != 0:
            verdict.wrong_code.append(f"{mode} ended with {run.code}, not 0")
        verdict.broken += [f"after {mode}, {one} lives" for one in world.living()]
        return [started, run]

    return act


def unknown(instance: str) -> Response:
    body = error_xml("InvalidInstanceID.NotFound", f"The instance ID '{instance}' does not exist")
    return Response(400, {"Content-Type": "text/xml;charset=UTF-8"}, body.encode())


def expire(world: World, mode: str, when: str = LONG_AGO) -> None:
    if mode == "sweep":
        for instance in world.ec2.living():
            world.ec2.tag(instance.id, "sprinters:expires", when)


def tagged_with_a_stranger(mode: str) -> Story:
    """Anybody who may tag instances can write any runner's number on one: no record goes for that."""

    def act(world: World, verdict: Verdict) -> list[Run]:
        stranger = world.github.runners.register(scope_of("octo/app"), "somebody", ["theirs"], 1)
        assert stranger
        world.github.runners.connect(stranger)
        started = launched(world)
        world.ec2.tag(started.outputs["instance-id"], "sprinters:runner-id", str(stranger.id))
        expire(world, mode)
        run = world.step.run(mode)
        if run.code:
            verdict.wrong_code.append(f"{mode} ended with {run.code}")
        if stranger.id not in world.records():
            verdict.broken.append("the record of a stranger is gone")
        verdict.broken += [f"after {mode}, {one} lives" for one in world.living()]
        return [started, run]

    return act


def among_others(world: World, names: str = "other") -> list[int]:
    """A page of runners that are not ours stands before ours."""
    registered = [
        world.github.runners.register(scope_of("octo/app"), f"{names}-{number}", ["theirs"], 1)
        for number in range(OTHERS)
    ]
    return [one.id for one in registered if one]


def page_shifts(world: World) -> Fault:
    """A runner of page 1 is gone before page 2 is read, and so whoever stood first on page 2 is on neither."""
    return after_serving(lambda: world.github.runners.remove(world.github.records()[0]))


def stop_while_pages_shift(world: World, verdict: Verdict) -> list[Run]:
    others = among_others(world)
    started = launched(world)
    world.github.gate.fail("list-runners", page_shifts(world))
    run = world.step.run("stop")
    if run.code:
        verdict.wrong_code.append(f"stop ended with {run.code}")
    verdict.broken += [f"after stop, {one} lives" for one in world.living()]
    if (records := world.records()) != others[1:]:
        verdict.broken.append(f"after stop, the records are {records}, the others' are {others[1:]}")
    return [started, run]


def sweep_while_pages_shift(world: World, verdict: Verdict) -> list[Run]:
    """The runner that is on no page runs a job."""
    among_others(world)
    started = launched(world)
    busy = world.github.queue_job(started.outputs["label"])
    until = time.monotonic() + 5
    while busy.status == "queued" and time.monotonic() < until:
        time.sleep(0.02)
    expire(world, "sweep", just_now())
    world.github.gate.fail("list-runners", page_shifts(world))
    run = world.step.run("sweep")
    if run.code:
        verdict.wrong_code.append(f"sweep ended with {run.code}")
    if not world.living():
        verdict.broken.append("sweep ended an instance whose runner runs a job")
    return [started, run]


def sweep_is_told_404(world: World, verdict: Verdict) -> list[Run]:
    """The runner gets a job as sweep deletes its record, and an answer says that there is none."""
    started = launched(world)
    expire(world, "sweep", just_now())

    def fault(_request: Request, _serve: Handler) -> Outcome:
        job = world.github.queue_job(started.outputs["label"])
        until = time.monotonic() + 5
        while job.status == "queued" and time.monotonic() < until:
            time.sleep(0.02)
        return Response.of_json(404, {"message": "Not Found"})

    world.github.gate.fail("delete-runner", fault)
    run = world.step.run("sweep")
    if run.code:
        verdict.wrong_code.append(f"sweep ended with {run.code}")
    if not world.living():
        verdict.broken.append("sweep ended an instance whose runner had got a job")
    return [started, run]


def stop_after_kill(unknown: float = 0, untagged: float = 0) -> Story:
    """`start` is killed as its launch is answered, and EC2 shows the instance, or its tags, only later."""

    def act(world: World, verdict: Verdict) -> list[Run]:
        world.ec2.behaviour.unknown, world.ec2.behaviour.untagged = unknown, untagged
        starting = world.step.begin("start", **world.day.inputs)
        world.ec2.gate.wait_until(lambda: bool(world.ec2.gate.calls("RunInstances")), 20)
        starting.kill()
        killed = starting.wait()
        stopped = world.step.run("stop")
        if stopped.code:
            verdict.wrong_code.append(f"stop ended with {stopped.code}")
        nothing_left(world, verdict, "stop")
        return [killed, stopped]

    return act


def lost_and_late(seconds: float) -> Story:
    """No answer comes to the launch, and EC2 shows the instance only later."""

    def act(world: World, verdict: Verdict) -> list[Run]:
        world.ec2.behaviour.unknown = seconds

        def lost(request: Request, serve: Handler) -> Outcome:
            serve(request)
            return Response(502, {"Content-Type": "text/html"}, b"<html>")

        world.ec2.gate.fail("RunInstances", lost, times=None)
        run = world.step.run("start", **world.day.inputs)
        if run.code != 1:
            verdict.wrong_code.append(f"exit {run.code}, not 1")
        nothing_left(world, verdict, "start")
        return [run]

    return act


def unseen_records(world: World, verdict: Verdict) -> list[Run]:
    """For some seconds GitHub neither gets nor lists the records that it has just made: nobody has deleted them."""
    world.github.runners.unseen = 4.0
    run = world.step.run("start", **{**world.day.inputs, "start-timeout": "30s"})
    if run.code:
        verdict.wrong_code.append(f"exit {run.code}, not 0")
    verdict.broken += promise.broken(world, run)
    return [run]


def protected(mode: str) -> Story:
    """Somebody has protected one instance of six, and lifts that later."""

    def act(world: World, verdict: Verdict) -> list[Run]:
        started = launched(world)
        one = world.living()[2]
        world.ec2.protect(one)
        expire(world, mode)
        run = world.step.run(mode, PATIENCE + 5)
        if run.code != 1:
            verdict.wrong_code.append(f"{mode} ended with {run.code}, not 1")
        if others := set(world.living()) - {one}:
            verdict.broken.append(f"after {mode}, {others} live, and only {one} is protected")
        verdict.must_name(run, "OperationNotPermitted")
        if not any(one in line for line in run.annotations):
            verdict.broken.append(f"{one} is left, and the message does not say so")
        world.ec2.protect(one, on=False)
        again = world.step.run("stop")
        nothing_left(world, verdict, "a stop later")
        return [started, run, again]

    return act


def strangers() -> Iterator[Race]:
    for mode, day in (("stop", "six"), ("sweep", "six"), ("start", "never-six")):
        for code, status, words in REFUSALS:
            yield Race("one of many", f"refused:{mode}:{code}", day, one_refused(mode, code, status, words))
    for mode in ("stop", "sweep"):
        yield Race("one of many", f"unknown:{mode}", "six", one_unknown(mode))
        yield Race("one of many", f"protected:{mode}", "six", protected(mode))
        yield Race("others' records", f"stranger:{mode}", "plain", tagged_with_a_stranger(mode))
    yield Race("others' records", "pages:stop", "plain", stop_while_pages_shift)
    yield Race("others' records", "pages:sweep", "busy", sweep_while_pages_shift)
    yield Race("others' records", "404:sweep", "busy", sweep_is_told_404)
    for day in ("plain", "six"):
        yield Race("GitHub lags", f"lag:record:{day}", day, unseen_records)
    for seconds in (3.0, 20.0):
        yield Race("EC2 lags", f"lag:unknown:{seconds:.0f}", "plain", stop_after_kill(unknown=seconds))
        yield Race("EC2 lags", f"lag:untagged:{seconds:.0f}", "plain", stop_after_kill(untagged=seconds))
        yield Race("EC2 lags", f"lag:lost:{seconds:.0f}", "plain", lost_and_late(seconds))
