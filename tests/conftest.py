"""What every scenario stands on: EC2, GitHub, the image index, life on the instances, and the binary between them."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from standins import images, program
from standins.aws import Ec2, Moto
from standins.cloud import Behaves, Cloud, simulated
from standins.github import GitHub
from standins.leaks import leaks
from standins.program import Program, Run

_run_ids = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    # A shell's background job ignores SIGINT, and so would every program that a test starts and cancels.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "policy(*policies): what the AWS user may do; plain_six without it")
    config.addinivalue_line("markers", "github(**options): which GitHub it is; github.com without it")
    config.addinivalue_line("markers", "not_portable: what the book says that the portable program does not do")
    config.addinivalue_line("markers", "debug_build: what only a build for tests can be told to do")
    config.addinivalue_line("markers", "native_speed: measures what an emulated processor or Node.js cannot keep")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The other builds in dist/ do the same, and not as fast."""
    build = os.environ.get("SPRINTERS_BUILD")
    if not build:
        return
    markers = ["debug_build", "native_speed", *(["not_portable"] if build.startswith("portable") else [])]
    left_out = [item for item in items if any(map(item.get_closest_marker, markers))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with Moto() as moto:
        yield moto


@pytest.fixture
def ec2(moto: Moto, request: pytest.FixtureRequest) -> Iterator[Ec2]:
    marker = request.node.get_closest_marker("policy")
    with Ec2(moto, *(marker.args if marker else ())) as ec2:
        yield ec2


@pytest.fixture
def github(request: pytest.FixtureRequest) -> Iterator[GitHub]:
    """GitHub; a test whose exchanges do not keep to GitHub's description fails, whatever else it shows."""
    marker = request.node.get_closest_marker("github")
    with GitHub(**(marker.kwargs if marker else {})) as github:
        yield github
        assert not github.violations, "\n".join(github.violations)


@pytest.fixture
def image_index() -> Iterator[images.ImageIndex]:
    index = images.ImageIndex()
    yield index
    index.close()


@pytest.fixture
def behaves() -> Behaves:
    """How the simulated instances of this test behave; a test changes it before it launches."""
    return Behaves()


@pytest.fixture
def cloud(ec2: Ec2, github: GitHub, behaves: Behaves) -> Iterator[Cloud]:
    with Cloud(ec2, github, simulated(behaves)) as cloud:
        yield cloud
        assert not cloud.problems, "\n".join(cloud.problems)


@pytest.fixture(scope="session")
def binary() -> Path:
    path = program.binary()
    if not path.exists():
        pytest.fail(f"no binary at {path}: run `cargo build`, `make dist`, or set SPRINTERS_BIN")
    return path


@pytest.fixture(scope="session")
def command() -> list[str]:
    """The build under test, as a command: SPRINTERS_BUILD names one of those in dist/."""
    command = program.command()
    for file in map(Path, command):
        if not file.exists():
            pytest.fail(f"no {file}: run `cargo build`, `make dist`, `.ci/setup builds`, or set SPRINTERS_BIN")
    return command


@pytest.fixture
def sprinters(
    command: list[str],
    ec2: Ec2,
    github: GitHub,
    image_index: images.ImageIndex,
    cloud: Cloud,
    tmp_path: Path,
) -> Iterator[Program]:
    """The binary in a job of a workflow run of its own. Whatever it wrote anywhere is searched for secrets."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    run_id = f"{int(worker) + 1}{next(_run_ids):06}"
    environment = {
        **program.job_environment(tmp_path, repository=f"octo/app-{run_id}", run_id=run_id),
        "AWS_ENDPOINT_URL_EC2": ec2.url,
        "AWS_ENDPOINT_URL_STS": ec2.url,
        "GITHUB_API_URL": github.url,
        "GITHUB_SERVER_URL": github.server_url,
        "SPRINTERS_IMAGE_INDEX_URL": image_index.url,
    }
    inputs: dict[str, object] = {
        "github-token": github.add_token().value,
        "aws-access-key-id": ec2.access_key_id,
        "aws-secret-access-key": ec2.secret_access_key,
        "aws-region": ec2.region,
    }
    started = Program(command, environment, inputs, tmp_path / "runs")
    yield started
    started.close()
    found = leaks(started, ec2, github)
    assert not found, "\n".join(found)


@pytest.fixture
def started(sprinters: Program, ec2: Ec2, github: GitHub) -> Callable[..., Run]:
    """Starts a runner that is then there, for tests of what comes after."""

    def start(**inputs: object) -> Run:
        before = len(ec2.living()), len(github.records())
        run = sprinters.run("start", **{"image": images.OWN_X64, "instance-type": "m7i.large", **inputs})
        count = int(str(inputs.get("count", 1)))
        assert run.code == 0, run.log
        assert (len(ec2.living()), len(github.records())) == (before[0] + count, before[1] + count)
        return run

    return start


@pytest.fixture
def left_behind(ec2: Ec2, github: GitHub) -> Callable[[], list[str]]:
    """What costs money or clutters the settings page: living instances and runner records."""

    def found() -> list[str]:
        instances = [f"{one.id} is {one.state}" for one in ec2.living()]
        return instances + [f"the runner {one.name} is {one.status}" for one in github.records()]

    return found
