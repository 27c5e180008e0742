"""`listen` on bad days: one call that fails, kills at random moments, two listeners, lies, lost order, no capacity."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from faults import meanings
from faults.case import Verdict
from faults.kinds import EC2_KINDS, GITHUB_KINDS, LAUNCH_KINDS, Kind
from faults.listener import LONG, MOST, PATIENCE, PLAIN, SLOW, Service, day
from faults.world import World
from standins.cloud import Behaves
from standins.gate import Gate, reset
from standins.github import SetJob

LASTING = 4.0
"""Seconds for which a fault lasts that does not pass by itself."""
# Every call that a listener makes, and how it is reached.
GITHUB_CALLS = (
    "get-repository",
    "registration-token",
    "runner-registration",
    "find-scale-set",
    "create-scale-set",
    "open-session",
    "next-message",
    "delete-message",
    "acquire-jobs",
    "refresh-session",
    "generate-set-jitconfig",
    "list-downloads",
    "list-runners",
    "get-runner",
    "delete-runner",
    "close-session",
)
EC2_CALLS = {"RunInstances": (*EC2_KINDS, *LAUNCH_KINDS), "DescribeInstances": EC2_KINDS}
Act = Callable[[World, Verdict], Service]


@dataclass(frozen=True)
class Tale:
    family: str
    name: str
    day: str
    act: Act = field(compare=False)

    def play(self, world: World) -> Verdict:
        verdict = Verdict(self.name, self.family, 0, 0)
        began = time.monotonic()
        service = self.act(world, verdict)
        verdict.seconds = time.monotonic() - began
        verdict.record(world, *service.runs)
        return verdict


def under(operation: str, kind: Kind, nth: int, lasts: bool) -> Act:
    def act(world: World, verdict: Verdict) -> Service:
        service = Service(world, verdict)
        gate = world.gate(operation)
        rule = gate.fail(operation, kind.fault, nth=nth, times=None if lasts else 1)
        if lasts:
            later(LASTING, lambda: gate.mend(rule))
        service.start()
        if operation == "refresh-session":
            later(0.7, world.github.scale_sets.expire_queue_tokens)
        service.push(2)
        time.sleep(1)
        service.push(1)
        service.settle(PATIENCE + (75 if kind.waits else 0))
        return service

    return act


def later(seconds: float, action: Callable[[], object]) -> None:
    thread = threading.Timer(seconds, action)
    thread.daemon = True
    thread.start()


def killed(choose: random.Random, kills: int, directly: bool) -> Act:
    pauses = [choose.uniform(0, 2.5) for _ in range(kills)]
    latency = choose.choice((0.0, 0.05, 0.15))

    def act(world: World, verdict: Verdict) -> Service:
        world.slow(latency)
        world.github.scale_sets.assigns_directly = directly
        service = Service(world, verdict)
        service.start()
        service.push(2)
        for pause in pauses:
            time.sleep(pause)
            service.kill()
        service.push(2)
        service.settle()
        # A launch whose answer nobody heard may come too late to be seen by who comes after.
        service.launched_at_most(4 + kills)
        return service

    return act


def two(after: float, by_kill: bool) -> Act:
    """The second takes over when the first is gone."""

    def act(world: World, verdict: Verdict) -> Service:
        service = Service(world, verdict)
        first = service.start()
        service.listening()
        service.start()
        service.push(2)
        time.sleep(after)
        if by_kill:
            first.kill()
        else:
            world.github.scale_sets.expire_session("linux-x64")
        service.push(2)
        service.settle()
        service.launched_at_most(5)
        return service

    return act


def expiring(what: str, moments: list[float], directly: bool) -> Act:
    """Sessions and tokens end at these moments, while jobs come and go."""

    def act(world: World, verdict: Verdict) -> Service:
        sets = world.github.scale_sets
        sets.assigns_directly = directly
        service = Service(world, verdict)
        service.start()
        service.listening()
        spoil = {
            "session": lambda: sets.expire_session("linux-x64"),
            "queue-token": sets.expire_queue_tokens,
            "admin-token": sets.expire_admin_tokens,
            "set": lambda: sets.delete("linux-x64") if sets.all() else None,
        }[what]
        for moment in moments:
            service.push()
            time.sleep(moment)
            spoil()
        service.settle()
        return service

    return act


def lying(lie: int | None, by: int, lasts: float, directly: bool) -> Act:
    def act(world: World, verdict: Verdict) -> Service:
        world.github.scale_sets.assigns_directly = directly
        service = Service(world, verdict)
        service.start()
        service.listening()
        if lie is not None:
            service.set.lies["totalAssignedJobs"] = lie
        service.set.lies_by["totalAssignedJobs"] = by
        service.push(4)
        time.sleep(lasts)
        service.push(1)
        service._wait(lambda: all(job.is_over for job in service.jobs), PATIENCE)
        launched = len(world.ec2.instances())
        time.sleep(lasts)
        more = len(world.ec2.instances()) - launched
        if more > MOST * (1 + lasts / 3):
            verdict.broken.append(f"{more} more were launched for jobs that there are not")
        service.set.lies.clear()
        service.set.lies_by.clear()
        service.set.announce()
        service.settle()
        return service

    return act


def out_of_order(twice: bool, shuffled: bool, jobs: int, directly: bool) -> Act:
    def act(world: World, verdict: Verdict) -> Service:
        world.github.scale_sets.assigns_directly = directly
        service = Service(world, verdict)
        service.start()
        service.listening()
        service.set.delivers_twice, service.set.out_of_order = twice, shuffled
        service.push(jobs)
        time.sleep(1)
        service.push(1)
        service.settle()
        service.launched_at_most(jobs + 1 + MOST)
        return service

    return act


def without(gates: Callable[[World], list[Gate]], lasts: float, before: float) -> Act:
    """The network is gone for a while."""

    def act(world: World, verdict: Verdict) -> Service:
        service = Service(world, verdict)
        service.start()
        service.listening()
        service.push(2)
        time.sleep(before)
        broken = [(gate, gate.fail("*", reset, times=None, when=is_listener_s)) for gate in gates(world)]
        service.push(1)
        time.sleep(lasts)
        for gate, rule in broken:
            gate.mend(rule)
        service.settle()
        return service

    return act


def is_listener_s(request: object) -> bool:
    """Runners have a network of their own."""
    return not getattr(request, "path", "").startswith("/_runner/")


def full(kind: Kind, lasts: float) -> Act:
    def act(world: World, verdict: Verdict) -> Service:
        rule = world.ec2.gate.fail("RunInstances", kind.fault, times=None)
        service = Service(world, verdict, {"instance-type": ["m7i.large", "m7a.large"], "spot": "auto"})
        service.start()
        service.push(2)
        time.sleep(lasts)
        if world.ec2.instances():
            verdict.broken.append("there was an instance where there was no room")
        world.ec2.gate.mend(rule)
        service.settle(PATIENCE + 2 * lasts)
        return service

    return act


def dying(jobs: int) -> Act:
    def act(world: World, verdict: Verdict) -> Service:
        service = Service(world, verdict, {"spot": "auto"})
        service.start()
        service.push(jobs)
        service.settle(PATIENCE + 30)
        return service

    return act


def cancelled(after: float, others: int) -> Act:
    """A job is cancelled, be it that it waits, that its instance boots or that it runs."""

    def act(world: World, verdict: Verdict) -> Service:
        service = Service(world, verdict)
        service.start()
        service.listening()
        [first] = service.push()
        service.push(others)
        time.sleep(after)
        service.cancel(first)
        service.push(1)
        service.settle()
        service.launched_at_most(others + 2)
        return service

    return act


def stopped_with_jobs(after: float) -> Act:
    """SIGTERM, and another listener later: what ran goes on, and what waited is served."""

    def act(world: World, verdict: Verdict) -> Service:
        service = Service(world, verdict)
        first = service.start()
        service.listening()
        jobs: list[SetJob] = service.push(2)
        time.sleep(after)
        service.terminate(first)
        service.push(1)
        service.settle()
        service.launched_at_most(len(jobs) + 2)
        return service

    return act


DYING = {
    f"dies:{after}:{reason}": day(
        f"listen-dies:{after}:{reason}",
        Behaves(dies_after=after, state_reason=reason, timers=True),
        Behaves(online_after=0.3, job_takes=0.3, timers=True),
        Behaves(online_after=0.5, job_takes=0.3, timers=True),
    )
    for after in (0.0, 0.5, 1.5)
    for reason in ("Server.SpotInstanceTermination", "Server.InternalError", "Client.InstanceInitiatedShutdown")
} | {
    "never-online": day(
        "listen-never",
        Behaves(online_after=None, timers=True),
        Behaves(online_after=0.3, job_takes=0.3, timers=True),
        start_timeout=6,
    ),
    "dies-online": day(
        "listen-dies-online",
        Behaves(online_after=0.2, dies_online_after=0.4, timers=True),
        Behaves(online_after=0.3, job_takes=0.3, timers=True),
    ),
}


def listens(seed: int) -> Iterator[Tale]:
    yield from _faults()
    yield from _wrong_meanings()
    yield from _random(random.Random(seed + 3))
    yield from _odd_days()


def _day_of(operation: str) -> str:
    """A record has to be deleted where an instance dies before its job."""
    return DYING["dies:0.5:Server.InternalError"] if operation == "delete-runner" else PLAIN


def _faults() -> Iterator[Tale]:
    calls = dict.fromkeys(GITHUB_CALLS, GITHUB_KINDS) | EC2_CALLS
    for operation, kinds in calls.items():
        for kind in kinds:
            for nth, lasts in ((1, False), (2, False), (1, True)):
                name = f"listen:{operation}:{kind}:{nth}:{'lasting' if lasts else 'once'}"
                yield Tale("listen: one fault", name, _day_of(operation), under(operation, kind, nth, lasts))


def _wrong_meanings() -> Iterator[Tale]:
    for operation in (*GITHUB_CALLS, *EC2_CALLS):
        for kind in meanings.of(operation):
            for lasts in (False, True):
                name = f"listen-means:{operation}:{kind}:{'lasting' if lasts else 'once'}"
                yield Tale("listen: wrong meaning", name, _day_of(operation), under(operation, kind, 1, lasts))


def _random(choose: random.Random) -> Iterator[Tale]:
    for number in range(200):
        where, kills, directly = choose.choice((PLAIN, LONG, SLOW)), choose.choice((1, 1, 2, 3)), number % 2 == 0
        yield Tale("listen: killed", f"listen-killed:{number}:{where}", where, killed(choose, kills, directly))
    for number in range(60):
        after, by_kill = choose.uniform(0, 3), number % 3 != 0
        where = choose.choice((PLAIN, LONG, SLOW))
        yield Tale("listen: two", f"listen-two:{number}:{where}:{after:.2f}", where, two(after, by_kill))
    for what in ("session", "queue-token", "admin-token", "set"):
        for number in range(25):
            moments = [choose.uniform(0, 1.2) for _ in range(3)]
            where = choose.choice((PLAIN, LONG, SLOW))
            name = f"listen-expires:{what}:{number}:{where}"
            yield Tale("listen: expiry", name, where, expiring(what, moments, number % 2 == 0))
    for number in range(40):
        after, others = choose.uniform(0, 3), choose.choice((0, 1, 3))
        name = f"listen-cancelled:{number}:{after:.2f}:{others}"
        yield Tale("listen: cancelled", name, choose.choice((SLOW, LONG)), cancelled(after, others))
    for number in range(20):
        after = choose.uniform(0, 3)
        where = choose.choice((PLAIN, LONG, SLOW))
        yield Tale("listen: stopped", f"listen-stopped:{number}:{where}:{after:.2f}", where, stopped_with_jobs(after))


def _odd_days() -> Iterator[Tale]:
    for directly in (True, False):
        how = "assigned" if directly else "acquired"
        for lie, by in ((0, 0), (None, 15), (None, -2), (34, 0)):
            for lasts in (2.0, 6.0):
                name = f"listen-lies:{lie}:{by}:{lasts}:{how}"
                yield Tale("listen: lies", name, PLAIN, lying(lie, by, lasts, directly))
        for twice, shuffled in ((True, False), (False, True), (True, True)):
            for jobs in (1, 3, 7):
                for where in (PLAIN, SLOW):
                    name = f"listen-order:{twice}:{shuffled}:{jobs}:{how}:{where}"
                    yield Tale("listen: order", name, where, out_of_order(twice, shuffled, jobs, directly))
    for what, gates in (
        ("github", lambda world: [world.github.gate]),
        ("ec2", lambda world: [world.ec2.gate]),
        ("all", lambda world: list(world.gates)),
    ):
        for lasts in (2.0, 8.0):
            for before in (0.0, 0.3, 1.0):
                for where in (PLAIN, LONG):
                    name = f"listen-without:{what}:{lasts}:{before}:{where}"
                    yield Tale("listen: no network", name, where, without(gates, lasts, before))
    for kind in LAUNCH_KINDS:
        if kind.nature.name == "FULL":
            for lasts in (3.0, 12.0):
                yield Tale("listen: no capacity", f"listen-full:{kind}:{lasts}", PLAIN, full(kind, lasts))
    for name, where in DYING.items():
        for jobs in (1, 3, 6):
            yield Tale("listen: deaths", f"listen-{name}:{jobs}", where, dying(jobs))
