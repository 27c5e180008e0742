"""The script that bakes an image, run as the user data that it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from boot.runner_service import Download, RunnerService
from standins.machine import Machine, available
from standins.machine.runner import tarball

SCRIPT = Path(__file__).parents[2] / "docs" / "src" / "bake-image.sh"


def baked(service: RunnerService, folder: Path, sha256: str | None = None) -> Machine:
    if missing := available():
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    archive = tarball(folder)
    service.downloads = [Download(body=archive.path.read_bytes())]
    script = SCRIPT.read_text()
    for name, value in (("url", service.archive_url), ("sha256", sha256 or archive.sha256)):
        assert script.count(f"\n{name}=\n") == 1
        script = script.replace(f"\n{name}=\n", f"\n{name}={value}\n")
    machine = Machine(script.encode(), name=f"i-bake{os.getpid():x}", forward=[service.port])
    machine.start()
    assert machine.wait_poweroff(90), machine.console.read_text(errors="replace")[-2000:]
    return machine


def message(machine: Machine) -> str:
    return machine.console.read_text(errors="replace")


def test_the_runner_is_where_sprinters_looks(service: RunnerService, tmp_path: Path) -> None:
    machine = baked(service, tmp_path)

    assert "bake: done" in message(machine), message(machine)[-1500:]
    home = machine.written / "opt" / "actions-runner"
    assert os.access(home / "run.sh", os.X_OK)
    assert home.stat().st_uid == (home / "run.sh").stat().st_uid == 1001
    assert (machine.written / "etc" / "machine-id").read_text() == "", "each instance gets one of its own"
    assert not (machine.written / "var" / "lib" / "cloud" / "instance").exists()


def test_a_wrong_checksum_bakes_nothing(service: RunnerService, tmp_path: Path) -> None:
    machine = baked(service, tmp_path, sha256="0" * 64)

    assert "bake: FAILED" in message(machine)
    assert "bake: done" not in message(machine)
    assert not (machine.written / "opt" / "actions-runner").exists()
