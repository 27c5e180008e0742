"""The same program in a person's hands: flags instead of inputs, and other GitHubs."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from standins import images
from standins.aws import Ec2
from standins.cloud import Behaves
from standins.github import GitHub
from standins.program import Program

LeftBehind = Callable[[], list[str]]


def by_hand(sprinters: Program, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*sprinters.command, *arguments],
        env=environment(sprinters),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def environment(sprinters: Program) -> dict[str, str]:
    """Nothing of a workflow's environment but the endpoints; the credentials stand where people keep them."""
    kept = ("PATH", "HOME", "AWS_ENDPOINT_URL_EC2", "GITHUB_API_URL", "SPRINTERS_IMAGE_INDEX_URL", "NO_COLOR")
    return {name: sprinters.environment[name] for name in kept} | {
        "AWS_ACCESS_KEY_ID": str(sprinters.inputs["aws-access-key-id"]),
        "AWS_SECRET_ACCESS_KEY": str(sprinters.inputs["aws-secret-access-key"]),
        "AWS_REGION": str(sprinters.inputs["aws-region"]),
        "AWS_EC2_METADATA_DISABLED": "true",
        "SPRINTERS_TOKEN": str(sprinters.inputs["github-token"]),
        "GITHUB_REPOSITORY": sprinters.environment["GITHUB_REPOSITORY"],
    }


def test_start_and_stop_by_flags(sprinters: Program, ec2: Ec2, left_behind: LeftBehind) -> None:
    started = by_hand(sprinters, "start", "--image", images.OWN_X64, "--instance-type", "m7i.large")
    assert started.returncode == 0, started.stdout + started.stderr
    assert "::" not in started.stdout, "a person's terminal gets no workflow commands"
    [instance] = ec2.living()
    stopped = by_hand(sprinters, "stop", "--instance-id", instance.id)

    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert not left_behind()


def test_a_stop_that_names_nothing_ends_nothing_at_a_terminal(
    sprinters: Program, ec2: Ec2, left_behind: LeftBehind
) -> None:
    """Whoever else is at a terminal launches for the same repository, and there is no run that tells them apart."""
    mine, other = (
        by_hand(sprinters, "start", "--image", images.OWN_X64, "--instance-type", "m7i.large") for _ in range(2)
    )
    assert (mine.returncode, other.returncode) == (0, 0), mine.stdout + other.stdout
    command = re.search(r"to end it: `sprinters (stop --instance-id i-[0-9a-f]+)`", mine.stdout)
    assert command, mine.stdout
    asked = by_hand(sprinters, "stop")

    assert asked.returncode == 2, asked.stdout + asked.stderr
    living = {instance.id for instance in ec2.living()}
    assert len(living) == 2 and all(f"`{one}` (m7i.large, launched " in asked.stderr for one in living), asked.stderr
    by_name = by_hand(sprinters, *command[1].split())
    assert by_name.returncode == 0, by_name.stdout + by_name.stderr
    assert {instance.id for instance in ec2.living()} == living - {command[1].split()[-1]}
    forced = by_hand(sprinters, "stop", "--force", "true")
    assert forced.returncode == 0, forced.stdout + forced.stderr
    assert not left_behind()


def test_what_is_waited_for_fits_a_terminal_s_line(sprinters: Program, behaves: Behaves) -> None:
    behaves.online_after = 2.5
    main, terminal = pty.openpty()
    arguments = ["start", "--image", images.OWN_X64, "--instance-type", "m7i.large", "--count", "2"]
    process = subprocess.Popen(
        [*sprinters.command, *arguments], env=environment(sprinters), stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    written = read_all(main).decode()
    assert process.wait(60) == 0, written

    progress = re.findall(r"\r\x1b\[K(\d+ of 2 online [^\r\n]*)", written)
    assert len(progress) >= 2, written
    assert all(len(line) < 80 and "GitHub: " in line and "EC2: " in line for line in progress), progress


def read_all(terminal: int) -> bytes:
    """Until its other end is closed, which Linux reports as an error."""
    written = b""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 4096):
            written += part
    return written


def test_an_unknown_flag_is_a_wrong_input(sprinters: Program) -> None:
    run = by_hand(sprinters, "start", "--instance-typ", "m7i.large")

    assert run.returncode == 2
    assert "--instance-typ" in run.stdout + run.stderr


def bare(command: list[str], *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """At a terminal with nothing set."""
    return subprocess.run([*command, *arguments], env=variables, capture_output=True, text=True, check=False)


def test_a_wrong_command_gets_the_nearest_and_the_list(command: list[str]) -> None:
    run = bare(command, "strat")

    assert run.returncode == 2
    assert "`strat` is not a command; did you mean `start`?" in run.stderr
    for name in ("start", "listen", "migrate", "setup"):
        assert re.search(rf"^ +{name} +[A-Z]", run.stderr, re.MULTILINE), run.stderr


def test_what_is_missing_at_a_terminal_is_exported(command: list[str]) -> None:
    run = bare(command, "start")

    assert run.returncode == 2
    for export in ("export SPRINTERS_TOKEN=", "export AWS_REGION=", "export GITHUB_REPOSITORY=owner/name"):
        assert export in run.stderr, run.stderr
    assert "secrets." not in run.stderr and "workflow" not in run.stderr.partition("GITHUB_REPOSITORY")[0]


def test_an_unknown_input_does_not_hide_what_else_is_wrong(sprinters: Program) -> None:
    run = sprinters.run("start", **{"instance-typ": "m7i.large", "zzz": "1", "count": "many"})

    assert run.code == 2
    assert "input `instance-typ`: no input has this name; did you mean `instance-type`?" in run.log
    assert "input `zzz`: no input has this name" in run.log
    assert "input `count` is `many`" in run.log


def test_the_version_tells_what_it_was_built_from(command: list[str]) -> None:
    assert re.fullmatch(
        r"sprinters \d+\.\d+\.\d+ \(sources (unknown|[0-9a-f]{12}), [\w-]+\)\n", bare(command, "--version").stdout
    )


def test_help_needs_nothing(command: list[str]) -> None:
    run = subprocess.run([*command, "--help"], env={}, capture_output=True, text=True, check=False)

    assert run.returncode == 0
    for word in ("start", "stop", "check", "sweep", "--instance-type"):
        assert word in run.stdout


@pytest.mark.github(base_path="/api/v3")
def test_a_github_enterprise_server(sprinters: Program, github: GitHub, left_behind: LeftBehind) -> None:
    assert sprinters.environment["GITHUB_API_URL"].endswith("/api/v3")
    run = sprinters.run("start", image=images.OWN_X64, **{"instance-type": "m7i.large"})
    assert run.code == 0, run.log
    assert len(github.records()) == 1
    assert sprinters.run("stop").code == 0
    assert not left_behind()


def with_profile(sprinters: Program, text: str) -> dict[str, str]:
    """What a person has in `~/.aws/config`, and no key in the environment."""
    folder = Path(sprinters.environment["HOME"]) / ".aws"
    folder.mkdir(parents=True)
    (folder / "config").write_text(text)
    kept = environment(sprinters) | {"AWS_PROFILE": "ci"}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        kept.pop(name)
    return kept


def checked(sprinters: Program, kept: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [*sprinters.command, "stop"]
    return subprocess.run(command, env=kept, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.not_portable
def test_the_profile_s_region_and_key_are_read(sprinters: Program) -> None:
    key, secret = sprinters.inputs["aws-access-key-id"], sprinters.inputs["aws-secret-access-key"]
    text = f"[profile ci]\nregion = eu-central-1\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
    run = checked(sprinters, with_profile(sprinters, text))

    assert run.returncode == 0, run.stdout + run.stderr
    assert "nothing to stop" in run.stdout


@pytest.mark.not_portable
@pytest.mark.parametrize(
    "source",
    [
        "credential_process = /bin/true",
        "sso_session = us\nsso_account_id = 111122223333\nsso_role_name = ci\n"
        "[sso-session us]\nsso_region = us-east-1\nsso_start_url = https://example.com/start",
    ],
)
def test_a_profile_that_runs_another_program_is_told_with_the_way_out(sprinters: Program, source: str) -> None:
    run = checked(sprinters, with_profile(sprinters, f"[profile ci]\nregion = eu-central-1\n{source}\n"))

    assert run.returncode == 1
    assert "aws configure export-credentials --format env" in run.stderr
