"""The disk for the job's data, on real block devices: found, formatted, and never the wrong one."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from boot.runner_service import RunnerService
from standins.cache import cache_dir
from standins.machine import Machine
from standins.machine.boot import SWAP
from standins.machine.disks import GIB, INSTANCE_STORE, Disk

Boot = Callable[..., Machine]

GP3 = {"temp": "gp3", "temp_gib": 1}
EPHEMERAL = {"temp": "ephemeral"}
POINT = "/mnt/sprinters"
# Of mounts over one another, the last is the one that is seen.
WHERE = "for folder in $PWD /tmp /var/lib/docker /var/lib/containerd; do"
WHERE += " findmnt -no SOURCE,FSTYPE -T $folder | tail -n 1; done"


def reason(machine: Machine) -> str:
    assert machine.wait_poweroff(60), machine.console.read_text()
    errors = [line for line in machine.lines() if line.startswith("error: ")]
    assert len(errors) == 1, errors
    return errors[0].removeprefix("error: ")


def write(disk: Path, at: int, data: bytes) -> None:
    with disk.open("r+b") as file:
        file.seek(at)
        file.write(data)


def root_image(disk: Path) -> None:
    subprocess.run(["mkfs.ext4", "-q", "-F", "-L", "cloudimg-rootfs", str(disk)], check=True)


def partitioned(disk: Path) -> None:
    """Nothing but a partition table: one Linux partition from the second MiB to the end."""
    sectors = disk.stat().st_size // 512
    write(disk, 446, bytes([0, 0, 2, 0, 0x83, 0, 0, 0]) + struct.pack("<II", 2048, sectors - 2048))
    write(disk, 510, b"\x55\xaa")


def of_its_own(disk: Path) -> None:
    """Something that no tool knows."""
    write(disk, 0, b"a database that wants no file system")


def content(disk: Path) -> str:
    """What blkid makes of a disk."""
    done = subprocess.run(["blkid", "-p", str(disk)], capture_output=True, text=True, check=False)
    return done.stdout.partition(": ")[2]


# EBS


@pytest.mark.each_release
def test_the_job_s_data_is_on_the_volume(boot: Boot, service: RunnerService) -> None:
    service.queue_job(
        WHERE,
        "stat -c '%U %a' $PWD /tmp /var/lib/docker",
        # Until the instance has seen how full it got, which it looks at from time to time.
        "dd if=/dev/zero of=big bs=1M count=400 status=none",
        "until grep -q '[4-9].%' /run/sprinters/fullsprinters; do sleep 0.2; done; rm big",
    )
    machine = boot(disks=[Disk()], **GP3)
    report = service.report()
    assert machine.wait_poweroff(30)
    *where, work, tmp, docker = report.log.splitlines()
    assert where == [
        "/dev/nvme1n1[/work] ext4",
        "/dev/nvme1n1[/tmp] ext4",
        "/dev/nvme1n1[/docker] ext4",
        "/dev/nvme1n1[/containerd] ext4",
    ]
    assert (work, tmp, docker) == ("runner 755", "root 1777", "root 711")
    assert "/dev/nvme1n1" in report.set_up and POINT in report.set_up
    [full] = [line for line in report.complete.splitlines() if line.startswith(POINT)]
    percent = int(full.partition("at most")[2].partition("%")[0])
    assert percent >= 40, full


def test_among_disks_that_carry_something(boot: Boot, service: RunnerService) -> None:
    """The image's root and data volumes, and a foreign volume without a file system: all as large."""
    others = [Disk(image=root_image), Disk(image=partitioned), Disk(image=of_its_own), Disk(size=2 * GIB)]
    service.queue_job(WHERE)
    machine = boot(disks=[*others, Disk()], **GP3)
    before = [content(file) for file in machine.disks.files[:4]]
    report = service.report()
    assert machine.wait_poweroff(30)
    assert {line.partition("[")[0] for line in report.log.splitlines()} == {"/dev/nvme5n1"}
    assert [content(file) for file in machine.disks.files[:4]] == before
    assert "cloudimg-rootfs" in before[0] and "PTTYPE" in before[1] and before[2:] == ["", ""]


@pytest.mark.parametrize("image", [root_image, partitioned, of_its_own])
def test_a_disk_that_carries_something_is_never_formatted(boot: Boot, image: Callable[[Path], None]) -> None:
    machine = boot(disks=[Disk(image=image)], **GP3)
    before = machine.disks.files[0].read_bytes()[: 1 << 20]
    assert reason(machine) == "no blank EBS volume of 1 GiB for temp appeared within 20 s"
    assert machine.disks.files[0].read_bytes()[: 1 << 20] == before


def test_an_instance_store_is_no_volume(boot: Boot) -> None:
    machine = boot(disks=[Disk(name=INSTANCE_STORE)], **GP3)
    assert reason(machine) == "no blank EBS volume of 1 GiB for temp appeared within 20 s"
    assert content(machine.disks.files[0]) == ""


# Docker


def with_docker(layer: Path) -> None:
    """A daemon that tells where its data was when it started."""
    units = layer / "etc/systemd/system"
    (units / "multi-user.target.wants").mkdir(parents=True)
    tell = "findmnt -no SOURCE -T /var/lib/docker >/srv/docker"
    (units / "docker.service").write_text(
        f"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c '{tell}'\n"
    )
    (units / "multi-user.target.wants/docker.service").symlink_to("/etc/systemd/system/docker.service")


DOCKER_STARTED = "until [ -s /srv/docker ]; do sleep 0.1; done; cat /srv/docker"


@pytest.mark.each_release
def test_docker_starts_with_its_data_on_temp(boot: Boot, service: RunnerService) -> None:
    service.queue_job(DOCKER_STARTED)
    machine = boot(disks=[Disk()], image=with_docker, setup="true", **GP3)
    assert service.report().log == "/dev/nvme1n1[/docker]\n"
    assert machine.wait_poweroff(30)


def test_docker_images_that_were_baked_in_stay_where_they_are(boot: Boot, service: RunnerService) -> None:
    def image(layer: Path) -> None:
        with_docker(layer)
        baked = layer / "var/lib/docker/image/overlay2/imagedb/content/sha256"
        baked.mkdir(parents=True)
        (baked / ("0" * 64)).write_text("{}")

    service.queue_job(DOCKER_STARTED, "findmnt -no SOURCE -T /tmp | tail -n 1")
    machine = boot(disks=[Disk()], image=image, **GP3)
    assert service.report().log == "overlay\n/dev/nvme1n1[/tmp]\n"
    assert machine.wait_poweroff(30)
    assert "the image has Docker's data already: it stays on the root volume" in machine.lines()


# Instance store


def test_the_instance_store(boot: Boot, service: RunnerService) -> None:
    service.queue_job(WHERE)
    machine = boot(disks=[Disk(), Disk(name=INSTANCE_STORE, size=300 << 20)], **EPHEMERAL)
    report = service.report()
    assert machine.wait_poweroff(30)
    assert {line.partition("[")[0] for line in report.log.splitlines()} == {"/dev/nvme2n1"}
    assert content(machine.disks.files[0]) == ""


def test_several_are_striped(boot: Boot, service: RunnerService) -> None:
    """This kernel may have no device mapper: its tool tells what it was asked for, and another disk is the result."""

    def image(layer: Path) -> None:
        tool = layer / "usr/sbin/dmsetup"
        tool.parent.mkdir(parents=True)
        tool.write_text('#!/bin/sh\necho "$@" >>/srv/dmsetup\n[ "$1" = create ] || echo nvme4n1\n')
        tool.chmod(0o755)

    stores = [Disk(name=INSTANCE_STORE, size=size) for size in (300 << 20, (200 << 20) + 512, 400 << 20)]
    service.queue_job("cat /srv/dmsetup", "findmnt -no SOURCE -T $PWD")
    machine = boot(disks=[*stores, Disk(name="other{number}")], image=image, **EPHEMERAL)
    # As often as each disk can: 200 MiB are 409,600 sectors, which is a multiple of the stripe's 128.
    stripes = "/dev/nvme1n1 0 /dev/nvme2n1 0 /dev/nvme3n1 0"
    assert service.report().log.splitlines() == [
        f"create sprinters --table 0 {3 * 409_600} striped 3 128 {stripes}",
        "info -c --noheadings -o blkdevname sprinters",
        "/dev/nvme4n1[/work]",
    ]
    assert machine.wait_poweroff(30)


def test_where_nothing_can_stripe_one_of_them_is_used(boot: Boot, service: RunnerService) -> None:
    stores = [Disk(name=INSTANCE_STORE, size=300 << 20)] * 2
    service.queue_job("findmnt -no SOURCE -T $PWD")
    machine = boot(disks=stores, **EPHEMERAL)
    assert service.report().log == "/dev/nvme1n1[/work]\n"
    assert machine.wait_poweroff(30)
    assert "cannot stripe 2 disks: temp is on one of them" in machine.lines()


def test_no_instance_store(boot: Boot) -> None:
    machine = boot(disks=[Disk()], **EPHEMERAL)
    assert reason(machine) == (
        "no blank NVMe instance store for temp: the instance type has none, or the image uses it already"
    )
    assert content(machine.disks.files[0]) == ""


# zram


@pytest.fixture
def zram() -> Iterator[tuple[str, ...]]:
    """This host's first zram device, for one machine at a time."""
    device, control = Path("/sys/devices/virtual/block/zram0"), Path("/sys/class/zram-control")
    with (cache_dir() / "zram.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not device.exists() and control.exists():
            (control / "hot_add").read_text()  # makes one, and tells its number: the first that is free
        if not device.exists() or (device / "disksize").read_text() != "0\n":
            missing = "this kernel has no zram, or somebody uses its first device"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
        yield "--bind=/dev/zram0", f"--bind={device}"
        (device / "reset").write_text("1")


def test_compressed_memory(boot: Boot, service: RunnerService, zram: tuple[str, ...]) -> None:
    service.queue_job(WHERE, "lsblk -bdno SIZE /dev/zram0", "cat /sys/block/zram0/comp_algorithm")
    machine = boot(options=zram, temp="zram", temp_gib=2)
    *where, size, algorithms = service.report().log.splitlines()
    assert {line.partition("[")[0] for line in where} == {"/dev/zram0"}
    assert int(size) == 2 * GIB
    assert "[zstd]" in algorithms or "zstd" not in algorithms
    assert machine.wait_poweroff(30)


def test_a_kernel_without_zram(boot: Boot) -> None:
    def image(layer: Path) -> None:
        tool = layer / "usr/sbin/zramctl"
        tool.parent.mkdir(parents=True)
        tool.write_text("#!/bin/sh\necho 'zramctl: no free zram device found' >&2\nexit 1\n")
        tool.chmod(0o755)

    machine = boot(image=image, temp="zram", temp_gib=2)
    assert reason(machine).startswith("no zram for temp in this image's kernel")


# Swap


def test_swap_on_temp(boot: Boot, service: RunnerService) -> None:
    service.queue_job("cat /proc/swaps", "sudo swapoff -a; sudo stat -c '%n %s %a' /mnt/sprinters/swap")
    machine = boot(disks=[Disk(size=2 * GIB)], options=[SWAP], temp="gp3", temp_gib=2, swap_gib=1)
    report = service.report()
    assert machine.wait_poweroff(30)
    assert "/swap " in report.log
    assert report.log.splitlines()[-1] == f"/mnt/sprinters/swap {GIB} 600"


def test_swap_that_does_not_fit(boot: Boot) -> None:
    machine = boot(disks=[Disk()], **GP3, swap_gib=2)
    assert reason(machine).startswith("failed while setting up swap: fallocate: ")
