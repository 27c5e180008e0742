"""What is measured, and how. Each function answers its rows of the table."""

from __future__ import annotations

import os
import random
import re
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.table import Row, spread
from bench.world import LAUNCH, Set, World
from standins import machine
from standins.booted import Booted, booted
from standins.cloud import Behaves, simulated
from standins.machine.runner import tarball

SEED = 20261123


def to_run_instances(world: World) -> list[Row]:
    """process start → RunInstances arrives, beside awscli"""
    ours, theirs = [], []
    with world.set(simulated(Behaves(online_after=0.05))) as ready:
        for number in range(world.times(30)):
            run = ready.step.run("start", **LAUNCH)
            assert run.code == 0, run.log
            ours.append((ready.ec2.gate.calls("RunInstances")[-1].request.arrived - run.began) * 1000)
            if number % 3 == 0:
                theirs.append(awscli(ready) * 1000)
    factor = statistics.median(theirs) / statistics.median(ours)
    return [
        Row(
            "process start → RunInstances arrives (explicit AMI)",
            "≤ 40 ms",
            spread(ours, "ms", 1),
            statistics.median(ours) <= 40,
        ),
        Row("  awscli: `aws ec2 run-instances`, same endpoint", "", spread(theirs, "ms", 0), None),
        Row("  so much sooner than awscli", "≥ 8x", f"{factor:.1f}x", factor >= 8),
    ]


def awscli(ready: Set) -> float:
    """Seconds from the start of `aws ec2 run-instances` until its call arrives."""
    environment = {
        name: value for name, value in ready.step.environment.items() if name in ("PATH", "HOME", "LANG")
    } | ready.ec2.environment
    command = [str(Path(sys.executable).parent / "aws"), "ec2", "run-instances", "--image-id", LAUNCH["image"]]
    command += ["--instance-type", LAUNCH["instance-type"], "--user-data", "#!/bin/sh", "--region", ready.ec2.region]
    began = time.monotonic()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return ready.ec2.gate.calls("RunInstances")[-1].request.arrived - began


def online_to_exit(world: World) -> list[Row]:
    """runner online → start exits, at random instants"""
    chance = random.Random(SEED)
    instants = [chance.uniform(0.5, 20) for _ in range(world.times(40))]

    def once(online_after: float) -> float:
        with world.set(simulated(Behaves(online_after=online_after))) as ready:
            run = ready.step.run("start", **LAUNCH)
            assert run.code == 0, run.log
            [record] = ready.github.records()
            assert record.online_at is not None
            return run.ended - record.online_at

    # They sleep for most of their time, so a few at once do not disturb one another.
    with ThreadPoolExecutor(10) as pool:
        waits = list(pool.map(once, instants))
    return [
        Row(
            "runner online → exit, on average",
            "≤ 0.7 s",
            f"{statistics.mean(waits):.2f} s ({len(waits)} runs)",
            statistics.mean(waits) <= 0.7,
        ),
        Row("runner online → exit, at most", "≤ 1.5 s", f"{max(waits):.2f} s", max(waits) <= 1.5),
    ]


def cost_of_waiting(world: World) -> list[Row]:
    """CPU and memory of a start that waits 30 s"""
    waits = 3 if world.quick else 30
    with world.set(simulated(Behaves(online_after=waits))) as ready:
        running = ready.step.begin("start", **LAUNCH)
        pid, peak = running.process.pid, 0
        while True:
            peak = max(peak, peak_memory(pid))
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                break
            time.sleep(0.02)
        running.process.returncode = os.waitstatus_to_exitcode(status)
        assert running.wait().code == 0
        calls = len(ready.github.gate.exchanges) + len(ready.ec2.gate.exchanges)
    cpu = usage.ru_utime + usage.ru_stime
    megabytes = peak / 1000
    return [
        Row(f"CPU of a start that waits {waits} s", "≤ 0.10 s", f"{cpu:.3f} s ({calls} requests)", cpu <= 0.10),
        Row("its peak memory", "≤ 12 MB", f"{megabytes:.1f} MB", megabytes <= 12),
    ]


def peak_memory(pid: int) -> int:
    """The kernel's high-water mark in kB. (`wait4` tells that of the parent that forked, where it was higher.)"""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def size(world: World) -> list[Row]:
    """the binary's size and what it needs of glibc"""
    content = world.binary.read_bytes()
    megabytes = len(content) / 1e6
    versions = {tuple(map(int, found.split(b"."))) for found in re.findall(rb"GLIBC_(2\.\d+)\b", content)}
    static = b"/ld-linux" not in content and b"/ld-musl" not in content
    needs = "none: static" if static else "glibc " + ".".join(map(str, max(versions, default=(0,))))
    return [
        Row("the binary", "≤ 8 MB", f"{megabytes:.2f} MB", megabytes <= 8),
        Row("  what it needs", "glibc 2.17 or none", needs, static or max(versions, default=(9,)) <= (2, 17)),
    ]


def boot_script(world: World) -> list[Row]:
    """the boot script, with the runner in the image and without"""
    rows = [
        ("boot script: first line → runner started, runner in the image", 0.3, "/opt/actions-runner"),
        ("  stock image, the runner from loopback in no time", 0.5, None),
    ]
    missing = machine.available()
    if missing:
        return [Row(what, f"≤ {reach} s", f"not measured: {missing}", None) for what, reach, _ in rows]
    measured = []
    for what, reach, folder in rows:
        times = [booted_once(world, folder) for _ in range(world.times(10))]
        fits = statistics.median(times) <= reach * 1000
        measured.append(Row(what, f"≤ {reach} s", spread(times, "ms", 0), fits))
    return measured


def booted_once(world: World, runner_in_image: str | None) -> float:
    with world.set(booted(runner_in_image), archive=tarball(world.folder)) as ready:
        run = ready.step.run("start", **LAUNCH)
        assert run.code == 0, run.log
        life = ready.cloud.lives[run.outputs["instance-id"]]
        assert isinstance(life, Booted)
        said = "\n".join(life.machine.lines())
    found = re.search(r"started, (\d+) ms after the boot script", said)
    assert found, said
    return float(found[1])


def user_data(world: World) -> list[Row]:
    """user data as sent"""
    with world.set(simulated(Behaves(online_after=0.05))) as ready:
        ready.step.run("start", **LAUNCH)
        [instance] = ready.ec2.instances()
    length = len(instance.user_data)
    return [Row("user data as sent", "≤ 12 KB", f"{length / 1024:.1f} KB", length <= 12 * 1024)]
