"""What a measured run stands in: its own EC2 user, GitHub and simulated instances, and a clean environment."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from standins import images, program
from standins.aws import Ec2, Instance, Moto
from standins.cloud import Cloud, Life
from standins.crowd import Crowd
from standins.gate import delayed
from standins.github import GitHub
from standins.machine.runner import RunnerArchive
from standins.program import Program

ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}
"""The policy where peers are measured, too: they need more than six permissions."""
LAUNCH = {"image": images.OWN_X64, "instance-type": "m7i.large"}


@dataclass
class Set:
    ec2: Ec2
    github: GitHub
    cloud: Cloud
    step: Program


@dataclass
class World:
    moto: Moto
    binary: Path
    folder: Path
    quick: bool
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def times(self, count: int) -> int:
        return max(2, count // 10) if self.quick else count

    @contextmanager
    def set(
        self,
        life: Callable[[Cloud, Instance], Life],
        *policies: Mapping[str, Any],
        archive: RunnerArchive | None = None,
    ) -> Iterator[Set]:
        folder = self.folder / str(next(self._numbers))
        # Validating exchanges happens after the answer, but its CPU time is still this machine's.
        with (
            Ec2(self.moto, *policies) as ec2,
            GitHub(openapi_validation=False, archive=archive) as github,
            Cloud(ec2, github, life) as cloud,
        ):
            step = self.step(folder, ec2, github)
            try:
                yield Set(ec2, github, cloud, step)
            finally:
                step.close()

    @contextmanager
    def crowd(
        self, latency: float, online_after: float = 0, job_takes: float | None = None
    ) -> Iterator[tuple[Crowd, GitHub, Program]]:
        """For very many instances, each answer so many seconds away."""
        folder = self.folder / str(next(self._numbers))
        with (
            GitHub(openapi_validation=False) as github,
            Ec2(self.moto) as ec2,
            Crowd(github, latency, online_after, job_takes) as crowd,
        ):
            github.gate.fail("*", delayed(latency), times=None)
            step = self.step(folder, ec2, github)
            step.environment["AWS_ENDPOINT_URL_EC2"] = crowd.url
            try:
                yield crowd, github, step
            finally:
                step.close()

    def step(self, folder: Path, ec2: Ec2, github: GitHub) -> Program:
        """The program as a step of a job runs it."""
        environment = {
            **program.job_environment(folder),
            "AWS_ENDPOINT_URL_EC2": ec2.url,
            "GITHUB_API_URL": github.url,
            "GITHUB_SERVER_URL": github.server_url,
        }
        inputs: dict[str, object] = {
            "github-token": github.add_token().value,
            "aws-access-key-id": ec2.access_key_id,
            "aws-secret-access-key": ec2.secret_access_key,
            "aws-region": ec2.region,
        }
        return Program([str(self.binary)], environment, inputs, folder / "steps")
