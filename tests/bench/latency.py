"""How long one start takes of its own, and what it uses while it waits: ours, and peers beside it."""

from __future__ import annotations

import os
import random
import re
import statistics
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import yardstick
from bench.peers import MACHULAV, node, peers
from bench.table import Row, at_most, spread
from bench.world import ANYTHING, LAUNCH, Set, World
from standins.cloud import Behaves, simulated

SEED = 20261123
LOOK = 1.0
"""Seconds between two looks at the runner. Who looks that often learns of it half of that later, on average."""


def to_run_instances(world: World) -> list[Row]:
    """process start → RunInstances arrives, beside peers"""
    present, absent = peers()
    ours: list[float] = []
    empty: list[float] = []
    theirs: dict[str, list[float]] = {peer.name: [] for peer in present}
    with world.set(simulated(Behaves(online_after=0.05)), ANYTHING) as ready, yardstick.bare() as bare:
        for number in range(world.times(30)):
            run = ready.step.run("start", **LAUNCH)
            assert run.code == 0, run.log
            ours.append((ready.ec2.gate.calls("RunInstances")[-1].request.arrived - run.began) * 1000)
            empty.append((yardstick.empty_process() + bare.calls(2, each_connects=True)[0]) * 1000)
            if number % 3 == 0:
                for peer in present:
                    theirs[peer.name].append(peer.to_run_instances(ready) * 1000)
    reached = statistics.median(ours)
    rows = [
        at_most(
            6,
            "an empty process and two bare calls",
            reached,
            statistics.median(empty),
            what="process start → RunInstances arrives (explicit AMI)",
            result=spread(ours, "ms", 1),
        ),
        Row("  an empty process and two calls by Python's client", "", spread(empty, "ms", 1), None),
    ]
    for name, times in theirs.items():
        factor = statistics.median(times) / reached
        is_held = name.startswith("awscli")
        rows.append(
            Row(
                f"  {name}",
                "≥ 8 times as long" if is_held else "",
                f"{spread(times, 'ms', 0)}: {factor:.1f} times as long",
                factor >= 8 if is_held else None,
            )
        )
    return rows + [Row(f"  not measured: {why}", "", "", None) for why in absent]


def online_to_exit(world: World) -> list[Row]:
    """runner online → start exits, at random instants"""
    waits = waited(world, world.times(40), lambda ready: ready.step.begin("start", **LAUNCH).process)
    mean, longest = statistics.mean(waits), max(waits)
    of = "what a look each second takes"
    rows = [
        at_most(
            1.4,
            f"{of} ({LOOK / 2} s)",
            mean,
            LOOK / 2,
            what="runner online → exit, on average",
            result=f"{mean:.2f} s ({len(waits)} runs)",
        ),
        at_most(
            1.5,
            f"{of} ({LOOK:g} s)",
            longest,
            LOOK,
            what="runner online → exit, at most",
            result=f"{longest:.2f} s",
        ),
    ]
    # How long an action in JavaScript waits is its author's choice, so that only a real one tells anything.
    for peer in (peer for peer in peers()[0] if peer.name == MACHULAV):
        theirs = waited(world, world.times(10), peer.begun)
        rows.append(Row(f"  {peer.name}", "", f"{spread(theirs, 's', 1)}", None))
    return rows


def waited(world: World, times: int, begin: Callable[[Set], subprocess.Popen[bytes]]) -> list[float]:
    """Seconds from the runner's being online to the end of the process, which must succeed."""
    chance = random.Random(SEED)

    def once(online_after: float) -> float:
        with world.set(simulated(Behaves(online_after=online_after)), ANYTHING) as ready:
            process = begin(ready)
            assert process.wait(120) == 0, ready.step.folder
            ended = time.monotonic()
            [record] = ready.github.records()
            assert record.online_at is not None
            return ended - record.online_at

    # They sleep for most of their time, so a few at once do not disturb one another.
    with ThreadPoolExecutor(10) as pool:
        return list(pool.map(once, [chance.uniform(0.5, 20) for _ in range(times)]))


def cost_of_waiting(world: World) -> list[Row]:
    """CPU and memory of a start that waits 30 s"""
    waits = 3 if world.quick else 30
    with world.set(simulated(Behaves(online_after=waits)), ANYTHING) as ready:
        cpu, megabytes = used(ready.step.begin("start", **LAUNCH).process)
        calls = len(ready.github.gate.exchanges) + len(ready.ec2.gate.exchanges)
    empty = yardstick.median(lambda: yardstick.empty_node(node())[0], 5)
    rows = [
        at_most(
            1,
            "a Node that does nothing",
            cpu,
            empty,
            what=f"CPU of a start that waits {waits} s",
            result=f"{cpu:.3f} s ({calls} requests)",
        ),
        Row("  a Node that does nothing", "", f"{empty:.3f} s", None),
        Row("its peak memory", "≤ 12 MB", f"{megabytes:.1f} MB", megabytes <= 12),
    ]
    for peer in (peer for peer in peers()[0] if peer.script):
        with world.set(simulated(Behaves(online_after=waits)), ANYTHING) as ready:
            cpu, megabytes = used(peer.begun(ready))
        rows.append(Row(f"  {peer.name}", "", f"{cpu:.2f} s, {megabytes:.0f} MB", None))
    return rows


def used(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of a process that succeeds."""
    peak = 0
    while True:
        peak = max(peak, peak_memory(process.pid))
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime, peak / 1000


def peak_memory(pid: int) -> int:
    """The kernel's high-water mark in kB. (`wait4` tells that of the parent that forked, where it was higher.)"""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0
