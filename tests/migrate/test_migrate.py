"""Each example becomes what stands beside it, which actionlint takes, and of which nothing is left to migrate."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract import tables
from standins.aws import Ec2
from standins.cache import cache_dir
from standins.program import Program

ACTIONLINT = cache_dir() / "tools" / "bin" / "actionlint"
FOLDER = Path(__file__).parent / "examples"
LAUNCHES = json.loads((FOLDER / "launches.json").read_text())
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

    if after == example.read_text():
        assert run.stdout == ""
        return
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
    # It reads workflows alone, and one of the examples is an action.
    if "jobs" not in yaml.safe_load(after):
        return
    # A label that stays is somebody else's.
    command: list[str | Path] = [ACTIONLINT, "-no-color", "-shellcheck=", "-ignore", 'label ".+" is unknown', "-"]
    run = subprocess.run(command, input=after, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr


def steps_of_ours(text: str) -> list[dict[str, Any]]:
    """Those of a workflow, or of a composite action."""
    read = yaml.safe_load(text)
    lists = [job.get("steps", []) for job in read.get("jobs", {}).values()] + [read.get("runs", {}).get("steps", [])]
    steps = [step for steps in lists for step in steps]
    return [step for step in steps if str(step.get("uses", "")).startswith("sprinters/action@")]


def test_the_action_gets_inputs_that_it_has(example: Path, after: str) -> None:
    ours = steps_of_ours(after)

    assert ours or after == example.read_text()
    for step in ours:
        assert set(step["with"]) <= set(tables.action_inputs())


def test_comments_stay(example: Path, after: str) -> None:
    """All but those of what is left out, and the version of the other action."""
    comments = re.findall(r"#.*", example.read_text())
    kept = [comment for comment in comments if comment in after]

    assert len(kept) >= len(comments) - 2


def test_every_job_that_waits_for_a_runner_is_guarded(after: str) -> None:
    for name, job in (yaml.safe_load(after).get("jobs") or {}).items():
        asked = str(job.get("runs-on"))
        if "outputs.attempt ==" in asked:
            [start] = set(re.findall(r"needs\.([\w-]+)\.outputs\.attempt", asked))
            needs = job["needs"] if isinstance(job["needs"], list) else [job["needs"]]
            assert start in needs, name
            assert job["steps"][0]["if"] == f"needs.{start}.outputs.attempt != github.run_attempt"


def test_nothing_is_dropped_in_silence(example: Path, after: str) -> None:
    """Each input of theirs that is not among ours any more stands in a note, or its value is still there."""
    notes = example.with_suffix(".notes").read_text()
    kept = re.sub(r"\s+", " ", after)
    for value in (step.get("with", {}) for step in theirs(example.read_text())):
        for name, given in value.items():
            assert f"`{name}`" in notes or str(given).split("\n")[0].strip("[ ") in kept or name in READ_AS, name


# What is read for its meaning: the launches below show it.
READ_AS = {"ec2-image-filters", "ec2-image-owner", "availability-zones-config", "block-device-mappings", "market-type"}


def theirs(text: str) -> list[dict[str, Any]]:
    read = yaml.safe_load(text)
    lists = [job.get("steps", []) for job in read.get("jobs", {}).values()] + [read.get("runs", {}).get("steps", [])]
    steps = [step for steps in lists for step in steps]
    return [step for step in steps if str(step.get("uses", "")).startswith("machulav/")]


# What expressions stand for when the examples are launched.
SAMPLES = {"inputs.instance-type": "t3.xlarge", "inputs.size": "m7i.large", "inputs.minutes": "7", "vars.TIMEOUT": "9"}


def sample(value: object) -> str:
    known = lambda match: SAMPLES.get(match[1], "1")  # noqa: E731
    return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", known, str(value))


def test_it_launches_what_the_other_did(example: Path, after: str, sprinters: Program, ec2: Ec2) -> None:
    """`launches.json` has, for each start of each example, what EC2 is asked for."""
    asked = []
    for step in steps_of_ours(after):
        given = {name: sample(value) for name, value in step["with"].items()}
        if given["mode"] != "start":
            continue
        # These name what is in an account of the user's.
        of_account = ("subnet", "security-group", "instance-profile", "image")
        own = {name: given.pop(name) for name in of_account if name in given}
        for name in ("mode", "github-token", "aws-access-key-id", "aws-secret-access-key", "aws-region", "runner-home"):
            given.pop(name, None)
        if given.get("runner", "").startswith("sprinters:"):
            region = next((part for part in given["runner"].split(":") if re.fullmatch(r"\w\w-\w+-\d", part)), None)
            given["runner"] = given["runner"].replace(region, "eu-central-1") if region else given["runner"]
        # An image of an Ubuntu name is looked up; any other is of the user's account.
        if own.get("image", "").startswith("ubuntu"):
            given["image"] = own["image"]
        before = len(ec2.instances())
        run = sprinters.run("start", **given)
        assert run.code == 0, run.log
        new = ec2.instances()[before:]
        launch = {"count": len(new), "type": new[0].type, "market": new[0].market}
        if "root-size" in given or own.get("image", "ubuntu").startswith("ubuntu"):
            launch["root"] = new[0].volumes[0]["size"]
        asked.append({**launch, **own})
    assert asked == LAUNCHES.get(example.stem, []), f"it launches {asked}"


# --- `--to listen` ---


def test_labels_become_profiles(binary: Path, tmp_path: Path) -> None:
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (workflows / "ci.yml").write_text((FOLDER / "runs-on-simple.yml").read_text())
    (workflows / "arm.yml").write_text((FOLDER / "runs-on-environment.yml").read_text())
    files = [".github/workflows/ci.yml", ".github/workflows/arm.yml"]
    run = migrate(binary, "--to", "listen", "--write", *files, cwd=tmp_path)
    assert run.returncode == 0, run.stderr

    profiles = yaml.safe_load((tmp_path / ".github" / "sprinters.yml").read_text())["runners"]
    ci = yaml.safe_load((workflows / "ci.yml").read_text())
    arm = yaml.safe_load((workflows / "arm.yml").read_text())
    assert list(ci["jobs"]) == list(yaml.safe_load((FOLDER / "runs-on-simple.yml").read_text())["jobs"]), "no job more"
    assert profiles[ci["jobs"]["test"]["runs-on"]]["instance-type"] == "m7i.2xlarge, m7a.2xlarge"
    assert profiles[ci["jobs"]["test"]["runs-on"]]["root-size"] == 80
    assert profiles[arm["jobs"]["deploy"]["runs-on"]] == {"instance-type": "m7g.large", "max-runners": 20}


def test_a_hosted_label_becomes_a_profile_that_launches_the_same(
    binary: Path, tmp_path: Path, sprinters: Program, ec2: Ec2
) -> None:
    file = tmp_path / ".github" / "workflows" / "ci.yml"
    file.parent.mkdir(parents=True)
    file.write_text((FOLDER / "sprinters-matrix.yml").read_text())
    assert migrate(binary, "--to", "listen", "--write", file).returncode == 0
    name = yaml.safe_load(file.read_text())["jobs"]["test"]["runs-on"]
    sprinters.environment["GITHUB_WORKSPACE"] = str(tmp_path)
    run = sprinters.run("start", runner=name)

    assert run.code == 0, run.log
    assert (ec2.instances()[0].type, ec2.instances()[0].market) == ("m7i.large", "spot")


def test_profiles_that_are_there_are_their_owners(binary: Path, tmp_path: Path) -> None:
    file = tmp_path / ".github" / "workflows" / "ci.yml"
    file.parent.mkdir(parents=True)
    file.write_text((FOLDER / "runs-on-environment.yml").read_text())
    own = tmp_path / ".github" / "sprinters.yml"
    own.write_text("runners: {mine: {}}\n")
    run = migrate(binary, "--to", "listen", "--write", file)

    assert run.returncode == 0
    assert own.read_text() == "runners: {mine: {}}\n"
    assert "m7g-large" in run.stderr


def test_of_two_files_a_start_in_one_makes_a_stop_of_the_other(binary: Path, tmp_path: Path) -> None:
    (tmp_path / "start.yml").write_text((FOLDER / "ec2-call-label.yml").read_text())
    (tmp_path / "stop.yml").write_text((FOLDER / "ec2-lone-stop.yml").read_text())
    assert migrate(binary, "--write", tmp_path / "start.yml", tmp_path / "stop.yml").returncode == 0

    assert "machulav" not in (tmp_path / "stop.yml").read_text()


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


def test_it_writes_through_no_link(binary: Path, tmp_path: Path) -> None:
    text = (FOLDER / "runs-on-environment.yml").read_text()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "ci.yml").write_text(text)
    checkout = tmp_path / "checkout"
    (checkout / ".github" / "workflows").mkdir(parents=True)
    (checkout / ".github" / "workflows" / "linked.yml").symlink_to(outside / "ci.yml")
    (checkout / ".github" / "sprinters.yml").symlink_to(outside / "new.yml")
    (checkout / "workflows").symlink_to(outside)
    for file in (".github/workflows/linked.yml", "workflows/ci.yml"):
        run = migrate(binary, "--to", "listen", "--write", file, cwd=checkout)
        assert run.returncode == 1, run.stderr
        assert "is a symbolic link, which is not followed" in run.stdout + run.stderr
    assert [file.name for file in outside.iterdir()] == ["ci.yml"], "not even the profiles' dangling link makes a file"
    assert (outside / "ci.yml").read_text() == text


@pytest.mark.parametrize("write", [True, False])
def test_it_reads_regular_files_of_a_size(binary: Path, tmp_path: Path, write: bool) -> None:
    (tmp_path / "large.yml").write_text("#" * (1024 * 1024 + 1))
    os.mkfifo(tmp_path / "fifo.yml")
    for name, why in {"large.yml": "more than 1024 KiB", "fifo.yml": "not a regular file"}.items():
        run = migrate(binary, *(["--write"] if write else []), tmp_path / name)
        assert run.returncode == 1
        assert why in run.stdout + run.stderr
