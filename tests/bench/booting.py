"""The boot script, line by line: with the runner in the image, and with the stock image, which has to download it."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import itertools
import re
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from bench import yardstick
from bench.table import Row, at_most, spread
from bench.world import ANYTHING, LAUNCH, Set, World
from standins import machine
from standins.aws import Instance
from standins.booted import Booted, booted, with_docker
from standins.cloud import Cloud, Life, script_of
from standins.machine.runner import RunnerArchive, tarball

# What the script says of itself for its error messages, with the time before it.
STEP = """step() { echo "$*" >$dir/step; }\n"""
TIMED = """step() { echo "$*" >$dir/step; read -r at _ </proc/uptime; say "step $at $*"; }\n"""
FULL_SIZE = 200_000_000
"""GitHub's runner for Linux, compressed, in bytes."""


@dataclass(frozen=True)
class Boot:
    total: float
    """From the script's first line until the runner was started, in milliseconds."""
    steps: list[tuple[str, float]]
    """Each step and how long it took; the kernel's clock that is read for it ticks every 10 ms."""


def boot_script(world: World) -> list[Row]:
    """the boot script, with the runner in the image and without"""
    cases = (
        ("boot script: first line → runner started, runner in the image", 250, "/opt/actions-runner"),
        ("boot script: the same on the stock image, a small runner from loopback", 400, None),
    )
    of = "an empty process's start and end"
    missing = machine.available()
    if missing:
        return [Row(what, f"≤ {most} × {of}", f"not measured: {missing}", None) for what, most, _ in cases]
    rows = []
    for what, most, folder in cases:
        boots = [booted_once(world, folder, tarball(world.folder)) for _ in range(world.times(10))]
        totals = [boot.total for boot in boots]
        empty = yardstick.median(yardstick.empty_process) * 1000
        rows.append(at_most(most, of, statistics.median(totals), empty, what=what, result=spread(totals, "ms", 0)))
        rows += line_by_line(boots)
    return rows + full_size(world)


def to_online(world: World) -> list[Row]:
    """RunInstances → online: from the stock image, which downloads the runner, and from one that `bake` made"""
    megabytes = FULL_SIZE // 10 if world.quick else FULL_SIZE
    stock = f"RunInstances → online, stock image, {megabytes / 1e6:.0f} MB of runner from loopback"
    baked = "  the same from an image that `mode: bake` made of it"
    if missing := machine.available():
        return [Row(what, "", f"not measured: {missing}", None) for what in (stock, baked)]
    times = world.times(5)
    with world.set(booted(image=with_docker), ANYTHING, archive=tarball(world.folder, megabytes)) as ready:
        before = [online(ready, LAUNCH) for _ in range(times)]
        bake = ready.step.run("bake", **LAUNCH)
        assert bake.code == 0, bake.log
        after = [online(ready, LAUNCH | {"image": bake.outputs["image"]}) for _ in range(times)]
    is_faster = statistics.median(after) < statistics.median(before)
    return [Row(stock, "", spread(before, "s", 1), None), Row(baked, "faster", spread(after, "s", 1), is_faster)]


def online(ready: Set, launch: dict[str, str]) -> float:
    """The seconds from RunInstances to the runner's being online; then it ends."""
    run = ready.step.run("start", **launch)
    assert run.code == 0, run.log
    [record] = ready.github.records()
    assert record.online_at is not None
    arrived = ready.ec2.gate.calls("RunInstances")[-1].request.arrived
    assert ready.step.run("stop").code == 0
    return record.online_at - arrived


def line_by_line(boots: list[Boot]) -> list[Row]:
    names = [name for name, _ in boots[0].steps]
    assert all([name for name, _ in boot.steps] == names for boot in boots), "each boot takes the same steps"
    medians = [statistics.median(boot.steps[number][1] for boot in boots) for number in range(len(names))]
    return [Row(f"    {name}", "", f"{took:.0f} ms", None) for name, took in zip(names, medians, strict=True)]


def full_size(world: World) -> list[Row]:
    """Download, checksum and unpacking are one stream, so that they take as long as the slowest of them."""
    megabytes = FULL_SIZE // 10 if world.quick else FULL_SIZE
    boot = booted_once(world, None, tarball(world.folder, megabytes))
    seconds = next(took for name, took in boot.steps if name.startswith("downloading")) / 1000
    what = f"  download, check and unpack {megabytes / 1e6:.0f} MB from loopback, as one stream"
    return [Row(what, "", f"{seconds:.1f} s", None)]


def booted_once(world: World, runner_in_image: str | None, archive: RunnerArchive) -> Boot:
    with world.set(timed(runner_in_image), archive=archive) as ready:
        run = ready.step.run("start", **LAUNCH)
        assert run.code == 0, run.log
        life = ready.cloud.lives[run.outputs["instance-id"]]
        assert isinstance(life, Booted)
        said = "\n".join(life.machine.lines())
    total = re.search(r"started, (\d+) ms after the boot script", said)
    lines = [(float(at), name) for at, name in re.findall(r"^step (\d+\.\d+) (.+)$", said, re.MULTILINE)]
    assert total and lines[-1][1] == "connecting to GitHub", said
    steps = [
        (re.sub(r"http\S+", "the runner", name), (until - since) * 1000)
        for (since, name), (until, _) in itertools.pairwise(lines)
    ]
    return Boot(float(total[1]), steps)


def timed(runner_in_image: str | None) -> Callable[[Cloud, Instance], Life]:
    """The instance's own user data, but for one line, which tells the time as well."""

    def life(cloud: Cloud, instance: Instance) -> Life:
        script = script_of(instance)
        assert STEP in script, "the boot script has no line of this form any more"
        data = gzip.compress(script.replace(STEP, TIMED).encode())
        request = instance.request | {"UserData": base64.b64encode(data).decode()}
        return Booted(cloud, dataclasses.replace(instance, request=request), runner_in_image)

    return life
