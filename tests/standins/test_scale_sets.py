"""The Actions service's stand-in behaves as GitHub's own client expects, and refuses who asks otherwise."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from standins.gate import empty, reset
from standins.github import GitHub, Kind, ScaleSet

VERSION = "api-version=6.0-preview"
SETS = f"_apis/runtime/runnerscalesets?{VERSION}"
AGENTS = "_apis/distributedtask/pools/0/agents"
REPOSITORY = "octo/app"
Answer = tuple[int, Any]


@pytest.fixture
def github() -> Iterator[GitHub]:
    with GitHub() as github:
        github.scale_sets.pace.hurry()
        yield github
        assert not github.violations, "\n".join(github.violations)


class Client:
    """What a listener does, step by step."""

    def __init__(self, github: GitHub, place: str = f"repos/{REPOSITORY}", kind: Kind = Kind.WRITE) -> None:
        self._github = github
        self.place = place
        self.token = github.add_token(kind).value
        self.url, self.admin = "", ""
        self.session: dict[str, Any] = {}

    def ask(
        self, method: str, url: str, token: str, body: Any = None, scheme: str = "Bearer", **headers: str
    ) -> Answer:
        parts = urlsplit(url)
        sent = {"User-Agent": "test", "Authorization": f"{scheme} {token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body)
        if content is not None:
            sent["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self._github.port, timeout=20)
        connection.request(method, f"{parts.path}?{parts.query}", content, sent)
        reply = connection.getresponse()
        text = reply.read().decode("utf-8-sig")
        connection.close()
        return reply.status, json.loads(text) if text and "json" in (reply.getheader("Content-Type") or "") else None

    def registration_token(self) -> Answer:
        return self.ask("POST", f"{self._github.url}/{self.place}/actions/runners/registration-token", self.token)

    def register(self, token: str, shown: str | None = None, event: str = "register") -> Answer:
        shown = shown or self.place.removeprefix("repos/").removeprefix("orgs/")
        body = {"url": f"{self._github.server_url}/{shown}", "runner_event": event}
        return self.ask("POST", f"{self._github.url}/actions/runner-registration", token, body, "RemoteAuth")

    def sign_in(self) -> Client:
        status, answer = self.register(self.registration_token()[1]["token"])
        assert status == 200
        self.url, self.admin = answer["url"], answer["token"]
        return self

    def admin_call(self, method: str, path: str, body: Any = None) -> Answer:
        return self.ask(method, self.url + path, self.admin, body)

    def create(self, name: str = "linux-x64", *labels: str) -> Answer:
        wanted = [{"name": label, "type": "System"} for label in labels or (name,)]
        body = {"name": name, "runnerGroupId": 1, "labels": wanted, "RunnerSetting": {"disableUpdate": True}}
        return self.admin_call("POST", SETS, body)

    def of_set(self, method: str, number: int, path: str = "", body: Any = None) -> Answer:
        return self.admin_call(method, f"_apis/runtime/runnerscalesets/{number}{path}?{VERSION}", body)

    def open(self, number: int) -> Answer:
        status, answer = self.of_set("POST", number, "/sessions", {"ownerName": "here"})
        if status == 200:
            self.session = answer
        return status, answer

    def next(self, last: int = 0, capacity: int | None = 10) -> Answer:
        url = self.session["messageQueueUrl"] + (f"&lastMessageId={last}" if last else "")
        headers = {"Accept": "application/json; api-version=6.0-preview"}
        headers |= {} if capacity is None else {"X-ScaleSetMaxCapacity": str(capacity)}
        return self.ask("GET", url, self.session["messageQueueAccessToken"], **headers)

    def delete(self, number: int) -> int:
        url = self.session["messageQueueUrl"].replace("/message?", f"/message/{number}?")
        return self.ask("DELETE", url, self.session["messageQueueAccessToken"])[0]

    def acquire(self, number: int, *ids: int) -> Answer:
        url = f"{self.url}_apis/runtime/runnerscalesets/{number}/acquirejobs?{VERSION}"
        return self.ask("POST", url, self.session["messageQueueAccessToken"], list(ids))


@pytest.fixture
def client(github: GitHub) -> Client:
    return Client(github).sign_in()


@pytest.fixture
def number(client: Client) -> int:
    return int(client.create()[1]["id"])


@pytest.fixture
def scale_set(github: GitHub, client: Client, number: int) -> ScaleSet:
    client.open(number)
    return github.scale_sets.of("linux-x64")


def entries(message: dict[str, Any]) -> list[dict[str, Any]]:
    assert message["messageType"] == "RunnerScaleSetJobMessages"
    return json.loads(message["body"])


def kinds(message: dict[str, Any]) -> list[str]:
    return [entry["messageType"] for entry in entries(message)]


# --- signing in ---


@pytest.mark.parametrize(
    ("kind", "status"), [(Kind.READ, 403), (Kind.UNRELATED, 403), (Kind.GITHUB_TOKEN, 403), (Kind.NO_ACCESS, 404)]
)
def test_a_token_without_the_right_gets_no_registration_token(github: GitHub, kind: Kind, status: int) -> None:
    assert Client(github, kind=kind).registration_token()[0] == status


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("repos/octo/app", Kind.WRITE),
        ("orgs/octo", Kind.ORGANIZATION),
        ("enterprises/acme", Kind.ENTERPRISE),
    ],
)
def test_every_place_signs_in(github: GitHub, place: str, kind: Kind) -> None:
    client = Client(github, place, kind).sign_in()
    assert client.admin_call("GET", SETS) == (200, {"count": 0, "value": []})
    claims = json.loads(base64.urlsafe_b64decode(client.admin.split(".")[1] + "=="))
    assert claims["exp"] == pytest.approx(time.time() + 3600, abs=5)


def test_the_registration_is_for_the_place_of_its_token_alone(github: GitHub) -> None:
    client = Client(github)
    token = client.registration_token()[1]["token"]
    assert client.register(token, "octo/other")[0] == 404
    assert client.register("stale")[0] == 401
    assert client.register(token, event="remove")[0] == 422


def test_an_admin_token_ends(github: GitHub, client: Client) -> None:
    github.scale_sets.expire_admin_tokens()
    assert client.admin_call("GET", SETS)[0] == 401
    assert client.sign_in().admin_call("GET", SETS)[0] == 200


def test_nobody_reaches_another_places_sets(github: GitHub, client: Client, number: int) -> None:
    other = Client(github, "repos/octo/other").sign_in()
    assert other.of_set("GET", number)[0] == 404
    assert client.ask("GET", f"{other.url}{SETS}", client.admin)[0] == 401


def test_the_version_must_be_named(client: Client) -> None:
    assert client.admin_call("GET", "_apis/runtime/runnerscalesets")[0] == 400


def test_a_server_without_scale_sets(github: GitHub, client: Client) -> None:
    github.scale_sets.service.is_supported = False
    assert client.admin_call("GET", SETS)[0] == 404


# --- sets ---


def test_a_set_from_its_creation_to_its_end(github: GitHub, client: Client) -> None:
    status, made = client.create("linux-x64", "linux-x64", "gpu")
    assert (status, made["name"], [one["name"] for one in made["labels"]]) == (200, "linux-x64", ["linux-x64", "gpu"])
    assert client.admin_call("GET", f"{SETS}&runnerGroupId=1&name=linux-x64")[1]["value"][0]["id"] == made["id"]
    assert client.admin_call("GET", f"{SETS}&runnerGroupId=1&name=other")[1]["count"] == 0
    assert client.create()[0] == 409
    changed = {"labels": [{"name": "linux-x64", "type": "System"}]}
    assert client.of_set("PATCH", made["id"], "", changed)[1]["labels"][0]["name"] == "linux-x64"
    assert github.scale_sets.of("linux-x64").labels == ["linux-x64"]
    assert client.of_set("DELETE", made["id"])[0] == 204
    status, answer = client.of_set("GET", made["id"])
    assert (status, "RunnerScaleSetNotFoundException" in answer["typeName"]) == (404, True)


def test_names_are_unique_in_a_group_alone(github: GitHub) -> None:
    group = github.add_group("orgs/octo", "gpus")
    client = Client(github, "orgs/octo", Kind.ORGANIZATION).sign_in()
    assert client.admin_call("GET", f"_apis/runtime/runnergroups/?groupName=gpus&{VERSION}")[1]["value"] == [
        {"id": group.id, "name": "gpus", "size": 0, "isDefaultGroup": False}
    ]
    body = {"name": "big", "runnerGroupId": 1, "labels": [{"name": "big", "type": "System"}]}
    assert [client.admin_call("POST", SETS, body | {"runnerGroupId": one})[0] for one in (1, group.id, 1)] == [
        200,
        200,
        409,
    ]
    assert client.admin_call("POST", SETS, body | {"runnerGroupId": 99})[0] == 404


@pytest.mark.parametrize("name", ["", " x", "x" * 257, "a\nb"])
def test_a_name_that_is_none(client: Client, name: str) -> None:
    assert client.create(name, "a-label")[0] == 400


@pytest.mark.parametrize("label", [{"name": "x"}, {"name": "x", "type": "Nice"}, {"type": "System"}, "x"])
def test_a_label_that_is_none(client: Client, number: int, label: object) -> None:
    body = {"name": "other", "runnerGroupId": 1, "labels": [label], "RunnerSetting": {"disableUpdate": True}}
    assert client.admin_call("POST", SETS, body)[0] == 400
    assert client.of_set("PATCH", number, "", {"labels": [label]})[0] == 400


# --- the session ---


def test_a_set_has_one_session(github: GitHub, client: Client, number: int) -> None:
    assert client.open(number)[0] == 200
    status, answer = Client(github).sign_in().open(number)
    assert (status, "RunnerScaleSetSessionConflictException" in answer["typeName"]) == (409, True)
    assert client.of_set("DELETE", number, f"/sessions/{client.session['sessionId']}")[0] == 204
    assert client.open(number)[0] == 200


def test_a_session_ends_some_time_after_its_last_request(github: GitHub, client: Client, number: int) -> None:
    github.scale_sets.pace.session = github.scale_sets.pace.hold = 0.3
    client.open(number)
    assert client.next()[0] == 202
    assert client.open(number)[0] == 409
    time.sleep(0.4)
    old = client.session
    assert client.open(number)[0] == 200
    new, client.session = client.session, old
    assert client.next()[0] == 401
    assert client.of_set("PATCH", number, f"/sessions/{old['sessionId']}")[0] == 404
    client.session = new
    assert client.next()[0] == 202


def test_a_queue_token_ends_and_is_renewed(github: GitHub, client: Client, number: int, scale_set: ScaleSet) -> None:
    github.scale_sets.expire_queue_tokens()
    assert (client.next()[0], client.delete(1), client.acquire(number, 1)[0]) == (401, 401, 401)
    github.queue_job("linux-x64", repository=REPOSITORY)
    status, client.session = client.of_set("PATCH", number, f"/sessions/{client.session['sessionId']}")
    assert (status, client.next()[0]) == (200, 200)


def test_a_renewal_ends_the_token_before_it(client: Client, number: int) -> None:
    client.open(number)
    before = client.session
    client.session = client.of_set("PATCH", number, f"/sessions/{before['sessionId']}")[1]
    assert client.next()[0] == 202
    client.session = before
    assert (client.next()[0], client.delete(1), client.acquire(number, 1)[0]) == (401, 401, 401)


def test_the_queue_takes_its_own_token_alone(client: Client, number: int) -> None:
    client.open(number)
    client.session["messageQueueAccessToken"] = client.admin
    assert (client.next()[0], client.delete(1), client.acquire(number, 1)[0]) == (401, 401, 401)


def test_a_session_that_is_expired_lets_go_of_its_request(github: GitHub, client: Client, scale_set: ScaleSet) -> None:
    github.scale_sets.pace.hold = 20
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(client.next()[0]))
    thread.start()
    github.gate.wait_for("next-message")
    github.scale_sets.expire_session("linux-x64")
    thread.join(5)
    assert answers == [401]


# --- jobs ---


@pytest.mark.parametrize("directly", [False, True])
def test_a_job_from_its_push_to_its_end(github: GitHub, client: Client, directly: bool) -> None:
    github.scale_sets.assigns_directly = directly
    job = github.queue_job("LINUX-X64", steps=["echo hello"], repository=REPOSITORY)
    number = client.create()[1]["id"]
    assert client.open(number)[1]["statistics"]["totalAvailableJobs"] == 1
    message = client.next()[1]
    last = message["messageId"]
    if not directly:
        assert kinds(message) == ["JobAvailable"]
        assert message["statistics"]["totalAssignedJobs"] == 0
        assert client.acquire(number, job.request_id, 99)[1] == {"count": 1, "value": [job.request_id]}
        assert client.delete(last) == 204
        message = client.next(last)[1]
    assert kinds(message) == ["JobAssigned"]
    assert message["statistics"]["totalAssignedJobs"] == 1
    assert entries(message)[0]["runnerRequestId"] == (0 if directly else job.request_id)
    client.delete(message["messageId"])

    minted = client.of_set("POST", number, "/generatejitconfig", {"name": "one", "workFolder": "_work"})[1]
    runner = github.runner_of(minted["encodedJITConfig"])
    github.runners.connect(runner)
    assert github.runners.assign(runner, 1) is job
    started = client.next(last)[1]
    assert (kinds(started), entries(started)[0]["runnerName"]) == (["JobStarted"], "one")
    assert started["statistics"]["totalBusyRunners"] == started["statistics"]["totalRunningJobs"] == 1
    listed = client.ask("GET", f"{github.url}/repos/{REPOSITORY}/actions/runners", client.token)[1]["runners"]
    assert [(one["name"], one["status"], one["busy"]) for one in listed] == [("one", "online", True)]
    status, refused = client.admin_call("DELETE", f"{AGENTS}/{runner.id}?{VERSION}")
    assert (status, "JobStillRunningException" in refused["typeName"]) == (400, True)
    client.delete(started["messageId"])

    github.runners.finish(runner, "Succeeded", "hello")
    completed = client.next(last)[1]
    assert (kinds(completed), entries(completed)[0]["result"]) == (["JobCompleted"], "succeeded")
    assert completed["statistics"]["totalAssignedJobs"] == 0
    client.delete(completed["messageId"])
    assert client.next(last) == (202, None)


def test_the_capacity_is_required_and_respected(github: GitHub, client: Client, scale_set: ScaleSet) -> None:
    jobs = [github.queue_job("linux-x64", repository=REPOSITORY) for _ in range(3)]
    assert client.next(capacity=None)[0] == 400
    github.scale_sets.pace.hold = 0.1
    assert client.next(capacity=0)[0] == 202
    assert kinds(client.next(capacity=2)[1]) == ["JobAvailable"] * 2
    assert [job.stage for job in jobs] == ["available", "available", "waiting"]


def test_a_message_has_fifty_entries_at_most(github: GitHub, client: Client, scale_set: ScaleSet) -> None:
    for _ in range(70):
        github.queue_job("linux-x64", repository=REPOSITORY)
    first = client.next(capacity=100)[1]
    second = client.next(first["messageId"], capacity=100)[1]
    assert (len(entries(first)), len(entries(second))) == (50, 20)


def test_a_message_comes_again_until_it_is_deleted(github: GitHub, client: Client, scale_set: ScaleSet) -> None:
    github.queue_job("linux-x64", repository=REPOSITORY)
    github.scale_sets.pace.offer = 60
    github.scale_sets.pace.hold, github.scale_sets.pace.redelivery = 0.1, 0.4
    number = client.next()[1]["messageId"]
    assert client.next()[1]["messageId"] == number
    assert client.next(number)[0] == 202
    time.sleep(0.4)
    assert client.next(number)[1]["messageId"] == number
    client.delete(number)
    assert (client.next()[0], client.delete(number)) == (202, 204)


def test_messages_twice_and_out_of_order(github: GitHub, client: Client, scale_set: ScaleSet) -> None:
    scale_set.delivers_twice = scale_set.out_of_order = True
    github.scale_sets.pace.hold = 0.2
    for _ in range(3):
        github.queue_job("linux-x64", repository=REPOSITORY)
    seen = []
    while (answer := client.next())[0] == 200:
        seen.append(answer[1]["messageId"] - 100_000_000)
        client.delete(answer[1]["messageId"])
    assert seen == [3, 3, 2, 2, 1, 1]


def test_statistics_lie_both_ways(github: GitHub, client: Client, scale_set: ScaleSet) -> None:
    scale_set.assigns_directly = True
    scale_set.lies["totalAssignedJobs"] = 0
    github.queue_job("linux-x64", repository=REPOSITORY)
    message = client.next()[1]
    assert (kinds(message), message["statistics"]["totalAssignedJobs"]) == (["JobAssigned"], 0)
    scale_set.lies.clear()
    scale_set.lies_by["totalAssignedJobs"] = 15
    scale_set.announce()
    message = client.next(message["messageId"])[1]
    assert (entries(message), message["statistics"]["totalAssignedJobs"]) == ([], 16)


def test_a_job_that_no_runner_takes_is_assigned_three_times(
    github: GitHub, client: Client, scale_set: ScaleSet
) -> None:
    scale_set.assigns_directly = True
    github.scale_sets.pace.assignment = 0.2
    job = github.queue_job("linux-x64", repository=REPOSITORY)
    said: list[str] = []
    while not job.is_over or said.count("JobCompleted") < 3:
        status, message = client.next()
        said += kinds(message) if status == 200 else []
        client.delete(message["messageId"] if message else 0)
    assert said == ["JobAssigned", "JobCompleted"] * 3
    assert (job.status, job.result) == ("completed", "Canceled")


def test_a_cancelled_job_is_told_and_no_runner_takes_it(github: GitHub, client: Client, scale_set: ScaleSet) -> None:
    scale_set.assigns_directly = True
    job = github.queue_job("linux-x64", repository=REPOSITORY)
    client.delete(client.next()[1]["messageId"])
    github.scale_sets.cancel(job)
    message = client.next()[1]
    assert [(one["messageType"], one["result"]) for one in entries(message)] == [("JobCompleted", "canceled")]
    runner = github.runner_of(jit(client, scale_set.id, "late"))
    assert github.runners.assign(runner, 0.1) is None


def test_a_deleted_set_sends_its_jobs_to_the_next(github: GitHub, client: Client, scale_set: ScaleSet) -> None:
    scale_set.assigns_directly = True
    job = github.queue_job("linux-x64", repository=REPOSITORY)
    client.next()
    runner = github.runner_of(jit(client, scale_set.id, "idle"))
    github.scale_sets.delete("linux-x64")
    assert client.next()[0] == 401
    assert github.runners.get(runner.id) is None
    again = client.create()[1]
    assert (again["id"] != scale_set.id, again["statistics"]["totalAvailableJobs"], job.stage) == (True, 1, "waiting")


def test_a_group_that_is_closed_to_a_repository_takes_none_of_its_jobs(github: GitHub) -> None:
    group = github.add_group("orgs/octo", "gpus", open_to=("octo/app",))
    client = Client(github, "orgs/octo", Kind.ORGANIZATION).sign_in()
    body = {"name": "big", "runnerGroupId": group.id, "labels": [{"name": "big", "type": "System"}]}
    number = client.admin_call("POST", SETS, body)[1]["id"]
    github.queue_job("big", repository="octo/other")
    github.queue_job("big", repository="octo/app")
    assert github.scale_sets.of("big").statistics()["totalAvailableJobs"] == 1
    assert client.of_set("PATCH", number, "", {"runnerGroupId": 99})[0] == 404
    assert client.of_set("PATCH", number, "", {"runnerGroupId": 1})[1]["runnerGroupName"] == "Default"


def test_other_repositories_jobs_are_not_its_own(github: GitHub, client: Client, scale_set: ScaleSet) -> None:
    github.queue_job("linux-x64", repository="octo/other")
    github.queue_job("linux-x64", "gpu", repository=REPOSITORY)
    assert scale_set.statistics()["totalAvailableJobs"] == 0


# --- runners ---


def jit(client: Client, number: int, name: str) -> str:
    return str(client.of_set("POST", number, "/generatejitconfig", {"name": name})[1]["encodedJITConfig"])


def test_a_runner_of_a_set_by_name_and_number(client: Client, number: int) -> None:
    minted = client.of_set("POST", number, "/generatejitconfig", {"name": "one", "workFolder": "_work"})[1]["runner"]
    assert (minted["name"], minted["runnerScaleSetId"]) == ("one", number)
    assert client.admin_call("GET", f"{AGENTS}?agentName=one&{VERSION}")[1]["value"][0]["id"] == minted["id"]
    assert client.admin_call("GET", f"{AGENTS}/{minted['id']}?{VERSION}")[1]["name"] == "one"
    status, answer = client.of_set("POST", number, "/generatejitconfig", {"name": "one"})
    assert (status, "AgentExistsException" in answer["typeName"]) == (409, True)
    assert client.of_set("POST", number, "/generatejitconfig", {"name": "a/b"})[0] == 400
    assert client.admin_call("DELETE", f"{AGENTS}/{minted['id']}?{VERSION}")[0] == 204
    status, answer = client.admin_call("DELETE", f"{AGENTS}/{minted['id']}?{VERSION}")
    assert (status, "AgentNotFoundException" in answer["typeName"]) == (404, True)


def test_a_runner_of_a_set_takes_any_of_its_jobs_and_no_others(
    github: GitHub, client: Client, scale_set: ScaleSet
) -> None:
    scale_set.assigns_directly = True
    first, second = (github.queue_job("linux-x64", name=name, repository=REPOSITORY) for name in ("one", "two"))
    other = github.queue_job("self-hosted", repository=REPOSITORY)
    client.next()
    runners = [github.runner_of(jit(client, scale_set.id, name)) for name in ("a", "b", "c")]
    assert [github.runners.assign(runner, 0.1) for runner in reversed(runners)] == [first, second, None]
    assert other.status == "queued"


# --- bad days ---


def test_answers_begin_with_a_byte_order_mark_and_may_be_spoilt(github: GitHub, client: Client) -> None:
    github.gate.fail("find-scale-set", empty)
    assert client.admin_call("GET", SETS) == (200, None)
    github.gate.fail("find-scale-set", reset)
    with pytest.raises(ConnectionError):
        client.admin_call("GET", SETS)
    assert client.admin_call("GET", SETS)[0] == 200
