"""The stand-ins for AMIs: roots of Debian releases, each built once and cached."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from standins.cache import cache_dir

RELEASES = ("bookworm", "trixie")
"""Debian 12 with systemd 252, between Ubuntu 22.04's and 24.04's; 13 with systemd 257, nearer to Ubuntu 26.04's."""
SCRIPT = Path(__file__).with_name("root.sh")
NEEDED = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}


def available() -> str | None:
    """Why machines cannot boot here and what to do about it; `None` if they can."""
    if os.geteuid() != 0:
        return "booting a machine needs root: run as root, or in a container with CAP_SYS_ADMIN"
    missing = sorted({package for program, package in NEEDED.items() if shutil.which(program) is None})
    if missing:
        return f"booting a machine needs {', '.join(missing)}: `apt-get install {' '.join(missing)}`"
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "booting a machine needs the kernel's overlay file system: `modprobe overlay`"
    return None


def root(release: str = RELEASES[0], kind: str = "container") -> Path:
    """The cached root, built now if it is not there yet (about a minute and a half)."""
    roots = cache_dir() / "roots"
    roots.mkdir(exist_ok=True)
    folder = roots / hashlib.sha256(SCRIPT.read_bytes()).hexdigest()[:16]
    folder = folder.with_name(f"{release}-{kind}-{folder.name}")
    # A finished one appears at once and whole: nobody waits for another that is being built.
    if folder.exists():
        return folder
    with (roots / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _build(folder, release, kind)
    return folder


def _build(folder: Path, release: str, kind: str) -> None:
    building = Path(tempfile.mkdtemp(prefix="building-", dir=folder.parent))
    building.chmod(0o755)
    try:
        done = subprocess.run(
            ["sh", str(SCRIPT), str(building), release, kind],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(
                f"cannot build the machines' root (sh {SCRIPT} … {release} {kind}):\n{done.stdout[-4000:]}"
            )
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
