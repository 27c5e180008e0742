"""`listen`: jobs find their runners by themselves."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from standins import images
from standins.aws import Ec2, Instance
from standins.cloud import Behaves, Cloud, Simulated
from standins.ec2.xml import error_xml
from standins.gate import answer, delayed, empty, then, truncated
from standins.github import GitHub, Job, Kind, Runner, SetJob
from standins.program import Program, Running
from standins.proxy import ec2_error
from standins.server import Handler, Outcome, Request, Response

pytestmark = pytest.mark.not_portable

LINUX = "linux-x64"
SOON = 20.0
"""What comes without anybody's having to wait for something else; a busy machine takes its time."""


def file_of(**runners: dict[str, object]) -> str:
    """`.github/sprinters.yml`; YAML takes JSON."""
    defaults = {"image": images.OWN_X64, "instance-type": "m7i.large", "idle-timeout": "60s"}
    return json.dumps({"defaults": defaults, "runners": {name.replace("_", "-"): one for name, one in runners.items()}})


class Listen(Protocol):
    def __call__(self, text: str = ..., **inputs: object) -> Running: ...


Push = Callable[..., SetJob]
LeftBehind = Callable[[], list[str]]


@pytest.fixture
def repository(sprinters: Program) -> str:
    return sprinters.environment["GITHUB_REPOSITORY"]


@pytest.fixture
def begin(sprinters: Program, github: GitHub, behaves: Behaves, tmp_path: Path) -> Listen:
    """Starts a listener for the runners of a checked out file."""
    github.scale_sets.pace.hurry()
    behaves.timers = True
    file = tmp_path / "workspace" / ".github" / "sprinters.yml"
    file.parent.mkdir(parents=True)
    sprinters.environment["GITHUB_WORKSPACE"] = str(tmp_path / "workspace")

    def start(text: str = file_of(linux_x64={"max-runners": 3}), **inputs: object) -> Running:
        file.write_text(text)
        return sprinters.begin("listen", **inputs)

    return start


@pytest.fixture
def listen(begin: Listen, github: GitHub) -> Listen:
    """A listener that has its sessions."""

    def start(text: str = file_of(linux_x64={"max-runners": 3}), **inputs: object) -> Running:
        asked = len(github.gate.calls("next-message")) + github.gate.under_way
        running = begin(text, **inputs)
        github.gate.wait_for("next-message", nth=asked + 1, timeout=SOON)
        return running

    return start


@pytest.fixture
def push(github: GitHub, repository: str) -> Push:
    def one(name: str = LINUX, job: str = "build") -> SetJob:
        return github.queue_job(name, name=job, repository=repository)

    return one


def until(condition: Callable[[], bool], what: str, timeout: float = SOON) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {timeout} s"
        time.sleep(0.05)


def done(github: GitHub, *jobs: SetJob, timeout: float = SOON) -> None:
    github.runners.wait(lambda: all(job.is_over for job in jobs), timeout, "the jobs' end")


def heard(github: GitHub) -> None:
    """The listener has every message that there is."""
    sets = github.scale_sets.all()
    github.runners.wait(lambda: not any(one.messages or one.has_news for one in sets), SOON, "the last message")


def stopped(running: Running) -> str:
    """It ends as it is asked to, and in time; what it said."""
    running.terminate()
    run = running.wait(15)
    assert run.code == 0, run.log
    return run.log


def killed_with_jobs(cloud: Cloud) -> list[str]:
    return [one for one, life in cloud.lives.items() if isinstance(life, Simulated) and life.killed_with_job]


# --- good days ---


@pytest.mark.parametrize("directly", [True, False], ids=["assigned", "acquired"])
def test_a_push_finds_its_runner_and_nothing_is_left(
    listen: Listen, push: Push, ec2: Ec2, github: GitHub, left_behind: LeftBehind, directly: bool
) -> None:
    github.scale_sets.assigns_directly = directly
    running = listen()
    scale_set = github.scale_sets.of(LINUX)
    assert (scale_set.labels, scale_set.disable_update) == ([LINUX], True)
    job = push()
    done(github, job)

    assert job.result == "Succeeded"
    [instance] = ec2.instances()
    assert instance.tags["sprinters:scale-set"] == LINUX
    assert job.runner_id == int(instance.tags["sprinters:runner-id"])
    until(lambda: not left_behind(), "the instance's end")
    until(lambda: not scale_set.messages, "every message is acknowledged")
    log = stopped(running)
    assert "build" in log, "one line a job"
    assert scale_set.session is None, "the session is closed"
    assert github.scale_sets.all() == [scale_set], "the set stays"


def test_max_runners_bounds_what_lives(
    listen: Listen, push: Push, cloud: Cloud, ec2: Ec2, github: GitHub, left_behind: LeftBehind
) -> None:
    running = listen(file_of(linux_x64={"max-runners": 2}))
    jobs = [push() for _ in range(5)]
    done(github, *jobs, timeout=40)

    assert cloud.most_living == 2
    assert len(ec2.instances()) == 5, "a runner for each job"
    assert set(github.scale_sets.of(LINUX).capacities) <= {0, 1, 2}
    until(lambda: not left_behind(), "the instances' end")
    stopped(running)


def test_min_runners_wait_for_jobs(listen: Listen, push: Push, ec2: Ec2, github: GitHub) -> None:
    running = listen(file_of(linux_x64={"max-runners": 3, "min-runners": 1}))
    github.runners.wait(lambda: [one.status for one in github.records()] == ["online"], SOON, "the waiting runner")
    [waiting] = github.records()
    job = push()
    done(github, job)

    assert job.runner_name == waiting.name, "the runner that waited took it"
    github.runners.wait(
        lambda: any(one.status == "online" and one.id != waiting.id for one in github.records()), SOON, "the next"
    )
    stopped(running)
    assert len(ec2.instances()) <= 3


def test_what_waits_for_too_long_is_replaced(listen: Listen, ec2: Ec2, github: GitHub) -> None:
    runner = {"max-runners": 3, "min-runners": 1, "idle-timeout": "2s"}
    running = listen(file_of(linux_x64=runner))
    # Nobody waits for it: it is looked for once a minute.
    until(lambda: len(ec2.instances()) >= 2, "the second", timeout=100)
    assert ec2.instances()[0].state_reason == "Client.InstanceInitiatedShutdown"
    assert len(ec2.living()) <= 1
    stopped(running)


def test_sets_of_several_runners(listen: Listen, push: Push, ec2: Ec2, github: GitHub) -> None:
    text = file_of(
        small={"max-runners": 2},
        big={"max-runners": 2, "instance-type": "m7i.4xlarge"},
        other={"instance-type": "t3.large"},
    )
    running = listen(text)
    until(lambda: len(github.scale_sets.all()) == 2, "both sets")
    jobs = [push("big"), push("small")]
    done(github, *jobs)

    types = {one.tags["sprinters:scale-set"]: one.type for one in ec2.instances()}
    assert types == {"small": "m7i.large", "big": "m7i.4xlarge"}
    assert {one.name for one in github.scale_sets.all()} == {"small", "big"}
    stopped(running)


def test_runner_names_some_of_the_file(listen: Listen, github: GitHub) -> None:
    running = listen(file_of(small={"max-runners": 2}, big={"max-runners": 2}), runner="big")
    assert [one.name for one in github.scale_sets.all()] == ["big"]
    stopped(running)


def test_a_label_is_a_name_like_any_other(begin: Listen, push: Push, ec2: Ec2, github: GitHub) -> None:
    label = "sprinters:aws:eu-central-1:ubuntu-24.04:m7i.xlarge"
    running = begin(file_of(linux_x64={}), runner=label, **{"max-runners": 1})
    github.gate.wait_for("next-message", timeout=SOON)
    job = push(label)
    done(github, job)

    assert job.result == "Succeeded"
    assert [one.type for one in ec2.instances()] == ["m7i.xlarge"]
    stopped(running)


def test_an_organization_s_set_in_a_group(listen: Listen, push: Push, ec2: Ec2, github: GitHub) -> None:
    group = github.add_group("orgs/octo", "builders")
    token = github.add_token(Kind.ORGANIZATION).value
    running = listen(scope="org", **{"runner-group": "builders", "github-token": token})
    scale_set = github.scale_sets.of(LINUX)
    assert (scale_set.scope, scale_set.group_id) == ("orgs/octo", group.id)
    job = push()
    done(github, job)
    assert job.result == "Succeeded"
    stopped(running)


def test_a_set_that_is_there_is_taken_and_its_labels_put_right(
    listen: Listen, push: Push, github: GitHub, repository: str
) -> None:
    known = github.scale_sets.add(LINUX, "something-else", scope=f"repos/{repository}")
    running = listen()
    assert github.scale_sets.all() == [known]
    assert known.labels == [LINUX]
    job = push()
    done(github, job)
    stopped(running)


# --- its end, and another's beginning ---


def test_sigterm_leaves_running_jobs_alone(
    listen: Listen, push: Push, ec2: Ec2, github: GitHub, cloud: Cloud, behaves: Behaves, left_behind: LeftBehind
) -> None:
    behaves.job_takes = 4
    running = listen()
    job = push()
    github.runners.wait(lambda: job.stage == "running", SOON, "the job's start")
    began = time.monotonic()
    stopped(running)
    took = time.monotonic() - began

    assert job.stage == "running" and took < 4
    assert github.scale_sets.of(LINUX).session is None
    done(github, job)
    assert job.result == "Succeeded"
    assert not killed_with_jobs(cloud)
    until(lambda: not left_behind(), "the instance's end")


def test_a_signal_that_comes_twice_at_once_is_one(listen: Listen, github: GitHub) -> None:
    running = listen()
    github.gate.fail("close-session", delayed(0.5))
    running.terminate()
    time.sleep(0.05)
    assert "session closed" in stopped(running)
    assert github.scale_sets.of(LINUX).session is None


def test_for_ends_it_by_itself(begin: Listen, github: GitHub) -> None:
    run = begin(**{"for": "3s"}).wait(SOON)
    assert run.code == 0, run.log
    assert 2.5 < run.seconds < 10
    assert "`for` (3s) is over" in run.log
    assert github.scale_sets.of(LINUX).session is None


def test_two_listeners_are_one_service(listen: Listen, begin: Listen, push: Push, github: GitHub, ec2: Ec2) -> None:
    first = listen()
    [session] = github.scale_sets.of(LINUX).sessions
    second = begin()
    github.gate.wait_for("open-session", nth=3, timeout=SOON)
    job = push()
    done(github, job)
    stopped(first)
    until(lambda: len(github.scale_sets.of(LINUX).sessions) == 2, "the second's session")
    again = push()
    done(github, again)
    log = stopped(second)

    assert github.scale_sets.of(LINUX).sessions[0] is session
    assert session.owner in log, "it says who has the session"
    assert len(ec2.instances()) == 2


def test_the_second_takes_over_where_the_first_was_killed(
    listen: Listen, begin: Listen, push: Push, github: GitHub, ec2: Ec2, left_behind: LeftBehind
) -> None:
    first = listen()
    second = begin()
    github.gate.wait_for("open-session", nth=2, timeout=SOON)
    job = push()
    github.runners.wait(lambda: job.stage != "waiting", SOON, "the job's being told")
    first.kill()
    done(github, job, timeout=40)

    assert job.result == "Succeeded"
    assert len(ec2.instances()) == 1, "no double launch"
    until(lambda: not left_behind(), "the instance's end")
    stopped(second)


@pytest.mark.parametrize("moment", ["generate-set-jitconfig", "RunInstances", "online", "running"])
def test_killed_and_started_again(
    listen: Listen, push: Push, github: GitHub, ec2: Ec2, behaves: Behaves, left_behind: LeftBehind, moment: str
) -> None:
    behaves.online_after, behaves.job_takes = 1, 2
    first = listen()
    job = push()
    if moment == "online":
        github.runners.wait(lambda: any(one.status == "online" for one in github.records()), SOON, "the runner")
    elif moment == "running":
        github.runners.wait(lambda: job.stage == "running", SOON, "the job's start")
    else:
        (ec2.gate if moment[0].isupper() else github.gate).wait_for(moment, timeout=SOON)
    first.kill()
    first.process.wait()
    second = listen()
    done(github, job, timeout=40)

    assert job.result == "Succeeded"
    assert len(ec2.instances()) == 1, "no double launch"
    until(lambda: not left_behind(), "everything's end", timeout=40)
    stopped(second)


DENIED = ec2_error("UnauthorizedOperation", "You are not authorized to perform this operation.", 403)


def asks_where_jobs_ran(request: Request) -> bool:
    return "tag:sprinters:runner-id" in request.form.values()


@pytest.mark.parametrize("answers", [True, False], ids=["answered", "unanswered"])
def test_a_job_that_ended_while_nobody_listened_has_its_line(
    listen: Listen, push: Push, github: GitHub, ec2: Ec2, behaves: Behaves, answers: bool
) -> None:
    """EC2 shows an instance for about an hour after its end."""
    behaves.job_takes = 1
    first = listen()
    job = push()
    github.runners.wait(lambda: job.stage == "running", SOON, "the job's start")
    first.kill()
    first.process.wait()
    done(github, job)
    until(lambda: not ec2.living(), "the instance's end")
    asked: list[Request] = []

    def noted(request: Request, serve: Handler) -> Outcome:
        asked.append(request)
        return serve(request) if answers else DENIED(request, serve)

    ec2.gate.fail("DescribeInstances", noted, times=None, when=asks_where_jobs_ran)
    second = listen()
    until(lambda: bool(asked), "the question where it ran")
    time.sleep(0.3)
    log = stopped(second)

    [line] = [line for line in log.splitlines() if "job `build`" in line]
    if answers:
        assert "m7i.large in eu-central-1a, $" in line and "launched +" in line, log
    else:
        assert line.endswith("; its instance and price are not known"), log
    assert len(ec2.instances()) == 1, "no double launch"


def drain(sprinters: Program, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*sprinters.command, "listen", "--drain", name],
        env=by_hand(sprinters),
        cwd=sprinters.environment["GITHUB_WORKSPACE"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def file(sprinters: Program) -> Path:
    return Path(sprinters.environment["GITHUB_WORKSPACE"]) / ".github" / "sprinters.yml"


def test_drain_takes_a_set_out_of_service(
    listen: Listen, push: Push, github: GitHub, sprinters: Program, behaves: Behaves, cloud: Cloud
) -> None:
    behaves.job_takes = 3
    running = listen()
    job = push()
    github.runners.wait(lambda: job.stage == "running", SOON, "the job's start")
    stopped(running)
    drained = drain(sprinters, LINUX)
    said, _ = drained.communicate(timeout=120)

    assert drained.returncode == 0, said
    assert not github.scale_sets.all()
    done(github, job)
    assert job.result == "Succeeded" and not killed_with_jobs(cloud)


def test_a_drain_waits_for_the_listener_that_serves_the_set(listen: Listen, sprinters: Program, github: GitHub) -> None:
    running = listen()
    [session] = github.scale_sets.of(LINUX).sessions
    draining = drain(sprinters, LINUX)
    github.gate.wait_for("open-session", nth=3, timeout=SOON)
    assert github.scale_sets.of(LINUX).session is session
    stopped(running)
    said, _ = draining.communicate(timeout=60)

    assert draining.returncode == 0, said
    assert session.owner in said and "end that listener" in said
    assert not github.scale_sets.all()


def test_a_set_that_is_not_there_is_not_drained(begin: Listen, sprinters: Program, github: GitHub) -> None:
    file(sprinters).write_text(file_of(linux_x64={"max-runners": 1}))
    draining = drain(sprinters, "linux-x46")
    said, _ = draining.communicate(timeout=60)

    assert draining.returncode == 1, said
    assert "no scale set `linux-x46`" in said and "`runner-group`" in said
    assert "create-scale-set" not in github.gate.operations()


def test_a_drain_leaves_the_labels_alone(begin: Listen, sprinters: Program, github: GitHub, repository: str) -> None:
    file(sprinters).write_text(file_of(other={"max-runners": 1}))
    github.scale_sets.add(LINUX, LINUX, "gpu", scope=f"repos/{repository}")
    draining = drain(sprinters, LINUX)
    said, _ = draining.communicate(timeout=60)

    assert draining.returncode == 0, said
    assert not github.scale_sets.all()
    assert "update-scale-set" not in github.gate.operations()


# --- bad days ---


def test_an_instance_that_died_before_its_job_is_replaced(
    listen: Listen, push: Push, github: GitHub, ec2: Ec2, cloud: Cloud, behaves: Behaves
) -> None:
    behaves.online_after = None
    running = listen(file_of(linux_x64={"max-runners": 3, "spot": "auto"}))
    job = push()
    ec2.gate.wait_for("RunInstances", timeout=SOON)
    until(lambda: len(cloud.lives) == 1, "the instance")
    behaves.online_after = 0.2
    cloud.interrupt(ec2.instances()[0].id)
    done(github, job, timeout=40)

    assert job.result == "Succeeded"
    assert [one.market for one in ec2.instances()] == ["spot", "on-demand"]
    stopped(running)


def test_a_runner_that_never_comes_online_is_replaced(
    listen: Listen, push: Push, github: GitHub, ec2: Ec2, cloud: Cloud, behaves: Behaves
) -> None:
    behaves.online_after = None
    running = listen(file_of(linux_x64={"max-runners": 1, "start-timeout": "3s"}))
    job = push()
    until(lambda: len(cloud.lives) == 1, "the instance")
    behaves.online_after = 0.2
    done(github, job, timeout=40)

    assert job.result == "Succeeded"
    assert cloud.most_living == 1
    stopped(running)


def test_a_job_that_comes_when_the_only_runner_is_done_does_not_wait_for_the_next_look(
    listen: Listen, push: Push, github: GitHub, cloud: Cloud
) -> None:
    """The instance counts against `max-runners` until it is seen to be gone."""
    running = listen(file_of(linux_x64={"max-runners": 1}))
    first = push()
    done(github, first)
    heard(github)
    second = push()
    done(github, second)

    assert [first.result, second.result] == ["Succeeded", "Succeeded"]
    assert cloud.most_living == 1
    stopped(running)


WAITING = file_of(linux_x64={"max-runners": 1, "min-runners": 1})
NONE_WAITS = file_of(linux_x64={"max-runners": 1})
PAST = "2026-01-01T00:00:00Z"


def one_that_waits(listen: Listen, ec2: Ec2, github: GitHub) -> tuple[Instance, Runner]:
    """An instance whose runner waits for a job, of a listener that has stopped."""
    running = listen(WAITING)
    github.runners.wait(lambda: [one.status for one in github.records()] == ["online"], SOON, "the waiting runner")
    stopped(running)
    [instance], [runner] = ec2.living(), github.records()
    return instance, runner


def test_no_404_is_believed_of_a_runner_that_has_just_got_a_job(listen: Listen, ec2: Ec2, github: GitHub) -> None:
    instance, runner = one_that_waits(listen, ec2, github)
    ec2.tag(instance.id, "sprinters:expires", PAST)

    def takes_a_job() -> None:
        runner.job = Job([LINUX])

    not_found = answer(Response.of_json(404, {"message": "Not Found"}))
    rule = github.gate.fail("delete-runner", then(takes_a_job, not_found))
    running = listen(NONE_WAITS)
    github.gate.wait_for("delete-runner", nth=2, timeout=SOON)
    log = stopped(running)

    assert rule.struck == 1
    assert [one.id for one in ec2.living()] == [instance.id], log
    assert github.records() == [runner]


def test_a_stranger_s_record_stays_whatever_a_tag_says(
    listen: Listen, ec2: Ec2, github: GitHub, repository: str
) -> None:
    instance, runner = one_that_waits(listen, ec2, github)
    stranger = github.runners.register(f"repos/{repository}", "somebodys-runner", ["self-hosted"], 1)
    assert stranger
    github.runners.connect(stranger)
    ec2.tag(instance.id, "sprinters:runner-id", str(stranger.id))
    ec2.tag(instance.id, "sprinters:expires", PAST)
    running = listen(NONE_WAITS)
    until(lambda: not ec2.living(), "the instance's end")
    until(lambda: runner not in github.records(), "the end of the record that has the instance's name")
    stopped(running)

    assert stranger in github.records()
    assert not [one for one in github.gate.calls("delete-runner") if one.request.path.endswith(f"/{stranger.id}")]


@pytest.mark.parametrize("fault", [empty, truncated], ids=["empty", "cut"])
def test_an_answer_that_is_no_message_is_asked_for_again(
    listen: Listen, push: Push, github: GitHub, fault: Any
) -> None:
    running = listen()
    github.gate.fail("next-message", fault, nth=2, times=3)
    job = push()
    done(github, job)
    assert job.result == "Succeeded"
    stopped(running)


def test_a_single_strange_answer_to_the_session_costs_seconds(begin: Listen, push: Push, github: GitHub) -> None:
    refusal = answer(Response.of_json(403, {"message": "Forbidden"}))
    rule = github.gate.fail("open-session", refusal)
    running = begin()
    job = push()
    done(github, job)

    assert (job.result, rule.struck) == ("Succeeded", 1)
    stopped(running)


@pytest.mark.parametrize("reply", [Response(202), Response.of_json(200, {})], ids=["nothing", "no message"])
def test_a_long_poll_that_is_not_held_is_not_repeated_without_end(
    listen: Listen, push: Push, github: GitHub, reply: Response
) -> None:
    """As a proxy makes it that answers in GitHub's place."""
    running = listen()
    rule = github.gate.fail("next-message", answer(reply), times=None)
    time.sleep(6)
    asked = rule.struck
    github.gate.mend()
    job = push()
    done(github, job, timeout=60)
    stopped(running)
    assert asked < 25


def test_a_queue_that_refuses_every_token_is_not_asked_without_end(listen: Listen, push: Push, github: GitHub) -> None:
    running = listen()
    refused = Response(401, {"Content-Type": "text/plain"}, b"")
    rule = github.gate.fail("next-message", answer(refused), times=None)
    until(lambda: rule.struck > 0, "the first refusal")
    time.sleep(6)
    opened = len(github.scale_sets.of(LINUX).sessions)
    github.gate.mend()
    job = push()
    done(github, job, timeout=60)
    assert "opening a new session" in stopped(running)
    assert opened < 12


def test_calls_that_are_refused_together_renew_the_token_once(listen: Listen, push: Push, github: GitHub) -> None:
    running = listen()

    def and_expire(request: Request, serve: Handler) -> Outcome:
        outcome = serve(request)
        github.scale_sets.expire_queue_tokens()
        return outcome

    github.gate.fail("next-message", and_expire)
    github.gate.fail("refresh-session", delayed(0.4), times=None)
    job = push()
    done(github, job)
    stopped(running)
    assert len(github.scale_sets.of(LINUX).sessions) == 1
    assert len(github.gate.calls("refresh-session")) == 1


def test_sessions_and_tokens_that_end_are_renewed(listen: Listen, push: Push, github: GitHub) -> None:
    running = listen()
    for spoil in (
        github.scale_sets.expire_queue_tokens,
        github.scale_sets.expire_admin_tokens,
        lambda: github.scale_sets.expire_session(LINUX),
        lambda: github.scale_sets.delete(LINUX),
    ):
        spoil()
        job = push()
        done(github, job)
        assert job.result == "Succeeded"
    stopped(running)


@pytest.mark.parametrize("lie", [0, 34])
def test_statistics_that_lie(
    listen: Listen, push: Push, github: GitHub, ec2: Ec2, cloud: Cloud, left_behind: LeftBehind, lie: int
) -> None:
    running = listen(file_of(linux_x64={"max-runners": 3, "idle-timeout": "2s"}))
    github.scale_sets.of(LINUX).lies["totalAssignedJobs"] = lie
    jobs = [push(), push()]
    done(github, *jobs)
    assert cloud.most_living <= 3
    time.sleep(6)

    assert len(ec2.instances()) <= 10, "it trusts less what brings no jobs"
    github.scale_sets.of(LINUX).lies.clear()
    github.scale_sets.of(LINUX).announce()
    until(lambda: not left_behind(), "the end of what waits in vain")
    stopped(running)


def test_a_job_cancelled_while_its_instance_boots(
    listen: Listen, push: Push, github: GitHub, behaves: Behaves, ec2: Ec2, left_behind: LeftBehind
) -> None:
    behaves.online_after = 1.5
    running = listen(file_of(linux_x64={"max-runners": 3, "idle-timeout": "2s"}))
    job = push()
    ec2.gate.wait_for("RunInstances", timeout=SOON)
    github.scale_sets.cancel(job)
    until(lambda: not left_behind(), "the instance's end")
    assert len(ec2.instances()) == 1
    stopped(running)


# --- what it wants to know first ---


def refused(begin: Listen, code: int, text: str = file_of(linux_x64={"max-runners": 3}), **inputs: object) -> str:
    run = begin(text, **inputs).wait(SOON)
    assert run.code == code, run.log
    return "\n".join(run.annotations)


@pytest.mark.parametrize(
    ("runners", "inputs", "words"),
    [
        ({LINUX: {"max-runners": 2, "min-runners": 3}}, {}, ("min-runners", "max-runners", "3")),
        ({LINUX: {}}, {}, ("max-runners",)),
        ({LINUX: {"max-runners": 2}}, {"runner": "linux-arm"}, ("linux-arm", LINUX)),
        ({LINUX: {"max-runners": 2}}, {"runner": "linux-x64, linux-x64"}, ("runner", LINUX, "once")),
        ({"self-hosted": {"max-runners": 2}}, {}, ("runner", "self-hosted", "a name of its own")),
        ({LINUX: {"max-runners": 2}}, {"for": "soon"}, ("for", "soon")),
        ({LINUX: {"max-runners": 2}}, {"max-runners": "many"}, ("max-runners", "many")),
        ({LINUX: {"max-runners": 2}}, {"public": "perhaps"}, ("public", "perhaps")),
    ],
)
def test_bad_inputs(
    begin: Listen,
    ec2: Ec2,
    github: GitHub,
    runners: dict[str, dict[str, object]],
    inputs: dict[str, object],
    words: tuple[str, ...],
) -> None:
    message = refused(begin, 2, file_of(**runners), **inputs)
    assert all(word in message for word in words), message
    assert not ec2.gate.exchanges and not github.scale_sets.all()


def test_a_public_repository_wants_a_word(
    begin: Listen, listen: Listen, github: GitHub, repository: str, ec2: Ec2
) -> None:
    github.make_public(repository)
    message = refused(begin, 2)
    assert "public: true" in message and "approval" in message.lower()
    assert not github.scale_sets.all()
    stopped(listen(public="true"))


def test_a_token_without_the_right(begin: Listen, github: GitHub) -> None:
    message = refused(begin, 1, **{"github-token": github.add_token(Kind.READ).value})
    assert "Administration" in message
    assert not github.scale_sets.all()


def test_without_aws_credentials_no_set_is_made(begin: Listen, github: GitHub) -> None:
    message = refused(begin, 1, **{"aws-access-key-id": "", "aws-secret-access-key": ""})
    assert "no AWS credentials" in message
    assert not github.scale_sets.all()


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "AuthFailure"])
def test_who_may_not_look_serves_nothing(begin: Listen, github: GitHub, ec2: Ec2, code: str) -> None:
    refusal = Response(403, {"Content-Type": "text/xml;charset=UTF-8"}, error_xml(code, "no").encode())
    ec2.gate.fail("DescribeInstances", answer(refusal), times=None)
    message = refused(begin, 1)
    assert "ec2:DescribeInstances" in message
    assert not github.scale_sets.all()


def test_a_server_without_scale_sets(begin: Listen, github: GitHub) -> None:
    github.scale_sets.service.is_supported = False
    message = refused(begin, 1)
    assert "404" in message and "GitHub Enterprise Server 3.9" in message


@pytest.mark.parametrize(("permission", "code"), [({"contents": "read"}, 0), ({}, 2)], ids=["reads it", "may not"])
def test_an_app_reads_the_file_where_nothing_is_checked_out(
    begin: Listen,
    sprinters: Program,
    github: GitHub,
    repository: str,
    tmp_path: Path,
    permission: dict[str, str],
    code: int,
) -> None:
    text = file_of(linux_x64={"max-runners": 1})
    file(sprinters).write_text(text)
    github.add_file(".github/sprinters.yml", text)
    app = github.add_app({"administration": "write"} | permission, f"repos/{repository}")
    environment = by_hand(sprinters) | {"SPRINTERS_APP_PRIVATE_KEY": app.pem()}
    del environment["SPRINTERS_TOKEN"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run = subprocess.run(
        [*sprinters.command, "listen", "--github-app-id", str(app.id), "--for", "2s"],
        env=environment,
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = run.stdout + run.stderr
    assert run.returncode == code, said
    if code:
        assert "`Contents: Read`" in said and not github.scale_sets.all()
    else:
        assert f"{LINUX}: serving jobs" in said and "at most 1 runner;" in said
        limits = [one["permissions"] for one in github.apps.asked]
        assert limits == [{"contents": "read"}, {"administration": "write"}]


def test_the_region_may_come_from_an_aws_profile(begin: Listen, sprinters: Program, github: GitHub) -> None:
    home = Path(sprinters.environment["HOME"])
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text("[profile ci]\nregion = eu-central-1\n")
    file(sprinters).write_text(file_of(linux_x64={"max-runners": 1}))
    environment = by_hand(sprinters) | {"AWS_PROFILE": "ci"}
    del environment["AWS_REGION"]
    run = subprocess.run(
        [*sprinters.command, "listen", "--for", "2s"],
        env=environment,
        cwd=sprinters.environment["GITHUB_WORKSPACE"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


# --- at a terminal, and seen from outside ---


def by_hand(sprinters: Program) -> dict[str, str]:
    kept = ("PATH", "HOME", "AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_STS", "GITHUB_API_URL", "GITHUB_REPOSITORY")
    return {name: sprinters.environment[name] for name in (*kept, "SPRINTERS_IMAGE_INDEX_URL")} | {
        "AWS_ACCESS_KEY_ID": str(sprinters.inputs["aws-access-key-id"]),
        "AWS_SECRET_ACCESS_KEY": str(sprinters.inputs["aws-secret-access-key"]),
        "AWS_REGION": str(sprinters.inputs["aws-region"]),
        "AWS_EC2_METADATA_DISABLED": "true",
        "SPRINTERS_TOKEN": str(sprinters.inputs["github-token"]),
        "NO_COLOR": "1",
    }


class Terminal:
    """`sprinters listen …` in a folder with `.github/sprinters.yml`, until Ctrl-C."""

    def __init__(self, sprinters: Program, github: GitHub, *flags: str, **environment: str) -> None:
        workspace = Path(sprinters.environment["GITHUB_WORKSPACE"])
        (workspace / ".github" / "sprinters.yml").write_text(file_of(linux_x64={"max-runners": 1}))
        self._process = subprocess.Popen(
            [*sprinters.command, "listen", *flags],
            env=by_hand(sprinters) | environment,
            cwd=workspace,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            github.gate.wait_for("next-message", timeout=SOON)
        except TimeoutError:
            self._process.kill()
            raise AssertionError(self._process.communicate()[0]) from None

    def ended(self) -> str:
        self._process.send_signal(signal.SIGINT)
        try:
            said, _ = self._process.communicate(timeout=15)
        finally:
            self._process.kill()
        assert self._process.returncode == 0, said
        return said


Typed = Callable[..., Terminal]


@pytest.fixture
def typed(begin: Listen, sprinters: Program, github: GitHub) -> Typed:
    return lambda *flags, **environment: Terminal(sprinters, github, *flags, **environment)


def test_at_a_terminal_it_is_one_word(typed: Typed, push: Push, github: GitHub) -> None:
    terminal = typed()
    job = push(job="unit tests")
    done(github, job)
    heard(github)
    said = terminal.ended()

    assert "unit tests" in said and "succeeded" in said
    assert "::" not in said, "a person's terminal gets no workflow commands"
    assert github.scale_sets.of(LINUX).session is None


def test_ctrl_c_once_closes_and_twice_leaves(
    begin: Listen, push: Push, sprinters: Program, github: GitHub, ec2: Ec2
) -> None:
    file(sprinters).write_text(file_of(linux_x64={"max-runners": 1}))
    ec2.gate.fail("RunInstances", delayed(8))
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [*sprinters.command, "listen"],
        env=by_hand(sprinters),
        cwd=sprinters.environment["GITHUB_WORKSPACE"],
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    github.gate.wait_for("next-message", timeout=SOON)
    push()
    ec2.gate.wait_for("RunInstances", timeout=SOON)
    process.send_signal(signal.SIGINT)
    said = read_until(main, b"once more: leave at once")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(3) == 1
    said += read_until(main, b"finds what")
    assert b"1 wanted" in said and b"::" not in said
    assert b"cancelled this job" not in said


def read_until(terminal: int, words: bytes) -> bytes:
    """What is written at it so far, once these words are."""
    said = b""
    while words not in said:
        part = os.read(terminal, 4096)
        assert part, said
        said += part
    return said


def test_systemd_hears_that_it_is_ready_lives_and_stops(typed: Typed, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(SOON)
        terminal = typed(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="1000000")
        assert systemd.recv(4096).splitlines() == [b"READY=1", b"STATUS=serving 1 scale set"]
        began = time.monotonic()
        assert [systemd.recv(4096).strip() for _ in range(4)] == [b"WATCHDOG=1"] * 4
        assert time.monotonic() - began < 4, "more often than systemd waits for it"
        terminal.ended()
        systemd.setblocking(False)
        told = []
        with contextlib.suppress(BlockingIOError):
            while True:
                told.append(systemd.recv(4096).strip())
        assert b"STOPPING=1" in told


def test_metrics_and_health(typed: Typed, push: Push, github: GitHub) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    terminal = typed("--metrics", f"127.0.0.1:{port}")
    job = push()
    done(github, job)

    def fetched(path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    assert f"{LINUX}: serving" in fetched("/healthz")
    over = f'sprinters_jobs_total{{set="{LINUX}",outcome="succeeded"}} 1'
    until(lambda: over in fetched("/metrics"), "the job's being counted")
    figures = fetched("/metrics")
    assert f'sprinters_launches_total{{set="{LINUX}",outcome="launched"}} 1' in figures
    assert re.search(r"^# TYPE sprinters_job_wait_seconds histogram$", figures, re.MULTILINE), figures
    assert figures.endswith("# EOF\n")
    terminal.ended()


def test_every_line_of_a_json_log_is_json(typed: Typed, push: Push, github: GitHub) -> None:
    terminal = typed("--log", "json")
    job = push(job="unit tests")
    done(github, job)
    heard(github)
    lines = [json.loads(line) for line in terminal.ended().splitlines()]
    [told] = [line for line in lines if line.get("job") == "unit tests"]
    assert told["result"] == "succeeded"
    assert all(line["time"] and line["level"] and line["message"] for line in lines)


@pytest.mark.parametrize(
    ("flags", "runner", "code", "words"),
    [
        (("--nonsense",), {"max-runners": 1}, 2, "--nonsense"),
        (("--for", "soon"), {"max-runners": 1}, 2, "soon"),
        ((), {"max-runners": 1, "min-runners": 2}, 2, "min-runners"),
        ((), {"max-runners": 1, "setup": "exit"}, 1, "401"),
        (("--metrics", "192.0.2.1:9464"), {"max-runners": 1}, 1, "192.0.2.1:9464"),
    ],
)
@pytest.mark.parametrize("debug", ["", "1"])
def test_what_ends_a_listener_is_json_too(
    begin: Listen,
    sprinters: Program,
    flags: tuple[str, ...],
    runner: dict[str, object],
    code: int,
    words: str,
    debug: str,
) -> None:
    workspace = Path(sprinters.environment["GITHUB_WORKSPACE"])
    (workspace / ".github" / "sprinters.yml").write_text(file_of(linux_x64=runner))
    environment = by_hand(sprinters) | {"RUNNER_DEBUG": debug}
    if words == "401":
        environment["SPRINTERS_TOKEN"] = "github_pat_of_nobody"
    command = [*sprinters.command, "listen", "--log", "json", *flags]
    run = subprocess.run(
        command, env=environment, cwd=workspace, capture_output=True, text=True, timeout=60, check=False
    )
    lines = [json.loads(line) for line in (run.stdout + run.stderr).splitlines()]
    assert run.returncode == code, lines
    [error] = [line for line in lines if line["level"] == "error"]
    assert words in error["message"] + " ".join(error["help"])
