"""`check`: proves the set-up without launching anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from standins import images
from standins.aws import PLAIN_SIX, Ec2, policy_without
from standins.gate import Fault, acted_but, answer, delayed, garbage, lost, reset, then
from standins.github import GitHub, Kind
from standins.program import Program, Run, Running
from standins.proxy import ec2_error
from standins.server import Response

AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}


def verdicts(run: Run) -> dict[str, str]:
    """Each permission's mark: ✓, ✗, or ? where only a running runner could tell."""
    lines = [line for line in run.stdout.splitlines() if line[:1] in ("✓", "✗", "?")]
    return {action: line[0] for action in PLAIN_SIX for line in lines if line[2:].startswith(action)}


def test_a_good_set_up_has_a_tick_on_every_line(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    run = sprinters.run("check", **AMI)

    assert run.code == 0, run.log
    assert verdicts(run) == dict.fromkeys(PLAIN_SIX, "✓")
    assert "✗" not in run.stdout


def test_it_says_which_sign_in_was_used(sprinters: Program, ec2: Ec2) -> None:
    by_key = sprinters.run("check", **AMI)
    sprinters.environment |= {
        "AWS_ACCESS_KEY_ID": ec2.access_key_id,
        "AWS_SECRET_ACCESS_KEY": ec2.secret_access_key,
    }
    by_environment = sprinters.run("check", **AMI, **{"aws-access-key-id": None, "aws-secret-access-key": None})

    assert "✓ credentials for `eu-central-1`: the inputs' access key" in by_key.stdout
    assert "✓ credentials for `eu-central-1`: what the environment has" in by_environment.stdout


def test_it_launches_nothing_and_leaves_no_record(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    sprinters.run("check", **AMI)

    assert not ec2.instances()
    assert not github.records()
    assert len(ec2.gate.exchanges) >= len(PLAIN_SIX)
    assert [record.name for record in github.runners.issued], "the right to mint is proven by minting"
    assert all(name.endswith(":DryRun") for name in ec2.gate.operations())


@pytest.mark.parametrize(
    "missing", [pytest.param(action, marks=pytest.mark.policy(policy_without(action))) for action in PLAIN_SIX]
)
def test_a_missing_permission_is_the_one_cross(sprinters: Program, missing: str) -> None:
    run = sprinters.run("check", **AMI)

    assert run.code == 1
    shown = verdicts(run)
    assert shown[missing] == "✗"
    # RunInstances with tags needs CreateTags as well, so there one missing permission may show twice.
    assert {action for action, mark in shown.items() if mark == "✗"} <= {missing, "ec2:RunInstances"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.policy(name)) for name in ("published_role", "tight")]
)
def test_the_documented_policies_pass(sprinters: Program, name: str) -> None:
    run = sprinters.run("check", **AMI)

    assert run.code == 0, run.log
    shown = verdicts(run)
    assert set(shown) == set(PLAIN_SIX)
    assert [action for action, mark in shown.items() if mark == "✓"] == [
        "ec2:RunInstances",
        "ec2:DescribeInstances",
        "ec2:DescribeSpotPriceHistory",
    ]


@pytest.mark.parametrize("kind", [Kind.READ, Kind.UNRELATED, Kind.GITHUB_TOKEN, Kind.NO_ACCESS])
def test_a_token_that_may_not_mint_fails(sprinters: Program, github: GitHub, kind: Kind) -> None:
    run = sprinters.run("check", **AMI, **{"github-token": github.add_token(kind).value})

    assert run.code == 1
    assert "✗" in run.stdout
    assert verdicts(run) == dict.fromkeys(PLAIN_SIX, "✓"), "AWS is checked though GitHub fails"


def test_wrong_credentials_are_told_as_such(sprinters: Program) -> None:
    run = sprinters.run("check", **AMI, **{"aws-secret-access-key": "x" * 40})

    assert run.code == 1
    assert "✗" in run.stdout


UNAVAILABLE = Response.of_json(503, {"message": "Service Unavailable"})
PASSING_IN_EC2: dict[str, Fault] = {
    "throttled": ec2_error("RequestLimitExceeded", status=503),
    "internal": ec2_error("InternalError", status=500),
    "cut-off": reset,
    "garbage": garbage,
}
PASSING_AT_GITHUB: dict[str, Fault] = {
    "unavailable": answer(UNAVAILABLE),
    "slow-down": answer(Response.of_json(429, {"message": "API rate limit exceeded"}, **{"Retry-After": "1"})),
    "cut-off": reset,
    "lost": lost,
    "acted-but-failed": acted_but(UNAVAILABLE),
    "name-taken": answer(Response.of_json(409, {"message": "Already exists"})),
}


@pytest.mark.parametrize("fault", PASSING_IN_EC2)
@pytest.mark.parametrize("action", ["RunInstances", "DescribeInstances", "ModifyVolume"])
def test_a_fault_that_passes_is_not_a_missing_permission(sprinters: Program, ec2: Ec2, action: str, fault: str) -> None:
    rule = ec2.gate.fail(f"{action}:DryRun", PASSING_IN_EC2[fault], times=2)
    run = sprinters.run("check", **AMI)

    assert (run.code, rule.struck) == (0, 2), run.log
    assert verdicts(run) == dict.fromkeys(PLAIN_SIX, "✓")


@pytest.mark.parametrize("fault", PASSING_AT_GITHUB)
def test_a_fault_of_github_s_passes_and_leaves_no_record(
    sprinters: Program, ec2: Ec2, github: GitHub, fault: str
) -> None:
    rule = github.gate.fail("generate-jitconfig", PASSING_AT_GITHUB[fault])
    run = sprinters.run("check", **AMI)

    assert (run.code, rule.struck) == (0, 1), run.log
    assert not github.records()


@pytest.mark.parametrize("fault", [reset, answer(UNAVAILABLE)], ids=["cut-off", "unavailable"])
@pytest.mark.parametrize("operation", ["delete-runner", "generate-jitconfig"])
def test_the_record_is_deleted_in_the_end(
    sprinters: Program, ec2: Ec2, github: GitHub, operation: str, fault: Fault
) -> None:
    github.gate.fail(operation, fault, times=3)
    run = sprinters.run("check", **AMI)

    assert run.code == 0, run.log
    assert not github.records()


def test_no_answer_at_all_is_told_as_such(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    """The check ends all the same, and blames neither the policy nor the credentials."""
    ec2.gate.fail("ModifyVolume:DryRun", delayed(60), times=None)
    run = sprinters.run("check", **AMI)

    assert run.code == 1
    assert verdicts(run) == dict.fromkeys(PLAIN_SIX, "✓") | {"ec2:ModifyVolume": "?"}
    assert "1 of 9 checks got no answer: ec2:ModifyVolume" in run.log
    assert run.seconds < 45
    assert not github.records()


@pytest.mark.debug_build
def test_a_panic_leaves_no_record(sprinters: Program, github: GitHub, left_behind: Callable[[], list[str]]) -> None:
    sprinters.environment["SPRINTERS_TEST_PANIC"] = "1"
    run = sprinters.run("check", **AMI)

    assert run.code == 1
    assert github.runners.issued
    assert "the program stopped unexpectedly" in run.log
    assert not left_behind()


@pytest.mark.parametrize("operation", ["generate-jitconfig", "delete-runner"])
def test_a_cancel_leaves_no_record(
    sprinters: Program, ec2: Ec2, github: GitHub, left_behind: Callable[[], list[str]], operation: str
) -> None:
    started: list[Running] = []
    rule = github.gate.fail(operation, then(lambda: started[0].interrupt(), delayed(0.5)))
    started.append(sprinters.begin("check", **AMI))
    run = started[0].wait()

    assert (run.code, rule.struck) == (1, 1), run.log
    assert "cancelled" in run.log
    assert not left_behind()


# --- a runner that `listen` serves ---

BAD_GATEWAY = answer(Response(502, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>"))
FORBIDDEN = answer(Response.of_json(403, {"message": "Resource not accessible by personal access token"}))


@pytest.fixture
def served(sprinters: Program, tmp_path: Path) -> dict[str, object]:
    file = tmp_path / "workspace" / ".github" / "sprinters.yml"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"runners": {"linux-x64": {**AMI, "max-runners": 3}}}))
    sprinters.environment["GITHUB_WORKSPACE"] = str(tmp_path / "workspace")
    return {"runner": "linux-x64", "profiles": "workspace"}


@pytest.mark.not_portable
def test_what_a_listener_needs_is_asked_for_and_nothing_is_made(
    sprinters: Program, github: GitHub, served: dict[str, object]
) -> None:
    run = sprinters.run("check", **served)

    assert run.code == 0, run.log
    assert "✓ GitHub's Actions service, which has the scale sets" in run.stdout
    assert "✓ scale set `linux-x64`: `listen` will make it" in run.stdout
    assert not github.scale_sets.all()


@pytest.mark.not_portable
@pytest.mark.parametrize(
    ("operation", "subject"),
    [
        ("registration-token", "GitHub's Actions service"),
        ("runner-registration", "GitHub's Actions service"),
        ("find-scale-set", "scale set `linux-x64`"),
        ("get-repository", "whether `"),
    ],
)
@pytest.mark.parametrize(("fault", "mark"), [(BAD_GATEWAY, "?"), (FORBIDDEN, "✗")], ids=["502", "403"])
def test_what_a_listener_lacks_is_told_and_a_fault_that_passes_is_not_one(
    sprinters: Program, github: GitHub, served: dict[str, object], operation: str, subject: str, fault: Fault, mark: str
) -> None:
    github.gate.fail(operation, fault, times=None)
    run = sprinters.run("check", **served)

    assert run.code == 1
    [line] = [line for line in run.stdout.splitlines() if line[2:].startswith(subject) and "✓" not in line]
    assert line[0] == mark
