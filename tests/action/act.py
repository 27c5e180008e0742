"""Runs a workflow with `act` in host mode: every job on this machine, `sprinters/action@v1` out of this checkout."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from standins.cache import cache_dir
from standins.program import ROOT, SYSTEM_PATH, dist_binary


@dataclass(frozen=True)
class WorkflowRun:
    code: int
    log: str

    def of_job(self, job: str) -> list[str]:
        """The job's lines of the log, without the prefix that names it."""
        lines = []
        for line in self.log.splitlines():
            name, bracket, text = line.partition("]")
            if bracket and name.strip(" [").split("/")[-1].strip() == job:
                lines.append(text.strip().removeprefix("| "))
        return lines


def missing() -> str | None:
    """What `act` lacks here and how to get it; `None` where it runs."""
    if not program().exists():
        return "act is missing; run `.ci/setup act`"
    if shutil.which("git") is None:
        return "git is missing; run `apt-get install git`"
    return None


def program() -> Path:
    return cache_dir() / "tools" / "bin" / "act"


def checkout_with(binary: Path, folder: Path) -> Path:
    """The action as a user's runner downloads it, with `binary` in dist/ under the name that the step looks for."""
    (folder / "dist").mkdir(parents=True)
    shutil.copy(ROOT / "action.yml", folder)
    shutil.copy(binary, folder / "dist" / dist_binary().name)
    return folder


def run(
    workflow: str,
    action: Path,
    folder: Path,
    *,
    secrets: Mapping[str, str],
    environment: Mapping[str, str],
    workflows: Mapping[str, str] | None = None,
) -> WorkflowRun:
    """Pushes `workflow` to a repository of its own below `folder` and waits for the end of the run.

    `workflows` are others beside it, which it may call.
    """
    repository = folder / "repository"
    (repository / ".github" / "workflows").mkdir(parents=True)
    (repository / ".github" / "workflows" / "ci.yml").write_text(workflow)
    for name, text in (workflows or {}).items():
        (repository / ".github" / "workflows" / f"{name}.yml").write_text(text)
    home = folder / "act-home"
    home.mkdir()
    # Nothing of this machine's reaches the jobs: in host mode they would inherit credentials and endpoints.
    clean = {"PATH": SYSTEM_PATH, "HOME": str(home), "LANG": "C.UTF-8"}
    identity = ["-c", "user.name=octocat", "-c", "user.email=octocat@example.com"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*identity, "commit", "-q", "-m", "ci"]):
        subprocess.run(["git", *command], cwd=repository, env=clean, check=True)
    command = [str(program()), "push", "--workflows", ".github/workflows/ci.yml"]
    command += ["--platform", "ubuntu-latest=-self-hosted", "--no-cache-server"]
    command += ["--local-repository", f"sprinters/action@v1={action}"]
    for name, value in environment.items():
        command += ["--env", f"{name}={value}"]
    for name in secrets:
        command += ["--secret", name]  # the value comes from the environment, so that no argument holds it
    done = subprocess.run(
        command,
        cwd=repository,
        env={**clean, **secrets},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return WorkflowRun(done.returncode, done.stdout)
