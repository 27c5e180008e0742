"""Runs the `sprinters` binary as a workflow step runs it, and keeps everything that it said.

The environment holds what GitHub's runner sets and nothing of this machine's: no credentials, no proxies, no real
endpoints. Inputs travel as the composite action sends them: one JSON object with every input of action.yml, those left
out as `""`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from standins import builds
from standins.cache import cache_dir

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def dist_binary() -> Path:
    """What users run, under the name that action.yml makes of the runner's own variables."""
    machine = {"x86_64": "X64", "aarch64": "ARM64"}.get(os.uname().machine, os.uname().machine)
    return ROOT / "dist" / f"sprinters-Linux-{machine}"


def binary() -> Path:
    """SPRINTERS_BIN, else the debug build, else the one in dist/."""
    named = os.environ.get("SPRINTERS_BIN")
    if named:
        return Path(named)
    target = Path(os.environ.get("CARGO_TARGET_DIR") or cache_dir() / "target")
    built = target / "debug" / "sprinters"
    return built if built.exists() else dist_binary()


def command() -> list[str]:
    """How to run the build that SPRINTERS_BUILD names, one of `builds.BUILDS`; without it, `binary()`."""
    named = os.environ.get("SPRINTERS_BUILD")
    return builds.command(named) if named else [str(binary())]


@cache
def declared_inputs() -> tuple[str, ...]:
    """The inputs of action.yml."""
    return tuple(yaml.safe_load((ROOT / "action.yml").read_text())["inputs"])


def inputs_json(mode: str, inputs: Mapping[str, object]) -> str:
    """`${{ toJSON(inputs) }}`: every declared input, a string each."""
    given = {name.replace("_", "-"): str(value) for name, value in inputs.items() if value is not None}
    return json.dumps({**dict.fromkeys(declared_inputs(), ""), **given, "mode": mode}, indent=2)


@dataclass(frozen=True, repr=False)
class Run:
    """One invocation that is over."""

    code: int
    """The exit code; below zero, the signal that killed it."""
    stdout: str
    stderr: str
    outputs: dict[str, str]
    summary: str
    seconds: float
    began: float
    """On the `time.monotonic()` clock, as `ended`."""
    ended: float
    arguments: list[str]
    environment: dict[str, str]

    def __repr__(self) -> str:
        # The test's own message shows the log; a repr of all this would drown it.
        return f"<exit code {self.code} after {self.seconds:.2f} s>"

    @property
    def log(self) -> str:
        return self.stdout + self.stderr

    @property
    def annotations(self) -> list[str]:
        """The error annotations, as people read them."""
        found = []
        for line in self.stdout.splitlines():
            if line.startswith("::error"):
                message = line.partition("::error")[2].partition("::")[2]
                found.append(message.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%"))
        return found

    @property
    def masked(self) -> list[str]:
        return [
            line.removeprefix("::add-mask::") for line in self.stdout.splitlines() if line.startswith("::add-mask::")
        ]


@dataclass
class Running:
    """One invocation under way."""

    process: subprocess.Popen[bytes]
    began: float
    folder: Path
    environment: dict[str, str]
    arguments: list[str] = field(default_factory=list)

    def interrupt(self) -> None:
        """What GitHub does first when a run is cancelled."""
        self.process.send_signal(signal.SIGINT)

    def terminate(self) -> None:
        """What GitHub does 7.5 s later."""
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.process.kill()

    def wait(self, timeout: float = 60) -> Run:
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise TimeoutError(f"still running after {timeout} s; it said:\n{self._text('stdout')}") from None
        ended = time.monotonic()
        return Run(
            code,
            self._text("stdout"),
            self._text("stderr"),
            parsed_outputs(self._text("output")),
            self._text("summary"),
            ended - self.began,
            self.began,
            ended,
            self.arguments,
            self.environment,
        )

    def _text(self, name: str) -> str:
        return (self.folder / name).read_text(errors="replace")


@dataclass
class Program:
    """The binary with the environment of one job."""

    command: list[str]
    environment: dict[str, str]
    inputs: dict[str, object]
    """Given in every invocation unless it says otherwise."""
    folder: Path
    runs: list[Running] = field(default_factory=list)
    stdout: int | None = None
    """A file descriptor in place of the file that keeps what it says."""

    def begin(self, mode: str, **inputs: object) -> Running:
        """Starts it. An input given as `None` is left out."""
        return self.begin_with(inputs_json(mode, {**self.inputs, **inputs}))

    def begin_with(self, inputs: str) -> Running:
        """Starts it with this very text as SPRINTERS_INPUTS."""
        folder = self.folder / f"run-{len(self.runs)}"
        folder.mkdir(parents=True)
        for name in ("stdout", "stderr", "output", "summary"):
            (folder / name).touch()
        environment = {
            "GITHUB_OUTPUT": str(folder / "output"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            **self.environment,
            "SPRINTERS_INPUTS": inputs,
        }
        # A step begins in its workspace.
        cwd = environment.get("GITHUB_WORKSPACE", folder)
        with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
            began = time.monotonic()
            process = subprocess.Popen(
                self.command,
                env=environment,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=stdout if self.stdout is None else self.stdout,
                stderr=stderr,
            )
        running = Running(process, began, folder, environment, list(self.command))
        self.runs.append(running)
        return running

    def run(self, mode: str, timeout: float = 60, /, **inputs: object) -> Run:
        return self.begin(mode, **inputs).wait(timeout)

    def close(self) -> None:
        for running in self.runs:
            if running.process.poll() is None:
                running.process.kill()
                running.process.wait()


def action_step(root: Path = ROOT) -> list[str]:
    """The composite action's one step, as GitHub's runner runs it: the script of action.yml, in its own shell."""
    [step] = yaml.safe_load((root / "action.yml").read_text())["runs"]["steps"]
    shells = {"sh": ["sh", "-e", "-c"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]}
    return [*shells[step["shell"]], step["run"]]


def job_environment(folder: Path, *, repository: str = "octo/app", run_id: str = "4242") -> dict[str, str]:
    """What GitHub's runner sets for a step, as far as it matters here; `HOME` is an empty folder."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": SYSTEM_PATH,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": repository,
        "GITHUB_RUN_ID": run_id,
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_RUN_NUMBER": "17",
        "GITHUB_JOB": "start-runner",
        "GITHUB_WORKFLOW": "CI",
        "GITHUB_ACTOR": "octocat",
        "GITHUB_EVENT_NAME": "push",
        "RUNNER_OS": "Linux",
        "RUNNER_ARCH": "X64",
        "RUNNER_TEMP": str(folder),
        "RUNNER_TOOL_CACHE": str(folder / "tools"),
        # Nothing here may ever ask the real metadata service for credentials.
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_COLOR": "1",
    }


def parsed_outputs(text: str) -> dict[str, str]:
    """GITHUB_OUTPUT: `name=value`, or `name<<DELIMITER`, the value's lines, `DELIMITER`."""
    outputs: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, equals, value = line.partition("=")
        if "<<" in name or (not equals and "<<" in line):
            name, _, delimiter = line.partition("<<")
            value = "\n".join(iter(lambda: next(lines), delimiter))
        elif not equals:
            raise ValueError(f"GITHUB_OUTPUT has the line `{line}`, which is neither of its two forms")
        outputs[name] = value
    return outputs
