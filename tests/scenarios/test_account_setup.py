"""The files that docs/src/aws-account.md hands out: they lint, create what they say, and `check` passes with it."""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import hcl2
import pytest

from standins import images
from standins.aws import ACCOUNT_ID, PLAIN_SIX, REGION, Moto
from standins.program import ROOT, Program

SETUP = ROOT / "docs" / "src" / "setup"
TEMPLATES = sorted(str(file.relative_to(SETUP)) for file in SETUP.glob("**/template.yaml"))
ISSUER = "token.actions.githubusercontent.com"
SUBJECTS = ["repo:octo@583231/app@1296269:*", "repo:octo/app:*"]
AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}


@pytest.fixture
def moto() -> Iterator[Moto]:
    """Each test's own: names such as `sprinters-user` exist once in an account."""
    with Moto() as moto:
        yield moto


@pytest.fixture
def administrator(moto: Moto) -> dict[str, str]:
    """The environment of somebody who may do everything."""
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    key = moto.control("users", {"policies": [everything]})
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{moto.port}",
        "AWS_ACCESS_KEY_ID": key["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
        "AWS_DEFAULT_REGION": REGION,
    }


def client(service: str, administrator: dict[str, str]) -> Any:
    return boto3.client(
        service,
        endpoint_url=administrator["AWS_ENDPOINT_URL"],
        aws_access_key_id=administrator["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=administrator["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )


def create(text: str, administrator: dict[str, str], **parameters: str) -> dict[str, str]:
    """Creates a stack of this template, as `aws cloudformation deploy` does; answers its outputs."""
    cloudformation = client("cloudformation", administrator)
    cloudformation.create_stack(
        StackName="sprinters",
        TemplateBody=text,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    [stack] = cloudformation.describe_stacks(StackName="sprinters")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def check_passes(
    sprinters: Program, key_id: str, secret: str, proven: tuple[str, ...] = PLAIN_SIX, **inputs: str
) -> None:
    sprinters.inputs |= {"aws-access-key-id": key_id, "aws-secret-access-key": secret}
    run = sprinters.run("check", **AMI, **inputs)
    assert run.code == 0, run.log
    assert all(f"✓ {action}" in run.stdout for action in proven)
    assert "✗" not in run.stdout
    assert secret not in run.log.replace(f"::add-mask::{secret}", "")


def allowed(policy_arn: str, administrator: dict[str, str]) -> list[str]:
    iam = client("iam", administrator)
    version = iam.get_policy(PolicyArn=policy_arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=policy_arn, VersionId=version)["PolicyVersion"]["Document"]
    [statement] = document["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Allow", "*")
    return statement["Action"]


def trusts_the_repository(administrator: dict[str, str]) -> None:
    """The role has the six permissions, and the repository's tokens alone may take it, in both of their forms."""
    iam = client("iam", administrator)
    [attached] = iam.list_attached_role_policies(RoleName="sprinters-role")["AttachedPolicies"]
    assert allowed(attached["PolicyArn"], administrator) == list(PLAIN_SIX)
    [statement] = iam.get_role(RoleName="sprinters-role")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    provider = f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/{ISSUER}"
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"},
            "StringLike": {f"{ISSUER}:sub": SUBJECTS},
        },
    }
    known = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    assert known["ClientIDList"] == ["sts.amazonaws.com"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_cfn_lint_finds_nothing(template: str) -> None:
    run = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", SETUP / template], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


# moto's CloudFormation knows no Secrets Manager: the test asks for what goes there.
KEY = """
Outputs:
  Id:
    Value: !Ref Key
  Secret:
    Value: !GetAtt Key.SecretAccessKey
"""


@pytest.mark.filterwarnings("ignore:Tried to parse AWS..SecretsManager")
def test_check_passes_with_the_key_of_the_stack(sprinters: Program, administrator: dict[str, str]) -> None:
    key = create((SETUP / "user/template.yaml").read_text() + KEY, administrator)

    check_passes(sprinters, key["Id"], key["Secret"])


def test_the_stack_trusts_the_repository(administrator: dict[str, str]) -> None:
    iam = client("iam", administrator)
    iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"])
    parameters = {"Subjects": ",".join(SUBJECTS), "CreateProvider": "false"}
    outputs = create((SETUP / "role/template.yaml").read_text(), administrator, **parameters)
    assert outputs["RoleArn"] == f"arn:aws:iam::{ACCOUNT_ID}:role/sprinters-role"
    trusts_the_repository(administrator)


def test_the_listener_s_stack_may_do_what_it_needs_and_nothing_else(administrator: dict[str, str]) -> None:
    ec2 = client("ec2", administrator)
    [vpc] = ec2.describe_vpcs()["Vpcs"]
    subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]][:2]
    parameters = {"Repository": "octo/app", "Secret": "/octo/key", "Vpc": vpc["VpcId"], "Subnets": ",".join(subnets)}
    text = (SETUP / "listener/template.yaml").read_text()
    role = create(text, administrator, **parameters)["Role"].split("/")[-1]

    iam = client("iam", administrator)
    assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    # moto keeps what a template brought as Python writes it.
    launching, secret = (ast.literal_eval(document) if isinstance(document, str) else document)["Statement"]
    assert (launching["Effect"], launching["Action"], launching["Resource"]) == ("Allow", list(PLAIN_SIX), "*")
    parameter = f"arn:aws:ssm:{REGION}:{ACCOUNT_ID}:parameter/octo/key"
    assert (secret["Effect"], secret["Action"], secret["Resource"]) == ("Allow", "ssm:GetParameter", parameter)
    [trust] = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust == {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}

    [group] = client("autoscaling", administrator).describe_auto_scaling_groups()["AutoScalingGroups"]
    assert (group["MinSize"], group["MaxSize"], len(group["Instances"])) == (1, 1, 1)
    template = group["LaunchTemplate"]["LaunchTemplateId"]
    [version] = ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]
    launched = version["LaunchTemplateData"]
    assert launched["InstanceType"] == "t4g.nano"
    assert launched["MetadataOptions"]["HttpTokens"] == "required"
    assert launched["IamInstanceProfile"]["Arn"].startswith(f"arn:aws:iam::{ACCOUNT_ID}:instance-profile/")
    [firewall] = ec2.describe_security_groups(GroupIds=launched["SecurityGroupIds"])["SecurityGroups"]
    assert firewall["IpPermissions"] == [], "nothing comes in"
    script = base64.b64decode(launched["UserData"]).decode()
    assert "GITHUB_REPOSITORY" in script and "octo/app" in script and "--name /octo/key" in script
    shell = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert shell.returncode == 0, shell.stderr


# `gh` as the commands use it: `gh api … --jq …` answers the subjects, `gh secret set NAME` keeps what it is given.
GH = """\
#!/bin/sh
case "$1" in
  api) printf '%s' '{subjects}' ;;
  secret) cat >"{folder}/$3" ;;
esac
"""


def run_commands(file: Path, administrator: dict[str, str], folder: Path) -> str:
    """Pastes the commands into a shell; answers what they print."""
    gh = folder / "gh"
    gh.write_text(GH.format(subjects=json.dumps(SUBJECTS), folder=folder))
    gh.chmod(0o755)
    run = subprocess.run(
        ["bash", "-euo", "pipefail", file],
        env={
            **administrator,
            "PATH": f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "AWS_PAGER": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def test_check_passes_with_the_key_of_the_commands(
    sprinters: Program, administrator: dict[str, str], tmp_path: Path
) -> None:
    run_commands(SETUP / "user/commands.sh", administrator, tmp_path)

    kept = {name: (tmp_path / name).read_text() for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    check_passes(sprinters, kept["AWS_ACCESS_KEY_ID"], kept["AWS_SECRET_ACCESS_KEY"])


@pytest.mark.parametrize("known", [False, True])
def test_the_commands_trust_the_repository(administrator: dict[str, str], tmp_path: Path, known: bool) -> None:
    if known:
        iam = client("iam", administrator)
        iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"])

    run_commands(SETUP / "role/commands.sh", administrator, tmp_path)

    trusts_the_repository(administrator)


@pytest.mark.parametrize("way", ["role", "user"])
def test_terraform_says_the_same(way: str) -> None:
    """Terraform's providers cannot be fetched everywhere, so this reads the file as Terraform would."""
    text = (SETUP / way / "main.tf").read_text()
    blocks = [(kind, name.strip('"'), body) for kind, name, body in declarations(hcl2.loads(text))]
    resources = {name for kind, name, _ in blocks if kind == "resource"}
    known = {f"var.{name}" for kind, name, _ in blocks if kind == "variable"}
    known |= {f"local.{name}" for kind, name, _ in blocks if kind == "locals"}
    known |= {f"data.{name}.{first(body)}" for kind, name, body in blocks if kind == "data"}
    used = set(re.findall(r"\b(?:(?:var|local)\.\w+|data\.\w+\.\w+)", text))

    assert re.findall(r'"(ec2:\w+)"', text) == list(PLAIN_SIX)
    assert {"aws_iam_policy", f"aws_iam_{way}", f"aws_iam_{way}_policy_attachment"} <= resources
    assert used == known


def declarations(read: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Every block with a name, and every local value."""
    for kind in ("variable", "locals", "data", "resource"):
        for block in read.get(kind, []):
            for name, body in block.items():
                if not name.startswith("__"):
                    yield kind, name, body


def first(block: dict[str, Any]) -> str:
    return next(iter(block)).strip('"')


FORMATS = {"cli": "commands.sh", "cloudformation": "template.yaml", "terraform": "main.tf"}
# What a tight policy lets a dry run prove: the rest needs an instance that carries the tag.
PROVEN = ("ec2:RunInstances", "ec2:DescribeInstances", "ec2:DescribeSpotPriceHistory")


def printed(command: list[str], *arguments: str) -> str:
    """`sprinters setup` for octo/app. It asks nobody, and needs nothing."""
    run = subprocess.run(
        [*command, "setup", "--repository", "octo/app", *arguments], env={}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.mark.parametrize("way", ["role", "user"])
@pytest.mark.parametrize("form", FORMATS)
def test_setup_prints_the_book_s_files(command: list[str], way: str, form: str) -> None:
    user = ["--user"] if way == "user" else []
    text = printed(command, "--format", form, "--policy", "six", "--security-group", "none", *user)
    assert text == (SETUP / way / FORMATS[form]).read_text()


def nothing_comes_in(group: str, administrator: dict[str, str]) -> None:
    [known] = client("ec2", administrator).describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert known["IpPermissions"] == []
    assert {rule["IpProtocol"] for rule in known["IpPermissionsEgress"]} == {"-1"}


@pytest.mark.parametrize("way", ["role", "user"])
def test_cfn_lint_finds_nothing_in_what_setup_prints(command: list[str], tmp_path: Path, way: str) -> None:
    file = tmp_path / "sprinters.yaml"
    more = ["--user"] if way == "user" else ["--environment", "aws"]
    file.write_text(printed(command, "--format", "cloudformation", "--security-group", "vpc-0123456789abcdef0", *more))
    run = subprocess.run([Path(sys.executable).parent / "cfn-lint", file], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_stack_of_setup_has_a_role_and_a_group(command: list[str], administrator: dict[str, str]) -> None:
    iam = client("iam", administrator)
    iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"])
    text = printed(command, "--format", "cloudformation", "--region", REGION, "--account", ACCOUNT_ID)
    outputs = create(text, administrator, Subjects=",".join(SUBJECTS), CreateProvider="false")

    assert outputs["RoleArn"] == f"arn:aws:iam::{ACCOUNT_ID}:role/sprinters-role"
    nothing_comes_in(outputs["SecurityGroup"], administrator)
    [attached] = iam.list_attached_role_policies(RoleName="sprinters-role")["AttachedPolicies"]
    version = iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId="v1")["PolicyVersion"]
    tight = subprocess.run(
        [*command, "policy", "tighten", "--region", REGION, "--account", ACCOUNT_ID],
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert version["Document"] == json.loads(tight.stdout)


def test_check_passes_after_the_commands_of_setup(
    sprinters: Program, command: list[str], administrator: dict[str, str], tmp_path: Path
) -> None:
    """The tight policy, the user's key, and the group into which nothing comes."""
    commands = tmp_path / "setup.sh"
    commands.write_text(printed(command, "--user", "--region", REGION, "--account", ACCOUNT_ID))
    said = run_commands(commands, administrator, tmp_path)

    [group] = re.findall(r"^sg-\w+$", said, re.MULTILINE)
    nothing_comes_in(group, administrator)
    assert (tmp_path / "SPRINTERS_TOKEN").exists()
    kept = {name: (tmp_path / name).read_text() for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    check_passes(
        sprinters,
        kept["AWS_ACCESS_KEY_ID"],
        kept["AWS_SECRET_ACCESS_KEY"],
        PROVEN,
        **{"security-group": group},
    )


def test_the_role_of_setup_s_commands_trusts_the_environment_alone(
    command: list[str], administrator: dict[str, str], tmp_path: Path
) -> None:
    commands = tmp_path / "setup.sh"
    commands.write_text(printed(command, "--environment", "aws"))
    assert '"repo:\\(.full_name):environment:aws"]' in commands.read_text()
    run_commands(commands, administrator, tmp_path)

    role = client("iam", administrator).get_role(RoleName="sprinters-role")["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT_ID}:role/sprinters-role"


@pytest.mark.parametrize("way", ["role", "user"])
def test_terraform_of_setup_is_whole(command: list[str], way: str) -> None:
    user = ["--user"] if way == "user" else []
    text = printed(command, "--format", "terraform", "--region", REGION, *user)
    blocks = hcl2.loads(text)
    resources = {first(resource) for resource in blocks["resource"]}

    assert {"aws_iam_policy", f"aws_iam_{way}", "aws_security_group"} <= resources
    policy = re.search(r"<<-JSON\n(.*?)\n  JSON\n", text, re.DOTALL)
    assert policy and len(json.loads(policy[1])["Statement"]) == 5
    if way == "role":
        assert re.search(r'default += "octo/app"', text)
