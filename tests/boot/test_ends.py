"""The instance ends, whatever a job or a setup script does to what is to end it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from boot.runner_service import RunnerService
from standins.machine import Machine

Boot = Callable[..., Machine]

MARGIN = 30
"""What the last unit adds to `max-lifetime`."""
NO_INODES = """
cloud-init status --wait || true
used=$(df --output=iused /run | tail -n 1)
sudo mount -o remount,nr_inodes=$((used + 64)) /run
while sudo touch /run/one-more-$((i += 1)); do true; done
"""
"""/run takes no further file; cloud-init, which makes and removes files there, has ended before."""


@pytest.mark.each_release
def test_a_job_that_removes_our_files(boot: Boot, service: RunnerService) -> None:
    """Its own end finds no script any more, and the instance ends at once all the same."""
    service.queue_job("sudo rm -rf /run/sprinters")
    machine = boot(max_lifetime=600)
    service.report(90)
    assert machine.wait_poweroff(90)


@pytest.mark.each_release
def test_a_job_that_removes_our_files_and_hangs(boot: Boot, service: RunnerService) -> None:
    """Neither can the timer's service say anything any more."""
    service.queue_job("sudo rm -rf /run/sprinters; sleep 1000")
    machine = boot(max_lifetime=8)
    assert machine.wait_poweroff(90)


@pytest.mark.each_release
def test_a_job_that_stops_all_timers_and_hangs(boot: Boot, service: RunnerService) -> None:
    service.queue_job("sudo systemctl stop '*.timer' || true; sudo sleep 1000")
    machine = boot(max_lifetime=8)
    assert machine.wait_poweroff(90)
    assert machine.lines()[-1] == "error: max-lifetime of 8 s is over"


@pytest.mark.each_release
def test_a_job_that_breaks_the_timer_and_hangs(boot: Boot, service: RunnerService) -> None:
    """The unit that PID 1 alone holds comes last."""
    service.queue_job(
        "echo '[Service]' | sudo tee /run/systemd/system/sprinters-max-lifetime.service; sudo systemctl daemon-reload",
        "sudo systemctl stop sprinters-last || echo refused",
        "sudo sleep 1000",
    )
    machine = boot(max_lifetime=8)
    assert machine.wait_poweroff(90 + MARGIN)
    assert not [line for line in machine.lines() if line.startswith("error")]


def test_whoever_kills_the_last_unit_s_process_ends_the_instance(boot: Boot, service: RunnerService) -> None:
    service.queue_job("sudo systemctl kill sprinters-last; sleep 1000")
    machine = boot(max_lifetime=600)
    assert machine.wait_poweroff(90)


def test_a_job_that_isolates_a_target(boot: Boot, service: RunnerService) -> None:
    service.queue_job("sudo systemctl isolate rescue.target; sleep 1000")
    machine = boot(max_lifetime=600)
    assert machine.wait_poweroff(90)


@pytest.mark.each_release
def test_no_inode_is_left_at_the_job_s_end(boot: Boot, service: RunnerService) -> None:
    service.queue_job(NO_INODES)
    machine = boot(max_lifetime=600)
    assert service.report(90).result == "Succeeded"
    assert machine.wait_poweroff(90)
    assert machine.lines()[-1] == "the job build completed with result: Succeeded"


def test_no_inode_is_left_for_the_timer(boot: Boot, service: RunnerService) -> None:
    service.queue_job(NO_INODES, "sleep 1000")
    machine = boot(max_lifetime=12)
    assert machine.wait_poweroff(90)
    # Without a file that says who ends the instance, the runner's end may have its word, too.
    assert "error: max-lifetime of 12 s is over" in machine.lines()


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("/run/sprinters", "the boot script failed before it could begin"),
        ("/var/*", "failed while setting up: mkdir: No space left on device"),
    ],
    ids=["in-memory", "on-the-disk"],
)
def test_no_inode_is_left_for_the_boot_script(boot: Boot, service: RunnerService, folder: str, why: str) -> None:
    def image(layer: Path) -> None:
        mkdir = layer / "usr/bin/mkdir"
        mkdir.parent.mkdir(parents=True)
        mkdir.write_text(
            textwrap.dedent(f"""\
                #!/usr/bin/env python3
                import fnmatch, os, sys
                for folder in sys.argv[1:]:
                    if fnmatch.fnmatch(folder, {folder!r}):
                        sys.exit("mkdir: No space left on device")
                    if not folder.startswith("-"):
                        os.makedirs(folder, exist_ok="-p" in sys.argv)
                """)
        )
        mkdir.chmod(0o755)

    machine = boot(image=image, max_lifetime=600)
    assert machine.wait_poweroff(90)
    assert service.requests == []
    assert machine.lines() == [f"error: {why}"]


def test_the_end_needs_no_power_off_of_systemd_s(boot: Boot, service: RunnerService) -> None:
    """Where the script cannot ask systemd, the last unit still ends the instance."""
    service.queue_job("sudo mount --bind /bin/true /bin/systemctl")
    machine = boot(max_lifetime=8)
    service.report(90)
    assert machine.wait_poweroff(90 + MARGIN)
