"""Many at once, the round trips before the launch, and what a workflow downloads."""

from __future__ import annotations

import gzip
import os
import subprocess
import time

from bench import yardstick
from bench.latency import peak_memory
from bench.table import Row, at_most
from bench.world import LAUNCH, World
from standins.cloud import Behaves, simulated
from standins.crowd import Crowd
from standins.gate import delayed
from standins.images import ImageIndex
from standins.program import ROOT, Program
from standins.rounds import rounds_before_launch
from standins.throttle import Bucket, Creations, Points

# How many times faster EC2's seconds and GitHub's minutes pass. With 1, a thousand take more than eight minutes.
CLOCK = float(os.environ.get("SPRINTERS_BENCH_CLOCK", "20"))


def round_trips(world: World) -> list[Row]:
    """round trips before RunInstances"""
    on_demand = rounds(world, **LAUNCH)
    spot = rounds(world, **{**LAUNCH, "image": "ubuntu-24.04", "spot": "true"})
    return [
        Row("round trips in sequence before RunInstances, on-demand", "1", str(on_demand), on_demand == 1),
        Row("  spot with zone choice and image name", "1", str(spot), spot == 1),
    ]


def rounds(world: World, **inputs: str) -> int:
    index = ImageIndex()
    with world.set(simulated(Behaves(online_after=0.05))) as ready:
        ready.step.environment["SPRINTERS_IMAGE_INDEX_URL"] = index.url
        gates = [ready.ec2.gate, ready.github.gate, index.gate]
        for gate in gates:
            gate.fail("*", delayed(0.2), times=None)
        run = ready.step.run("start", **inputs)
        assert run.code == 0, run.log
    index.close()
    return len(rounds_before_launch(gates))


def launched(crowd: Crowd, step: Program, count: int) -> tuple[float, float]:
    """Seconds to the last RunInstances that was granted, and the peak memory in MB."""
    running, peak = step.begin("start", **LAUNCH, count=str(count), **{"idle-timeout": "1h"}), 0
    while running.process.poll() is None:
        peak = max(peak, peak_memory(running.process.pid))
        time.sleep(0.01)
    run = running.wait(1)
    assert run.code == 0, run.log[-2000:]
    assert len(crowd.living) == count
    granted = [one.request.arrived for one in crowd.gate.calls("RunInstances") if not one.spoilt]
    return max(granted) - run.began, peak / 1000


def hundred(world: World) -> list[Row]:
    """100 runners in one call, 50 ms away"""
    count, latency = 100, 0.05
    with world.crowd(latency) as (crowd, _github, step):
        seconds, megabytes = launched(crowd, step, count)
    with yardstick.bare() as bare:
        least = 2 * latency + bare.calls(2 * count, each_connects=True)[0]
    return [
        at_most(
            4,
            "two latencies and 200 bare calls",
            seconds,
            least,
            what="100 runners, 50 ms latency, to the last RunInstances",
            result=f"{seconds:.2f} s",
        ),
        Row("  two latencies, and 200 calls by Python's client one by one", "", f"{least:.2f} s", None),
        Row("  peak memory", "≤ 30 MB", f"{megabytes:.1f} MB", megabytes <= 30),
    ]


def thousand(world: World) -> list[Row]:
    """1,000 runners under the documented throttles"""
    count = 100 if world.quick else 1_000
    with world.crowd(0.02) as (crowd, github, step):
        github.gate.mend()
        bucket, points = Bucket(5, 2 * CLOCK), Points(60 / CLOCK)
        bucket.before(crowd.gate, "RunInstances")
        points.before(github.gate)
        seconds, megabytes = launched(crowd, step, count)
        refused = len(crowd.gate.calls("RunInstances")) - count
    times = f"{CLOCK:g} times faster" if CLOCK != 1 else "in real time"
    return [
        against_bound(f"{count:,} runners, EC2's and GitHub's throttles {times}", seconds, bucket.bound(count)),
        Row("  calls that EC2 and GitHub refused meanwhile", "", f"{refused} and {points.refused}", None),
        Row("  peak memory", "≤ 20 MB", f"{megabytes:.1f} MB", megabytes <= 20),
    ]


def new_records(world: World) -> list[Row]:
    """300 runners, where GitHub counts each as new content"""
    count = 100 if world.quick else 300
    # GitHub tells whole seconds to wait, so that a clock which is much faster would make most of it rounding.
    clock = min(CLOCK, 6)
    with world.crowd(0.02) as (crowd, github, step):
        github.gate.mend()
        created = Creations(60 / clock)
        created.before(github.gate)
        seconds, _ = launched(crowd, step, count)
    what = f"{count} runners, GitHub allowing 80 new ones a minute, {clock:g} times faster"
    return [
        against_bound(what, seconds, created.bound(count)),
        Row("  requests that GitHub refused meanwhile", "", str(created.refused), None),
    ]


def against_bound(what: str, seconds: float, bound: float) -> Row:
    """What the throttle alone takes, and how much longer it took."""
    result = f"{seconds:.1f} s; bound {bound:.1f} s, ratio {seconds / bound:.3f}"
    return Row(what, "≤ 1.1 times its bound", result, seconds <= bound * 1.1)


def hour(world: World) -> list[Row]:
    """what 100 starts at once use of one token's hour"""
    count, waits = (10, 3) if world.quick else (100, 30)
    with world.crowd(0.02, online_after=waits) as (_crowd, github, step):
        running = [step.begin("start", **LAUNCH) for _ in range(count)]
        for one in running:
            run = one.wait(300)
            assert run.code == 0, run.log[-2000:]
        asked = len(github.gate.exchanges)
        counted = sum(one.status != 304 for one in github.gate.exchanges)
    return [
        Row(
            f"requests of {count} starts at once, each waiting {waits} s",
            "≤ 5,000 an hour",
            f"{counted:,} that count, of {asked:,} asked (a 304 is free)",
            counted <= 5_000,
        ),
    ]


def download(_world: World) -> list[Row]:
    """what GitHub downloads for `uses:`"""
    command = ["git", "archive", "--worktree-attributes", "--format=tar", "HEAD"]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    megabytes = len(gzip.compress(archive)) / 1e6
    what = "what GitHub downloads for `uses:`, three programs"
    return [Row(what, "≤ 6.5 MB", f"{megabytes:.2f} MB", megabytes <= 6.5)]
