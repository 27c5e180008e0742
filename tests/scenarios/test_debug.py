"""GitHub's "Enable debug logging": each request in a line, and nothing in it that is not for everyone's eyes."""

from __future__ import annotations

import re

from standins import images
from standins.gate import answer
from standins.github import GitHub
from standins.program import Program
from standins.server import Response

LAUNCH = {"image": images.OWN_X64, "instance-type": "m7i.large"}
REQUEST = re.compile(
    r"::debug::request operation=(\w+|\"(?:GET|POST|DELETE) [\w/.-]+\") host=[\w.-]+ status=\d{3} seconds=\d+\.\d\d"
)
RETRY = re.compile(r"::debug::retry operation=([\w:]+|\"[\w ']+\") attempt=\d+ wait=\d+\.\d\d")


def debug_lines(log: str) -> list[str]:
    return [line for line in log.splitlines() if line.startswith("::debug::")]


def test_each_request_and_each_retry_is_a_line(sprinters: Program, github: GitHub) -> None:
    sprinters.environment["RUNNER_DEBUG"] = "1"
    github.gate.fail("list-downloads", answer(Response.of_json(503, {"message": "unavailable"})))
    run = sprinters.run("start", **LAUNCH)

    assert run.code == 0, run.log
    lines = debug_lines(run.stdout)
    for line in lines:
        assert REQUEST.fullmatch(line) or RETRY.fullmatch(line), line
    assert any("operation=RunInstances" in line and "status=200" in line for line in lines)
    assert any("/runners/downloads" in line and "status=503" in line for line in lines)
    [retry] = [line for line in lines if line.startswith("::debug::retry")]
    assert "attempt=2 wait=" in retry


def test_without_it_there_is_none(sprinters: Program) -> None:
    for asked in (None, "0"):
        if asked:
            sprinters.environment["RUNNER_DEBUG"] = asked
        assert not debug_lines(sprinters.run("sweep").stdout)


def test_at_a_terminal_the_lines_are_beside_the_output(sprinters: Program) -> None:
    sprinters.environment.pop("GITHUB_ACTIONS")
    sprinters.environment["RUNNER_DEBUG"] = "1"
    run = sprinters.run("sweep")

    assert run.code == 0, run.log
    assert "debug: request operation=DescribeInstances" in run.stderr
    assert "debug: " not in run.stdout
