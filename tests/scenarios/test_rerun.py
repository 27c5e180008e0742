"""`spot: rerun` and `rerun`: what AWS reclaimed runs again, on-demand, and nothing else ever does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from standins import images
from standins.aws import Ec2, policy_without
from standins.cloud import Cloud
from standins.gate import Fault, answer, garbage, lost, reset
from standins.github import GitHub, Kind, RunJob, WorkflowRun
from standins.program import Program, Run, Running
from standins.proxy import no_capacity
from standins.server import Response

AMI = {"image": images.OWN_X64, "instance-type": "m7i.large"}


class Ci:
    """A run of the README's workflow, and the workflow that looks at it when it has ended."""

    def __init__(self, sprinters: Program, github: GitHub, folder: Path) -> None:
        self._sprinters = sprinters
        self._github = github
        self._event = folder / "event.json"
        self.run: WorkflowRun = github.runs.add(
            sprinters.environment["GITHUB_REPOSITORY"],
            sprinters.environment["GITHUB_RUN_ID"],
            RunJob("Start a runner"),
            RunJob("build", needs=("Start a runner",)),
            RunJob("stop-runner", needs=("Start a runner", "build")),
            RunJob("lint"),
        )

    def start(self, **inputs: object) -> Run:
        """The first job; then `build` has its runner."""
        job = self.run.job("Start a runner")
        self._sprinters.environment["SPRINTERS_JOB_ID"] = str(job.id)
        self._sprinters.environment["GITHUB_RUN_ATTEMPT"] = str(len(self.run.attempts))
        started = self._sprinters.run("start", **{**AMI, "spot": "rerun", **inputs})
        assert started.code == 0, started.log
        self.run.job("build").runner_id = int(started.outputs["runner-id"])
        return started

    def judge(self, attempt: int | None = None, /, **inputs: object) -> Run:
        return self.begin_judging(attempt, **inputs).wait()

    def begin_judging(self, attempt: int | None = None, /, **inputs: object) -> Running:
        """`on: workflow_run`: a run of its own, with a token of its own."""
        event = {
            "action": "completed",
            "workflow_run": {"id": self.run.id, "run_attempt": attempt or len(self.run.attempts)},
        }
        self._event.write_text(json.dumps(event))
        environment = self._sprinters.environment
        before = dict(environment)
        environment |= {"GITHUB_RUN_ID": "99", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_EVENT_PATH": str(self._event)}
        environment.pop("SPRINTERS_JOB_ID", None)
        token = self._github.add_token(Kind.RERUNS).value
        running = self._sprinters.begin("rerun", **{"github-token": token, **inputs})
        environment.clear()
        environment |= before
        return running


@pytest.fixture
def ci(sprinters: Program, github: GitHub, tmp_path: Path) -> Ci:
    return Ci(sprinters, github, tmp_path)


@pytest.fixture
def interrupted(ci: Ci, cloud: Cloud) -> Ci:
    """A run that failed because AWS took its instance back."""
    started = ci.start()
    cloud.interrupt(started.outputs["instance-id"])
    ci.run.end("failure", build="failure")
    return ci


def test_what_aws_took_back_runs_again_on_demand(interrupted: Ci, ec2: Ec2) -> None:
    before = len(ec2.gate.exchanges)
    run = interrupted.judge()

    assert run.code == 0, run.log
    assert interrupted.run.reruns == [["Start a runner", "build", "stop-runner"]], "`lint` has no part in it"
    assert run.outputs["rerun"] == "true"
    assert "attempt 2 begins" in run.log and "Server.SpotInstanceTermination" in run.log
    assert "build" in run.summary and "Server.SpotInstanceTermination" in run.summary
    assert ec2.gate.operations()[before:] == ["DescribeInstances"], "it needs no other permission"

    again = interrupted.start()
    assert again.outputs["market"] == "on-demand"


def test_the_first_attempt_is_spot(ci: Ci) -> None:
    assert ci.start().outputs["market"] == "spot"


def test_where_there_is_no_spot_the_first_attempt_falls_back(ci: Ci, ec2: Ec2) -> None:
    no_capacity(ec2.gate, ("*", "*", "spot"))

    assert ci.start().outputs["market"] == "on-demand"


@pytest.mark.parametrize(("attempt", "market"), [("1", "spot"), ("2", "on-demand")])
def test_a_label_says_it_too(sprinters: Program, attempt: str, market: str) -> None:
    sprinters.environment["GITHUB_RUN_ATTEMPT"] = attempt
    label = "sprinters:aws:eu-central-1:m7i.large:spot=rerun"
    started = sprinters.run("start", runner=label, image=images.OWN_X64)

    assert started.outputs["market"] == market, started.log


def test_the_instance_carries_the_number_of_its_job(ci: Ci, ec2: Ec2) -> None:
    ci.start()
    [instance] = ec2.living()

    assert instance.tags["sprinters:job-id"] == str(ci.run.job("Start a runner").id)


def test_a_shutdown_by_spot_counts_too(ci: Ci, cloud: Cloud) -> None:
    started = ci.start(spot="true")
    cloud.interrupt(started.outputs["instance-id"], "Server.SpotInstanceShutdown")
    ci.run.end("failure", build="failure")

    assert ci.judge().outputs["rerun"] == "true"


def not_rerun(ci: Ci, run: Run, reason: str) -> None:
    assert run.code == 0, run.log
    assert not ci.run.reruns
    assert run.outputs["rerun"] == "false"
    assert reason in run.outputs["reason"]
    assert [line for line in run.stdout.splitlines() if "nothing to rerun" in line and reason in line]
    assert reason in run.summary


@pytest.mark.parametrize(
    ("conclusion", "reason"),
    [("success", "succeeded"), ("timed_out", "ended as `timed_out`"), ("skipped", "ended as `skipped`")],
)
def test_only_a_failed_run_runs_again(ci: Ci, cloud: Cloud, conclusion: str, reason: str) -> None:
    cloud.interrupt(ci.start().outputs["instance-id"])
    ci.run.end(conclusion, build="failure")

    not_rerun(ci, ci.judge(), reason)


@pytest.mark.parametrize(
    "annotation", ["The run was canceled by @octocat.", "Canceling since a higher priority waiting request exists"]
)
def test_what_somebody_cancelled_stays(interrupted: Ci, annotation: str) -> None:
    """As people do with a job that hangs, because its machine is gone."""
    interrupted.run.end("cancelled", build="cancelled")
    interrupted.run.job("build").annotations = (annotation,)

    not_rerun(interrupted, interrupted.judge(), "was cancelled")


def test_a_sibling_that_somebody_cancelled_tells_it_too(interrupted: Ci) -> None:
    interrupted.run.end("failure", build="failure", lint="cancelled")
    interrupted.run.job("lint").annotations = ("The run was canceled by @octocat.",)

    not_rerun(interrupted, interrupted.judge(), "was cancelled")


@pytest.mark.parametrize(
    "annotations", [("The operation was canceled.",), ("The runner has received a shutdown signal.",), ()]
)
def test_a_job_that_went_down_in_good_order_runs_again(interrupted: Ci, annotations: tuple[str, ...]) -> None:
    """GitHub calls it cancelled where the runner still had the time to say goodbye."""
    interrupted.run.end("cancelled", build="cancelled")
    interrupted.run.job("build").annotations = annotations
    run = interrupted.judge()

    assert run.code == 0, run.log
    assert run.outputs["rerun"] == "true"
    assert len(interrupted.run.reruns) == 1


def test_a_cancelled_run_that_aws_left_alone(ci: Ci, ec2: Ec2, github: GitHub) -> None:
    ec2.power_off(ci.start().outputs["instance-id"])
    ci.run.end("cancelled", build="cancelled")

    not_rerun(ci, ci.judge(), "was cancelled")
    assert not github.gate.calls("list-annotations"), "nothing has to be asked"


def test_without_the_right_to_see_who_cancelled_it_does_not_guess(interrupted: Ci, github: GitHub) -> None:
    interrupted.run.end("cancelled", build="cancelled")
    run = interrupted.judge(**{"github-token": github.add_token(Kind.RERUNS_BLINDLY).value})

    assert run.code == 1
    assert "checks: read" in run.log
    assert not interrupted.run.reruns


def test_a_run_that_runs_is_left_alone(ci: Ci, cloud: Cloud) -> None:
    cloud.interrupt(ci.start().outputs["instance-id"])

    not_rerun(ci, ci.judge(), "still running")


def test_a_failure_of_its_own_stays(ci: Ci, ec2: Ec2) -> None:
    ec2.power_off(ci.start().outputs["instance-id"])
    ci.run.end("failure", build="failure")

    not_rerun(ci, ci.judge(), "AWS reclaimed none of its 1 instance")


def test_another_job_s_failure_stays(ci: Ci, cloud: Cloud) -> None:
    """The build was over when its instance went; something else failed."""
    cloud.interrupt(ci.start().outputs["instance-id"])
    ci.run.end("failure", lint="failure")

    not_rerun(ci, ci.judge(), "no job failed on")


def test_a_run_without_instances(ci: Ci) -> None:
    ci.run.end("failure", build="failure")

    not_rerun(ci, ci.judge(), "none of its instances is to be seen")


def test_other_runs_instances_do_not_count(ci: Ci, cloud: Cloud, sprinters: Program) -> None:
    mine = sprinters.environment["GITHUB_RUN_ID"]
    sprinters.environment["GITHUB_RUN_ID"] = "1"
    cloud.interrupt(ci.start().outputs["instance-id"])
    sprinters.environment["GITHUB_RUN_ID"] = mine
    ci.run.end("failure", build="failure")

    not_rerun(ci, ci.judge(), "none of its instances is to be seen")


def test_an_earlier_attempt_s_loss_does_not_count(interrupted: Ci, ec2: Ec2) -> None:
    """Attempt 2 fails by itself, while attempt 1's instance is still to be seen."""
    assert interrupted.judge().outputs["rerun"] == "true"
    ec2.power_off(interrupted.start().outputs["instance-id"])
    interrupted.run.end("failure", build="failure")
    run = interrupted.judge()

    assert run.outputs["rerun"] == "false"
    assert len(interrupted.run.reruns) == 1


def test_there_is_a_bound(interrupted: Ci) -> None:
    not_rerun(interrupted, interrupted.judge(**{"max-attempts": "1"}), "`max-attempts`")


def test_never_twice_for_the_same_attempt(interrupted: Ci) -> None:
    """The same event once more, as when somebody reruns the workflow that looks."""
    assert interrupted.judge().outputs["rerun"] == "true"
    interrupted.run.end("failure", build="failure")
    run = interrupted.judge(1)

    assert run.code == 0, run.log
    assert "followed by attempt 2 already" in run.outputs["reason"]
    assert len(interrupted.run.reruns) == 1


def test_two_at_once_begin_one_attempt(interrupted: Ci) -> None:
    both = [interrupted.begin_judging(), interrupted.begin_judging()]
    runs = [running.wait() for running in both]

    assert [run.code for run in runs] == [0, 0], runs[0].log + runs[1].log
    assert sorted(run.outputs["rerun"] for run in runs) == ["false", "true"]
    assert len(interrupted.run.reruns) == 1


@pytest.mark.parametrize("fault", [lost, garbage, reset], ids=["lost", "garbage", "reset"])
def test_an_answer_that_does_not_come(interrupted: Ci, github: GitHub, fault: Fault) -> None:
    github.gate.fail("rerun-job", fault)
    run = interrupted.judge()

    assert run.code == 0, run.log
    assert run.outputs["rerun"] == "true"
    assert len(interrupted.run.reruns) == 1


def test_several_launching_jobs_are_the_whole_run(ci: Ci, cloud: Cloud, sprinters: Program) -> None:
    first = ci.start()
    sprinters.environment["SPRINTERS_JOB_ID"] = str(ci.run.job("stop-runner").id)
    second = sprinters.run("start", **AMI, spot="rerun")
    ci.run.job("lint").runner_id = int(second.outputs["runner-id"])
    for started in (first, second):
        cloud.interrupt(started.outputs["instance-id"])
    ci.run.end("failure", build="failure", lint="failure")
    run = ci.judge()

    assert run.outputs["rerun"] == "true", run.log
    assert ci.run.reruns == [["Start a runner", "build", "lint", "stop-runner"]]


@pytest.mark.parametrize("kind", [Kind.GITHUB_TOKEN, Kind.WRITE])
def test_a_token_that_may_not(interrupted: Ci, github: GitHub, kind: Kind) -> None:
    run = interrupted.judge(**{"github-token": github.add_token(kind).value})

    assert run.code == 1
    assert "actions: write" in run.log and "github.token" in run.log
    assert not interrupted.run.reruns


def test_without_a_token_it_names_the_permissions_of_this_mode(interrupted: Ci) -> None:
    run = interrupted.judge(**{"github-token": ""})
    assert run.code == 2
    assert "github-token" in run.log
    assert "permissions: {actions: write, checks: read}" in run.log
    assert "Administration" not in run.log


@pytest.mark.policy(policy_without("ec2:DescribeInstances"))
def test_without_describe_instances_it_says_so(ci: Ci) -> None:
    ci.run.end("failure", build="failure")
    run = ci.judge()

    assert run.code == 1
    assert "ec2:DescribeInstances" in run.log


@pytest.mark.parametrize(
    ("name", "value"), [("run-id", "latest"), ("run-id", "0"), ("max-attempts", "0"), ("max-attempts", "100")]
)
def test_wrong_inputs(ci: Ci, github: GitHub, ec2: Ec2, name: str, value: str) -> None:
    run = ci.judge(**{name: value})

    assert run.code == 2
    assert f"`{name}` is `{value}`" in run.log
    assert not github.gate.exchanges and not ec2.gate.exchanges


def test_without_an_event_it_needs_a_number(interrupted: Ci, sprinters: Program, github: GitHub) -> None:
    token = github.add_token(Kind.RERUNS).value
    run = sprinters.run("rerun", **{"github-token": token})
    assert run.code == 2
    assert "`on: workflow_run`" in run.log

    run = sprinters.run("rerun", **{"github-token": token, "run-id": str(interrupted.run.id)})
    assert run.code == 0, run.log
    assert run.outputs["rerun"] == "true"


@pytest.mark.parametrize(("kind", "mark"), [(Kind.RERUNS, "✓"), (Kind.WRITE, "?"), (Kind.GITHUB_TOKEN, "?")])
def test_check_tells_whether_the_token_may_rerun(
    ci: Ci, sprinters: Program, github: GitHub, kind: Kind, mark: str
) -> None:
    sprinters.environment["SPRINTERS_JOB_ID"] = str(ci.run.job("Start a runner").id)
    checks: Callable[..., Run] = lambda **more: sprinters.run(  # noqa: E731
        "check", **AMI, **{"github-token": github.add_token(kind).value}, **more
    )
    [line] = [line for line in checks(spot="rerun").stdout.splitlines() if "may rerun" in line]

    assert line.startswith(mark)
    assert not ci.run.reruns
    assert "may rerun" not in checks(spot="auto").stdout, "nobody else needs it"


# --- "Re-run failed jobs": a job that waits for a runner of an older attempt ---


@pytest.fixture
def stranded(sprinters: Program, github: GitHub, cloud: Cloud, tmp_path: Path) -> Ci:
    """A build that failed and was run again by hand, without the job that launches its runner."""
    ci = Ci(sprinters, github, tmp_path)
    ci.run.attempts[0] = [job for job in ci.run.jobs if job.name != "stop-runner"]
    started = ci.start()
    cloud.interrupt(started.outputs["instance-id"], "Client.InstanceInitiatedShutdown")
    ci.run.end("failure", build="failure")
    ci.run.begin_attempt(RunJob("build", needs=("Start a runner",), labels=(started.outputs["label"],)))
    return ci


def test_a_job_that_waits_for_an_older_attempts_runner_gets_its_start_run_again(stranded: Ci, github: GitHub) -> None:
    run = stranded.judge()

    assert run.code == 0, run.log
    assert len(github.gate.calls("cancel-run")) == 1, "GitHub runs nothing again while something waits"
    assert stranded.run.reruns == [["Start a runner", "build"]], "`lint` has no part in it"
    assert run.outputs["rerun"] == "true"
    assert "attempt 3 begins: job `Start a runner`" in run.log


def test_a_cancel_that_github_forgot_is_asked_for_again(stranded: Ci, github: GitHub) -> None:
    """Its 202 is a promise, and no more."""
    rule = github.gate.fail("cancel-run", answer(Response.of_json(202, {})))
    run = stranded.judge()

    assert (run.code, rule.struck) == (0, 1), run.log
    assert stranded.run.reruns == [["Start a runner", "build"]]
    assert run.outputs["rerun"] == "true"


def test_sweep_finds_it_by_itself(stranded: Ci, sprinters: Program, github: GitHub) -> None:
    sprinters.environment |= {"GITHUB_RUN_ID": "99", "SPRINTERS_JOB_TOKEN": github.add_token(Kind.RERUNS).value}
    run = sprinters.run("sweep")

    assert run.code == 0, run.log
    assert stranded.run.reruns == [["Start a runner", "build"]]
    assert f"run {stranded.run.id}: attempt 3 begins: job `Start a runner`" in run.log
    assert "Runs begun again: 1." in run.summary


def test_a_sweep_that_may_not_says_what_it_lacks(stranded: Ci, sprinters: Program, github: GitHub) -> None:
    sprinters.environment |= {"GITHUB_RUN_ID": "99", "SPRINTERS_JOB_TOKEN": github.add_token(Kind.GITHUB_TOKEN).value}
    run = sprinters.run("sweep")

    assert run.code == 0, run.log
    assert "actions: write" in run.log
    assert not stranded.run.reruns


@pytest.mark.parametrize("mode", ["rerun", "sweep"])
@pytest.mark.parametrize("why", ["something runs", "attempts are used up"])
def test_within_the_rules(stranded: Ci, sprinters: Program, github: GitHub, mode: str, why: str) -> None:
    inputs: dict[str, object] = {}
    if why == "something runs":
        stranded.run.job("lint").conclusion, stranded.run.job("lint").runner_id = None, 5
    else:
        inputs["max-attempts"] = 2
    if mode == "sweep":
        sprinters.environment |= {"GITHUB_RUN_ID": "99", "SPRINTERS_JOB_TOKEN": github.add_token(Kind.RERUNS).value}
    run = sprinters.run("sweep", **inputs) if mode == "sweep" else stranded.judge(None, **inputs)

    assert run.code == 0, run.log
    assert not github.gate.calls("cancel-run")
    assert not stranded.run.reruns


def test_a_living_runner_of_an_older_attempt_is_waited_for(sprinters: Program, github: GitHub, tmp_path: Path) -> None:
    ci = Ci(sprinters, github, tmp_path)
    ci.run.attempts[0] = [job for job in ci.run.jobs if job.name != "stop-runner"]
    started = ci.start()
    ci.run.end("failure", build="failure")
    ci.run.begin_attempt(RunJob("build", labels=(started.outputs["label"],)))
    run = ci.judge()

    assert run.code == 0, run.log
    assert not github.gate.calls("cancel-run")
    assert "still running" in run.outputs["reason"]


def test_stop_says_what_to_do_where_the_attempt_launched_nothing(stranded: Ci, sprinters: Program) -> None:
    sprinters.environment["GITHUB_RUN_ATTEMPT"] = "2"
    first = stranded.run.attempts[0][0]
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert f"gh run rerun {stranded.run.id} --job {first.id}" in run.log
    sprinters.environment["GITHUB_RUN_ATTEMPT"] = "1"
    assert "gh run rerun" not in sprinters.run("stop").log
