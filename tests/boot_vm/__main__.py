"""Boots whole machines under QEMU, one for each case, and closes with a table: `make boot-vm`.

What a container cannot have is tried here: EC2's data source as cloud-init finds it by itself, NVMe disks under udev's
names, the device mapper, zram, swap, a panic, a PID 1 that has stopped, and the real power off.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from boot.rendering import render  # noqa: E402
from boot.runner_service import Report, RunnerService  # noqa: E402
from standins.machine.root import RELEASES, available  # noqa: E402
from standins.machine.virtual import HOST_ADDRESS, NvmeDisk, VirtualMachine, image  # noqa: E402

PATIENCE = 600
"""Seconds that an emulated machine may take, on a busy host."""
TOKEN = "curl -s -m 5 -o /dev/null -w '%{http_code}\\n' -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "
TOKEN += "http://169.254.169.254/latest/api/token"
RESTARTED = "the instance was restarted, and a runner runs only once"


@dataclass(frozen=True)
class Case:
    """One machine's life."""

    name: str
    job: Sequence[str]
    check: Callable[[Life], None]
    spec: dict[str, Any] = field(default_factory=dict)
    disks: Sequence[NvmeDisk] = ()


@dataclass(frozen=True)
class Life:
    """What is known of a machine after its end."""

    machine: VirtualMachine
    report: Report | None

    @property
    def log(self) -> list[str]:
        assert self.report, "the job reported nothing"
        return self.report.log.splitlines()

    @property
    def errors(self) -> list[str]:
        # Not at a line's start where a login prompt or the firmware's escape codes are before it.
        found = (re.search("sprinters: error: (.*)", line) for line in self.machine.lines(""))
        return [error[1] for error in found if error]


def equal(found: object, wanted: object) -> None:
    assert found == wanted, f"found {found!r}, wanted {wanted!r}"


def a_job(life: Life) -> None:
    equal(
        life.log,
        ["runner", "000", "200", "1 1", "300000000", "active"],
    )
    assert life.report
    equal(
        life.report.set_up.splitlines()[0],
        "Sprinters: m7i.large in eu-central-1a, on-demand, image ami-0123456789abcdef0",
    )
    used = life.report.complete.splitlines()[-1]
    assert used.startswith("::notice title=Sprinters::used at most ") and " of 2 CPUs; waited " in used, used
    equal(life.errors, [])


def succeeded(life: Life) -> None:
    assert life.report, f"the job reported nothing; the errors are {life.errors}"
    equal(life.report.result, "Succeeded")


def on(device: str) -> Callable[[Life], None]:
    def check(life: Life) -> None:
        succeeded(life)
        equal([line.partition("[")[0] for line in life.log[:2]], [device, device])

    return check


def zram(life: Life) -> None:
    on("/dev/zram0")(life)
    assert "[zstd]" in life.log[2], life.log


def swap(life: Life) -> None:
    on("/dev/nvme1n1")(life)
    equal(life.log[2], "/mnt/sprinters/swap 1073737728")
    assert life.report and " of 1.0 GiB of swap" in life.report.complete, life.report


def stripes(life: Life) -> None:
    succeeded(life)
    equal(life.log[2], f"0 {2 * (1 << 21)} striped 2 128")
    assert life.log[0].startswith("/dev/dm-0") or "sprinters" in life.log[0], life.log


def ends(*errors: str) -> Callable[[Life], None]:
    return lambda life: equal(life.errors, list(errors))


WHERE = "for folder in $PWD /tmp; do findmnt -no SOURCE -T $folder | tail -n 1; done"
BUSCTL = "busctl get-property org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager"
PANIC = "echo c | sudo tee /proc/sysrq-trigger; sleep 1000"
BOOTED = "while sudo test -e /var/lib/cloud/instance/obj.pkl; do sleep 1; done; sleep 10"
CASES = [
    Case(
        "a job",
        [
            "id -un",
            f"{TOKEN} || true",
            f"sudo {TOKEN}",
            'echo "$(cat /proc/sys/kernel/panic) $(cat /proc/sys/kernel/panic_on_oops)"',
            f"{BOOTED}; {BUSCTL} RuntimeWatchdogUSec | cut -d' ' -f2",
            "systemctl is-active sprinters-last",
        ],
        a_job,
    ),
    Case(
        "temp in compressed memory",
        [WHERE, "cat /sys/block/zram0/comp_algorithm"],
        zram,
        {"temp": "zram", "temp_gib": 2},
    ),
    Case(
        "temp on a volume, with swap",
        [WHERE, "sudo swapon --show=NAME,SIZE --bytes --noheadings | tr -s ' '"],
        swap,
        {"temp": "gp3", "temp_gib": 2, "swap_gib": 1},
        [NvmeDisk(3 << 30), NvmeDisk(2 << 30)][::-1],
    ),
    Case(
        "temp on one instance store",
        [WHERE],
        on("/dev/nvme2n1"),
        {"temp": "ephemeral"},
        [NvmeDisk(), NvmeDisk(is_instance_store=True)],
    ),
    Case(
        "temp on two, striped",
        [WHERE, "sudo dmsetup table sprinters | cut -d' ' -f1-5"],
        stripes,
        {"temp": "ephemeral"},
        [NvmeDisk(is_instance_store=True), NvmeDisk(is_instance_store=True)],
    ),
    Case("a restart", ["sync; sudo systemctl reboot --force --force; sleep 1000"], ends(RESTARTED)),
    Case("a panic", [f"sync; {PANIC}"], ends(RESTARTED)),
    Case(
        "a panic with a full disk",
        [f"sudo dd if=/dev/zero of=/full bs=1M status=none || sync; {PANIC}"],
        ends(RESTARTED),
    ),
    Case(
        "a panic on a machine that does not know its instance",
        [f"{BOOTED}; sudo rm /etc/systemd/system/sprinters-restarted.service; sync; {PANIC}"],
        ends(RESTARTED),
    ),
    Case("a PID 1 that has stopped", ["sudo kill -SEGV 1; sleep 1000"], ends(), {"max_lifetime": 90}),
    Case(
        "a job that removes all of /run's files and hangs",
        ["sudo find /run -type f -delete; sudo sleep 1000"],
        ends(),
        {"max_lifetime": 90},
    ),
]


def play(case: Case, disk: Path, kernel: Path, number: int) -> tuple[float, str]:
    """Lives one life; answers the seconds it took and what was wrong with it."""
    service = RunnerService(host=HOST_ADDRESS)
    service.queue_job(*case.job)
    spec = {"start_timeout": 300, "max_lifetime": 900, "jit_config": service.jit_config} | case.spec
    machine = VirtualMachine(render(**spec), disk, kernel, name=f"i-{number:017x}", disks=case.disks)
    started = time.monotonic()
    try:
        machine.start()
        if not machine.wait_poweroff(PATIENCE):
            raise AssertionError(f"it still ran after {PATIENCE} s")
        case.check(Life(machine, None if service.reports.empty() else service.report(1)))
    except AssertionError as error:
        print(machine.console.read_text(errors="replace"), file=sys.stderr)
        return time.monotonic() - started, str(error) or f"not so: {traceback.extract_tb(error.__traceback__)[-1].line}"
    finally:
        machine.delete()
        service.close()
    return time.monotonic() - started, ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="make boot-vm ARGS=…", description=__doc__)
    parser.add_argument("--release", choices=RELEASES, default=RELEASES[-1], help="of Debian [default: %(default)s]")
    parser.add_argument("--case", default="", help="only cases with this in their names")
    options = parser.parse_args()
    if os.geteuid() or available():
        sys.exit(available())
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sprinters-vm-") as folder:
        disk, kernel = image(Path(folder), options.release)
        print(f"Debian {options.release}, {kernel.name}", flush=True)
        for number, case in enumerate(CASES, start=1):
            if options.case not in case.name:
                continue
            seconds, problem = play(case, disk, kernel, number)
            failed += bool(problem)
            print(
                f"{'FAIL' if problem else 'ok':5} {seconds:4.0f} s  {case.name}{problem and ': ' + problem}", flush=True
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
