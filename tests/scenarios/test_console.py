"""The instance's last words in the error of a `start`, for who has the permission that the six do not hold."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from standins import images
from standins.aws import Ec2, policy_with
from standins.cloud import Behaves
from standins.gate import Fault, answer, reset, stalled
from standins.program import Program
from standins.proxy import ec2_error
from standins.server import Response

AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}
SILENT = {"start-timeout": "3s"}
ALLOWED = pytest.mark.policy(policy_with("ec2:GetConsoleOutput"))
CONSOLE = """\
[    0.000000] Linux version 6.8.0-aws\r
[\x1b[0;32m  OK  \x1b[0m] Reached target basic.target\r
sprinters: preparing the runner sprinters-1 with the label sprinters-1\r
::error::not a command\r
sprinters: error: setup failed with exit status 1: no such package\r
"""
LeftBehind = Callable[[], list[str]]


def says(console: str) -> Response:
    output = base64.b64encode(console.encode()).decode()
    body = f"<GetConsoleOutputResponse><instanceId>i-1</instanceId><output>{output}</output></GetConsoleOutputResponse>"
    return Response(200, {"Content-Type": "text/xml"}, body.encode())


@ALLOWED
def test_an_instance_that_never_comes_online(
    sprinters: Program, behaves: Behaves, ec2: Ec2, left_behind: LeftBehind
) -> None:
    behaves.online_after = None
    run = sprinters.run("start", **AMI, **SILENT)

    assert run.code == 1
    [instance] = ec2.instances()
    assert f"the console of `{instance.id}` says:" in run.log
    assert "Enabling fast FPU save and restore... done." in run.log, "moto's own console"
    assert not left_behind()


@ALLOWED
def test_an_instance_that_powers_itself_off(sprinters: Program, behaves: Behaves, ec2: Ec2) -> None:
    behaves.dies_after = 0.5
    behaves.state_reason = "Client.InstanceInitiatedShutdown"
    ec2.gate.fail("GetConsoleOutput", answer(says(CONSOLE)), times=None)
    run = sprinters.run("start", **AMI)

    assert run.code == 1
    [annotation] = run.annotations
    for line in ("preparing the runner sprinters-1", "error: setup failed with exit status 1: no such package"):
        assert f"sprinters: {line}" in annotation
    assert "Linux version" not in run.log and "not a command" not in run.log
    assert ec2.gate.calls("GetConsoleOutput")[0].request.form["Latest"] == "true"


@ALLOWED
def test_what_an_instance_writes_is_no_command_to_github(sprinters: Program, behaves: Behaves, ec2: Ec2) -> None:
    behaves.online_after = None
    ec2.gate.fail("GetConsoleOutput", answer(says("\n::error::mine\n\x1b[1m::add-path::/tmp\n")), times=None)
    run = sprinters.run("start", **AMI, **SILENT)

    assert run.code == 1
    assert len(run.annotations) == 1
    assert not any(line.startswith("::add-path") for line in run.stdout.splitlines())


def test_without_the_permission_nothing_is_said_of_it(sprinters: Program, behaves: Behaves, ec2: Ec2) -> None:
    behaves.online_after = None
    run = sprinters.run("start", **AMI, **SILENT)

    assert run.code == 1
    assert ec2.gate.calls("GetConsoleOutput"), "it was tried"
    assert "GetConsoleOutput" not in run.log and "the console of" not in run.log


@ALLOWED
@pytest.mark.parametrize(
    "fault",
    [reset, stalled(20), ec2_error("InternalError", "no", 500), answer(says(""))],
    ids=["reset", "stalled", "error", "empty"],
)
def test_no_fault_of_it_changes_the_end(
    sprinters: Program, behaves: Behaves, ec2: Ec2, left_behind: LeftBehind, fault: Fault
) -> None:
    behaves.online_after = None
    ec2.gate.fail("GetConsoleOutput", fault, times=None)
    run = sprinters.run("start", **AMI, **SILENT)

    assert run.code == 1
    assert "no runner came online" in run.log and "the console of" not in run.log
    assert not left_behind()


@ALLOWED
def test_where_the_latest_is_not_known_the_last_kept_is_told(sprinters: Program, behaves: Behaves, ec2: Ec2) -> None:
    """As on types before Nitro."""
    behaves.online_after = None
    ec2.gate.fail("GetConsoleOutput", ec2_error("UnsupportedOperation", "latest"))
    run = sprinters.run("start", **AMI, **SILENT)

    assert "the console of" in run.log
    assert "Latest" not in ec2.gate.calls("GetConsoleOutput")[-1].request.form


@ALLOWED
def test_check_says_that_it_is_there(sprinters: Program) -> None:
    run = sprinters.run("check", **AMI)

    assert run.code == 0, run.log
    assert "ec2:GetConsoleOutput (optional" in run.stdout
