"""AWS without a key: GitHub's OIDC token says which job this is, and the role that trusts it does the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from standins import images
from standins.aws import ACCOUNT_ID, PLAIN_SIX, Ec2, policy_without
from standins.distance import Distance
from standins.gate import answer, delayed, reset, stalled
from standins.leaks import written
from standins.oidc import AUDIENCE, Oidc, trust
from standins.program import Program
from standins.server import Response

LAUNCH = {"image": images.OWN_X64, "instance-type": "m7i.large"}


@pytest.fixture
def oidc(sprinters: Program, ec2: Ec2) -> Iterator[Oidc]:
    """The job may ask for tokens, and the account knows who makes them. Nothing of a token may be read anywhere."""
    oidc = Oidc(f"repo:{sprinters.environment['GITHUB_REPOSITORY']}:ref:refs/heads/main")
    ec2.trust_provider(oidc.issuer, [AUDIENCE], oidc.public_key)
    sprinters.environment |= oidc.environment
    yield oidc
    for running in sprinters.runs:
        for place, text in written(running):
            for secret in oidc.secrets:
                assert secret not in text, f"an OIDC token can be read in {place}"
    oidc.close()


def use(sprinters: Program, role: str) -> str:
    sprinters.inputs |= {"aws-access-key-id": None, "aws-secret-access-key": None, "aws-role-arn": role}
    return role


@pytest.fixture
def role(sprinters: Program, ec2: Ec2, oidc: Oidc) -> str:
    """A role with the six permissions, which trusts this repository; the binary has nothing else."""
    repository = oidc.subject.split(":ref:")[0]
    return use(sprinters, ec2.create_role(trust(oidc, f"{repository}:*", "StringLike")))


def test_a_whole_life(
    sprinters: Program, ec2: Ec2, oidc: Oidc, role: str, left_behind: Callable[[], list[str]]
) -> None:
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 0, run.log
    assert len(ec2.living()) == 1
    assert {*oidc.issued, *ec2.secrets} - {ec2.secret_access_key} <= set(run.masked)
    assert len(oidc.issued) == 1, "one token is enough for a run"
    [taken] = [e.request.form for e in ec2.gate.exchanges if e.operation == "AssumeRoleWithWebIdentity"]
    repository, run_id = (sprinters.environment[name] for name in ("GITHUB_REPOSITORY", "GITHUB_RUN_ID"))
    assert taken["RoleSessionName"] == f"sprinters-{run_id}-1-{repository.split('/')[1]}"
    assert taken["RoleArn"] == role

    for mode in ("sweep", "stop"):
        run = sprinters.run(mode)
        assert run.code == 0, run.log
    assert not left_behind()


def test_the_connection_to_sts_is_open_before_there_is_a_token(
    sprinters: Program, ec2: Ec2, oidc: Oidc, role: str
) -> None:
    away = Distance(int(ec2.url.rpartition(":")[2]), 0.1)
    sprinters.environment["AWS_ENDPOINT_URL_STS"] = f"http://127.0.0.1:{away.port}"
    oidc.gate.fail("oidc-token", delayed(0.5))
    run = sprinters.run("start", **LAUNCH)
    away.close()

    assert run.code == 0, run.log
    [token], [_taken] = oidc.gate.calls("oidc-token"), ec2.gate.calls("AssumeRoleWithWebIdentity")
    assert min(away.opened) < token.answered


@pytest.mark.parametrize("name", ["tight", "published_role"])
def test_the_documented_policies_do_for_a_role(sprinters: Program, ec2: Ec2, oidc: Oidc, name: str) -> None:
    use(sprinters, ec2.create_role(trust(oidc, oidc.subject), name))

    assert sprinters.run("start", **LAUNCH).code == 0
    assert sprinters.run("stop").code == 0
    assert not ec2.living()


def test_check_tells_the_role_and_what_it_may(sprinters: Program, ec2: Ec2, oidc: Oidc, role: str) -> None:
    run = sprinters.run("check", **LAUNCH)

    assert run.code == 0, run.log
    assert (
        f"✓ role taken with the OIDC token of `{oidc.subject}`: `arn:aws:sts::{ACCOUNT_ID}:assumed-role/" in run.stdout
    )
    assert "✓ credentials for `eu-central-1`: the role's credentials" in run.stdout
    assert all(f"✓ {action}" in run.stdout for action in PLAIN_SIX)


def test_check_finds_what_the_role_lacks(sprinters: Program, ec2: Ec2, oidc: Oidc) -> None:
    use(sprinters, ec2.create_role(trust(oidc, oidc.subject), policy_without("ec2:TerminateInstances")))
    run = sprinters.run("check", **LAUNCH)

    assert run.code == 1
    assert "✗ ec2:TerminateInstances" in run.stdout
    assert "✓ ec2:DescribeInstances" in run.stdout


@pytest.mark.parametrize("mode", ["start", "stop", "sweep", "check"])
def test_a_trust_policy_that_does_not_match(sprinters: Program, ec2: Ec2, oidc: Oidc, mode: str) -> None:
    role = use(sprinters, ec2.create_role(trust(oidc, "repo:octo/another:ref:refs/heads/main")))
    run = sprinters.run(mode, **(LAUNCH if mode in ("start", "check") else {}))

    assert run.code == 1
    [told] = run.annotations
    assert f"could not take the AWS role: `AccessDenied` on `{role}`" in told if mode != "check" else True
    assert f"sub: `{oidc.subject}`" in told
    assert f"aud: `{AUDIENCE}`" in told
    # The policy that is told is the one that helps.
    text = told[told.index('{\n  "Version"') : told.rindex("\n}") + 2]
    use(sprinters, ec2.create_role(json.loads(text)))
    assert sprinters.run(mode, **(LAUNCH if mode in ("start", "check") else {})).code == 0


def test_a_job_without_the_permission_asks_nobody(sprinters: Program, ec2: Ec2, oidc: Oidc, role: str) -> None:
    for name in oidc.environment:
        sprinters.environment.pop(name)
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 2
    assert "permissions: {id-token: write, contents: read}" in run.log
    assert not ec2.gate.exchanges and not oidc.gate.exchanges


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"aws-role-arn": "sprinters-role"}, "a role's ARN, such as"),
        ({"aws-access-key-id": "AKIA", "aws-secret-access-key": "x"}, "leave one of them out"),
    ],
)
def test_wrong_inputs(sprinters: Program, ec2: Ec2, role: str, inputs: dict[str, str], said: str) -> None:
    run = sprinters.run("start", **LAUNCH, **inputs)

    assert run.code == 2
    assert said in run.log
    assert not ec2.gate.exchanges


def test_an_account_that_does_not_know_github(sprinters: Program, ec2: Ec2, role: str, oidc: Oidc) -> None:
    stranger = Oidc("repo:octo/app:pull_request")
    sprinters.environment |= stranger.environment
    run = sprinters.run("start", **LAUNCH)
    stranger.close()

    assert run.code == 1
    assert "aws iam create-open-id-connect-provider" in run.log
    assert stranger.issuer in run.log
    assert not ec2.instances()


def test_a_provider_without_the_audience(sprinters: Program, ec2: Ec2, role: str, oidc: Oidc) -> None:
    ec2.trust_provider(oidc.issuer, ["https://github.com/octo"], oidc.public_key)
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 1
    assert "add-client-id-to-open-id-connect-provider" in run.log


@pytest.mark.parametrize("fault", [reset, answer(Response(503, {}, b"Service Unavailable"))], ids=["reset", "503"])
@pytest.mark.parametrize("whose", ["github", "aws"])
def test_a_passing_fault_is_waited_out(
    sprinters: Program, ec2: Ec2, oidc: Oidc, role: str, whose: str, fault: Callable[..., Any]
) -> None:
    rule = (
        oidc.gate.fail("oidc-token", fault, times=2)
        if whose == "github"
        else ec2.gate.fail("AssumeRoleWithWebIdentity", fault, times=2)
    )
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 0, run.log
    assert rule.struck == 2


def test_github_refuses_the_token(sprinters: Program, ec2: Ec2, oidc: Oidc, role: str) -> None:
    oidc.gate.fail("oidc-token", answer(Response.of_json(403, {"message": "no"})), times=None)
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 1
    assert "GitHub gave no OIDC token (HTTP 403)" in run.log
    assert "id-token: write" in run.log
    assert not ec2.instances()


def test_silence_ends(sprinters: Program, ec2: Ec2, oidc: Oidc, role: str) -> None:
    oidc.gate.fail("oidc-token", stalled(60), times=None)
    run = sprinters.run("start", **LAUNCH, **{"start-timeout": "30s"})

    assert run.code == 1
    assert "could not take the AWS role" in run.log
    assert not ec2.instances()


def disabled() -> Response:
    body = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        "<Code>RegionDisabledException</Code><Message>STS is not activated in this region for account</Message></Error>"
        "<RequestId>0</RequestId></ErrorResponse>"
    )
    return Response(403, {"Content-Type": "text/xml"}, body.encode())


@pytest.mark.parametrize("regions", ["eu-central-1", "eu-central-1, us-west-2"])
def test_a_region_whose_sts_is_switched_off_leaves_the_others(
    sprinters: Program, ec2: Ec2, role: str, regions: str
) -> None:
    several = "," in regions
    ec2.gate.fail("AssumeRoleWithWebIdentity", answer(disabled()), times=1 if several else None)
    run = sprinters.run("sweep", **{"aws-region": regions})

    asked = [e for e in ec2.gate.exchanges if e.operation == "AssumeRoleWithWebIdentity"]
    assert run.code == (0 if several else 1), run.log
    assert len(asked) == (2 if several else 1)
    assert several or "activate STS for this region" in run.log


def test_an_sts_that_does_not_answer_leaves_the_other_region(sprinters: Program, ec2: Ec2, role: str) -> None:
    ec2.gate.fail("AssumeRoleWithWebIdentity", stalled(60), times=1)
    run = sprinters.run("sweep", **{"aws-region": "eu-central-1, us-west-2"})

    assert run.code == 0, run.log
