"""`listen` among others: a runner that GitHub does not know for one answer, and tags that anybody can write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from faults.case import Verdict
from faults.listener import LONG, NAME, PATIENCE, PLAIN, Service
from faults.listens import Act, Tale
from faults.races import LONG_AGO, launched
from faults.world import World
from standins.github import Runner
from standins.github.rest import scope_of
from standins.server import Handler, Outcome, Request, Response

FAMILY = "listen: others' records"


def until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not happen")
        time.sleep(0.02)


def one_that_waits(service: Service) -> None:
    """An instance whose runner is online and has no job; the next listener wants none that waits."""
    service.serve({"min-runners": 1})
    service.start()
    github = service.world.github
    until(lambda: [one.status for one in github.records()] == ["online"], "a runner that waits")
    service.serve({"min-runners": 0})


def told_404(operation: str) -> Act:
    """The runner gets a job as the listener asks for its record, and one answer says that there is none."""

    def act(world: World, verdict: Verdict) -> Service:
        service = Service(world, verdict)
        one_that_waits(service)
        [instance] = world.ec2.living()
        world.ec2.tag(instance.id, "sprinters:expires", LONG_AGO)

        def fault(_request: Request, _serve: Handler) -> Outcome:
            [job] = service.push()
            end = time.monotonic() + 5
            while job.stage != "running" and time.monotonic() < end:
                time.sleep(0.02)
            return Response.of_json(404, {"message": "Not Found"})

        world.gate(operation).fail(operation, fault)
        service.kill()
        until(lambda: bool(service.jobs), "the question")
        service.settle()
        return service

    return act


def stranger(world: World) -> Runner:
    scope = scope_of(world.step.environment["GITHUB_REPOSITORY"])
    runner = world.github.runners.register(scope, "somebody", ["theirs"], 1)
    assert runner
    world.github.runners.connect(runner)
    return runner


def another_s_number(expired: bool) -> Act:
    """On an instance of the set somebody has written the number of a runner that is not ours."""

    def act(world: World, verdict: Verdict) -> Service:
        service = Service(world, verdict)
        one_that_waits(service)
        [instance], [own] = world.ec2.living(), world.github.records()
        theirs = stranger(world)
        world.ec2.tag(instance.id, "sprinters:runner-id", str(theirs.id))
        if expired:
            world.ec2.tag(instance.id, "sprinters:expires", LONG_AGO)
        service.kill()
        service.push(2)
        until(lambda: instance.id not in world.living(), "the instance's end")
        # No instance tells of its record any more.
        world.github.runners.remove(own)
        return stays(service, theirs)

    return act


def another_s_instance(expired: bool) -> Act:
    """An instance that the listener did not launch has the tags of its set, and the number of yet another's runner."""

    def act(world: World, verdict: Verdict) -> Service:
        service = Service(world, verdict)
        theirs = stranger(world)
        started = launched(world)
        [own] = [one for one in world.github.records() if one.id != theirs.id]
        instance = started.outputs["instance-id"]
        world.ec2.tag(instance, "sprinters:scale-set", NAME)
        world.ec2.tag(instance, "sprinters:runner-id", str(theirs.id))
        if expired:
            world.ec2.tag(instance, "sprinters:expires", LONG_AGO)
        service.start()
        service.push(3)
        until(lambda: all(job.is_over for job in service.jobs), "the jobs' end")
        # Its own record has no instance that tells of it any more.
        world.github.runners.remove(own)
        return stays(service, theirs)

    return act


def stays(service: Service, theirs: Runner) -> Service:
    """All jobs are served, and the stranger's record is there as it was."""
    world = service.world
    until(lambda: all(job.is_over for job in service.jobs), "the jobs' end")
    until(lambda: not world.living(), "the instances' end")
    if theirs.id not in world.records():
        service.verdict.broken.append("the record of a stranger is gone")
    if [one for one in world.github.gate.calls("delete-runner") if one.request.path.endswith(f"/{theirs.id}")]:
        service.verdict.broken.append("it asked for the deletion of a stranger's record")
    world.github.runners.remove(theirs)
    service.settle()
    return service


def others() -> Iterator[Tale]:
    yield Tale(FAMILY, "listen-404:delete-runner", LONG, told_404("delete-runner"))
    for expired in (False, True):
        when = "expired" if expired else "young"
        for where in (PLAIN, LONG):
            yield Tale(FAMILY, f"listen-stranger:number:{when}:{where}", where, another_s_number(expired))
            yield Tale(FAMILY, f"listen-stranger:instance:{when}:{where}", where, another_s_instance(expired))
