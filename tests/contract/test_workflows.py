"""House rules for .github/workflows that neither actionlint nor zizmor checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from standins.program import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(params=WORKFLOWS, ids=lambda file: file.name)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    file: Path = request.param
    return yaml.safe_load(file.read_text())


def test_a_workflow_has_no_permissions_of_its_own(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {}


def test_two_runs_cannot_get_in_each_others_way(workflow: dict[str, Any]) -> None:
    assert "group" in workflow["concurrency"]


def test_every_job_ends_in_time(workflow: dict[str, Any]) -> None:
    own = {name: job for name, job in workflow["jobs"].items() if "uses" not in job}
    assert {name for name, job in own.items() if not 0 < job.get("timeout-minutes", 0) <= 120} == set()
