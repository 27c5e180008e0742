"""Instances for the boot tests: the real renderer's user data in a real machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from boot import rendering
from boot.runner_service import RunnerService
from standins.machine import Machine, available
from standins.machine.disks import Disk
from standins.machine.root import RELEASES

IMAGE_RUNNER = "/opt/actions-runner"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "each_release: runs on each Debian release, not on the older one alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("each_release"):
        metafunc.parametrize("release", RELEASES, indirect=True)


@pytest.fixture(scope="session")
def render() -> Callable[..., bytes]:
    """The user data for a specification, given in parts."""
    return rendering.render


@pytest.fixture
def service() -> Iterator[RunnerService]:
    service = RunnerService()
    yield service
    service.close()


@pytest.fixture
def release(request: pytest.FixtureRequest) -> str:
    """The image's Debian release: the older one, unless the test is marked with `each_release`."""
    return getattr(request, "param", RELEASES[0])


@pytest.fixture
def boot(
    render: Callable[..., bytes], service: RunnerService, release: str, request: pytest.FixtureRequest
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
            release=release,
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
