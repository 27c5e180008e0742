"""`listen`: from a job to its launch, a thousand jobs at once, and an hour in which nothing happens."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import yardstick
from bench.latency import peak_memory
from bench.many import CLOCK, against_bound
from bench.table import Row, at_most, spread
from bench.world import LAUNCH, World
from standins.crowd import Crowd
from standins.github import GitHub
from standins.program import Program, Running
from standins.throttle import Bucket, Points

POLLS_AN_HOUR = 72
"""GitHub holds a request for a message for 50 s."""
POLLS = 16
QUIET_POLL = 1.1
"""Seconds for which it is held here. What is answered within a second does not count as held."""
HOUR = 3600.0
READY = 60.0


@contextmanager
def listener(crowd: Crowd, github: GitHub, step: Program, most: int, sets: int = 1) -> Iterator[Running]:
    """A listener that holds the sessions of so many sets."""
    workspace = step.folder.parent / "workspace"
    (workspace / ".github").mkdir(parents=True)
    runners = {name(number): {**LAUNCH, "max-runners": most, "idle-timeout": "1h"} for number in range(sets)}
    (workspace / ".github" / "sprinters.yml").write_text(json.dumps({"runners": runners}))
    step.environment["GITHUB_WORKSPACE"] = str(workspace)
    github.scale_sets.assigns_directly = True
    running = step.begin("listen")
    try:
        github.gate.wait_for("next-message", nth=sets, timeout=READY)
        crowd.gate.wait_for("DescribeInstances", nth=sets, timeout=READY)
        yield running
    finally:
        running.terminate()
        run = running.wait(60)
        assert run.code == 0, run.log[-2000:]


def name(number: int) -> str:
    return f"linux-x64-{number}"


def message_to_launch(world: World) -> list[Row]:
    """a job is queued → RunInstances arrives, each call 50 ms away"""
    waits: list[float] = []
    latency = 0.05
    with (
        world.crowd(latency, job_takes=0.0) as (crowd, github, step),
        listener(crowd, github, step, most=100),
    ):
        for number in range(world.times(30)):
            time.sleep(0.5)
            queued = time.monotonic()
            job = github.queue_job(name(0), repository=step.environment["GITHUB_REPOSITORY"])
            github.runners.wait(lambda job=job: job.is_over, READY, "the job's end")
            waits.append((launched(crowd, number) - queued) * 1000)
    return [
        at_most(
            4,
            "one call's latency",
            max(waits[1:]),
            latency * 1000,
            what="a job is queued → RunInstances arrives, 50 ms a call, at most",
            result=spread(waits[1:], "ms", 0),
        ),
        Row("  the first one, which looks the runner's version up", "", f"{waits[0]:.0f} ms", None),
    ]


def launched(crowd: Crowd, number: int) -> float:
    """When the request for that launch arrived; it is known once it has been answered."""
    crowd.gate.wait_until(lambda: len(crowd.gate.calls("RunInstances")) > number, READY)
    return crowd.gate.calls("RunInstances")[number].request.arrived


def thousand_jobs(world: World) -> list[Row]:
    """1,000 jobs at once under the documented throttles"""
    count = 100 if world.quick else 1_000
    with world.crowd(0.02) as (crowd, github, step):
        github.gate.mend()
        with listener(crowd, github, step, most=count) as running:
            bucket, points = Bucket(5, 2 * CLOCK), Points(60 / CLOCK)
            bucket.before(crowd.gate, "RunInstances")
            points.before(github.gate)
            began = time.monotonic()
            for _ in range(count):
                github.queue_job(name(0), repository=step.environment["GITHUB_REPOSITORY"])
            peak = 0
            while len(crowd.living) < count:
                assert time.monotonic() < began + 10 * bucket.bound(count) + READY
                peak = max(peak, peak_memory(running.process.pid))
                time.sleep(0.05)
            granted = [one.request.arrived for one in crowd.gate.calls("RunInstances") if not one.spoilt]
            peak = max(peak, peak_memory(running.process.pid))
        assert crowd.most_living == count
    times = f"{CLOCK:g} times faster" if CLOCK != 1 else "in real time"
    what = f"{count:,} jobs at once, EC2's and GitHub's throttles {times}"
    return [
        against_bound(what, max(granted) - began, bucket.bound(count)),
        Row("  peak memory", "≤ 50 MB", f"{peak / 1000:.1f} MB", peak <= 50_000),
    ]


def quiet_hour(world: World) -> list[Row]:
    """a quiet hour of a listener with one set, and with twenty"""
    rows = []
    with yardstick.bare() as bare:
        calls = 500
        each = yardstick.median(lambda: bare.calls(calls)[1], 3) / calls
    for sets, most, factor in ((20, 15, 3), (1, 8, 8)):
        cpu, megabytes = idle(world, sets)
        what = "one set" if sets == 1 else f"{sets} sets"
        rows += [
            at_most(
                factor,
                "as many bare calls",
                cpu,
                each * POLLS_AN_HOUR * sets,
                what=f"CPU of a listener in a quiet hour, {what}",
                result=f"{cpu:.2f} s",
            ),
            Row("  memory", f"≤ {most} MB", f"{megabytes:.1f} MB", megabytes <= most),
        ]
    return rows


def idle(world: World, sets: int) -> tuple[float, float]:
    """CPU seconds of an hour's polls, and the resident memory in MB after them."""
    polls = world.times(POLLS)
    with world.crowd(0) as (crowd, github, step):
        github.gate.mend()
        github.scale_sets.pace.hold = QUIET_POLL
        with listener(crowd, github, step, most=5, sets=sets) as running:
            pid = running.process.pid
            asked, before = len(github.gate.calls("next-message")), cpu_seconds(pid)
            wanted = asked + polls * sets
            github.gate.wait_for("next-message", nth=wanted, timeout=polls * QUIET_POLL * 4 + READY)
            used = cpu_seconds(pid) - before
            megabytes = resident(pid) / 1000
    return used * POLLS_AN_HOUR / polls, megabytes


def cpu_seconds(pid: int) -> float:
    """Of all threads, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def resident(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0
