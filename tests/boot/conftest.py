"""Instances for the boot tests: the real renderer's user data in a real machine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from boot.runner_service import RunnerService
from standins.machine import Machine, available
from standins.machine.disks import Disk

REPOSITORY = Path(__file__).parents[2]
RENDERER = "SPRINTERS_BOOT_USER_DATA"
IMAGE_RUNNER = "/opt/actions-runner"


@pytest.fixture(scope="session")
def renderer() -> str:
    """The program that prints user data, built from the very code that `start` uses."""
    if built := os.environ.get(RENDERER):
        return built
    command = ["cargo", "build", "--locked", "--quiet", "--example", "boot-user-data", "--message-format=json"]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    return next(message["executable"] for message in messages if message.get("executable"))


@pytest.fixture(scope="session")
def render(renderer: str) -> Callable[..., bytes]:
    """The user data for a specification, given in parts."""

    def render(**changes: Any) -> bytes:
        spec = {
            "jit_config": "e30=",
            "home": None,
            "url": "http://127.0.0.1:9/none.tar.gz",
            "sha256": "0" * 64,
            "user": "runner",
            "setup": None,
            "job_started": None,
            "job_completed": None,
            "temp": None,
            "temp_gib": None,
            "swap_gib": 0,
            "https_proxy": None,
            "http_proxy": None,
            "no_proxy": None,
            "certificates": None,
            "start_timeout": 60,
            "idle_timeout": 60,
            "max_lifetime": 120,
            "metadata_open": False,
            "label": "sprinters-test",
            "name": "sprinters-test-1",
        } | changes
        return subprocess.run([renderer], input=json.dumps(spec).encode(), stdout=subprocess.PIPE, check=True).stdout

    return render


@pytest.fixture
def service() -> Iterator[RunnerService]:
    service = RunnerService()
    yield service
    service.close()


@pytest.fixture
def boot(
    render: Callable[..., bytes], service: RunnerService, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Machine]]:
    """Boots an instance; its disk is kept where the test failed."""
    if missing := available():
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    machines: list[Machine] = []

    def boot(
        *,
        runner_in_image: str | None = IMAGE_RUNNER,
        metadata: dict[str, Any] | None = None,
        image: Callable[[Path], None] | None = None,
        disks: Sequence[Disk] = (),
        options: Sequence[str] = (),
        forward: Sequence[int] = (),
        niceness: int = 0,
        **spec: Any,
    ) -> Machine:
        user_data = render(**{"jit_config": service.jit_config} | spec)
        machine = Machine(
            user_data,
            name=f"i-{len(machines):x}{os.getpid():016x}"[:19],
            runner_in_image=runner_in_image,
            metadata=metadata,
            image=image,
            disks=disks,
            options=options,
            niceness=niceness,
            forward=[service.port, *forward],
        )
        machines.append(machine)
        machine.start()
        return machine

    yield boot
    failed = request.node.stash.get(FAILED, False)
    for machine in machines:
        machine.kill()
        if failed:
            machine.keep()
            print(f"the disk and console of {machine.name} are in {machine.folder}:", *machine.lines(""), sep="\n")
        else:
            machine.delete()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report
