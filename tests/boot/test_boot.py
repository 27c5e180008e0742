"""An instance's life from the boot to the power off: real systemd and cloud-init run the user data that EC2 gets."""

from __future__ import annotations

import contextlib
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from boot.runner_service import Download, RunnerService
from standins.machine import Machine
from standins.machine.runner import tarball

Boot = Callable[..., Machine]


def error_of(machine: Machine) -> str:
    """The one line that says why the instance gave up."""
    errors = [line for line in machine.lines() if line.startswith("error: ")]
    assert len(errors) == 1, errors
    return errors[0].removeprefix("error: ")


def powers_off(machine: Machine, timeout: float = 60) -> bool:
    return machine.wait_poweroff(timeout)


# The job


@pytest.mark.each_release
def test_a_runner_in_the_image_takes_one_job_and_the_instance_powers_off(boot: Boot, service: RunnerService) -> None:
    service.queue_job("echo hello from the job")
    machine = boot()
    report = service.report()
    assert powers_off(machine)
    assert (report.result, report.log) == ("Succeeded", "hello from the job\n")
    preparing, started, online, running, done = machine.lines()
    assert preparing == "preparing the runner sprinters-test-1 with the label sprinters-test"
    assert started.startswith("the runner sprinters-test-1 started, ")
    assert (online, running) == ("the runner is online", "running the job build")
    assert done == "the job build completed with result: Succeeded"


def test_the_console_tells_how_long_the_start_took(boot: Boot, service: RunnerService) -> None:
    """How long it may take is the bench's matter: no test fails because a machine is busy."""
    service.queue_job("true")
    machine = boot()
    assert powers_off(machine)
    assert re.fullmatch(r"the runner sprinters-test-1 started, \d+0 ms after the boot script", machine.lines()[1])


def test_a_failed_job_ends_the_instance_too(boot: Boot, service: RunnerService) -> None:
    service.queue_job("exit 3")
    machine = boot()
    assert service.report().result == "Failed"
    assert powers_off(machine)
    assert machine.lines()[-1] == "the job build completed with result: Failed"


@pytest.mark.each_release
def test_the_job_finds_what_it_finds_on_a_hosted_runner(boot: Boot, service: RunnerService) -> None:
    service.queue_job(
        'echo "$(id -un) $HOME $USER $LANG $SHELL"',
        "id -nG",
        "sudo -n id -u",
        "touch ~/here; stat -c %U ~/here",
        'echo "$PATH"',
        "systemctl is-active basic.target",
    )
    machine = boot()
    assert service.report().log.splitlines() == [
        "runner /home/runner runner C.UTF-8 /bin/bash",
        "runner docker",
        "0",
        "runner",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "active",
    ]
    assert powers_off(machine)


def test_an_account_of_the_image_runs_the_job_in_the_image_s_environment(boot: Boot, service: RunnerService) -> None:
    def image(layer: Path) -> None:
        (layer / "etc/profile.d").mkdir(parents=True)
        (layer / "etc/environment").write_text('PATH="/opt/tool/bin:/usr/bin:/bin"\nTOOL_HOME=/opt/tool\n')

    service.queue_job('echo "$(id -un) $HOME $TOOL_HOME $PATH"')
    machine = boot(image=image, user="www-data")
    assert service.report().log == "www-data /var/www /opt/tool /opt/tool/bin:/usr/bin:/bin\n"
    assert powers_off(machine)


# The runner


@pytest.mark.each_release
def test_a_downloaded_runner(boot: Boot, service: RunnerService, tmp_path: Path) -> None:
    archive = tarball(tmp_path, ballast=4 << 20)
    service.downloads = [Download(body=archive.path.read_bytes())]
    service.queue_job("stat -c '%U %n' /opt/actions-runner /opt/actions-runner/bin/Runner.Listener")
    machine = boot(runner_in_image=None, url=service.archive_url, sha256=archive.sha256.upper())
    assert service.report().log.splitlines() == [
        "runner /opt/actions-runner",
        "runner /opt/actions-runner/bin/Runner.Listener",
    ]
    assert powers_off(machine)
    print("download path:", machine.lines()[1])


def test_a_runner_with_the_wrong_checksum_never_runs(boot: Boot, service: RunnerService, tmp_path: Path) -> None:
    archive = tarball(tmp_path)
    service.downloads = [Download(body=archive.path.read_bytes())]
    machine = boot(runner_in_image=None, url=service.archive_url, sha256="0" * 64)
    assert powers_off(machine)
    assert error_of(machine) == (
        f"{service.archive_url} has the SHA-256 {archive.sha256}, not {'0' * 64} as GitHub says: not run"
    )
    assert service.requests == ["GET actions-runner-linux-x64.tar.gz"]
    assert not (machine.written / "opt/actions-runner").exists()


def test_a_broken_download_is_tried_again(boot: Boot, service: RunnerService, tmp_path: Path) -> None:
    archive = tarball(tmp_path)
    body = archive.path.read_bytes()
    service.downloads = [Download(503), Download(body=body, cut_after=1000), Download(body=body)]
    service.queue_job("true")
    machine = boot(runner_in_image=None, url=service.archive_url, sha256=archive.sha256)
    assert service.report().result == "Succeeded"
    assert powers_off(machine)


def test_a_download_that_never_works_says_why(boot: Boot, service: RunnerService) -> None:
    service.downloads = [Download(404)]
    machine = boot(runner_in_image=None, url=service.archive_url)
    assert powers_off(machine)
    assert error_of(machine) == (
        f"cannot download {service.archive_url}: curl: (22) The requested URL returned error: 404"
    )


def test_a_runner_home_with_odd_characters(boot: Boot, service: RunnerService) -> None:
    home = "/srv/it's my $runner %h"
    service.queue_job('dirname "$PWD"')
    machine = boot(runner_in_image=home, home=home)
    assert service.report().log == f"{home}\n"
    assert powers_off(machine)


def test_a_runner_of_another_account_is_handed_over(boot: Boot, service: RunnerService) -> None:
    service.queue_job("stat -c %U /actions-runner/bin")
    machine = boot(runner_in_image="/actions-runner", home="/actions-runner", user="ci")
    assert service.report().log == "ci\n"
    assert powers_off(machine)


def test_a_runner_home_without_a_runner(boot: Boot, service: RunnerService) -> None:
    machine = boot(home="/opt/elsewhere")
    assert powers_off(machine)
    assert error_of(machine) == "no runner in the image at /opt/elsewhere (run.sh is missing): correct runner-home"


def test_a_runner_that_github_finds_too_old(boot: Boot, service: RunnerService) -> None:
    service.session_status = 426
    machine = boot()
    assert powers_off(machine)
    assert error_of(machine) == "GitHub refuses the version of the runner in the image: bake a newer one, or none"


def test_a_runner_that_dies_in_the_middle_of_its_job(boot: Boot, service: RunnerService) -> None:
    service.queue_job("kill -KILL $PPID")
    machine = boot()
    assert powers_off(machine)
    assert "without finishing a job; its last words: " in error_of(machine)


def test_a_runner_that_github_has_forgotten(boot: Boot, service: RunnerService) -> None:
    service.session_status = 404
    machine = boot()
    assert powers_off(machine)
    assert error_of(machine).endswith("The runner registration has been deleted from the server, please re-configure.")


# The timers


@pytest.mark.each_release
def test_a_runner_that_does_not_come_online_in_time(boot: Boot, service: RunnerService) -> None:
    service.session_status = 503
    machine = boot(start_timeout=12)
    assert powers_off(machine)
    assert error_of(machine) == "the runner was not online within 12 s; it was still connecting to GitHub"


@pytest.mark.each_release
def test_no_job_in_time(boot: Boot, service: RunnerService) -> None:
    machine = boot(idle_timeout=2, start_timeout=60)
    online = machine.wait_line("the runner is online", 60)
    given_up = machine.wait_line("no job came within 2 s", 60)
    assert powers_off(machine)
    assert given_up - online >= 1.5
    assert error_of(machine) == "no job came within 2 s"


def test_a_job_stops_the_idle_and_the_start_timer(boot: Boot, service: RunnerService) -> None:
    service.queue_job("sleep 14")
    machine = boot(idle_timeout=3, start_timeout=12)
    assert service.report().result == "Succeeded"
    assert powers_off(machine)
    assert machine.lines()[-1] == "the job build completed with result: Succeeded"


@pytest.mark.each_release
def test_a_job_that_never_ends(boot: Boot, service: RunnerService) -> None:
    service.queue_job("sudo bash -c 'trap \"\" TERM INT; sleep 1000'")
    machine = boot(max_lifetime=4)
    assert powers_off(machine)
    assert error_of(machine) == "max-lifetime of 4 s is over"


def test_a_setup_script_that_never_ends(boot: Boot) -> None:
    machine = boot(setup="sleep 1000", start_timeout=12)
    assert powers_off(machine)
    assert error_of(machine) == "the runner was not online within 12 s; it was still running setup"


@pytest.mark.each_release
def test_a_power_off_that_hangs_is_forced(boot: Boot, service: RunnerService) -> None:
    setup = """
    systemd-run --unit=stubborn -p TimeoutStopSec=infinity -p ExecStop='/bin/sleep infinity' /bin/sleep infinity
    """
    service.queue_job("systemctl is-active stubborn")
    machine = boot(setup=setup)
    assert service.report().log == "active\n"
    assert powers_off(machine, 45)


@pytest.mark.each_release
def test_a_process_that_outlives_its_service_and_ignores_sigterm_is_forced(boot: Boot, service: RunnerService) -> None:
    """systemd would wait for it for a minute and a half, after the services have stopped."""
    setup = textwrap.dedent("""\
        (
            trap '' TERM
            for group in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
                [ ! -e $group/cgroup.procs ] || echo $BASHPID >$group/cgroup.procs || true
            done
            exec sleep 1000
        ) &
        """)
    service.queue_job("pgrep -x sleep -u root")
    machine = boot(setup=setup)
    assert service.report().result == "Succeeded"
    assert powers_off(machine)


@pytest.mark.each_release
def test_a_reboot_ends_the_instance(boot: Boot, service: RunnerService) -> None:
    service.queue_job("sudo systemctl reboot --force --force; sleep 100")
    machine = boot()
    assert powers_off(machine)
    assert error_of(machine) == "the instance was restarted, and a runner runs only once"
    assert service.requests.count("POST session") == 1


def test_a_machine_without_power_leaves_nothing_running(boot: Boot) -> None:
    """Of the stand-in itself: EC2 may end an instance at any moment."""
    machine = boot()
    machine.wait_line("the runner is online", 60)
    machine.kill()
    assert not machine.alive
    assert processes_with(str(machine.folder)) == []


def processes_with(mounted: str) -> list[str]:
    """The processes that see something mounted from there."""
    found = []
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):  # it has just ended
            if mounted in table.read_text():
                found.append(table.parent.name)
    return found


# The setup script


@pytest.mark.each_release
def test_setup_runs_as_root_before_the_runner_and_byte_for_byte(boot: Boot, service: RunnerService) -> None:
    setup = textwrap.dedent("""\
        #!/usr/bin/env python3
        # it's "quoted" `like` $this, \\ and é, 🏃
        # --- secrets: not these
        jit='mine'
        import os, pathlib, shutil
        shutil.copy(__file__, "/srv/setup")
        assert "ACTIONS_RUNNER_INPUT_JITCONFIG" not in os.environ
        pathlib.Path("/srv/who").write_text(f"{os.getuid()} {os.environ['HOME']}")
        """)
    service.queue_job("cat /srv/who", "systemctl is-active sprinters-prepare || true")
    machine = boot(setup=setup)
    assert service.report().log == "0 /rootinactive\n"
    assert powers_off(machine)
    assert (machine.written / "srv/setup").read_text() == setup


def test_setup_without_a_hash_bang_line_runs_in_bash_and_stops_at_the_first_failure(boot: Boot) -> None:
    setup = "words=(one two)\n[[ ${words[1]} == two ]]\necho about to fail >&2\nfalse\necho went on\n"
    machine = boot(setup=setup)
    assert powers_off(machine)
    assert error_of(machine) == "setup failed with exit status 1: about to fail"


# Spot


@pytest.mark.each_release
def test_a_spot_notice_reaches_the_console_and_the_job_s_log(boot: Boot, service: RunnerService) -> None:
    service.queue_job("until [ -e /run/sprinters/spot-notice ]; do sleep 0.1; done")
    machine = boot(metadata={"instance-life-cycle": "spot"})
    machine.wait_line("running the job", 20)
    machine.metadata.notify_spot_interruption("2026-11-23T18:22:00Z")
    report = service.report()
    assert powers_off(machine)
    notice = '{"action": "terminate", "time": "2026-11-23T18:22:00Z"}'
    assert f"EC2 takes this spot instance back: {notice}" in machine.lines()
    assert f"::warning title=Spot instance::EC2 takes this instance back: {notice}" in report.complete


# Distributions


def test_sh_is_bash(boot: Boot, service: RunnerService, tmp_path: Path) -> None:
    """As on Amazon Linux."""

    def image(layer: Path) -> None:
        (layer / "usr/bin").mkdir(parents=True)
        (layer / "usr/bin/sh").symlink_to("bash")

    archive = tarball(tmp_path)
    service.downloads = [Download(503), Download(body=archive.path.read_bytes())]
    service.queue_job("readlink /bin/sh")
    machine = boot(runner_in_image=None, image=image, url=service.archive_url, sha256=archive.sha256, setup="true")
    assert service.report().log == "bash\n"
    assert powers_off(machine)


def test_without_libicu_dotnet_is_told_so(boot: Boot, service: RunnerService) -> None:
    service.queue_job('echo "${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT-unset}"')
    machine = boot()
    assert service.report().log == "1\n"
    assert powers_off(machine)


def test_with_libicu_dotnet_keeps_its_cultures(boot: Boot, service: RunnerService) -> None:
    # Any library will do; ldconfig goes by the name inside it.
    setup = textwrap.dedent("""\
        #!/usr/bin/env python3
        import pathlib, subprocess
        (library,) = pathlib.Path("/usr/lib").glob("*/libgcrypt.so.20")
        renamed = library.read_bytes().replace(b"libgcrypt.so.20", b"libicuuc.so.72\\0")
        pathlib.Path("/usr/local/lib/libicuuc.so.72").write_bytes(renamed)
        subprocess.run(["ldconfig"], check=True)
        """)
    service.queue_job('echo "${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT-unset}"')
    machine = boot(setup=setup)
    assert service.report().log == "unset\n"
    assert powers_off(machine)
