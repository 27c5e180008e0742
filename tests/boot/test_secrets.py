"""What a job may and may not find on its instance."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from boot.runner_service import RunnerService
from standins.machine import Machine

Boot = Callable[..., Machine]

ASK = "curl -sS -m 5 -o /dev/null -w '%{http_code}' -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "
ASK += "http://169.254.169.254/latest/api/token"

# Run as root on the instance: where does the needle show? It comes encoded, so that the search does not find itself.
SEARCH = """
import base64, os, pathlib
needle = base64.b64decode("@NEEDLE@")[::-1]
def content(path):
    try:
        return path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    except OSError:
        return b""
for process in pathlib.Path("/proc").glob("[0-9]*"):
    for name in ("cmdline", "environ"):
        if needle in content(process / name):
            print("process", name, (process / "cmdline").read_bytes().split(b"\\0")[1].decode().rpartition("/")[2])
for top in ("/run", "/tmp", "/var", "/etc", "/home", "/root", "/opt", "/srv", "/dev/shm"):
    for folder, _, files in os.walk(top):
        for name in files:
            if needle in content(pathlib.Path(folder, name)):
                print("file", folder, name)
"""


def search_for(needle: str | bytes) -> str:
    raw = needle.encode() if isinstance(needle, str) else needle
    program = SEARCH.replace("@NEEDLE@", base64.b64encode(raw[::-1]).decode())
    return f"sudo python3 - <<'END'\n{program}\nEND"


WIPED = "for _ in $(seq 300); do sudo test -e /var/lib/cloud/instance/obj.pkl || break; sleep 0.1; done"


@pytest.mark.each_release
def test_the_jit_config_is_nowhere_but_in_the_runner_s_own_environment(boot: Boot, service: RunnerService) -> None:
    service.queue_job(WIPED, search_for(service.jit_config))
    machine = boot(setup="true")
    report = service.report()
    assert machine.wait_poweroff(30)
    assert report.result == "Succeeded"
    # The runner wants it in its environment, where Linux shows it to the same account for as long as the process lives.
    found = set(report.log.splitlines())
    assert found == {"process environ run.sh", "process environ run-helper.sh", "process environ Runner.Listener"}
    assert service.jit_config not in machine.console.read_text(errors="replace")
    assert written_with(machine, service.jit_config.encode()) == []


@pytest.mark.each_release
def test_the_user_data_is_wiped(boot: Boot, service: RunnerService, render: Callable[..., bytes]) -> None:
    user_data = render(jit_config=service.jit_config)
    service.queue_job(WIPED, search_for(user_data[100:200]), search_for(service.jit_config[:60]))
    machine = boot()
    report = service.report()
    assert machine.wait_poweroff(30)
    assert report.result == "Succeeded"
    assert "file" not in report.log
    assert written_with(machine, user_data[100:200]) == []
    assert list((machine.written / "var/lib/cloud").rglob("user-data*")) == []
    assert list((machine.written / "var/lib/cloud").rglob("part-*")) == []


@pytest.mark.each_release
def test_cloud_init_finishes_without_a_complaint_although_its_copies_are_gone(
    boot: Boot, service: RunnerService
) -> None:
    service.queue_job("timeout 60 cloud-init status --wait | tr -d .", WIPED, "sudo cat /run/cloud-init/result.json")
    machine = boot()
    report = service.report()
    assert machine.wait_poweroff(30)
    assert "status: done" in report.log
    assert '"errors": []' in report.log


@pytest.mark.each_release
def test_metadata_is_closed_to_the_job_and_open_to_root(boot: Boot, service: RunnerService) -> None:
    service.queue_job(f"{ASK} || echo ' refused'", f"sudo {ASK}")
    machine = boot()
    report = service.report()
    assert machine.wait_poweroff(30)
    assert report.log.splitlines()[0].startswith("curl: (7)")
    assert report.log.splitlines()[1:] == ["000 refused", "200"]


def test_metadata_is_open_to_the_job_where_it_is_asked_for(boot: Boot, service: RunnerService) -> None:
    service.queue_job(ASK)
    machine = boot(metadata_open=True)
    assert service.report().log == "200"
    assert machine.wait_poweroff(30)


def test_a_job_never_runs_where_metadata_cannot_be_closed(boot: Boot, service: RunnerService) -> None:
    def image(layer: Path) -> None:
        """Without `ip`: a whiteout of overlayfs."""
        for folder in ("usr/bin", "usr/sbin", "bin", "sbin"):
            if folder.startswith("usr"):
                (layer / folder).mkdir(parents=True)
                os.mknod(layer / folder / "ip", stat.S_IFCHR, os.makedev(0, 0))

    machine = boot(image=image)
    assert machine.wait_poweroff(30)
    (error,) = [line for line in machine.lines() if line.startswith("error: ")]
    assert error.startswith("error: cannot close the instance metadata to the job"), error
    assert service.requests == []


def written_with(machine: Machine, needle: bytes) -> list[str]:
    """The files on the machine's disk that contain the needle."""
    files = (path for path in machine.written.rglob("*") if path.is_file() and not path.is_symlink())
    return [str(path) for path in files if needle in path.read_bytes()]


# Without sudo


@pytest.mark.each_release
@pytest.mark.parametrize("account", ["new", "of-the-image"])
def test_without_sudo_nothing_makes_the_job_root(boot: Boot, service: RunnerService, account: str) -> None:
    def image(layer: Path) -> None:
        """Everybody may become root, by sudo and by a program of the image's."""
        (layer / "etc/sudoers.d").mkdir(parents=True)
        (layer / "etc/sudoers.d/everybody").write_text("ALL ALL=(ALL) NOPASSWD:ALL\n")
        become = layer / "usr/local/bin/become-root"
        become.parent.mkdir(parents=True)
        become.write_bytes(Path("/usr/bin/id").read_bytes())
        become.chmod(0o4755)

    user = "runner" if account == "new" else "www-data"
    setup = f"usermod -aG docker,adm {user}" if account == "of-the-image" else None
    service.queue_job(
        "sudo -n id -u || echo refused",
        "become-root -u",
        "id -nG",
        "systemctl poweroff 2>/dev/null || echo refused",
        "systemctl stop sprinters-max-lifetime.timer 2>/dev/null || echo refused",
        "cat /run/sprinters/setup.log || echo refused",
        f"sudo -n {ASK} || {ASK} || echo refused",
    )
    machine = boot(sudo=False, image=image, user=user, setup=setup)
    report = service.report()
    assert machine.wait_poweroff(30)
    uid = "1001" if account == "new" else "33"
    told = [line for line in report.log.splitlines() if not line.startswith(("sudo:", "curl:", "cat:"))]
    assert told == ["refused", uid, user, "refused", "refused", "refused", "000refused"]


def test_setup_s_log_is_root_s_alone(boot: Boot, service: RunnerService) -> None:
    service.queue_job("cat /run/sprinters/setup.log || echo refused", "sudo cat /run/sprinters/setup.log")
    machine = boot(setup="echo a password\r\necho of the licence server\r\n")
    report = service.report()
    assert machine.wait_poweroff(30)
    assert report.log.splitlines()[1:] == ["refused", "a password", "of the licence server"]
