"""Each example becomes what stands beside it, which actionlint takes, and of which nothing is left to migrate."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract import tables
from standins.cache import cache_dir

ACTIONLINT = cache_dir() / "tools" / "bin" / "actionlint"
FOLDER = Path(__file__).parent / "examples"
EXAMPLES = sorted(file for file in FOLDER.glob("*.yml") if not file.stem.endswith(".after"))


def migrate(binary: Path, *arguments: str | Path, stdin: str = "", cwd: Path | None = None) -> Any:
    command = [binary, "migrate", *arguments]
    return subprocess.run(command, env={}, input=stdin, capture_output=True, text=True, check=False, cwd=cwd)


def after_of(example: Path) -> str:
    return example.with_suffix(".after.yml").read_text()


@pytest.fixture(params=EXAMPLES, ids=lambda file: file.stem)
def example(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def after(example: Path) -> str:
    return after_of(example)


@pytest.fixture
def copy(example: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "ci.yml"
    copy.write_bytes(example.read_bytes())
    return copy


def test_it_becomes_what_stands_beside_it(binary: Path, copy: Path, after: str) -> None:
    run = migrate(binary, "--write", copy)

    assert run.returncode == 0, run.stderr
    assert copy.read_text() == after


def test_the_notes_name_their_lines(binary: Path, example: Path) -> None:
    run = migrate(binary, example.name, cwd=example.parent)
    notes = [line.removeprefix("warning: ") for line in run.stderr.splitlines() if line.startswith("warning: ")]

    assert notes == example.with_suffix(".notes").read_text().splitlines()


def test_without_write_the_file_stays_and_git_takes_the_diff(
    binary: Path, copy: Path, example: Path, after: str
) -> None:
    run = migrate(binary, copy.name, cwd=copy.parent)
    assert run.returncode == 0, run.stderr
    assert copy.read_bytes() == example.read_bytes()

    applied = subprocess.run(["git", "apply", "-"], input=run.stdout, cwd=copy.parent, capture_output=True, text=True)
    assert applied.returncode == 0, applied.stderr
    assert copy.read_text() == after


def test_a_second_time_there_is_nothing_to_do(binary: Path, after: str) -> None:
    run = migrate(binary, "-", stdin=after)

    assert run.returncode == 0, run.stderr
    assert run.stdout == ""


def test_lines_that_end_with_a_carriage_return_stay_so(binary: Path, example: Path, copy: Path, after: str) -> None:
    copy.write_bytes(example.read_bytes().replace(b"\n", b"\r\n"))
    assert migrate(binary, "--write", copy).returncode == 0

    assert copy.read_bytes() == after.encode().replace(b"\n", b"\r\n")


def test_actionlint_takes_it(after: str) -> None:
    if not ACTIONLINT.exists():
        pytest.fail(f"no actionlint at {ACTIONLINT}: run `.ci/setup actionlint`")
    command: list[str | Path] = [ACTIONLINT, "-no-color", "-shellcheck=", "-"]
    run = subprocess.run(command, input=after, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr


def test_the_action_gets_inputs_that_it_has(after: str) -> None:
    steps = [step for job in yaml.safe_load(after)["jobs"].values() for step in job["steps"]]
    ours = [step for step in steps if str(step.get("uses", "")).startswith("sprinters/action@")]

    assert ours
    for step in ours:
        assert set(step["with"]) <= set(tables.action_inputs())


def test_comments_stay(example: Path, after: str) -> None:
    """All but those of what is left out, and the version of the other action."""
    comments = re.findall(r"#.*", example.read_text())
    kept = [comment for comment in comments if comment in after]

    assert len(kept) >= len(comments) - 2


# --- what else people do with it ---


def test_of_standard_input_write_prints_the_result(binary: Path) -> None:
    example = FOLDER / "ec2-plain.yml"
    run = migrate(binary, "-", "--write", stdin=example.read_text())

    assert run.returncode == 0, run.stderr
    assert run.stdout == after_of(example)


def test_a_workflow_of_others_stays_as_it_is(binary: Path, tmp_path: Path) -> None:
    file = tmp_path / "ci.yml"
    file.write_text("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: make}]\n")
    before = file.read_text()
    run = migrate(binary, "--write", file)

    assert run.returncode == 0
    assert "nothing to migrate" in run.stderr
    assert file.read_text() == before


@pytest.mark.parametrize(
    ("text", "says"),
    [("jobs: [\n", "line"), ("a: b\n  c: d\n", "line 2"), ("jobs: {}\n---\njobs: {}\n", "several documents")],
)
def test_what_is_no_yaml_is_told_with_its_line(binary: Path, tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "broken.yml"
    file.write_text(text)
    run = migrate(binary, "--write", file)

    assert run.returncode == 1
    assert str(file) in run.stderr and says in run.stderr
    assert file.read_text() == text


def test_one_file_that_fails_does_not_keep_the_others_from_it(binary: Path, tmp_path: Path) -> None:
    file = tmp_path / "ci.yml"
    file.write_text((FOLDER / "ec2-plain.yml").read_text())
    run = migrate(binary, "--write", tmp_path / "none.yml", file)

    assert run.returncode == 1
    assert "could not read" in run.stderr
    assert "machulav" not in file.read_text()


def test_without_a_file_it_says_what_it_takes(binary: Path) -> None:
    run = migrate(binary)

    assert run.returncode == 2
    assert "<FILE>" in run.stderr
