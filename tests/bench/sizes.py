"""How large the program and its user data are."""

from __future__ import annotations

import re

from bench.table import Row
from bench.world import LAUNCH, World
from standins.cloud import Behaves, simulated


def size(world: World) -> list[Row]:
    """the binary's size and what it needs of glibc"""
    content = world.binary.read_bytes()
    megabytes = len(content) / 1e6
    versions = {tuple(map(int, found.split(b"."))) for found in re.findall(rb"GLIBC_(2\.\d+)\b", content)}
    static = b"/ld-linux" not in content and b"/ld-musl" not in content
    needs = "none: static" if static else "glibc " + ".".join(map(str, max(versions, default=(0,))))
    return [
        Row("the binary", "≤ 5 MB", f"{megabytes:.2f} MB", megabytes <= 5),
        Row("  what it needs", "glibc 2.17 or none", needs, static or max(versions, default=(9,)) <= (2, 17)),
    ]


def user_data(world: World) -> list[Row]:
    """user data as sent"""
    with world.set(simulated(Behaves(online_after=0.05))) as ready:
        ready.step.run("start", **LAUNCH)
        [instance] = ready.ec2.instances()
    length = len(instance.user_data)
    return [Row("user data as sent", "≤ 12 KB", f"{length / 1024:.1f} KB", length <= 12 * 1024)]
