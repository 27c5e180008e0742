"""The portable program on Node.js: what a start uses, and what a minute's wait adds to it."""

from __future__ import annotations

import statistics
import time

from bench import yardstick
from bench.latency import used
from bench.table import Row, at_most
from bench.world import ANYTHING, LAUNCH, World
from standins import builds
from standins.cloud import Behaves, simulated

NODES = ("20", "24")
MEGABYTES = 100
START = 12
"""As a multiple of the CPU time that the same Node takes to do nothing."""
WAIT = 2.5
"""As a multiple of what the same Node takes to make as many requests as slowly."""
RUNS = 5
"""Of starts; the one in the middle counts."""
WAITS = 3
"""One after another: what wakes up beside others finds a colder processor."""
SETTLED = 2.0
"""Seconds after which a start does nothing but wait."""


def cost(world: World) -> list[Row]:
    """CPU and memory of the portable program"""
    rows = []
    for version in NODES:
        node, program = builds.portable(version)
        name = f"portable, Node {version}"
        try:
            empty = statistics.median(yardstick.empty_node(node)[0] for _ in range(5))
        except OSError:
            rows.append(Row(name, "", "not measured: `.ci/setup builds` fetches this Node", None))
            continue
        of = "a Node that does nothing"
        start = statistics.median(once(world, [node, program]) for _ in range(RUNS))
        seconds = 5 if world.quick else 20
        waits = [waiting(world, [node, program], seconds) for _ in range(WAITS)]
        waited, requests, megabytes = (statistics.median(values) for values in zip(*waits, strict=True))
        with yardstick.bare() as bare:
            least = bare.by_node(node, pause=seconds / requests)
        minute = waited * 60 / seconds
        rows += [
            at_most(START, of, start, empty, what=f"{name}: CPU of a start", result=f"{start:.2f} s"),
            at_most(
                WAIT,
                "that Node's own client",
                minute,
                least,
                what=f"  CPU of a minute's wait, {requests * 60 / seconds:.0f} requests",
                result=f"{minute:.3f} s",
            ),
            Row("  peak memory", f"≤ {MEGABYTES} MB", f"{megabytes:.0f} MB", megabytes <= MEGABYTES),
            Row("  a Node that does nothing", "", f"{empty:.3f} s", None),
        ]
    return rows


def once(world: World, command: list[str]) -> float:
    """CPU seconds of a start."""
    with world.set(simulated(Behaves(online_after=0.05)), ANYTHING) as ready:
        ready.step.command = command
        return used(ready.step.begin("start", **LAUNCH).process)[0]


def waiting(world: World, command: list[str], seconds: float) -> tuple[float, int, float]:
    """CPU seconds that a start takes to wait so long, its requests meanwhile, and its peak memory in MB."""
    with world.set(simulated(Behaves(online_after=SETTLED + seconds + 1)), ANYTHING) as ready:
        ready.step.command = command
        process = ready.step.begin("start", **LAUNCH).process

        def so_far() -> tuple[float, int]:
            return yardstick.cpu_seconds(process.pid), len(ready.github.gate.exchanges) + len(ready.ec2.gate.exchanges)

        time.sleep(SETTLED)
        seconds_before, requests_before = so_far()
        time.sleep(seconds)
        seconds_after, requests_after = so_far()
        return seconds_after - seconds_before, requests_after - requests_before, used(process)[1]
