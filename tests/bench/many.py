"""Many at once, the round trips before the launch, and what a workflow downloads."""

from __future__ import annotations

import gzip
import os
import subprocess
import time

from bench.measures import peak_memory
from bench.table import Row
from bench.world import LAUNCH, World
from standins.cloud import Behaves, simulated
from standins.crowd import Crowd
from standins.gate import delayed
from standins.images import ImageIndex
from standins.program import ROOT, Program
from standins.rounds import rounds_before_launch
from standins.throttle import Bucket, Points

# How many times faster EC2's seconds and GitHub's minutes pass. With 1, a thousand take more than eight minutes.
CLOCK = float(os.environ.get("SPRINTERS_BENCH_CLOCK", "20"))


def round_trips(world: World) -> list[Row]:
    """round trips before RunInstances"""
    on_demand = rounds(world, **LAUNCH)
    spot = rounds(world, **{**LAUNCH, "image": "ubuntu-24.04", "spot": "true"})
    return [
        Row("round trips in sequence before RunInstances, on-demand", "1", str(on_demand), on_demand == 1),
        Row("  spot with zone choice and image name", "2", str(spot), spot == 2),
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
    with world.crowd(0.05) as (crowd, _github, step):
        seconds, megabytes = launched(crowd, step, 100)
    return [
        Row("100 runners, 50 ms latency, to the last RunInstances", "≤ 1.5 s", f"{seconds:.2f} s", seconds <= 1.5),
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
    bound = bucket.bound(count)
    return [
        Row(
            f"{count:,} runners under EC2's and GitHub's throttles, {CLOCK:g} times faster",
            f"≤ {bound * 1.1:.1f} s",
            f"{seconds:.1f} s, bound {bound:.1f} s; throttled {refused} times, by GitHub {points.refused}",
            seconds <= bound * 1.1,
        ),
        Row("  peak memory", "≤ 80 MB", f"{megabytes:.1f} MB", megabytes <= 80),
    ]


def download(_world: World) -> list[Row]:
    """what GitHub downloads for `uses:`"""
    command = ["git", "archive", "--worktree-attributes", "--format=tar", "HEAD"]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    megabytes = len(gzip.compress(archive)) / 1e6
    return [Row("what GitHub downloads for `uses:`", "≤ 5 MB", f"{megabytes:.2f} MB", megabytes <= 5)]
