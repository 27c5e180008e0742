"""The portable program on Node.js: what a start uses, and what a minute's wait adds to it."""

from __future__ import annotations

import statistics

from bench import yardstick
from bench.latency import used
from bench.table import Row, at_most
from bench.world import ANYTHING, LAUNCH, World
from standins import builds
from standins.cloud import Behaves, simulated

NODES = ("20", "24")
MEGABYTES = 100
START, MINUTE = 12, 2.5
"""As multiples of the CPU time that the same Node takes to do nothing."""
STARTS = 5
"""Of which the one in the middle counts: what two starts differ by would be taken for what a wait costs."""


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
        start = statistics.median(once(world, [node, program], 0.05)[0] for _ in range(STARTS))
        seconds = 15 if world.quick else 60
        waited, megabytes = once(world, [node, program], seconds)
        minute = (waited - start) * 60 / seconds
        rows += [
            at_most(START, of, start, empty, what=f"{name}: CPU of a start", result=f"{start:.2f} s"),
            at_most(MINUTE, of, minute, empty, what="  a minute's wait adds", result=f"{minute:.3f} s"),
            Row("  peak memory", f"≤ {MEGABYTES} MB", f"{megabytes:.0f} MB", megabytes <= MEGABYTES),
            Row("  a Node that does nothing", "", f"{empty:.3f} s", None),
        ]
    return rows


def once(world: World, command: list[str], waits: float) -> tuple[float, float]:
    with world.set(simulated(Behaves(online_after=waits)), ANYTHING) as ready:
        ready.step.command = command
        return used(ready.step.begin("start", **LAUNCH).process)
