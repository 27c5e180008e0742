"""A cancel at any moment: GitHub sends SIGINT, 7.5 s later SIGTERM. Nothing may be left."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from standins import images
from standins.aws import Ec2
from standins.cloud import Behaves
from standins.gate import delayed, lost, then
from standins.github import GitHub
from standins.program import Program, Running
from standins.proxy import ec2_error

AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}
SEED = 20261123
SIGNALS = {"SIGINT": Running.interrupt, "SIGTERM": Running.terminate}
LeftBehind = Callable[[], list[str]]


@pytest.mark.parametrize("by", SIGNALS)
@pytest.mark.parametrize("operation", ["generate-jitconfig", "RunInstances", "get-runner", "DescribeInstances"])
def test_a_signal_as_a_call_arrives(
    sprinters: Program,
    ec2: Ec2,
    github: GitHub,
    behaves: Behaves,
    left_behind: LeftBehind,
    operation: str,
    by: str,
) -> None:
    """The call is answered half a second after the signal, so that its answer finds a program that is ending."""
    behaves.online_after = None
    gate = ec2.gate if operation[0].isupper() else github.gate
    started: list[Running] = []
    rule = gate.fail(operation, then(lambda: SIGNALS[by](started[0]), delayed(0.5)))
    started.append(sprinters.begin("start", **AMI))
    run = started[0].wait()

    assert (run.code, rule.struck) == (1, 1), run.log
    assert not left_behind(), run.log


@pytest.mark.parametrize("by", SIGNALS)
def test_a_signal_between_two_looks_at_the_runner(
    sprinters: Program, ec2: Ec2, github: GitHub, behaves: Behaves, left_behind: LeftBehind, by: str
) -> None:
    behaves.online_after = None
    running = sprinters.begin("start", **AMI)
    github.gate.wait_for("get-runner", 2)
    SIGNALS[by](running)
    run = running.wait()

    assert run.code == 1
    assert not left_behind()
    [instance] = ec2.instances()
    assert instance.state_reason == "Client.UserInitiatedShutdown"


def test_a_search_is_not_ended_by_an_answer_that_only_an_id_can_get(
    sprinters: Program, ec2: Ec2, left_behind: LeftBehind
) -> None:
    """The instance is looked for by its client token: that an id is unknown says nothing about it."""
    started: list[Running] = []
    ec2.gate.fail("RunInstances", then(lambda: started[0].interrupt(), lost))
    unknown = ec2_error("InvalidInstanceID.NotFound", "The instance ID 'i-0123456789abcdef0' does not exist")
    rule = ec2.gate.fail("DescribeInstances", unknown, times=2)
    started.append(sprinters.begin("start", **AMI))
    run = started[0].wait()

    assert (run.code, rule.struck) == (1, 2), run.log
    assert not left_behind(), run.log


def test_a_second_signal_does_not_stop_the_undo(
    sprinters: Program, ec2: Ec2, github: GitHub, behaves: Behaves, left_behind: LeftBehind
) -> None:
    behaves.online_after = None
    ec2.gate.fail("TerminateInstances", delayed(1.0))
    running = sprinters.begin("start", **AMI)
    github.gate.wait_for("get-runner")
    running.interrupt()
    ec2.gate.wait_for("TerminateInstances")
    running.terminate()
    run = running.wait()

    assert run.code == 1
    assert not left_behind()


def test_a_signal_while_a_failed_start_is_undone(
    sprinters: Program, ec2: Ec2, behaves: Behaves, left_behind: LeftBehind
) -> None:
    """One launch is refused for good, the other's answer takes its time: after the signal nobody has so much left."""
    behaves.online_after = None
    ec2.gate.fail("RunInstances", delayed(20))
    ec2.gate.fail("RunInstances", ec2_error("InvalidAMIID.NotFound", "no such image"), nth=2)
    running = sprinters.begin("start", **AMI, count="2")
    ec2.gate.wait_for("RunInstances", 2)
    time.sleep(1)
    began = time.monotonic()
    running.interrupt()
    run = running.wait()

    assert run.code == 1
    assert run.ended - began < 9.5, "GitHub ends what is left after 10 s"
    assert "InvalidAMIID.NotFound" in run.log and "cancelled" in run.log
    assert not left_behind(), run.log


def test_a_signal_while_a_record_is_deleted_does_not_doubt_that_it_was(
    sprinters: Program, ec2: Ec2, github: GitHub, left_behind: LeftBehind
) -> None:
    """GitHub has deleted it, and the answer is under way: the 404 of the next try is what was to be expected."""
    ec2.gate.fail("RunInstances", ec2_error("InvalidAMIID.NotFound", "no such image"))
    github.gate.fail("delete-runner", delayed(3))
    running = sprinters.begin("start", **AMI)
    github.gate.wait_for("delete-runner")
    while github.records():
        time.sleep(0.01)
    running.interrupt()
    run = running.wait()

    assert run.code == 1
    assert len(github.gate.calls("delete-runner")) <= 2, run.log
    assert "nothing is left running" in run.log
    assert not left_behind(), run.log


@pytest.mark.parametrize("instant", [round(random.Random(SEED + n).uniform(0.0, 1.5), 3) for n in range(12)])
def test_a_signal_at_a_random_instant_with_slow_services(
    sprinters: Program, ec2: Ec2, github: GitHub, behaves: Behaves, left_behind: LeftBehind, instant: float
) -> None:
    """Each answer takes 200 ms, as over an ocean; the undo has to fit into the 7.5 s that a cancelled step has."""
    behaves.online_after = None
    ec2.gate.fail("*", delayed(0.2), times=None)
    github.gate.fail("*", delayed(0.2), times=None)
    running = sprinters.begin("start", **AMI)
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(instant)
    began = time.monotonic()
    running.interrupt()
    run = running.wait()

    # The kernel's own end, for a signal that came before the program could listen, is as good.
    assert run.code in (1, -signal.SIGINT), run.log
    assert run.ended - began < 5
    assert not left_behind(), run.log


@pytest.mark.parametrize("after", [0, 0.06, 0.1, 0.14])
def test_a_signal_before_anything_was_asked_leaves_nothing(
    sprinters: Program, behaves: Behaves, left_behind: LeftBehind, after: float
) -> None:
    """While the portable program is being loaded, too."""
    behaves.online_after = None
    running = sprinters.begin("start", **AMI)
    time.sleep(after)
    running.interrupt()
    run = running.wait()

    assert run.code in (1, -signal.SIGINT)
    assert "broke" not in run.log
    assert not left_behind()


def test_a_killed_start_leaves_what_stop_finds(
    sprinters: Program, ec2: Ec2, github: GitHub, behaves: Behaves, left_behind: LeftBehind
) -> None:
    behaves.online_after = None
    running = sprinters.begin("start", **AMI)
    github.gate.wait_for("get-runner")
    running.kill()
    running.wait()
    assert left_behind()
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert not left_behind()
