"""What happens before RunInstances: nothing that is not needed, and what is needed at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from standins import images
from standins.aws import Ec2
from standins.cloud import Behaves
from standins.distance import Distance
from standins.gate import Fault, Gate, delayed, garbage, truncated
from standins.github import GitHub
from standins.program import Program, Run
from standins.rounds import rounds_before_launch
from standins.server import Response
from standins.tls import Authority

AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}
LATENCY = 0.3


def everyone(ec2: Ec2, github: GitHub, image_index: images.ImageIndex) -> list[Gate]:
    return [ec2.gate, github.gate, image_index.gate]


@pytest.fixture
def far_away(ec2: Ec2, github: GitHub, image_index: images.ImageIndex) -> list[Gate]:
    gates = everyone(ec2, github, image_index)
    for gate in gates:
        gate.fail("*", delayed(LATENCY), times=None)
    return gates


def launched(sprinters: Program, **inputs: object) -> Run:
    run = sprinters.run("start", **inputs)
    assert run.code == 0, run.log
    return run


def test_on_demand_with_an_explicit_image_takes_one_round(sprinters: Program, ec2: Ec2, far_away: list[Gate]) -> None:
    launched(sprinters, **AMI)

    assert rounds_before_launch(far_away) == [{"generate-jitconfig", "list-downloads"}]
    assert ec2.gate.operations()[0] == "RunInstances"


def test_a_runner_in_the_image_needs_the_jit_config_alone(sprinters: Program, far_away: list[Gate]) -> None:
    launched(sprinters, **AMI, **{"runner-home": "/opt/actions-runner"})

    assert rounds_before_launch(far_away) == [{"generate-jitconfig"}]


def test_spot_with_an_image_s_name_takes_one_round(sprinters: Program, far_away: list[Gate]) -> None:
    launched(sprinters, image="ubuntu-24.04", spot="true")

    assert rounds_before_launch(far_away) == [
        {"DescribeSpotPriceHistory", "image-index", "generate-jitconfig", "list-downloads"}
    ]


def test_a_record_minted_for_nothing_is_undone(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    """The record is minted while the image is looked up; where there is none, it goes."""
    ec2.gate.fail("DescribeImages", delayed(LATENCY), times=None)
    run = sprinters.run("start", image="name=nothing-*@099720109477", **{"instance-type": "m7i.large"})

    assert run.code == 1, run.log
    assert github.gate.calls("generate-jitconfig") and not github.records() and not ec2.instances()
    assert "runner record deleted" in run.log


def test_prices_that_come_late_are_asked_for_once(sprinters: Program, ec2: Ec2) -> None:
    """Connect, handshake and request at 400 ms a round trip take longer than a third of the prices' time."""
    ec2.gate.fail("DescribeSpotPriceHistory", delayed(1.5), times=None)
    run = launched(sprinters, **AMI, spot="auto")

    assert len(ec2.gate.calls("DescribeSpotPriceHistory")) == 1
    assert "cheapest zone" not in run.log


ROUND_TRIP = 0.4


@pytest.fixture
def abroad(
    sprinters: Program, ec2: Ec2, github: GitHub, image_index: images.ImageIndex, tmp_path: Path
) -> Iterator[dict[str, Distance]]:
    """Everybody behind TLS and a distance: a connection costs a round trip, its handshake another."""
    authority = Authority(tmp_path)
    sprinters.environment["NODE_EXTRA_CA_CERTS"] = str(authority.file)
    distances: dict[str, Distance] = {}
    for variable, url in (
        ("GITHUB_API_URL", github.url),
        ("AWS_ENDPOINT_URL_EC2", ec2.url),
        ("SPRINTERS_IMAGE_INDEX_URL", image_index.url),
    ):
        away = Distance(int(url.rpartition(":")[2]), ROUND_TRIP, authority.context("localhost"))
        distances[variable] = away
        sprinters.environment[variable] = f"https://localhost:{away.port}"
    yield distances
    for away in distances.values():
        away.close()


def test_a_connection_is_open_before_it_is_needed(
    sprinters: Program, ec2: Ec2, github: GitHub, abroad: dict[str, Distance]
) -> None:
    """It was begun before GitHub answered. A slow machine may open a spare one, and take whichever is ready first."""
    launched(sprinters, **AMI)

    [call], [minted] = ec2.gate.calls("RunInstances"), github.gate.calls("generate-jitconfig")
    opened = abroad["AWS_ENDPOINT_URL_EC2"].opened
    assert min(opened) < minted.answered < call.request.arrived


def test_a_stop_ends_instances_before_it_asks_for_prices(sprinters: Program, ec2: Ec2, far_away: list[Gate]) -> None:
    launched(sprinters, **AMI, spot="true")
    before = len(ec2.gate.exchanges)
    assert sprinters.run("stop").code == 0

    asked = sorted(ec2.gate.exchanges[before:], key=lambda one: one.request.arrived)
    assert [one.operation for one in asked][:3] == [
        "DescribeInstances",
        "TerminateInstances",
        "DescribeSpotPriceHistory",
    ]


def test_connections_are_opened_once(sprinters: Program, github: GitHub, ec2: Ec2, behaves: Behaves) -> None:
    behaves.online_after = 2.5
    launched(sprinters, **AMI)

    assert len(github.gate.exchanges) >= 4
    assert github.connections <= 2, "one for each of the two requests that leave together"


def test_the_index_comes_compressed(sprinters: Program, image_index: images.ImageIndex) -> None:
    launched(sprinters, image="ubuntu-24.04")

    [exchange] = image_index.gate.calls("image-index")
    assert isinstance(exchange.outcome, Response)
    assert exchange.outcome.headers["Content-Encoding"] == "gzip"


def test_two_processors_fetch_it_once(sprinters: Program, image_index: images.ImageIndex) -> None:
    launched(sprinters, **{"instance-type": "m7i.large, m7g.large"})

    assert len(image_index.gate.calls("image-index")) == 1


def kept(sprinters: Program) -> Path:
    [file] = (Path(sprinters.environment["RUNNER_TOOL_CACHE"]) / "sprinters" / "images").iterdir()
    return file


def test_the_image_is_kept_in_the_tool_directory(sprinters: Program, image_index: images.ImageIndex, ec2: Ec2) -> None:
    launched(sprinters, image="ubuntu-24.04")
    image_index.close()
    launched(sprinters, image="ubuntu-24.04")

    first, second = ec2.gate.calls("RunInstances")
    assert first.request.form["ImageId"] == second.request.form["ImageId"]
    assert kept(sprinters).read_text() == first.request.form["ImageId"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: os.utime(file, (time.time() - 90_000,) * 2),
        lambda file: os.utime(file, (time.time() + 90_000,) * 2),
        lambda file: file.write_text("ami-nonsense"),
        lambda file: file.write_bytes(b"\xff\x00"),
        lambda file: (file.unlink(), file.mkdir()),
    ],
    ids=["old", "from the future", "nonsense", "no text", "a folder"],
)
def test_what_cannot_be_trusted_is_fetched_again(
    sprinters: Program, image_index: images.ImageIndex, ec2: Ec2, spoil: Callable[[Path], object]
) -> None:
    launched(sprinters, image="ubuntu-24.04")
    spoil(kept(sprinters))
    launched(sprinters, image="ubuntu-24.04")

    assert len(image_index.gate.calls("image-index")) == 2
    assert ec2.instances()[1].request["ImageId"] == images.newest("noble", "amd64", "eu-central-1")


def test_each_release_region_and_processor_is_kept_apart(sprinters: Program, ec2: Ec2) -> None:
    for image in ("ubuntu-24.04", "ubuntu-22.04", "ubuntu-24.04-arm"):
        launched(sprinters, image=image)

    assert len({instance.request["ImageId"] for instance in ec2.instances()}) == 3


@pytest.mark.parametrize("tools", [None, "/proc/nowhere"])
def test_without_a_tool_directory_it_is_fetched(
    sprinters: Program, image_index: images.ImageIndex, tools: str | None
) -> None:
    sprinters.environment.pop("RUNNER_TOOL_CACHE")
    if tools:
        sprinters.environment["RUNNER_TOOL_CACHE"] = tools
    launched(sprinters, image="ubuntu-24.04")
    launched(sprinters, image="ubuntu-24.04")

    assert len(image_index.gate.calls("image-index")) == 2


@pytest.mark.parametrize("fault", [truncated, garbage])
def test_a_spoilt_index_is_neither_used_nor_kept(
    sprinters: Program, image_index: images.ImageIndex, ec2: Ec2, fault: Fault
) -> None:
    image_index.gate.fail("image-index", fault)
    launched(sprinters, image="ubuntu-24.04")

    assert len(image_index.gate.calls("image-index")) == 2
    assert kept(sprinters).read_text() == images.newest("noble", "amd64", "eu-central-1")
