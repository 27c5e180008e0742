"""The stand-in for GitHub's runner program, packed as GitHub packs the real one."""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).parent / "program"
VERSION = "2.330.0"


@dataclass(frozen=True)
class RunnerArchive:
    """One entry of GitHub's list of runner downloads."""

    path: Path
    filename: str
    version: str
    sha256: str


def tarball(dest: Path, ballast: int = 0) -> RunnerArchive:
    """Packs the program into the folder `dest`. `ballast` bytes that hardly compress make it as large as one likes."""
    filename = f"actions-runner-linux-x64-{VERSION}.tar.gz"
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w") as tar:
        tar.add(PROGRAM, ".", filter=_plain)
        if ballast:
            noise = hashlib.shake_128(b"ballast").digest(ballast)
            entry = tarfile.TarInfo("./externals/ballast")
            entry.size = ballast
            tar.addfile(entry, io.BytesIO(noise))
    path = dest / filename
    path.write_bytes(packed.getvalue())
    return RunnerArchive(path, filename, VERSION, hashlib.sha256(packed.getvalue()).hexdigest())


def install(folder: Path) -> None:
    """Puts the program into an image's folder."""
    shutil.copytree(PROGRAM, folder, ignore=shutil.ignore_patterns("__pycache__"))


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """The same bytes wherever it is packed; owned by an account that exists nowhere, as in GitHub's archive."""
    if "__pycache__" in entry.name:
        return None
    entry.uid = entry.gid = 1001
    entry.uname = entry.gname = "runner"
    entry.mtime = 0
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
