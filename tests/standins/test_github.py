"""The GitHub stand-in answers as GitHub does, and its description catches who does not ask as GitHub wants it."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from standins.gate import lost, truncated
from standins.github import GitHub, Kind

RUNNERS = "/repos/Octo/App/actions/runners"
JIT = {"name": "sprinters-1", "runner_group_id": 1, "labels": ["a-label"], "work_folder": "_work"}


@pytest.fixture
def github() -> Iterator[GitHub]:
    """Without the check at its end: here a violation is what a test is after."""
    with GitHub() as github:
        yield github


class Client:
    def __init__(self, github: GitHub, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", github.port, timeout=10)
        self._token = token

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        sent = {"User-Agent": "test", "Authorization": f"Bearer {self._token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body)
        if content is not None:
            sent["Content-Type"] = "application/json"
        self._connection.request(method, path, content, sent)
        reply = self._connection.getresponse()
        text = reply.read()
        return reply.status, {k.lower(): v for k, v in reply.getheaders()}, json.loads(text) if text else None


@pytest.fixture
def ask(github: GitHub) -> Client:
    return Client(github, github.add_token().value)


def test_a_runner_from_its_registration_to_its_end(github: GitHub, ask: Client) -> None:
    status, _, minted = ask("POST", f"{RUNNERS}/generate-jitconfig", JIT)
    number = minted["runner"]["id"]
    assert (status, minted["runner"]["status"]) == (201, "offline")

    config = json.loads(base64.b64decode(minted["encoded_jit_config"]))
    secret = json.loads(base64.b64decode(config[".credentials"]))["data"]["token"]
    program = Client(github, secret)
    assert program("POST", f"/_runner/{number}/session", {})[0] == 200
    assert ask("GET", f"{RUNNERS}/{number}")[2]["status"] == "online"

    job = github.queue_job("A-Label", steps=["echo hello"])
    assert program("GET", f"/_runner/{number}/job")[2]["steps"] == ["echo hello"]
    assert ask("GET", f"{RUNNERS}/{number}")[2]["busy"] is True
    assert ask("DELETE", f"{RUNNERS}/{number}")[0] == 422
    program("POST", f"/_runner/{number}/finish", {"result": "Succeeded", "log": "hello"})
    assert (job.status, job.result, job.log) == ("completed", "Succeeded", "hello")
    assert ask("GET", f"{RUNNERS}/{number}")[0] == 404
    assert program("GET", f"/_runner/{number}/job")[0] == 404
    assert not github.violations


@pytest.mark.parametrize(
    ("kind", "status", "message"),
    [
        (Kind.READ, 403, "Resource not accessible by personal access token"),
        (Kind.UNRELATED, 403, "Resource not accessible by personal access token"),
        (Kind.GITHUB_TOKEN, 403, "Resource not accessible by integration"),
        (Kind.NO_ACCESS, 404, "Not Found"),
    ],
)
def test_who_may_not_mint(github: GitHub, kind: Kind, status: int, message: str) -> None:
    got, _, body = Client(github, github.add_token(kind).value)("POST", f"{RUNNERS}/generate-jitconfig", JIT)
    assert (got, body["message"]) == (status, message)
    assert not github.records()


def test_a_token_that_github_does_not_know(github: GitHub) -> None:
    status, _, body = Client(github, "stale")("GET", RUNNERS)
    assert (status, body["message"]) == (401, "Bad credentials")


def test_a_name_twice_is_a_conflict_but_not_elsewhere(ask: Client) -> None:
    assert ask("POST", f"{RUNNERS}/generate-jitconfig", JIT)[0] == 201
    assert ask("POST", f"{RUNNERS}/generate-jitconfig", JIT)[0] == 409
    assert ask("POST", "/repos/octo/other/actions/runners/generate-jitconfig", JIT)[0] == 201


@pytest.mark.parametrize("change", [{"name": "a/b"}, {"name": "x" * 65}, {"labels": ["x" * 257]}, {"labels": []}])
def test_what_github_does_not_register(github: GitHub, ask: Client, change: dict[str, Any]) -> None:
    assert ask("POST", f"{RUNNERS}/generate-jitconfig", JIT | change)[0] == 422
    assert not github.records()


def test_an_unchanged_answer_is_304_and_free(github: GitHub, ask: Client) -> None:
    ask("POST", f"{RUNNERS}/generate-jitconfig", JIT)
    _, first, _ = ask("GET", f"{RUNNERS}/7")
    status, second, body = ask("GET", f"{RUNNERS}/7", If_None_Match=first["etag"])
    assert (status, body) == (304, None)
    assert first["x-ratelimit-remaining"] == second["x-ratelimit-remaining"]
    github.runners.connect(github.records()[0])
    assert ask("GET", f"{RUNNERS}/7", If_None_Match=first["etag"])[0] == 200


def test_a_repository_says_whether_it_is_public(github: GitHub, ask: Client) -> None:
    github.make_public("octo/Open")
    shown = [ask("GET", f"/repos/octo/{name}")[2] for name in ("app", "open")]
    assert [(one["private"], one["visibility"]) for one in shown] == [(True, "private"), (False, "public")]
    stranger = Client(github, github.add_token(Kind.NO_ACCESS).value)
    assert stranger("GET", "/repos/octo/app")[0] == 404
    assert not github.violations


def test_lists_by_name_and_page(ask: Client) -> None:
    for number in range(5):
        ask("POST", f"{RUNNERS}/generate-jitconfig", JIT | {"name": f"runner-{number}"})
    assert [r["name"] for r in ask("GET", f"{RUNNERS}?per_page=2&page=2")[2]["runners"]] == ["runner-2", "runner-3"]
    assert ask("GET", f"{RUNNERS}?name=runner-4")[2]["total_count"] == 1


def test_a_fresh_record_can_be_unseen(github: GitHub, ask: Client) -> None:
    github.runners.unseen = 0.3
    number = ask("POST", f"{RUNNERS}/generate-jitconfig", JIT)[2]["runner"]["id"]
    assert ask("GET", f"{RUNNERS}/{number}")[0] == 404
    assert ask("GET", RUNNERS)[2]["total_count"] == 0
    time.sleep(0.3)
    assert ask("GET", f"{RUNNERS}/{number}")[0] == 200


def test_a_used_up_token_is_told_when_it_can_go_on(github: GitHub) -> None:
    token = github.add_token()
    token.used = token.limit
    status, headers, _ = Client(github, token.value)("GET", RUNNERS)
    assert (status, headers["x-ratelimit-remaining"]) == (403, "0")


@pytest.mark.parametrize(
    ("method", "path", "body", "violation"),
    [
        ("GET", f"{RUNNERS}?nmae=x", None, "`nmae` is not known"),
        ("GET", f"{RUNNERS}?per_page=101", None, "above 100"),
        ("GET", f"{RUNNERS}/seven", None, "not of type 'integer'"),
        ("GET", "/repos/octo/app/actions/runner", None, "no such operation"),
        ("POST", f"{RUNNERS}/generate-jitconfig", {"name": "x", "labels": ["y"]}, "'runner_group_id' is a required"),
        ("POST", f"{RUNNERS}/generate-jitconfig", JIT | {"workFolder": "x"}, "`workFolder` is not known"),
        ("POST", f"{RUNNERS}/generate-jitconfig", JIT | {"labels": "x"}, "not of type 'array'"),
        ("DELETE", f"{RUNNERS}/7", {}, "a body where none is described"),
    ],
)
def test_who_asks_otherwise_than_github_describes_is_caught(
    github: GitHub, ask: Client, method: str, path: str, body: Any, violation: str
) -> None:
    ask(method, path, body)

    assert any(violation in one for one in github.violations), github.violations


def test_an_answer_otherwise_than_github_describes_is_caught(github: GitHub, ask: Client) -> None:
    ask("POST", f"{RUNNERS}/generate-jitconfig", JIT)
    github.records()[0].status = None  # type: ignore[assignment]
    ask("GET", f"{RUNNERS}/7")

    assert any("answer 200.status" in one for one in github.violations)


def test_what_a_test_injects_is_no_violation_of_the_program(github: GitHub, ask: Client) -> None:
    for fault in (lost, truncated):
        github.gate.mend()
        github.gate.fail("list-runners", fault)
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            Client(github, github.add_token().value)("GET", RUNNERS)
    assert not github.violations
