"""What the job's log tells of its instance, and the user's own hooks."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable

import pytest

from boot.runner_service import RunnerService
from standins.machine import Machine

Boot = Callable[..., Machine]


@pytest.mark.each_release
def test_the_job_s_log_tells_what_hardware_it_got(boot: Boot, service: RunnerService) -> None:
    service.queue_job("nproc")
    machine = boot(metadata={"instance-life-cycle": "spot", "instance-type": "m8gd.xlarge"})
    report = service.report()
    assert machine.wait_poweroff(30)
    lines = report.set_up.splitlines()
    assert lines[0] == "Sprinters: m8gd.xlarge in eu-central-1a, spot, image ami-0123456789abcdef0"
    words = [line.split() for line in lines]
    assert ["CPU(s):", report.log.strip()] in words
    assert any(line[0] == "Mem:" for line in words)
    assert [line[-1] for line in words if line[0] == "overlay"] == ["/"]
    full, used = report.complete.splitlines()
    assert re.fullmatch(r"/ was at most +\d+% full", full)
    assert re.fullmatch(
        r"::notice title=Sprinters::used at most \d+\.\d of \d+\.\d GiB of memory( and .* of swap)?, "
        r"on average \d+ % of \d+ CPUs(; waited .*)?",
        used.partition(": m8gd.large")[0],
    )


def test_without_metadata_the_log_still_tells_the_rest(boot: Boot, service: RunnerService) -> None:
    service.queue_job("true")
    machine = boot(metadata={"instance-type": {}})
    report = service.report()
    assert machine.wait_poweroff(30)
    assert report.result == "Succeeded"
    assert "CPU(s):" in report.set_up and "m7i" not in report.set_up


def test_hooks_run_as_the_job_s_account_around_the_job(boot: Boot, service: RunnerService) -> None:
    started = 'echo "it\'s $(id -un) before $GITHUB_JOB" | tee ~/started\n'
    completed = textwrap.dedent("""\
        #!/usr/bin/env python3
        # it's "quoted" `like` $this, \\ and é
        import getpass, os
        print(getpass.getuser(), "after", os.environ["GITHUB_JOB"], os.path.exists(os.path.expanduser("~/step")))
        print("ACTIONS_RUNNER_INPUT_JITCONFIG" in os.environ)
        """)
    service.queue_job("cat ~/started; touch ~/step")
    machine = boot(job_started=started, job_completed=completed)
    report = service.report()
    assert machine.wait_poweroff(30)
    assert report.log == "it's runner before build\n"
    assert report.set_up.endswith("\nit's runner before build\n")
    assert report.complete.startswith("runner after build True\nFalse\n/ was at most")


def test_a_hook_that_fails_fails_the_job(boot: Boot, service: RunnerService) -> None:
    service.queue_job("echo never")
    machine = boot(job_started="echo no licence; exit 3")
    report = service.report()
    assert machine.wait_poweroff(30)
    assert (report.result, report.log) == ("Failed", "")
    assert report.set_up.endswith("\nno licence\n")


def test_the_disks_are_told_whatever_the_hook_says(boot: Boot, service: RunnerService) -> None:
    service.queue_job("true")
    machine = boot(job_completed="exit 4")
    report = service.report()
    assert machine.wait_poweroff(30)
    assert report.result == "Failed"
    assert report.complete.startswith("/ was at most")
