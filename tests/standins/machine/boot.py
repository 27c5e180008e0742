"""Boots one machine and follows its console."""

from __future__ import annotations

import atexit
import contextlib
import copy
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from standins.machine import runner
from standins.machine.cgroups import ControlGroups
from standins.machine.console import Console
from standins.machine.disks import Disk, Disks
from standins.machine.metadata import MetadataService
from standins.machine.namespaces import MACHINE_ADDRESS, MACHINE_MAC, Network
from standins.machine.root import RELEASES, root

SWAP = "--system-call-filter=@swap"
"""The option with which a machine may swap."""
REBOOTED = 133
"""systemd-nspawn's exit status when the machine wants to boot again."""
RUNNER_UID = 1001

# The mount lives in a mount namespace of its own and vanishes with its last process, whatever happens.
START = """
for group in $CONTROL_GROUPS; do
    echo $$ >"$group/cgroup.procs" || exit
done
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4"
shift 4
exec "$@"
"""


class Machine(Console):
    """One instance, from power on to power off."""

    def __init__(
        self,
        user_data: bytes,
        *,
        name: str,
        metadata: dict[str, Any] | None = None,
        runner_in_image: str | None = None,
        runner_owner: int = RUNNER_UID,
        release: str = RELEASES[0],
        image: Callable[[Path], None] | None = None,
        layers: Sequence[Path] = (),
        disks: Sequence[Disk] = (),
        options: Sequence[str] = (),
        forward: Sequence[int] = (),
        niceness: int = 0,
        on_exit: Callable[[Machine], None] | None = None,
    ) -> None:
        """`metadata` overrides parts of the metadata tree; `runner_in_image` is the folder in which the image has the
        stand-in runner; `release` is the image's, of Debian; `image` may change the image, by writing into a folder
        that is laid over the root; `layers` are what the machines wrote that the image was made of, the last one first;
        `disks` are what it has beside that; `options` are systemd-nspawn's. A negative
        `niceness` puts the machine before what else this host does, for a measurement."""
        self.name = name
        self.folder = Path(tempfile.mkdtemp(prefix=f"sprinters-{name}-"))
        """Deleted when this process ends, unless `keep` is called."""
        atexit.register(self.delete)
        super().__init__(self.folder / "console")
        self.written = self.folder / "written"
        """Everything the machine wrote to its disk."""
        self._on_exit = on_exit
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._niceness = niceness
        self.layers = [self._image(runner_in_image, runner_owner, image), *layers]
        """What this machine's image has over the release's root."""
        self._release = release
        self.disks = Disks(self.folder, list(disks), may_swap=SWAP in options)
        self._options = [*options, *self.disks.bindings]
        self._network = Network()
        self._network.forward(forward)
        self.metadata = MetadataService(
            self._network.listen_for_metadata(), user_data, metadata_of(name, metadata or {})
        )

    def _image(self, runner_in_image: str | None, owner: int, change: Callable[[Path], None] | None) -> Path:
        layer = self.folder / "image"
        layer.mkdir()
        if runner_in_image:
            home = layer / runner_in_image.lstrip("/")
            home.parent.mkdir(parents=True, exist_ok=True)
            runner.install(home)
            for path in [home, *home.rglob("*")]:
                os.chown(path, owner, owner)
        if change:
            change(layer)
        return layer

    def start(self) -> None:
        self._groups = ControlGroups(f"sprinters-{os.getpid()}-{self.folder.name[-8:]}")
        self.started_at = time.monotonic()
        self._boot()
        threading.Thread(target=self._follow, daemon=True).start()

    def _boot(self) -> None:
        folders = [self.written, self.folder / "work", self.folder / "merged"]
        for folder in folders:
            folder.mkdir(exist_ok=True)
        mounted = [
            "nice",
            "-n",
            str(self._niceness),
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-eu",
            "-c",
            START,
            "sh",
        ]
        mounted += [":".join(map(str, [*self.layers, root(self._release)])), *map(str, folders)]
        nspawn = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot", "--console=read-only"]
        nspawn += [f"--directory={folders[2]}", f"--machine={self.name}", "--capability=CAP_NET_ADMIN"]
        nspawn += [f"--network-namespace-path={self._network.path}", "--resolv-conf=off", "--timezone=off"]
        nspawn += ["--link-journal=no", *self._options, "--", "--show-status=no"]
        self._process = subprocess.Popen(
            [*mounted, *nspawn],
            env=os.environ | {"CONTROL_GROUPS": " ".join(map(str, self._groups.folders))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _follow(self) -> None:
        assert self._process and self._process.stdout
        while True:
            self._read(self._process.stdout)
            if self._process.wait() != REBOOTED or self._killed:
                break
            self._boot()
        self._groups.remove()
        self.disks.detach()
        self._ended()
        self.metadata.close()
        self._network.close()
        if self._on_exit:
            self._on_exit(self)

    def kill(self) -> None:
        """Pulls the plug."""
        self._killed = True
        if self._process and self._process.poll() is None:
            # systemd-nspawn's end alone would not end the machine, but that of the machine's first process does.
            for process in _family(self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            self.wait_poweroff(10)

    def delete(self) -> None:
        """Forgets its disk and console."""
        atexit.unregister(self.delete)
        self.kill()
        self.disks.detach()
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self) -> None:
        """Leaves its disk and console to be looked at."""
        atexit.unregister(self.delete)

    @property
    def host_address(self) -> str:
        """Where the machine finds the host's forwarded ports."""
        return "127.0.0.1"


def _family(process: int) -> list[int]:
    """A process and all that descend from it."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        children = []
    return [process, *(descendant for child in children for descendant in _family(int(child)))]


def metadata_of(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    tree = {
        "ami-id": "ami-0123456789abcdef0",
        "hostname": "ip-10-0-0-10.ec2.internal",
        "instance-action": "none",
        "instance-id": name if name.startswith("i-") else "i-0123456789abcdef0",
        "instance-life-cycle": "on-demand",
        "instance-type": "m7i.large",
        "local-hostname": "ip-10-0-0-10.ec2.internal",
        "local-ipv4": MACHINE_ADDRESS,
        "network": {"interfaces": {"macs": {MACHINE_MAC: {"device-number": "0", "local-ipv4s": MACHINE_ADDRESS}}}},
        "placement": {"availability-zone": "eu-central-1a", "region": "eu-central-1"},
        "reservation-id": "r-0123456789abcdef0",
    }
    return copy.deepcopy(tree | changes)
