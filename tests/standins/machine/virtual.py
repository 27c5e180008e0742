"""A whole machine: a kernel of its own under QEMU, with EC2's firmware strings, NVMe disks and metadata service.

Slow, because it is emulated, and as near to an instance as it gets without one: cloud-init finds EC2 by itself and asks
for its network and its user data, udev names the disks, and power off is power off.
"""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standins.machine import runner
from standins.machine.boot import RUNNER_UID, metadata_of
from standins.machine.console import Console
from standins.machine.metadata import MetadataService
from standins.machine.namespaces import MACHINE_MAC, METADATA_ADDRESS
from standins.machine.root import RELEASES, root

HOST_ADDRESS = "169.254.169.2"
"""Where the machine finds this host's loopback."""
GIB = 1 << 30
NEEDED = {"qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils", "mkfs.ext4": "e2fsprogs"}
# One connection to the metadata service: QEMU starts a process for each.
RELAY = """
import os, socket, sys, threading
there = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def receive():
    while data := there.recv(65536):
        os.write(1, data)
    os._exit(0)
threading.Thread(target=receive, daemon=True).start()
while data := os.read(0, 65536):
    there.sendall(data)
there.shutdown(socket.SHUT_WR)
threading.Event().wait(5)
"""


@dataclass(frozen=True)
class NvmeDisk:
    """A blank disk: a volume, or the host's own."""

    size: int = GIB
    is_instance_store: bool = False


def image(folder: Path, release: str = RELEASES[0]) -> tuple[Path, Path]:
    """A disk with the release's root and the stand-in runner, and the kernel for it."""
    if missing := sorted({package for program, package in NEEDED.items() if shutil.which(program) is None}):
        raise RuntimeError(f"a whole machine needs {', '.join(missing)}: `apt-get install {' '.join(missing)}`")
    lower = root(release, "machine")
    upper, work, merged, disk = (folder / name for name in ("upper", "work", "merged", "root.img"))
    for made in (upper, work, merged):
        made.mkdir()
    home = upper / "opt/actions-runner"
    home.parent.mkdir()
    runner.install(home)
    for path in [home, *home.rglob("*")]:
        os.chown(path, RUNNER_UID, RUNNER_UID)
    with disk.open("wb") as file:
        file.truncate(4 * GIB)
    script = 'mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4"; exec mkfs.ext4 -q -F -d "$4" "$5"'
    folders = map(str, (lower, upper, work, merged, disk))
    subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", *folders], check=True)
    [kernel] = (lower / "boot").glob("vmlinuz-*")
    return disk, kernel


class VirtualMachine(Console):
    """One instance, from power on to power off."""

    def __init__(
        self,
        user_data: bytes,
        disk: Path,
        kernel: Path,
        *,
        name: str,
        metadata: dict[str, Any] | None = None,
        disks: Sequence[NvmeDisk] = (),
        memory_mib: int = 2048,
    ) -> None:
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix=f"sprinters-{name}-"))
        atexit.register(self.delete)
        super().__init__(self.folder / "console")
        listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        port = listening.getsockname()[1]
        self.metadata = MetadataService(listening, user_data, metadata_of(name, metadata or {}))
        relay = self.folder / "relay.py"
        relay.write_text(RELAY)
        self._command = ["qemu-system-x86_64", "-nodefaults", "-nographic", "-serial", "stdio"]
        self._command += ["-accel", "tcg,thread=multi", "-cpu", "max", "-M", "q35", "-smp", "2", "-m", str(memory_mib)]
        self._command += [
            "-kernel",
            str(kernel),
            "-append",
            "root=/dev/nvme0n1 rw console=ttyS0 quiet systemd.show_status=no",
        ]
        self._command += self._disk("root", "volroot", ["-b", str(disk), "-F", "raw"])
        for number, one in enumerate(disks, start=1):
            serial = f"AWS{number:017X}" if one.is_instance_store else f"EBS{number:014x}"
            self._command += self._disk(f"disk{number}", serial, [], str(one.size))
        uuid = "ec2e1916-9099-7caf-fd21-012345abcdef"
        self._command += ["-smbios", f"type=1,manufacturer=Amazon EC2,product=m7i.large,uuid={uuid},serial={uuid}"]
        self._command += ["-smbios", f"type=2,manufacturer=Amazon EC2,asset={name}"]
        self._command += ["-smbios", "type=3,manufacturer=Amazon EC2,asset=Amazon EC2"]
        forward = f"guestfwd=tcp:{METADATA_ADDRESS}:80-cmd:{sys.executable} -S {shlex.quote(str(relay))} {port}"
        network = f"user,id=net,net=169.254.169.0/24,host={HOST_ADDRESS},dhcpstart=169.254.169.10,{forward}"
        self._command += ["-netdev", network, "-device", f"virtio-net-pci,netdev=net,mac={MACHINE_MAC},romfile="]

    def _disk(self, name: str, serial: str, options: list[str], size: str = "") -> list[str]:
        file = self.folder / f"{name}.qcow2"
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", *options, str(file), *filter(None, [size])], check=True
        )
        drive = f"file={file},if=none,id={name},format=qcow2,cache=unsafe"
        return ["-drive", drive, "-device", f"nvme,drive={name},serial={serial}"]

    def start(self) -> None:
        self.started_at = time.monotonic()
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        assert self._process.stdout
        self._read(self._process.stdout)
        self._process.wait()
        self._ended()
        self.metadata.close()

    def delete(self) -> None:
        """Pulls the plug, and forgets its disks and its console."""
        atexit.unregister(self.delete)
        if self.alive:
            self._process.kill()
            self.wait_poweroff(10)
        shutil.rmtree(self.folder, ignore_errors=True)
