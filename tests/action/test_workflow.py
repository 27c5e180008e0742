"""The workflow that the README tells people to copy, run by `act` against the stand-ins.

One thing differs from GitHub, and it is `act`'s: it has no runners besides this machine, so it cannot send the job
`build` to the runner that `start-runner` launched. Here that job runs on this machine and asks, with the label that it
got from `start-runner`, the GitHub stand-in to give a job to the runner with that label, and waits for its end. So the
label's way from output to job, the job on the instance and the order of the three jobs are real; `runs-on` is not.
"""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from action import act
from standins.aws import Ec2
from standins.cloud import Cloud
from standins.github import GitHub, Job
from standins.images import ImageIndex

WORKFLOW = (Path(__file__).parent / "workflow.yml").read_text()
LABEL = "needs.start-runner.outputs.label"
RUNS_ON = f"${{{{ needs.start-runner.outputs.attempt == github.run_attempt && {LABEL} || 'ubuntu-latest' }}}}"


class Dispatcher:
    """Gives a job to the runner with the label that is posted, and answers when that job is over."""

    def __init__(self, github: GitHub, repository: str) -> None:
        self.jobs: list[Job] = []
        dispatcher = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                label = self.rfile.read(int(self.headers["Content-Length"])).decode()
                if not label:
                    self.send_error(400, "no label came out of start-runner")
                    return
                job = github.queue_job(label, name="build", steps=["make test"], repository=repository)
                dispatcher.jobs.append(job)
                with github.runners.changed:
                    over = github.runners.changed.wait_for(lambda: job.status == "completed", 30)
                self.send_response(200 if over else 504)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Workflow:
    """The copied workflow, the repository that it runs in, and who answers it."""

    action: Path
    folder: Path
    dispatcher: Dispatcher
    secrets: dict[str, str]
    environment: dict[str, str]

    def run_as_it_is(self, text: str) -> act.WorkflowRun:
        return act.run(text, self.action, self.folder, secrets=self.secrets, environment=self.environment)

    def run(self, text: str = WORKFLOW, build: str | None = None) -> act.WorkflowRun:
        """`build` takes the place of the step of the job `build`."""
        step = build or f'- run: curl --fail --silent --data "${{{{ {LABEL} }}}}" {self.dispatcher.url}'
        for old, new in ((f"runs-on: {RUNS_ON}", "runs-on: ubuntu-latest"), ("- run: make test", step)):
            assert text.count(old) == 1, f"the workflow has no single `{old}` any more"
            text = text.replace(old, new)
        return self.run_as_it_is(text)


@pytest.fixture
def workflow(
    binary: Path, ec2: Ec2, github: GitHub, image_index: ImageIndex, cloud: Cloud, tmp_path: Path
) -> Iterator[Workflow]:
    lacking = act.missing()
    if lacking:
        pytest.skip(lacking)
    run_id = str(int.from_bytes(os.urandom(4)))
    repository = f"octo/app-{run_id}"
    dispatcher = Dispatcher(github, repository)
    yield Workflow(
        act.checkout_with(binary, tmp_path / "action"),
        tmp_path,
        dispatcher,
        secrets={
            "AWS_ACCESS_KEY_ID": ec2.access_key_id,
            "AWS_SECRET_ACCESS_KEY": ec2.secret_access_key,
            "SPRINTERS_TOKEN": github.add_token().value,
        },
        environment={
            "AWS_ENDPOINT_URL_EC2": ec2.url,
            "GITHUB_API_URL": github.url,
            "GITHUB_SERVER_URL": github.server_url,
            "GITHUB_REPOSITORY": repository,
            "GITHUB_RUN_ID": run_id,
            "SPRINTERS_IMAGE_INDEX_URL": image_index.url,
        },
    )
    dispatcher.close()


def test_a_job_runs_on_the_new_runner_and_nothing_stays(
    workflow: Workflow, ec2: Ec2, github: GitHub, left_behind: Callable[[], list[str]]
) -> None:
    run = workflow.run()
    assert run.code == 0, run.log
    [job] = workflow.dispatcher.jobs
    assert job.result == "Succeeded"
    [instance] = ec2.instances()
    assert job.labels == [instance.tags["sprinters:label"]], "the label reached the job by way of the outputs"
    assert instance.tags["sprinters:job"] == "start-runner"
    assert left_behind() == []
    for secret in (*ec2.secrets, *github.secrets):
        assert secret not in run.log, "a secret stands in the log"


def test_a_job_that_fails_still_gets_its_runner_stopped(
    workflow: Workflow, ec2: Ec2, left_behind: Callable[[], list[str]]
) -> None:
    run = workflow.run(build="- run: exit 1")
    assert run.code == 1
    assert len(ec2.instances()) == 1
    assert left_behind() == []


def test_a_start_that_fails_leaves_stop_nothing_to_do(workflow: Workflow, ec2: Ec2) -> None:
    run = workflow.run(WORKFLOW.replace("spot: auto", "spot: perhaps"))
    assert run.code == 1
    assert any("`perhaps`" in line for line in run.of_job("start-runner")), run.log
    assert any("Job succeeded" in line for line in run.of_job("stop-runner")), run.log
    assert ec2.instances() == []


def test_no_input_is_read_as_shell_code(workflow: Workflow, ec2: Ec2) -> None:
    """Quotes, substitutions and line breaks arrive at EC2 as they were written."""
    # A short name: EC2 takes 256 characters as a tag value, and it stands in there three times.
    trap = Path(f"/tmp/sprinters-trap-{os.getpid()}")
    # Without spaces: moto checks the signature of a body that it has encoded once more, with `+` for our `%20`.
    touch = f"touch${{IFS}}{trap}"
    value = f"'\";{touch};$({touch})`{touch}`$HOME%0A"
    text = WORKFLOW.replace("spot: auto", f"spot: auto\n          tags: {json.dumps(json.dumps({'note': value}))}")
    run = workflow.run(text)
    assert run.code == 0, run.log
    [instance] = ec2.instances()
    assert instance.tags["note"] == value
    assert not trap.exists()


def test_a_job_without_a_runner_of_its_attempt_fails_at_once_with_the_command(
    workflow: Workflow, left_behind: Callable[[], list[str]]
) -> None:
    """What "Re-run failed jobs" makes of it: outputs of an attempt before, and the real `runs-on`."""
    stale = WORKFLOW.replace("${{ steps.runner.outputs.attempt }}", "0")
    stale = stale.replace("${{ steps.runner.outputs.job-id }}", "51725241954")
    run = workflow.run_as_it_is(stale)
    assert run.code == 1
    [said] = [line for line in run.of_job("build") if "gh run rerun" in line and "echo" not in line]
    assert f"gh run rerun {workflow.environment['GITHUB_RUN_ID']} --job 51725241954" in said
    assert not any("make test" in line and "Success" in line for line in run.of_job("build"))
    assert left_behind() == []
