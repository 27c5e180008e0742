"""`stop`: needs no output of `start`, and nothing to stop is success."""

from __future__ import annotations

import json
from collections.abc import Callable

from standins import images
from standins.aws import Ec2
from standins.cloud import Behaves
from standins.gate import answer, delayed, reset, then
from standins.github import GitHub, Kind, RunJob, hiding, is_list_of_all
from standins.program import Program, Run, Running
from standins.proxy import ec2_error
from standins.server import Response

Started = Callable[..., Run]
LeftBehind = Callable[[], list[str]]


def living(ec2: Ec2) -> set[str]:
    return {instance.id for instance in ec2.living()}


def test_nothing_to_stop_is_success(sprinters: Program, ec2: Ec2) -> None:
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert ec2.gate.operations() == ["DescribeInstances"]


def test_it_ends_what_this_run_started(sprinters: Program, started: Started, ec2: Ec2, left_behind: LeftBehind) -> None:
    run_of_start = started()
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert run_of_start.outputs["instance-id"] in run.log
    assert not left_behind()


def test_it_ends_what_an_earlier_attempt_of_this_run_started(
    sprinters: Program, started: Started, left_behind: LeftBehind
) -> None:
    started()
    sprinters.environment["GITHUB_RUN_ATTEMPT"] = "2"
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert not left_behind()


def test_it_leaves_other_runs_and_repositories_alone(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub
) -> None:
    started()
    for name, value in (("GITHUB_RUN_ID", "1"), ("GITHUB_REPOSITORY", "octo/other")):
        mine, sprinters.environment[name] = sprinters.environment[name], value
        assert sprinters.run("stop").code == 0
        sprinters.environment[name] = mine

    assert len(ec2.living()) == 1
    assert len(github.records()) == 1


def test_twice_is_as_good_as_once(sprinters: Program, started: Started, left_behind: LeftBehind) -> None:
    started()

    assert sprinters.run("stop").code == 0
    assert sprinters.run("stop").code == 0
    assert not left_behind()


def test_two_at_once_both_succeed(sprinters: Program, started: Started, left_behind: LeftBehind) -> None:
    started()
    first, second = sprinters.begin("stop"), sprinters.begin("stop")

    assert (first.wait().code, second.wait().code) == (0, 0)
    assert not left_behind()


def test_after_the_job_there_is_nothing_to_stop(sprinters: Program, started: Started, ec2: Ec2, github: GitHub) -> None:
    run_of_start = started()
    job = github.queue_job(run_of_start.outputs["label"])
    github.runners.wait(lambda: job.status == "completed", 10, "the job's end")
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert not github.records()


def test_a_runner_record_that_is_gone_already_is_no_error(
    sprinters: Program, started: Started, github: GitHub, left_behind: LeftBehind
) -> None:
    started()
    github.runners.remove(github.records()[0])
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert not left_behind()


def test_an_instance_that_ended_by_itself_still_frees_its_record(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub, left_behind: LeftBehind
) -> None:
    run_of_start = started()
    ec2.power_off(run_of_start.outputs["instance-id"])
    assert github.records()
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert not left_behind()


def test_a_busy_runner_is_terminated_first_and_then_deleted(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub, behaves: Behaves, left_behind: LeftBehind
) -> None:
    behaves.job_takes = 60
    behaves.busy_after_death = 0.5
    run_of_start = started()
    job = github.queue_job(run_of_start.outputs["label"])
    github.runners.wait(lambda: job.status == "in_progress", 10, "the job's start")
    run = sprinters.run("stop", force="true")

    assert run.code == 0, run.log
    assert not left_behind()
    statuses = [exchange.status for exchange in github.gate.calls("delete-runner")]
    assert statuses[-1] == 204


def test_a_busy_runner_is_spared_where_nobody_knows_its_job(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub, behaves: Behaves
) -> None:
    behaves.job_takes = 60
    busy, idle = started(), started()
    job = github.queue_job(busy.outputs["label"])
    github.runners.wait(lambda: job.status == "in_progress", 10, "the job's start")
    # As after a start that failed: all of its outputs are empty.
    run = sprinters.run("stop", label="", **{"instance-id": "", "group": ""})

    assert run.code == 0, run.log
    assert living(ec2) == {busy.outputs["instance-id"]}
    assert [record.id for record in github.records()] == [int(busy.outputs["runner-id"])]
    assert f"`{busy.outputs['instance-id']}` is spared: GitHub says that a job runs on it" in run.log
    assert idle.outputs["instance-id"] in run.log


def test_where_the_runs_jobs_may_be_read_they_decide(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub
) -> None:
    """A finished job's runner is not spared, whatever GitHub calls it."""
    waited, used, over, unused = (started() for _ in range(4))
    environment = sprinters.environment
    environment["SPRINTERS_JOB_TOKEN"] = github.add_token(Kind.RERUNS).value

    def job(name: str, run: Run, conclusion: str | None = None, *, taken: bool = True) -> RunJob:
        runner = int(run.outputs["runner-id"]) if taken else None
        return RunJob(name, conclusion, runner_id=runner, labels=(run.outputs["label"].upper(),))

    github.runs.add(
        environment["GITHUB_REPOSITORY"],
        environment["GITHUB_RUN_ID"],
        job("later", waited, taken=False),
        job("build", used),
        job("lint", over, "success"),
        RunJob("hosted", "success", runner_id=int(used.outputs["runner-id"]), runner_name="GitHub Actions 7"),
    )
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert living(ec2) == {waited.outputs["instance-id"], used.outputs["instance-id"]}
    assert f"`{waited.outputs['instance-id']}` is spared: the job `later` waits for it" in run.log
    assert f"`{used.outputs['instance-id']}` is spared: the job `build` runs on it" in run.log
    assert {record.id for record in github.records()} == {
        int(waited.outputs["runner-id"]),
        int(used.outputs["runner-id"]),
    }
    assert unused.outputs["instance-id"] in run.log


def test_what_another_start_of_the_run_has_just_launched_is_spared(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub
) -> None:
    """Nobody waits for it yet: the job that is to use it does not even exist before the start has ended."""
    environment = sprinters.environment
    run_of_both = github.runs.add(
        environment["GITHUB_REPOSITORY"],
        environment["GITHUB_RUN_ID"],
        RunJob("start", "success"),
        RunJob("other-start", runner_id=999),
        RunJob("stop", runner_id=998),
    )

    def as_job(name: str) -> None:
        environment["SPRINTERS_JOB_ID"] = str(run_of_both.job(name).id)

    as_job("start")
    mine = started()
    as_job("other-start")
    other = started()
    as_job("stop")
    environment["SPRINTERS_JOB_TOKEN"] = github.add_token(Kind.RERUNS).value
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert mine.outputs["instance-id"] in run.log
    assert living(ec2) == {other.outputs["instance-id"]}
    assert "the job `other-start`, which has launched it, has not ended" in run.log


def test_a_runner_of_this_run_in_another_region_keeps_its_record_while_a_job_waits_for_it(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub
) -> None:
    """A matrix of starts over regions: each has a stop of its own, which does not see the others' instances."""
    waited, unused = started(), started()
    environment = sprinters.environment
    environment["SPRINTERS_JOB_TOKEN"] = github.add_token(Kind.RERUNS).value
    github.runs.add(
        environment["GITHUB_REPOSITORY"],
        environment["GITHUB_RUN_ID"],
        RunJob("later", labels=(waited.outputs["label"],)),
    )
    none = b"<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>"
    ec2.gate.fail("DescribeInstances", answer(Response(200, {"Content-Type": "text/xml"}, none)), times=None)
    github.runners.remove(next(one for one in github.records() if str(one.id) == unused.outputs["runner-id"]))
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert [str(record.id) for record in github.records()] == [waited.outputs["runner-id"]]


USED = "used at most 3.0 of 15.4 GiB of memory, on average 11 % of 4 CPUs: m7i.large has half of it, at half the price"


def test_what_the_jobs_used_is_in_the_log_and_the_summary(sprinters: Program, started: Started, github: GitHub) -> None:
    build, lint = started(), started()
    environment = sprinters.environment
    environment["SPRINTERS_JOB_TOKEN"] = github.add_token(Kind.RERUNS).value
    github.runs.add(
        environment["GITHUB_REPOSITORY"],
        environment["GITHUB_RUN_ID"],
        RunJob("elsewhere", "success", runner_id=1, notices=(("Sprinters", "used at most nothing"),)),
        RunJob(
            "build",
            "success",
            runner_id=int(build.outputs["runner-id"]),
            notices=(("a step's own", "hello"), ("Sprinters", USED)),
        ),
        RunJob("lint", "failure", runner_id=int(lint.outputs["runner-id"])),
    )
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert f"· `build` {USED}\n" in run.stdout
    assert f"| `build` | `m7i.large` | {USED} |" in run.summary
    assert run.summary.count("used at most") == 1


def test_a_token_that_may_not_read_annotations_is_no_matter(
    sprinters: Program, started: Started, github: GitHub, left_behind: LeftBehind
) -> None:
    build = started()
    environment = sprinters.environment
    environment["SPRINTERS_JOB_TOKEN"] = github.add_token(Kind.RERUNS_BLINDLY).value
    job = RunJob("build", "success", runner_id=int(build.outputs["runner-id"]), notices=(("Sprinters", USED),))
    github.runs.add(environment["GITHUB_REPOSITORY"], environment["GITHUB_RUN_ID"], job)
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert github.gate.calls("list-annotations")
    assert "used at most" not in run.log + run.summary
    assert not left_behind()


def test_a_group_pairs_a_stop_with_its_start(sprinters: Program, started: Started, ec2: Ec2) -> None:
    one, other = started(group="one"), started(group="other")
    run = sprinters.run("stop", group="one")

    assert run.code == 0, run.log
    assert one.outputs["instance-id"] in run.log
    assert living(ec2) == {other.outputs["instance-id"]}


def test_what_is_named_and_not_found_is_a_warning(sprinters: Program, started: Started, ec2: Ec2) -> None:
    started(group="one")
    for named, words in (
        ({"label": "sprinters-9"}, "no instance has the label `sprinters-9`"),
        ({"instance-id": "i-0123456789abcdef0"}, "no instance has the id `i-0123456789abcdef0`"),
        ({"group": "on"}, "no instance has the group `on`"),
    ):
        run = sprinters.run("stop", **named)
        assert run.code == 0, run.log
        assert words in run.log
        assert len(ec2.living()) == 1


def test_one_that_ec2_refuses_to_end_saves_no_other(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub
) -> None:
    """EC2 terminates none of the ids of a call if one of them is protected."""
    first = started(count=4)
    protected = json.loads(first.outputs["instance-ids"])[1]

    text = f"The instance '{protected}' may not be terminated. Modify its 'disableApiTermination' instance attribute"
    ec2.gate.fail(
        "TerminateInstances",
        ec2_error("OperationNotPermitted", text),
        times=None,
        when=lambda request: protected in request.body.decode(),
    )
    run = sprinters.run("stop")

    assert run.code == 1
    others = set(json.loads(first.outputs["instance-ids"])) - {protected}
    assert all(f"terminated `{other}`" in run.log for other in others)
    assert f"STILL THERE: `{protected}`" in run.log
    assert "disableApiTermination" in run.log
    assert github.records() == []


def test_a_record_of_a_stranger_stays_whatever_a_tag_says(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub
) -> None:
    scope = f"repos/{sprinters.environment['GITHUB_REPOSITORY']}"
    stranger = github.runners.register(scope, "somebodys-runner", ["self-hosted"], 1)
    assert stranger
    run_of_start = started()
    ec2.tag(run_of_start.outputs["instance-id"], "sprinters:runner-id", str(stranger.id))
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert ec2.living() == []
    assert "somebodys-runner" in [record.name for record in github.records()]


def test_a_record_that_no_list_shows_is_deleted_by_its_number(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub, left_behind: LeftBehind
) -> None:
    """Of an instance that has ended, too, where the list is not as long as GitHub says."""
    run_of_start = started()
    ec2.power_off(run_of_start.outputs["instance-id"])
    github.gate.fail("list-runners", hiding(int(run_of_start.outputs["runner-id"])), times=None, when=is_list_of_all)
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert "list of runners changed each time it was read" in run.log
    assert not left_behind()


def test_it_can_be_narrowed_to_one_instance(sprinters: Program, started: Started, ec2: Ec2, github: GitHub) -> None:
    first, second = started(), started()
    run = sprinters.run("stop", **{"instance-id": first.outputs["instance-id"]})

    assert run.code == 0, run.log
    assert [one.id for one in ec2.living()] == [second.outputs["instance-id"]]
    assert [str(record.id) for record in github.records()] == [second.outputs["runner-id"]]


def test_it_can_be_narrowed_to_one_label(sprinters: Program, started: Started, ec2: Ec2, github: GitHub) -> None:
    first, second = started(), started()
    run = sprinters.run("stop", label=first.outputs["label"])

    assert run.code == 0, run.log
    assert [one.id for one in ec2.living()] == [second.outputs["instance-id"]]


def test_one_broken_connection_does_not_spoil_it(
    sprinters: Program, started: Started, ec2: Ec2, left_behind: LeftBehind
) -> None:
    started()
    ec2.gate.fail("TerminateInstances", reset)
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert not left_behind()


def test_where_it_cannot_it_says_so(sprinters: Program, started: Started, ec2: Ec2) -> None:
    run_of_start = started()
    denied = ec2_error("UnauthorizedOperation", "You are not authorized to perform this operation.", 403)
    ec2.gate.fail("TerminateInstances", denied, times=None)
    run = sprinters.run("stop")

    assert run.code == 1
    assert "ec2:TerminateInstances" in run.log
    assert run_of_start.outputs["instance-id"] in run.log


def test_a_young_record_without_an_instance_is_looked_at_longer(
    sprinters: Program, started: Started, ec2: Ec2, left_behind: LeftBehind
) -> None:
    """Of a `start` that was killed: EC2 does not show its instance at once."""
    started()
    body = b"<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>"
    none = Response(200, {"Content-Type": "text/xml"}, body)
    rule = ec2.gate.fail("DescribeInstances", answer(none), times=2)
    run = sprinters.run("stop")

    assert (run.code, rule.struck) == (0, 2), run.log
    assert "a runner record has no instance yet: looking again" in run.log
    assert not left_behind()


def killed_while_minting(sprinters: Program, github: GitHub) -> str:
    """The name of a record whose instance was never asked for."""
    starting: list[Running] = []
    github.gate.fail("generate-jitconfig", then(lambda: starting[0].kill(), delayed(0.5)))
    starting.append(sprinters.begin("start", image=images.OWN_X64, **{"instance-type": "m7i.large"}))
    starting[0].wait()
    github.gate.wait_until(lambda: bool(github.gate.calls("generate-jitconfig")), 5)
    [record] = github.records()
    return record.name


def test_a_young_record_whose_instance_never_comes_is_a_warning_with_its_name(
    sprinters: Program, ec2: Ec2, github: GitHub
) -> None:
    name = killed_while_minting(sprinters, github)
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert not github.records() and not ec2.instances()
    assert f"the instance of runner `{name}` has not shown up" in run.log


def test_a_record_is_deleted_though_its_instance_cannot_be_looked_for(
    sprinters: Program, ec2: Ec2, github: GitHub
) -> None:
    killed_while_minting(sprinters, github)
    denied = ec2_error("UnauthorizedOperation", "You are not authorized to perform this operation.", 403)
    ec2.gate.fail("DescribeInstances", denied, nth=2, times=None)
    run = sprinters.run("stop")

    assert run.code == 1, run.log
    assert "AWS refused `ec2:DescribeInstances`" in run.log
    assert not github.records()


def test_where_ec2_answers_nothing_the_records_go(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub, behaves: Behaves
) -> None:
    """A runner that cannot connect powers its instance off; one that has a job keeps it."""
    behaves.job_takes = 60
    started()
    busy = started()
    job = github.queue_job(busy.outputs["label"])
    github.runners.wait(lambda: job.status == "in_progress", 10, "the job's start")
    ec2.gate.fail("DescribeInstances", ec2_error("AuthFailure", "not able to validate", 401), times=None)
    run = sprinters.run("stop")

    assert run.code == 1, run.log
    assert "`ec2:DescribeInstances` failed with `AuthFailure`" in run.log
    assert [str(record.id) for record in github.records()] == [busy.outputs["runner-id"]]


def test_one_record_that_github_does_not_tell_about_keeps_no_other(
    sprinters: Program, started: Started, ec2: Ec2, github: GitHub
) -> None:
    hidden = started()
    started()
    github.gate.fail("list-runners", hiding(int(hidden.outputs["runner-id"])), times=None, when=is_list_of_all)
    github.gate.fail("get-runner", answer(Response.of_json(403, {"message": "Forbidden"})), times=None)
    run = sprinters.run("stop")

    assert run.code == 1, run.log
    assert not ec2.living()
    assert [str(record.id) for record in github.records()] == [hidden.outputs["runner-id"]]


def test_a_record_that_another_job_may_be_launching_stays(sprinters: Program, ec2: Ec2, github: GitHub) -> None:
    """A record does not tell which job made it, and a start that goes on waits for its runner."""
    environment = sprinters.environment
    name = killed_while_minting(sprinters, github)
    jobs = github.runs.add(
        environment["GITHUB_REPOSITORY"],
        environment["GITHUB_RUN_ID"],
        RunJob("start", runner_id=999),
        RunJob("stop", runner_id=998),
    )
    environment["SPRINTERS_JOB_ID"] = str(jobs.job("stop").id)
    environment["SPRINTERS_JOB_TOKEN"] = github.add_token(Kind.RERUNS).value
    run = sprinters.run("stop")

    assert run.code == 0, run.log
    assert f"the instance of runner `{name}` has not shown up: its record stays" in run.log
    assert [record.name for record in github.records()] == [name]
    jobs.job("start").conclusion = "failure"
    assert sprinters.run("stop").code == 0
    assert not github.records()


def test_the_run_s_jobs_are_worth_waiting_for(sprinters: Program, started: Started, ec2: Ec2, github: GitHub) -> None:
    """Without them an idle runner that a job waits for would be ended."""
    waited = started()
    environment = sprinters.environment
    environment["SPRINTERS_JOB_TOKEN"] = github.add_token(Kind.RERUNS).value
    later = RunJob("later", labels=(waited.outputs["label"],))
    github.runs.add(environment["GITHUB_REPOSITORY"], environment["GITHUB_RUN_ID"], later)
    limited = Response.of_json(403, {"message": "You have exceeded a secondary rate limit."}, **{"Retry-After": "12"})
    rule = github.gate.fail("list-jobs", answer(limited))
    run = sprinters.run("stop")

    assert (run.code, rule.struck) == (0, 1), run.log
    assert "the job `later` waits for it" in run.log
    assert living(ec2) == {waited.outputs["instance-id"]}
