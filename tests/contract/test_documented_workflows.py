"""Every whole workflow that the README or the book shows is one that GitHub takes, with inputs that exist."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from contract import tables
from standins.cache import cache_dir
from standins.program import ROOT

ACTIONLINT = cache_dir() / "tools" / "bin" / "actionlint"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "src").glob("*.md"))]
BLOCK = re.compile(r"^```yaml\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Documented:
    place: str
    text: str

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Those that use this action."""
        jobs = yaml.safe_load(self.text)["jobs"].values()
        steps = [step for job in jobs for step in job.get("steps", [])]
        return [step for step in steps if str(step.get("uses", "")).startswith("sprinters/action@")]


def documented() -> list[Documented]:
    """Blocks with `jobs` and what begins them; others are parts of a workflow."""
    found = []
    for page in PAGES:
        for match in BLOCK.finditer(page.read_text()):
            text = match["text"]
            if re.search(r"^on:", text, re.MULTILINE) and re.search(r"^jobs:", text, re.MULTILINE):
                line = page.read_text()[: match.start()].count("\n") + 1
                found.append(Documented(f"{page.name}:{line}", text))
    return found


WORKFLOWS = documented()


@pytest.fixture(params=WORKFLOWS, ids=lambda one: one.place)
def workflow(request: pytest.FixtureRequest) -> Documented:
    return request.param


def test_actionlint_finds_nothing(workflow: Documented) -> None:
    if not ACTIONLINT.exists():
        pytest.fail(f"no actionlint at {ACTIONLINT}: run `.ci/setup actionlint`")
    run = subprocess.run(
        [ACTIONLINT, "-no-color", "-"], input=workflow.text, capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr


def test_the_action_gets_inputs_that_it_has(workflow: Documented) -> None:
    for step in workflow.steps:
        given = step["with"]
        assert set(given) <= set(tables.action_inputs()), workflow.place
        assert given["mode"] in tables.MODES, workflow.place


def test_the_rerun_workflow_may_rerun_and_nothing_else() -> None:
    [workflow] = [one for one in WORKFLOWS if any(step["with"]["mode"] == "rerun" for step in one.steps)]
    read = yaml.safe_load(workflow.text)

    assert read[True]["workflow_run"]["types"] == ["completed"], "YAML 1.1 reads `on` as true"
    assert read["permissions"] == {}
    assert [job["permissions"] for job in read["jobs"].values()] == [{"actions": "write", "checks": "read"}]
