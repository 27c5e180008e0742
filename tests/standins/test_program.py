"""The harness itself: it reads outputs as GitHub does, and it would find a leak."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from standins.aws import Ec2
from standins.github import GitHub
from standins.leaks import leaks
from standins.program import Program, job_environment, parsed_outputs


def test_outputs_of_one_line_and_of_many() -> None:
    text = "label=a=b\nempty=\nmany<<EOF\none\n\nthree=3\nEOF\nlast=x\n"
    assert parsed_outputs(text) == {"label": "a=b", "empty": "", "many": "one\n\nthree=3", "last": "x"}


def test_a_line_that_github_would_not_take() -> None:
    with pytest.raises(ValueError, match="neither of its two forms"):
        parsed_outputs("label\n")


def program(folder: Path, script: str) -> Program:
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Program([str(path)], job_environment(folder), {}, folder / "runs")


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ("echo the token is $SECRET", "stdout"),
        ("echo the token is $SECRET >&2", "stderr"),
        ("echo token=$SECRET >>$GITHUB_OUTPUT", "output"),
        ("echo $SECRET >>$GITHUB_STEP_SUMMARY", "summary"),
        ("echo $SECRET >core", "core"),
        ("echo ::add-mask::$SECRET", None),
        ("true", None),
    ],
)
def test_a_leak_is_found_wherever_it_is(
    ec2: Ec2, github: GitHub, tmp_path: Path, script: str, place: str | None
) -> None:
    under_test = program(tmp_path, script)
    under_test.environment["SECRET"] = github.add_token().value
    assert under_test.run("start").code == 0

    found = leaks(under_test, ec2, github)
    assert [place in one for one in found if place] == ([True] if place else [])
    assert bool(found) == (place is not None)


def test_a_jit_config_in_a_tag_is_found(ec2: Ec2, github: GitHub, tmp_path: Path) -> None:
    runner = github.runners.register("repos/octo/app", "a", ["b"], 1)
    assert runner is not None
    script = f"curl -s -d 'Action=RunInstances&TagSpecification.1.Tag.1.Value={runner.token}' {ec2.url} -o /dev/null"
    under_test = program(tmp_path, script)
    under_test.run("start")

    assert any("TagSpecification.1.Tag.1.Value" in one for one in leaks(under_test, ec2, github))
