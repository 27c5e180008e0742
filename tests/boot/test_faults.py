"""What can go wrong on an instance: each powers itself off within its timer, and the console says why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from boot.runner_service import Download, RunnerService
from standins.machine import Machine
from standins.machine.runner import tarball

Boot = Callable[..., Machine]
IMAGE_RUNNER = "opt/actions-runner"


def reason(machine: Machine, within: float = 60) -> str:
    """Waits for the power off; the one line that says why."""
    assert machine.wait_poweroff(within), machine.console.read_text()
    errors = [line for line in machine.lines() if line.startswith("error: ")]
    assert len(errors) == 1, errors
    return errors[0].removeprefix("error: ")


def with_run_sh(content: bytes) -> Callable[[Path], None]:
    """An image whose runner starts with this."""

    def image(layer: Path) -> None:
        run = layer / IMAGE_RUNNER / "run.sh"
        run.write_bytes(content)
        run.chmod(0o755)

    return image


# The network


def test_nobody_listens_where_the_runner_should_come_from(boot: Boot) -> None:
    machine = boot(runner_in_image=None, url="http://127.0.0.1:9/runner.tar.gz")
    assert reason(machine).startswith("cannot download http://127.0.0.1:9/runner.tar.gz: curl: (7)")


def test_no_route_to_the_download(boot: Boot) -> None:
    """A subnet without a way out swallows packets or refuses them; either way the start timer ends it at the latest."""
    machine = boot(runner_in_image=None, url="http://192.0.2.1/runner.tar.gz", start_timeout=12)
    why = reason(machine)
    assert "http://192.0.2.1/runner.tar.gz" in why
    assert why.startswith(("cannot download", "the runner was not online within 12 s; it was still downloading"))


def test_a_name_that_nobody_resolves(boot: Boot) -> None:
    machine = boot(runner_in_image=None, url="http://downloads.invalid/runner.tar.gz", start_timeout=30)
    assert "Could not resolve host: downloads.invalid" in reason(machine)


def test_a_download_that_stalls(boot: Boot, service: RunnerService, tmp_path: Path) -> None:
    archive = tarball(tmp_path, ballast=1 << 20)
    service.downloads = [Download(body=archive.path.read_bytes(), stall_after=100_000)]
    machine = boot(runner_in_image=None, url=service.archive_url, sha256=archive.sha256, start_timeout=12)
    assert reason(machine) == (
        f"the runner was not online within 12 s; it was still downloading {service.archive_url} (try 1)"
    )
    assert not (machine.written / "opt/actions-runner").exists()


def test_a_download_that_breaks_off_every_time(boot: Boot, service: RunnerService, tmp_path: Path) -> None:
    archive = tarball(tmp_path)
    service.downloads = [Download(body=archive.path.read_bytes(), cut_after=1000)]
    machine = boot(runner_in_image=None, url=service.archive_url, sha256=archive.sha256)
    assert reason(machine).startswith(f"cannot download {service.archive_url}: ")
    assert not (machine.written / "opt/actions-runner").exists()


def test_a_download_that_is_no_archive(boot: Boot, service: RunnerService) -> None:
    page = b"<html>please log in</html>"
    service.downloads = [Download(body=page)]
    machine = boot(runner_in_image=None, url=service.archive_url, sha256=hashlib.sha256(page).hexdigest())
    assert reason(machine).startswith(f"cannot download {service.archive_url}: ")


# The disk


def test_a_full_disk(boot: Boot, service: RunnerService, tmp_path: Path) -> None:
    archive = tarball(tmp_path, ballast=4 << 20)
    service.downloads = [Download(body=archive.path.read_bytes())]
    machine = boot(
        runner_in_image=None,
        url=service.archive_url,
        sha256=archive.sha256,
        setup="mount -t tmpfs -o size=1m tmpfs /opt",
    )
    assert reason(machine).startswith(f"cannot download {service.archive_url}: the disk is full (tar: ")


# The runner


def test_no_account_can_be_made(boot: Boot) -> None:
    """It is made beside the rest; its failure ends the boot script all the same."""

    def image(layer: Path) -> None:
        useradd = layer / "usr/sbin/useradd"
        useradd.parent.mkdir(parents=True, exist_ok=True)
        useradd.write_text("#!/bin/sh\nsleep 0.3\necho 'useradd: cannot lock /etc/passwd' >&2\nexit 1\n")
        useradd.chmod(0o755)

    machine = boot(user="nobody-yet", image=image)
    assert reason(machine) == "failed while creating the account: useradd: cannot lock /etc/passwd"


def test_a_runner_that_exits_at_once(boot: Boot) -> None:
    machine = boot(image=with_run_sh(b"#!/bin/sh\necho out of order\nexit 0\n"))
    assert reason(machine) == "the runner exited with status 0 without finishing a job; its last words: out of order"


def test_a_runner_that_is_killed(boot: Boot) -> None:
    machine = boot(image=with_run_sh(b"#!/bin/sh\necho alive\nkill -KILL $$\n"))
    assert reason(machine) == "the runner exited with status 9 without finishing a job; its last words: alive"


def test_a_runner_that_hangs_without_a_word(boot: Boot) -> None:
    machine = boot(image=with_run_sh(b"#!/bin/sh\ntrap '' TERM INT\nsleep infinity\n"), start_timeout=12)
    assert reason(machine) == "the runner was not online within 12 s; it was still connecting to GitHub"


@pytest.mark.parametrize(
    "program",
    [b"#!/no/such/interpreter\n", b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00" + bytes(100)],
    ids=["no-interpreter", "another-processor"],
)
def test_a_runner_that_cannot_be_executed(boot: Boot, program: bytes) -> None:
    machine = boot(image=with_run_sh(program))
    assert reason(machine) == (
        "the runner's run.sh cannot be executed: its interpreter is missing, or it is for another processor"
    )


def test_a_runner_that_github_does_not_believe(boot: Boot, service: RunnerService) -> None:
    """GitHub refuses credentials that a wrong clock has made too old or too new."""
    service.session_status = 401
    machine = boot(start_timeout=12)
    assert reason(machine)


# The metadata service


def test_metadata_that_goes_away(boot: Boot, service: RunnerService) -> None:
    """Nothing but the spot notice depends on it."""
    machine = boot(metadata={"instance-life-cycle": "spot"})
    machine.wait_line("the runner is online", 20)
    machine.metadata.close()
    service.queue_job("sleep 2; echo done")
    assert service.report().log == "done\n"
    assert machine.wait_poweroff(30)
    assert machine.lines()[-1] == "the job build completed with result: Succeeded"


# The setup script


@pytest.mark.parametrize(
    ("setup", "why"),
    [
        ("exit 7", "setup failed with exit status 7: "),
        ("echo no such package >&2; false", "setup failed with exit status 1: no such package"),
        ("#!/no/such/interpreter\n", "setup failed with exit status 12"),
        ("kill -KILL $$", "setup failed with exit status 137: "),
        (
            "trap '' TERM; while :; do sleep 1; done",
            "the runner was not online within 12 s; it was still running setup",
        ),
    ],
    ids=["fails", "fails-with-a-word", "cannot-start", "is-killed", "never-ends-and-ignores-signals"],
)
def test_a_setup_script(boot: Boot, setup: str, why: str) -> None:
    machine = boot(setup=setup, start_timeout=12)
    assert reason(machine).startswith(why)


# The clock


def test_timers_do_not_follow_a_clock_that_is_set(boot: Boot, service: RunnerService) -> None:
    """NTP may move a fresh instance's clock by hours; the timers count elapsed time."""
    machine = boot(setup="systemctl show -P TimersMonotonic sprinters-max-lifetime.timer >/srv/timer", idle_timeout=2)
    assert reason(machine) == "no job came within 2 s"
    assert "OnActiveUSec=2min" in (machine.written / "srv/timer").read_text()
