"""What is measured beside us: each makes the same calls to the same stand-ins, in the same run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench.world import LAUNCH, Set
from standins import program
from standins.cache import cache_dir

BUNDLE = cache_dir() / "peer" / "bundle.mjs"
"""An action in JavaScript with GitHub's and AWS's libraries, from tests/bench/peer; `.ci/setup peer` bundles it."""
MACHULAV = "machulav/ec2-github-runner"
MACHULAV_NAMED = "SPRINTERS_BENCH_MACHULAV"
"""Names the `dist/index.js` of a checkout of it, in place of the one that `.ci/setup machulav` fetches."""


@dataclass(frozen=True)
class Peer:
    name: str
    script: Path | None
    """For Node; awscli has none."""
    inputs: dict[str, str]

    def command(self, ready: Set) -> list[str]:
        if self.script:
            return [node(), str(self.script)]
        command = [awscli(), "ec2", "run-instances", "--image-id", LAUNCH["image"], "--user-data", "#!/bin/sh"]
        return [*command, "--instance-type", LAUNCH["instance-type"], "--region", ready.ec2.region]

    def environment(self, ready: Set) -> dict[str, str]:
        """As for a step of ours, but for the inputs, which actions in JavaScript get one by one."""
        inputs = {"github-token": str(ready.step.inputs["github-token"]), **self.inputs}
        if self.script and self.script != BUNDLE:
            inputs |= network(ready)
        return (
            ready.step.environment
            | ready.ec2.environment
            | {"GITHUB_OUTPUT": os.devnull}
            | {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
        )

    def begun(self, ready: Set, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        with self.log(ready).open("wb") as log:
            return subprocess.Popen(
                self.command(ready),
                env=environment or self.environment(ready),
                cwd=ready.step.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @staticmethod
    def log(ready: Set) -> Path:
        ready.step.folder.mkdir(parents=True, exist_ok=True)
        return ready.step.folder / "peer.log"

    def to_run_instances(self, ready: Set, environment: dict[str, str] | None = None) -> float:
        """Seconds from its start until its call arrives."""
        gate = ready.ec2.gate
        before = len(gate.calls("RunInstances"))
        environment = environment or self.environment(ready)  # what is asked for it does not count
        began = time.monotonic()
        process = self.begun(ready, environment)
        try:
            arrived = gate.wait_until(lambda: len(gate.calls("RunInstances")) > before, 30)
            assert arrived, self.log(ready).read_text()
        finally:
            # Of the rest of its work, nothing is to be measured here.
            process.kill()
            process.wait()
        call = gate.calls("RunInstances")[before]
        assert call.status == 200, call
        return call.request.arrived - began


def peers() -> tuple[list[Peer], list[str]]:
    """Those that are here, and why others are not."""
    found = [Peer("awscli: `aws ec2 run-instances`", None, {})]
    absent = []
    if shutil.which("node") is None:
        return found, ["actions in JavaScript: Node is missing"]
    if BUNDLE.exists():
        found.append(Peer("an action in JavaScript with the usual libraries", BUNDLE, dict(LAUNCH)))
    else:
        absent.append("an action in JavaScript: `.ci/setup peer` bundles it")
    machulav = Path(os.environ.get(MACHULAV_NAMED) or cache_dir() / "machulav" / "dist" / "index.js")
    if machulav.exists():
        found.append(Peer(MACHULAV, machulav, machulav_inputs()))
    else:
        absent.append(
            f"{MACHULAV}: `.ci/setup machulav` fetches it from GitHub, or {MACHULAV_NAMED} names its `dist/index.js`"
        )
    return found, absent


def machulav_inputs() -> dict[str, str]:
    """Its defaults, a just-in-time runner as ours, and what it requires."""
    return {
        "mode": "start",
        "ec2-image-id": LAUNCH["image"],
        "ec2-instance-type": LAUNCH["instance-type"],
        "use-jit": "true",
        "aws-resource-tags": "[]",
        "startup-timeout-minutes": "5",
        "runner-home-dir": "/opt/actions-runner",
    }


def network(ready: Set) -> dict[str, str]:
    """A subnet and a group of the default VPC: that action cannot leave them out."""
    return {
        "subnet-id": described(ready, "describe-subnets", "Subnets[0].SubnetId"),
        "security-group-id": described(ready, "describe-security-groups", "SecurityGroups[0].GroupId"),
    }


def described(ready: Set, call: str, query: str) -> str:
    command = [awscli(), "ec2", call, "--region", ready.ec2.region, "--query", query, "--output", "text"]
    environment = ready.step.environment | ready.ec2.environment
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def awscli() -> str:
    return str(Path(sys.executable).parent / "aws")


def node() -> str:
    return shutil.which("node", path=os.environ.get("PATH", "") + os.pathsep + program.SYSTEM_PATH) or "node"
