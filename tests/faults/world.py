"""What one run stands in: an EC2 account, GitHub, life on the instances, the image index; and the days it may have."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from standins import images, program
from standins.aws import Ec2, Moto
from standins.cloud import Behaves, Cloud, simulated
from standins.gate import Gate
from standins.github import GitHub
from standins.images import ImageIndex
from standins.program import Program, Run
from standins.proxy import Behaviour, ec2_error, region_of

OWN = {"image": images.OWN_X64, "instance-type": "m7i.large"}
FULL, OTHER = "eu-central-1", "us-west-2"
TWO_REGIONS = {
    "aws-region": f"{FULL}, {OTHER}",
    "image": f"{FULL}={images.OWN_X64}, {OTHER}={images.OWN_X64}",
    "instance-type": "m7i.large",
}


@dataclass(frozen=True)
class Day:
    """The inputs, and how instances behave."""

    name: str
    inputs: dict[str, object]
    behaves: Behaves | tuple[Behaves, ...] = field(default_factory=lambda: Behaves(online_after=0.3))
    """With several, instances behave by turns."""
    behaviour: Behaviour = field(default_factory=Behaviour)
    full_region: str = ""
    """Where EC2 has no capacity, as long as the day lasts."""
    words: tuple[str, ...] = ()
    """How the message names the cause where this day alone makes `start` fail."""

    @property
    def start_timeout(self) -> float:
        return float(str(self.inputs["start-timeout"]).removesuffix("s"))

    @property
    def count(self) -> int:
        return int(str(self.inputs.get("count", 1)))

    @property
    def ends_well(self) -> bool:
        return not self.words


NEVER = ("no runner came online", "not all runners came online")
DAYS = {
    day.name: day
    for day in (
        Day("plain", {**OWN, "start-timeout": "6s"}),
        Day(
            "ladder",
            {
                "image": "ubuntu-24.04",
                "instance-type": "m7i.large, m7a.large",
                "spot": "auto",
                "availability-zone": "eu-central-1a, eu-central-1b",
                "start-timeout": "8s",
            },
        ),
        Day("three", {**OWN, "count": 3, "start-timeout": "6s"}),
        Day("six", {**OWN, "count": 6, "start-timeout": "8s"}),
        Day("regions", {**TWO_REGIONS, "start-timeout": "8s"}, full_region=FULL),
        Day(
            "regions-never",
            {**TWO_REGIONS, "start-timeout": "6s"},
            Behaves(online_after=None),
            full_region=FULL,
            words=(*NEVER, "no capacity for any candidate"),
        ),
        Day("never", {**OWN, "start-timeout": "5s"}, Behaves(online_after=None), words=NEVER),
        Day("busy", {**OWN, "start-timeout": "6s"}, Behaves(online_after=0.3, job_takes=60)),
        Day("never-six", {**OWN, "count": 6, "start-timeout": "5s"}, Behaves(online_after=None), words=NEVER),
        Day("never-three", {**OWN, "count": 3, "start-timeout": "5s"}, Behaves(online_after=None), words=NEVER),
        Day("crowd", {**OWN, "count": 20, "start-timeout": "20s"}),
        Day("crowd-never", {**OWN, "count": 20, "start-timeout": "30s"}, Behaves(online_after=None), words=NEVER),
        Day("hazy", {**OWN, "start-timeout": "6s"}, behaviour=Behaviour(unknown=1.5)),
        Day(
            "hazy-never",
            {**OWN, "start-timeout": "5s"},
            Behaves(online_after=None),
            Behaviour(unknown=1.5),
            words=NEVER,
        ),
    )
}


@dataclass
class World:
    day: Day
    ec2: Ec2
    github: GitHub
    index: ImageIndex
    cloud: Cloud
    step: Program
    patient: bool = False
    """Whether what must succeed may take long: on a machine that does other things meanwhile."""

    def inputs(self, must_succeed: bool = True) -> dict[str, object]:
        """The day's, with a longer timeout where it is not the timeout that is tried."""
        patience = self.patient and must_succeed and self.day.ends_well
        return {**self.day.inputs, "start-timeout": "50s"} if patience else self.day.inputs

    def gate(self, operation: str) -> Gate:
        if operation == "image-index":
            return self.index.gate
        return self.ec2.gate if operation[0].isupper() else self.github.gate

    @property
    def gates(self) -> tuple[Gate, Gate, Gate]:
        return self.ec2.gate, self.github.gate, self.index.gate

    def slow(self, latency: float) -> None:
        for gate in self.gates:
            gate.latency = latency

    def mend(self) -> None:
        for gate in self.gates:
            gate.mend()
            gate.latency = 0

    def fill(self) -> None:
        """The day's region has no room for anybody."""
        if region := self.day.full_region:
            full = ec2_error("InsufficientInstanceCapacity", f"There is no capacity in {region}", 500)
            self.ec2.gate.fail("RunInstances", full, times=None, when=lambda request: region_of(request) == region)

    def living(self) -> list[str]:
        return sorted(one.id for one in self.ec2.living())

    def records(self) -> list[int]:
        return sorted(one.id for one in self.github.records())

    def story(self, *runs: Run) -> str:
        """What was asked and what was said, for whoever looks into a broken promise."""
        exchanges = sorted((one for gate in self.gates for one in gate.exchanges), key=lambda one: one.answered)
        began = min((run.began for run in runs), default=0.0)
        lines = [f"  {one.answered - began:6.2f} {one}" for one in exchanges]
        said = "\n".join(line for run in runs for line in run.log.splitlines() if "add-mask" not in line)
        living = [f"{one.id} is {one.state}" for one in self.ec2.instances()]
        left = [f"record {one.id} {one.name} is {one.status}" for one in self.github.records()]
        return "\n".join([*lines, said, *living, *left])


@contextmanager
def world(moto: Moto, command: Sequence[str], day: Day, number: int, patient: bool = False) -> Iterator[World]:
    index = ImageIndex()
    turns = day.behaves if isinstance(day.behaves, tuple) else (day.behaves,)
    with (
        tempfile.TemporaryDirectory(prefix="sprinters-faults-") as folder,
        Ec2(moto, behaviour=replace(day.behaviour)) as ec2,
        GitHub(openapi_validation=False) as github,
        Cloud(ec2, github, simulated(*turns)) as cloud,
    ):
        environment = {
            **program.job_environment(Path(folder), run_id=str(1_000_000 + number)),
            "AWS_ENDPOINT_URL_EC2": ec2.url,
            "GITHUB_API_URL": github.url,
            "GITHUB_SERVER_URL": github.server_url,
            "SPRINTERS_IMAGE_INDEX_URL": index.url,
        }
        inputs: dict[str, object] = {
            "github-token": github.add_token().value,
            "aws-access-key-id": ec2.access_key_id,
            "aws-secret-access-key": ec2.secret_access_key,
            "aws-region": ec2.region,
        }
        inputs |= {name: value for name, value in day.inputs.items() if name == "aws-region"}
        step = Program([*command], environment, inputs, Path(folder) / "steps")
        try:
            stage = World(day, ec2, github, index, cloud, step, patient)
            stage.fill()
            yield stage
        finally:
            step.close()
            index.close()
            ec2.forget()
