"""Disks of a machine: loop devices under the names that udev gives EC2's NVMe disks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from standins.cache import cache_dir

EBS = "nvme-Amazon_Elastic_Block_Store_vol{number:017x}"
INSTANCE_STORE = "nvme-Amazon_EC2_NVMe_Instance_Storage_AWS{number:017X}"
GIB = 1 << 30


@dataclass(frozen=True)
class Disk:
    """A blank disk, unless `image` writes something to it first."""

    name: str = EBS
    size: int = GIB
    image: Callable[[Path], object] | None = None


def available() -> str | None:
    """Why machines cannot have disks here; `None` if they can."""
    found = subprocess.run(["losetup", "--find"], capture_output=True, text=True, check=False)
    return None if found.returncode == 0 else f"disks need loop devices: {found.stderr.strip()}"


class Disks:
    """The disks of one machine, attached until `detach`."""

    def __init__(self, folder: Path, disks: list[Disk], may_swap: bool) -> None:
        self._may_swap = may_swap
        self._detaching = threading.Lock()
        self._names = folder / "by-id"
        self._names.mkdir()
        self.files: list[Path] = []
        self.loops: list[str] = []
        for number, disk in enumerate(disks, start=1):
            file = folder / f"disk{number}"
            file.touch()
            os.truncate(file, disk.size)
            if disk.image:
                disk.image(file)
            # udev has two names for each since systemd 252: with and without the namespace.
            for suffix in ("", "_1"):
                (self._names / (disk.name.format(number=number) + suffix)).symlink_to(f"../../nvme{number}n1")
            self.files.append(file)
        for file in self.files:
            self.loops.append(_loop(file))

    @property
    def bindings(self) -> list[str]:
        """For systemd-nspawn."""
        if not self.loops:
            return []
        nodes = [f"--bind={loop}:/dev/nvme{number}n1" for number, loop in enumerate(self.loops, start=1)]
        return [*nodes, f"--bind-ro={self._names}:/dev/disk/by-id"]

    def detach(self) -> None:
        # Each once, whoever calls first: a second time, the device may be another machine's already.
        # Whoever calls second waits: it may be about to end this process.
        with self._detaching:
            while self.loops:
                loop = self.loops.pop()
                if self._may_swap:
                    _swap_off(loop)
                subprocess.run(["losetup", "--detach", loop], check=False, stderr=subprocess.DEVNULL)


def _loop(file: Path) -> str:
    # Two processes that look for a free one at a time may find the same.
    with (cache_dir() / "loop.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(["losetup", "--find", "--show", str(file)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _swap_off(loop: str) -> None:
    """Swap is the kernel's, not the machine's: a machine that dies leaves it on, and its disk busy."""
    if "/swap" not in Path("/proc/swaps").read_text():
        return
    point = Path(f"/run/sprinters-swap-{os.getpid()}")
    point.mkdir(exist_ok=True)
    with contextlib.suppress(subprocess.CalledProcessError):
        subprocess.run(["mount", loop, str(point)], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["swapoff", str(point / "swap")], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["umount", str(point)], check=False)
    point.rmdir()
