"""`runner: NAME`: a runner of `.github/sprinters.yml`, from the workspace or from GitHub."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from standins import images
from standins.aws import ACCOUNT_ID, Ec2
from standins.gate import lost
from standins.github import GitHub, Kind
from standins.program import Program

FILE = ".github/sprinters.yml"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEXT = f"""\
defaults:
  image: {images.OWN_X64}
  tags: {{ team: build }}
aws:
  region: eu-central-1
  account: "{ACCOUNT_ID}"
runners:
  small:
    instance-type: m7i.large
  big:
    extend: small
    instance-type: [m7i.4xlarge, m7a.4xlarge]
    availability-zone: eu-central-1b
"""


@pytest.fixture
def workspace(sprinters: Program, tmp_path: Path) -> Path:
    """The job's workspace; nothing is checked out. The file says where, so that no input has to."""
    sprinters.inputs.pop("aws-region")
    folder = tmp_path / "workspace"
    folder.mkdir()
    sprinters.environment |= {"GITHUB_WORKSPACE": str(folder), "GITHUB_SHA": COMMIT}
    return folder


@pytest.fixture
def checked_out(sprinters: Program, workspace: Path) -> Path:
    """In the workspace, and meant to be read there."""
    sprinters.inputs["profiles"] = "workspace"
    file = workspace / FILE
    file.parent.mkdir()
    file.write_text(TEXT)
    return file


def test_a_profile_is_all_that_a_start_needs(sprinters: Program, ec2: Ec2, github: GitHub, checked_out: Path) -> None:
    run = sprinters.run("start", runner="big")

    assert run.code == 0, run.log
    [instance] = ec2.living()
    assert (instance.type, instance.zone, instance.tags["team"]) == ("m7i.4xlarge", "eu-central-1b", "build")
    assert "get-contents" not in github.gate.operations()
    # A profile's name is no label: other jobs could ask for it.
    assert "big" not in github.records()[0].labels

    assert sprinters.run("stop", runner="big").code == 0
    assert not ec2.living()


def test_inputs_override_it(sprinters: Program, ec2: Ec2, checked_out: Path) -> None:
    run = sprinters.run("start", runner="big", **{"instance-type": "c7i.large"})

    assert run.code == 0, run.log
    assert [instance.type for instance in ec2.living()] == ["c7i.large"]


def test_a_stale_workspace_does_not_decide(sprinters: Program, ec2: Ec2, github: GitHub, checked_out: Path) -> None:
    """What lies there may be another branch's; in a workflow the run's own commit counts, unless one asks otherwise."""
    del sprinters.inputs["profiles"]
    github.add_file(FILE, TEXT.replace("m7i.large", "c7i.large"), COMMIT)
    sprinters.environment["SPRINTERS_JOB_TOKEN"] = github.add_token(Kind.GITHUB_TOKEN).value
    run = sprinters.run("start", runner="small")

    assert run.code == 0, run.log
    assert [instance.type for instance in ec2.living()] == ["c7i.large"]
    assert f"at `{COMMIT}`, SHA-256 " in run.log


@pytest.mark.not_portable
def test_a_link_in_the_workspace_is_not_followed(
    sprinters: Program, ec2: Ec2, checked_out: Path, tmp_path: Path
) -> None:
    checked_out.rename(tmp_path / "elsewhere.yml")
    checked_out.symlink_to(tmp_path / "elsewhere.yml")
    run = sprinters.run("start", runner="small")

    assert run.code == 2, run.log
    assert "is a symbolic link, which is not followed" in run.log
    assert not ec2.gate.exchanges


@pytest.mark.parametrize("mode", ["start", "check"])
def test_without_a_checkout_it_is_read_as_of_the_runs_commit(
    sprinters: Program, github: GitHub, workspace: Path, mode: str
) -> None:
    github.add_file(FILE, TEXT, COMMIT)
    sprinters.environment["SPRINTERS_JOB_TOKEN"] = github.add_token(Kind.GITHUB_TOKEN).value

    run = sprinters.run(mode, runner="small")

    assert run.code == 0, run.log
    assert github.gate.operations()[0] == "get-contents"
    assert f"{FILE} from" in run.log
    assert sprinters.environment["SPRINTERS_JOB_TOKEN"] in run.masked


def test_it_is_asked_for_again_where_the_answer_is_lost(sprinters: Program, github: GitHub, workspace: Path) -> None:
    github.add_file(FILE, TEXT, COMMIT)
    github.gate.fail("get-contents", lost)
    sprinters.environment["SPRINTERS_JOB_TOKEN"] = github.add_token(Kind.GITHUB_TOKEN).value

    run = sprinters.run("start", runner="small")

    assert run.code == 0, run.log
    assert len(github.gate.calls("get-contents")) == 2


def test_our_own_token_may_read_it_where_the_jobs_may_not(sprinters: Program, github: GitHub, workspace: Path) -> None:
    github.add_file(FILE, TEXT, COMMIT)
    sprinters.environment["SPRINTERS_JOB_TOKEN"] = github.add_token(Kind.NO_ACCESS).value

    run = sprinters.run("start", runner="small", **{"github-token": github.add_token(Kind.WRITE_AND_CONTENTS).value})

    assert run.code == 0, run.log


@pytest.mark.parametrize("kind", [Kind.NO_ACCESS, None])
def test_where_nobody_may_read_it_the_message_says_what_to_do(
    sprinters: Program, ec2: Ec2, github: GitHub, workspace: Path, kind: Kind | None
) -> None:
    github.add_file(FILE, TEXT, COMMIT)
    if kind:
        sprinters.environment["SPRINTERS_JOB_TOKEN"] = github.add_token(kind).value

    run = sprinters.run("start", runner="small")

    assert run.code == 2, run.log
    for words in (f"`{FILE}`", "`permissions: contents: read`", "`actions/checkout`", COMMIT):
        assert words in run.log
    assert not ec2.gate.exchanges


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("instance-type: m7i.large", "instance-typ: m7i.large", f"{FILE}:9:5"),
        ("extend: small", "extend: smal", "did you mean `small`?"),
        ("m7a.4xlarge", "m7a.4xlrge", "did you mean `m7a.4xlarge`?"),
        ("region: eu-central-1", "region: eu-west-1", "zones of the region `eu-west-1`"),
        ("extend: small", "extend: big", "`big` → `big`"),
    ],
)
def test_what_is_wrong_is_shown_in_the_file(
    sprinters: Program, ec2: Ec2, github: GitHub, checked_out: Path, old: str, new: str, said: str
) -> None:
    checked_out.write_text(TEXT.replace(old, new))

    run = sprinters.run("start", runner="big")

    assert run.code == 2, run.log
    [message] = run.annotations
    assert said in message
    assert f"--> {FILE}:" in message and "^" in message
    # GitHub shows it on that line of the file.
    shown = re.search(r" --> (\S+):(\d+):(\d+)", message)
    assert shown
    assert "::error file={},line={},col={},".format(*shown.groups()) in run.stdout
    assert not ec2.gate.exchanges and not github.gate.exchanges


def test_an_unknown_name_gets_a_suggestion(sprinters: Program, ec2: Ec2, checked_out: Path) -> None:
    run = sprinters.run("start", runner="bigg")

    assert run.code == 2
    assert "did you mean `big`?" in run.log
    assert not ec2.gate.exchanges


def test_a_secret_in_the_file_is_not_shown(sprinters: Program, checked_out: Path) -> None:
    checked_out.write_text(TEXT + "github: { token: github_pat_0123456789 }\n")

    run = sprinters.run("start", runner="big")

    assert run.code == 2
    assert "`github-token`" in run.log
    assert "github_pat_0123456789" not in run.log


def test_check_tells_another_account(sprinters: Program, checked_out: Path) -> None:
    checked_out.write_text(TEXT.replace(ACCOUNT_ID, "999999999999"))

    run = sprinters.run("check", runner="small")

    assert run.code == 1
    assert "✗ AWS account `999999999999`" in run.stdout
