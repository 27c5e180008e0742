"""House rules for .github/workflows that neither actionlint nor zizmor checks."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from standins.program import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(params=WORKFLOWS, ids=lambda file: file.name)
def workflow(request: pytest.FixtureRequest) -> dict[Any, Any]:
    file: Path = request.param
    return yaml.safe_load(file.read_text())


def jobs() -> dict[str, dict[str, Any]]:
    """Every job that runs steps of its own, as `workflow/job`."""
    return {
        f"{file.stem}/{name}": job
        for file in WORKFLOWS
        for name, job in yaml.safe_load(file.read_text())["jobs"].items()
        if "steps" in job
    }


def test_a_workflow_has_no_permissions_of_its_own(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {}


def test_two_runs_cannot_get_in_each_others_way(workflow: dict[Any, Any]) -> None:
    # YAML 1.1 reads `on` as true. What may run beside a reusable workflow is its caller's to say.
    if list(workflow[True]) == ["workflow_call"]:
        return
    assert "group" in workflow["concurrency"]


def test_every_job_ends_in_time(workflow: dict[str, Any]) -> None:
    own = {name: job for name, job in workflow["jobs"].items() if "uses" not in job}
    # How long a caller's script may take is the caller's to say.
    own = {name: job for name, job in own.items() if job.get("timeout-minutes") != "${{ inputs.timeout-minutes }}"}
    assert {name for name, job in own.items() if not 0 < job.get("timeout-minutes", 0) <= 120} == set()


def test_what_may_push_runs_nothing_that_was_fetched() -> None:
    """A pull request is opened by a job that takes files from another one, which fetched them and could not write."""
    writing = {name: job for name, job in jobs().items() if job["permissions"].get("pull-requests") == "write"}
    assert set(writing) == {"prices/propose", "tables/propose"}
    for name, job in writing.items():
        uses = [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step]
        assert uses == ["actions/checkout", "actions/download-artifact"], name
        [script] = [step["run"] for step in job["steps"] if "run" in step]
        assert {line.split()[0] for line in script.splitlines()} <= {"cp", "done", "for", "gh", "git", "--body"}, name
        fetched = jobs()[name.replace("propose", "fetch")]
        assert fetched["permissions"] == {"contents": "read"}, name


def test_only_a_release_moves_the_tag_that_users_name() -> None:
    movers = {name for name, job in jobs().items() if "refs/tags" in str(job["steps"])}
    assert movers == {"release/publish"}
    publish = jobs()["release/publish"]
    assert publish["environment"] == "release", "its reviewers decide"
    assert publish["needs"] == "rebuild"


def test_dependabot_watches_every_lock_file() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()
    ecosystems = {"Cargo.lock": "cargo", "package-lock.json": "npm"}
    locked = {
        (ecosystem, f"/{Path(name).parent}".removesuffix("/."))
        for name in listed
        if (ecosystem := ecosystem_of(Path(name).name, ecosystems))
    }
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    watched = {
        (update["package-ecosystem"], folder.removesuffix("/"))
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }
    renewed_with_its_tables = ("npm", "/wasm/data")
    assert watched - {("github-actions", "")} == locked - {renewed_with_its_tables}
    assert ".ci/tables --newest" in (ROOT / ".github" / "workflows" / "tables.yml").read_text()


def ecosystem_of(name: str, lock_files: dict[str, str]) -> str | None:
    is_requirements = name.startswith("requirements") and name.endswith(".txt")
    return "pip" if is_requirements else lock_files.get(name)
