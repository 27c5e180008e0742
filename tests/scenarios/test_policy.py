"""`policy`: the checker at the terminal and as a mode of the action. It asks nobody."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import IO

import pytest

from standins.program import ROOT, Program

POLICIES = ROOT / "tests" / "standins" / "policies"
DOCUMENTED = ("plain_six", "published_role", "tight")


def policy(command: list[str], *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """As a person runs it, beside the files and with nothing in the environment."""
    folder = next((argument.parent for argument in arguments if isinstance(argument, Path)), None)
    command = [*command, "policy", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, input=stdin, env={}, capture_output=True, text=True, check=False)


@pytest.fixture
def typo(tmp_path: Path) -> Path:
    """The tight policy with a misspelt action on a line of its own."""
    text = (POLICIES / "tight.json").read_text().replace("ec2:RunInstances", "ec2:RunInstanes", 1)
    file = tmp_path / "typo.json"
    file.write_text(text)
    return file


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_documented_policies_fit(command: list[str], name: str) -> None:
    run = policy(command, POLICIES / f"{name}.json")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Sprinters can work with this policy" in run.stdout
    assert run.stdout.count(" granted") == 6


def test_an_error_is_shown_in_its_line_with_what_to_write_instead(command: list[str], typo: Path) -> None:
    run = policy(command, typo)
    assert run.returncode == 1
    lines = run.stdout.splitlines()
    [title] = [line for line in lines if line.startswith("error[INVALID_ACTION]")]
    assert "did you mean `ec2:RunInstances`?" in title
    place = next(line for line in lines if "--> " in line)
    number = next(n for n, line in enumerate(typo.read_text().splitlines(), 1) if "RunInstanes" in line)
    assert f"typo.json:{number}:" in place
    assert "✗ ec2:RunInstances" in run.stdout


def test_the_actions_of_other_services_are_known(command: list[str]) -> None:
    document = json.loads((POLICIES / "plain_six.json").read_text())
    document["Statement"].append({"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "*"})
    run = policy(command, "-", stdin=json.dumps(document))
    assert run.returncode == 1
    assert "did you mean `s3:GetObject`?" in run.stdout


@pytest.mark.parametrize("action", json.loads((POLICIES / "plain_six.json").read_text())["Statement"][0]["Action"])
def test_each_missing_permission_is_named(command: list[str], action: str) -> None:
    document = json.loads((POLICIES / "plain_six.json").read_text())
    document["Statement"][0]["Action"].remove(action)
    run = policy(command, "-", stdin=json.dumps(document))
    assert run.returncode == 1
    [line] = [line for line in run.stdout.splitlines() if line.startswith("✗")]
    assert line.split()[1] == action


def test_a_file_that_cannot_be_read_hides_no_other(command: list[str], typo: Path) -> None:
    (typo.parent / "good.json").write_text((POLICIES / "tight.json").read_text())
    run = policy(command, typo.parent / "absent.json", typo, typo.parent / "no*thing.json", typo.parent / "good.json")

    assert run.returncode == 2, run.stdout + run.stderr
    assert "error[INVALID_ACTION]" in run.stdout and "Sprinters can work with this policy" in run.stdout
    assert "absent.json" in run.stderr and "no*thing.json" in run.stderr
    assert "the policy does not fit:" in run.stderr and "typo.json" in run.stderr


@pytest.mark.parametrize(("name", "granted"), [("tight", "true"), ("absent", "false")])
def test_the_mode_has_the_step_s_output(sprinters: Program, tmp_path: Path, name: str, granted: str) -> None:
    sprinters.environment["GITHUB_WORKSPACE"] = str(tmp_path)
    (tmp_path / "tight.json").write_text((POLICIES / "tight.json").read_text())
    run = sprinters.run("policy", policy=f"tight.json\n{name}.json")

    assert run.outputs == {"granted": granted}


def test_json_has_the_shape_of_access_analyzer(command: list[str], typo: Path) -> None:
    run = policy(command, "--format", "json", typo)
    assert run.returncode == 1
    report = json.loads(run.stdout)
    assert report["verdict"]["granted"] is False
    finding = next(f for f in report["findings"] if f["issueCode"] == "INVALID_ACTION")
    assert finding["findingType"] == "ERROR"
    assert finding["learnMoreLink"].startswith("https://docs.aws.amazon.com/")
    span = finding["locations"][0]["span"]
    assert typo.read_text()[span["start"]["offset"] : span["end"]["offset"]] == '"ec2:RunInstanes"'
    assert finding["locations"][0]["path"][0] == {"value": "Statement"}


def test_sarif_names_file_and_region(command: list[str], typo: Path) -> None:
    run = policy(command, "--format", "sarif", typo)
    log = json.loads(run.stdout)
    [tool_run] = log["runs"]
    assert log["version"] == "2.1.0"
    rules = {rule["id"] for rule in tool_run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in tool_run["results"]} <= rules
    result = next(result for result in tool_run["results"] if result["ruleId"] == "INVALID_ACTION")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == str(typo)
    line = typo.read_text().splitlines()[place["region"]["startLine"] - 1]
    assert line[place["region"]["startColumn"] - 1 : place["region"]["endColumn"] - 1] == '"ec2:RunInstanes"'


def test_features_and_kinds_are_chosen(command: list[str]) -> None:
    plain = POLICIES / "plain_six.json"
    assert policy(command, "--require", "instance-profile", plain).returncode == 1
    assert policy(command, "--target", "inline-user", plain).returncode == 0
    wrong = policy(command, "--require", "instance-profil", plain)
    assert wrong.returncode == 2
    assert "did you mean `instance-profile`?" in wrong.stderr


def test_what_tighten_prints_fits(command: list[str]) -> None:
    scope = ("--region", "eu-central-1", "--account", "123456789012")
    plain = policy(command, "tighten", *scope)
    assert plain.returncode == 0
    again = policy(command, "-", stdin=plain.stdout)
    assert again.returncode == 0
    assert again.stdout.startswith("stdin: Sprinters can work with this policy"), "tighten's own policy has a finding"
    # Which role the profile has is not in the text, so that this permission stays conditional.
    profile = policy(command, "tighten", *scope, "--require", "instance-profile", "--role", "ci")
    again = policy(command, "--require", "instance-profile", "-", stdin=profile.stdout)
    assert again.returncode == 0
    assert "? iam:PassRole" in again.stdout


def test_several_regions_are_judged_and_written_for(command: list[str]) -> None:
    both = ("--region", "eu-central-1,us-west-2", "--account", "123456789012")
    subnet = ("--subnet", "us-west-2=subnet-0123456789abcdef0")
    tight = policy(command, "tighten", *both, *subnet)
    assert tight.returncode == 0, tight.stderr
    assert "arn:aws:ec2:us-west-2:123456789012:subnet/subnet-0123456789abcdef0" in tight.stdout
    granted = policy(command, *subnet, *both, "-", stdin=tight.stdout)
    assert granted.returncode == 0, granted.stdout
    # It needs nobody to say which regions it is for, and is for no other.
    plain = policy(command, "tighten", *both)
    assert policy(command, "-", stdin=plain.stdout).stdout.startswith("stdin: Sprinters can work with this policy")
    assert policy(command, "--region", "us-east-1", "-", stdin=plain.stdout).returncode == 1
    one = policy(command, "tighten", "--region", "eu-central-1")
    lacks = policy(command, *both, "-", stdin=one.stdout)
    assert lacks.returncode == 1
    assert "in `us-west-2` is not allowed" in lacks.stdout
    wrong = policy(command, "--subnet", "subnet-0123456789abcdef0", *both, "-", stdin="{}")
    assert wrong.returncode == 2
    assert "write `eu-central-1=subnet-0123456789abcdef0`" in wrong.stderr


def test_simulate_answers_as_aws_does(command: list[str]) -> None:
    tight = POLICIES / "tight.json"
    arn = "arn:aws:ec2:us-east-1:111122223333:instance/i-0"
    asked = ("simulate", tight, "--action-names", "ec2:TerminateInstances", "--resource-arns", arn)
    tagged = "ContextKeyName=aws:ResourceTag/sprinters:sprinters,ContextKeyValues=true,ContextKeyType=string"
    [bare] = json.loads(policy(command, *asked).stdout)["EvaluationResults"]
    assert bare["EvalDecision"] == "implicitDeny"
    assert bare["MissingContextValues"] == ["aws:ResourceTag/sprinters:sprinters"]
    [ours] = json.loads(policy(command, *asked, "--context-entries", tagged).stdout)["EvaluationResults"]
    assert ours["EvalDecision"] == "allowed"
    assert ours["MatchedStatements"][0]["SourcePolicyId"] == "PolicyInputList.1"


def test_simulate_refuses_what_iam_refuses(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "refused.json"
    file.write_text((POLICIES / "plain_six.json").read_text().replace('"Allow"', '"allow"'))
    run = policy(command, "simulate", file, "--action-names", "ec2:RunInstances")
    assert run.returncode == 2
    assert run.stdout == ""
    assert "is not a policy" in run.stderr


@pytest.fixture(params=["utf-16-le", "utf-16-be"])
def wide(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / "wide.json"
    file.write_bytes(f"\ufeff{(POLICIES / 'plain_six.json').read_text()}".encode(request.param))
    return file


def test_a_file_in_utf_16_is_named(command: list[str], wide: Path) -> None:
    run = policy(command, wide)

    assert run.returncode == 1
    assert "this is a file in UTF-16, which AWS does not read; save it in UTF-8" in run.stdout


@pytest.mark.not_portable
def test_a_file_in_utf_16_is_mended(command: list[str], wide: Path) -> None:
    """In UTF-8, and with the fixes that the text has in UTF-8."""
    narrow = wide.with_name("narrow.json")
    narrow.write_text((POLICIES / "plain_six.json").read_text())
    policy(command, "--fix", wide, narrow)

    assert wide.read_bytes() == narrow.read_bytes()
    assert policy(command, wide).returncode == 0


def test_tighten_writes_no_policy_for_a_wrong_word(command: list[str]) -> None:
    wrong = (("--region", "eu-centrl-1"), ("--account", "1234"), ("--instance-type", "m7i"), ("--subnet", "subnet-x"))
    for flag, word in wrong:
        run = policy(command, "tighten", flag, word)
        assert (run.returncode, run.stdout) == (2, ""), word
        assert f"`{word}`" in run.stderr
    run = policy(command, "tighten", *(part for pair in wrong for part in pair), "--require", "consol")
    assert all(f"`{word}`" in run.stderr for _, word in wrong), "one does not hide the others"
    assert "`consol`" in run.stderr


def test_a_file_may_follow_a_list(command: list[str]) -> None:
    run = policy(
        command, "--image", "ami-12345678,ami-87654321", "--subnet=subnet-12345678", POLICIES / "plain_six.json"
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [(["/no/such/file.json"], "`/no/such/file.json`"), (["/no/such/*.json"], "`/no/such/*.json`"), ([], "policy")],
)
def test_what_cannot_be_read_is_exit_2(command: list[str], arguments: list[str], word: str) -> None:
    run = policy(command, *arguments)
    assert run.returncode == 2
    assert word in run.stderr


def test_bytes_that_are_no_text(command: list[str], tmp_path: Path) -> None:
    file = tmp_path / "latin1.json"
    file.write_bytes('{"Id": "ü"}'.encode("latin-1"))
    run = policy(command, file)
    assert run.returncode == 2
    assert "UTF-8" in run.stderr


OLD_COMMAND = "##[add-path]/tmp"


def test_in_a_workflow_no_policy_s_text_is_a_command(command: list[str], tmp_path: Path) -> None:
    """The runner finds the old form anywhere in a line, in what is printed for programs, too."""
    file = tmp_path / "policy.json"
    statement = {"Sid": OLD_COMMAND, "Effect": "Allow", "Action": "ec2:RunInstanes", "Resource": "*"}
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    environment = {"GITHUB_ACTIONS": "true", "PATH": os.environ["PATH"]}

    def run(*arguments: str, stdout: int | IO[str] = subprocess.PIPE) -> str:
        words = [*command, "policy", *arguments, str(file)]
        done = subprocess.run(
            words, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, env=environment, cwd=tmp_path
        )
        return (done.stdout or "") + done.stderr

    for arguments in (["--diff"], ["--format", "json"], ["--format", "sarif"], []):
        assert "##[" not in run(*arguments), arguments
    assert "add-path]/tmp" in run("--diff")
    with (tmp_path / "saved").open("w") as saved:
        assert "##[" not in run("--diff", stdout=saved)
    # Node hands a stream to the portable program, which cannot know a file from a log.
    if Path(command[0]).name != "node":
        assert OLD_COMMAND in (tmp_path / "saved").read_text()


def test_as_a_mode_of_the_action_it_annotates_the_lines(sprinters: Program, typo: Path) -> None:
    sprinters.environment["GITHUB_WORKSPACE"] = str(typo.parent)
    run = sprinters.run("policy", policy="*.json")
    assert run.code == 1
    number = next(n for n, line in enumerate(typo.read_text().splitlines(), 1) if "RunInstanes" in line)
    [annotation] = [
        line for line in run.stdout.splitlines() if line.startswith("::error file=") and "INVALID_ACTION" in line
    ]
    assert f"file={typo.name},line={number},endLine={number},col=" in annotation
