"""Control groups of a machine's own, in every hierarchy that the host has.

systemd-nspawn would ask the host's systemd for them, but a host may have none (a container, a CI machine). Two machines
would then share this process's groups, and the systemd of one would kill, and wait for, the services of the other.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path


class ControlGroups:
    def __init__(self, name: str) -> None:
        self.folders = [folder for parent in _parents() if (folder := _make(parent / name))]

    def remove(self) -> None:
        """Removes the groups, which the machine has left by now; the kernel may need a moment to see that."""
        deadline = time.monotonic() + 5
        for top in self.folders:
            while top.exists() and time.monotonic() < deadline:
                for folder in sorted(top.rglob("*/"), key=lambda path: len(path.parts), reverse=True):
                    with contextlib.suppress(OSError):
                        folder.rmdir()
                with contextlib.suppress(OSError):
                    top.rmdir()
                if top.exists():
                    time.sleep(0.02)


def _parents() -> list[Path]:
    """Where this process is in each mounted hierarchy."""
    own: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        own[controllers] = path
    parents = []
    for line in Path("/proc/mounts").read_text().splitlines():
        _, point, kind, options, *_ = line.split()
        if kind == "cgroup2":
            parents.append(Path(point + own.get("", "/")))
        elif kind == "cgroup":
            names = set(options.split(","))
            path = next((path for group, path in own.items() if group and set(group.split(",")) <= names), "/")
            parents.append(Path(point + path))
    return parents


def _make(folder: Path) -> Path | None:
    """`None` where the host does not let us have one; the machine then shares this process's group."""
    try:
        folder.mkdir()
        for setting in ("cpuset.cpus", "cpuset.mems"):  # a group without them takes no processes (cgroup version 1)
            if (folder / setting).exists() and not (folder / "cgroup.controllers").exists():
                (folder / setting).write_text((folder.parent / setting).read_text())
    except OSError:
        return None
    return folder
